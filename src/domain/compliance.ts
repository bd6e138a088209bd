// The backup compliance policy of a project, and every rule that it puts upon others (docs/design/compliance.md). Whoever deletes,
// shortens or changes a schedule asks here, whatever door it came through.
import { isDeepStrictEqual } from 'node:util';
import { LeafvaultError } from '../foundation/errors.ts';
import type { SnapshotState } from './records.ts';
import { FREQUENCIES, longestDays, shortestDays, type PolicyItem, type Retention } from './retention.ts';
import { checkSchedule, emptySchedule, type SnapshotSchedule } from './schedule.ts';

export interface OnDemandItem extends Retention {
  readonly id: string;
  /** Kept and told; it means nothing. */
  readonly frequencyInterval: number;
}

export interface CompliancePolicy {
  readonly projectId: string;
  readonly authorizedEmail: string;
  readonly authorizedUserFirstName: string | null;
  readonly authorizedUserLastName: string | null;
  readonly copyProtectionEnabled: boolean;
  readonly encryptionAtRestEnabled: boolean;
  readonly pitEnabled: boolean;
  /** 0: no minimum. */
  readonly restoreWindowDays: number;
  readonly onDemandItem: OnDemandItem | null;
  /** At most one of a frequency. */
  readonly scheduledItems: readonly PolicyItem[];
}

/** Which rule was met, for doors that have a word for each. */
export type ComplianceRule = 'deletion' | 'expiry' | 'retention' | 'schedule' | 'restoreWindow' | 'continuous' | 'encryption' | 'cluster' | 'policy';

const EMAIL = /^[^\s@]+@[^\s@]+$/;

/** @throws COMPLIANCE_INVALID, details {reason} */
export function checkPolicy(policy: CompliancePolicy): void {
  const { authorizedEmail, restoreWindowDays, onDemandItem, scheduledItems } = policy;
  if (!EMAIL.test(authorizedEmail)) throw invalid('authorizedEmail is no e-mail address');
  const twice = scheduledItems.find(({ frequencyType }, at) => scheduledItems.findIndex((item) => item.frequencyType === frequencyType) !== at);
  if (twice !== undefined) throw invalid(`there are two ${twice.frequencyType} items`);
  if (onDemandItem !== null && !(Number.isInteger(onDemandItem.retentionValue) && onDemandItem.retentionValue >= 1)) throw invalid('the retention of the item on demand is no whole number from 1 up');
  if (!Number.isInteger(restoreWindowDays) || restoreWindowDays < 0) throw invalid('the restore window is no whole number of days');
  try {
    checkSchedule({ ...emptySchedule(policy.projectId, new Date(0)), items: scheduledItems });
  } catch (error) {
    throw error instanceof LeafvaultError ? invalid(String(error.details['reason'])) : error;
  }
  const hourly = scheduledItems.find(({ frequencyType }) => frequencyType === 'hourly');
  if (hourly !== undefined && restoreWindowDays > shortestDays(hourly)) throw invalid(`a restore window of ${restoreWindowDays} days is longer than the hourly item keeps`);
}

/** @throws COMPLIANCE_PROTECTED unless it stands for nothing that could be restored */
export function forbidDeletion(policy: CompliancePolicy | null, { id, state }: { readonly id: string; readonly state: SnapshotState }): void {
  if (policy === null || state === 'failed' || state === 'cancelled') return;
  throw forbidden(policy, 'deletion', `deleting snapshot ${id}`);
}

/** Also of a snapshot that is being made: who cancels it keeps it from coming. @throws COMPLIANCE_PROTECTED */
export function forbidCancelOfSnapshot(policy: CompliancePolicy | null, jobId: string): void {
  if (policy !== null) throw forbidden(policy, 'deletion', `cancelling the snapshot that job ${jobId} takes`);
}

/** One that rests may rest for ever. @throws COMPLIANCE_PROTECTED */
export function forbidPauseOfSnapshot(policy: CompliancePolicy | null, jobId: string): void {
  if (policy !== null) throw forbidden(policy, 'deletion', `pausing the snapshot that job ${jobId} takes`);
}

/** @throws COMPLIANCE_PROTECTED where the new end is earlier */
export function forbidShortening(policy: CompliancePolicy | null, { id, expiresAt }: { readonly id: string; readonly expiresAt: Date }, next: Date): void {
  if (policy !== null && next < expiresAt) throw forbidden(policy, 'expiry', `letting snapshot ${id} end at ${next.toISOString()}, before ${expiresAt.toISOString()},`);
}

/** Days that a snapshot on demand is kept; what nobody asked for is raised to the policy's. @throws COMPLIANCE_PROTECTED where fewer were asked for */
export function daysOnDemand(policy: CompliancePolicy | null, { days, isAsked }: { readonly days: number; readonly isAsked: boolean }): number {
  const least = policy?.onDemandItem == null ? 0 : longestDays(policy.onDemandItem);
  if (policy !== null && isAsked && days < least) throw forbidden(policy, 'retention', `keeping a snapshot on demand ${days} days, fewer than ${least},`);
  return Math.max(days, least);
}

/** @throws COMPLIANCE_PROTECTED where it keeps less than the policy */
export function forbidShortfall(policy: CompliancePolicy | null, schedule: SnapshotSchedule): void {
  const found = policy === null ? null : shortfallOf(policy, schedule);
  if (policy !== null && found !== null) throw forbidden(policy, found.rule, `a schedule where ${found.reason}`);
}

/** Whether continuous backup of a cluster has to be on. */
export function requiresContinuous(policy: CompliancePolicy | null): policy is CompliancePolicy {
  return policy?.pitEnabled === true;
}

/** For whoever turns continuous backup off. @throws COMPLIANCE_PROTECTED */
export function forbidTurningOff(policy: CompliancePolicy | null, clusterName: string): void {
  if (requiresContinuous(policy)) throw forbidden(policy, 'continuous', `turning off continuous backup of ${clusterName}`);
}

/** For whoever stops the backups of a cluster, or ends them: none would come. @throws COMPLIANCE_PROTECTED */
export function forbidStopping(policy: CompliancePolicy | null, clusterName: string): void {
  if (policy !== null) throw forbidden(policy, 'policy', `stopping the backups of ${clusterName}`);
}

/** For whoever leaves namespaces out. @throws COMPLIANCE_PROTECTED */
export function forbidFilter(policy: CompliancePolicy | null, clusterName: string): void {
  if (policy !== null) throw forbidden(policy, 'policy', `leaving namespaces out of the snapshots of ${clusterName}`);
}

/** For whoever has a cluster's snapshots taken elsewhere: those of before would run out, and none of these servers would come. @throws COMPLIANCE_PROTECTED */
export function forbidMoving(policy: CompliancePolicy | null, { name, hosts }: { readonly name: string; readonly hosts: readonly string[] }, next: readonly string[]): void {
  if (policy !== null && !isDeepStrictEqual([...hosts].sort(), [...next].sort())) throw forbidden(policy, 'policy', `a connection string of ${name} that names other servers`);
}

/** For whoever deletes a cluster, and its snapshots with it. @throws COMPLIANCE_PROTECTED */
export function forbidClusterDeletion(policy: CompliancePolicy | null, clusterName: string): void {
  if (policy !== null) throw forbidden(policy, 'cluster', `deleting the cluster ${clusterName}`);
}

/** For whoever deletes the project, and its policy with it. @throws COMPLIANCE_PROTECTED */
export function forbidProjectDeletion(policy: CompliancePolicy | null, projectName: string): void {
  if (policy !== null) throw forbidden(policy, 'policy', `deleting the project ${projectName}`);
}

/** @throws COMPLIANCE_PROTECTED where the new policy is weaker */
export function forbidWeaker(old: CompliancePolicy | null, next: CompliancePolicy): void {
  if (old === null) return;
  const refuse = (rule: ComplianceRule, what: string): never => { throw forbidden(old, rule, `a policy ${what}`); };
  for (const item of old.scheduledItems) {
    const reason = itemShortfall(item, next.scheduledItems);
    if (reason !== null) refuse('policy', `where ${reason}`);
  }
  if (old.onDemandItem !== null && (next.onDemandItem === null || !keepsAtLeast(next.onDemandItem, old.onDemandItem))) refuse('policy', 'that keeps snapshots on demand less long');
  if (next.restoreWindowDays < old.restoreWindowDays) refuse('restoreWindow', `with a restore window of ${next.restoreWindowDays} days, fewer than ${old.restoreWindowDays}`);
  if (old.pitEnabled && !next.pitEnabled) refuse('continuous', 'without continuous backup');
  if (old.encryptionAtRestEnabled && !next.encryptionAtRestEnabled) refuse('encryption', 'without encryption at rest');
  if (old.copyProtectionEnabled && !next.copyProtectionEnabled) refuse('policy', 'without protection of copies');
}

/** What the schedule lacks, in words; null: it keeps all that the policy asks. */
export function shortfallOf({ scheduledItems, restoreWindowDays: least }: CompliancePolicy, { items, restoreWindowDays }: SnapshotSchedule): { readonly rule: ComplianceRule; readonly reason: string } | null {
  for (const item of scheduledItems) {
    const reason = itemShortfall(item, items);
    if (reason !== null) return { rule: 'schedule', reason };
  }
  return restoreWindowDays < least ? { rule: 'restoreWindow', reason: `the restore window is ${restoreWindowDays} days, fewer than ${least}` } : null;
}

/** The schedule with what it lacks; its own items are raised, never lowered. */
export function raised({ scheduledItems, restoreWindowDays }: CompliancePolicy, schedule: SnapshotSchedule, newItemId: () => string): SnapshotSchedule {
  const own = schedule.items.map((item) => {
    const least = scheduledItems.find(({ frequencyType }) => frequencyType === item.frequencyType);
    return least === undefined ? item : { ...item, ...longerOf(item, least), ...(item.frequencyType === 'hourly' ? { frequencyInterval: Math.min(item.frequencyInterval, least.frequencyInterval) } : {}) };
  });
  const missing = scheduledItems.filter(({ frequencyType }) => !own.some((item) => item.frequencyType === frequencyType)).map((item) => ({ ...item, id: newItemId() }));
  return { ...schedule, items: inOrder([...own, ...missing]), restoreWindowDays: Math.max(schedule.restoreWindowDays, restoreWindowDays) };
}

/** True where one can never end before the other. */
export function keepsAtLeast(one: Retention, other: Retention): boolean {
  if (one.retentionUnit === other.retentionUnit) return one.retentionValue >= other.retentionValue;
  const months = ({ retentionUnit, retentionValue }: Retention): number | null => (retentionUnit === 'months' ? retentionValue : retentionUnit === 'years' ? 12 * retentionValue : null);
  const [mine, theirs] = [months(one), months(other)];
  return mine !== null && theirs !== null ? mine >= theirs : shortestDays(one) >= longestDays(other);
}

function itemShortfall(least: PolicyItem, items: readonly PolicyItem[]): string | null {
  const same = items.filter(({ frequencyType }) => frequencyType === least.frequencyType);
  const often = least.frequencyType === 'hourly' ? same.filter(({ frequencyInterval }) => frequencyInterval <= least.frequencyInterval) : same;
  if (same.length === 0) return `there is no ${least.frequencyType} item`;
  if (often.length === 0) return `the hourly item is taken less often than every ${least.frequencyInterval} hours`;
  // Each of a frequency: a snapshot is named by it, whichever of them it stands for.
  return often.every((item) => keepsAtLeast(item, least)) ? null : `a ${least.frequencyType} item keeps less than ${least.retentionValue} ${least.retentionUnit}`;
}

function longerOf(one: Retention, other: Retention): Retention {
  const { retentionUnit, retentionValue } = keepsAtLeast(one, other) ? one : other;
  return { retentionUnit, retentionValue };
}

/** A less frequent item keeps at least as long as every more frequent one. */
function inOrder(items: readonly PolicyItem[]): PolicyItem[] {
  const rank = ({ frequencyType }: PolicyItem): number => FREQUENCIES.indexOf(frequencyType);
  const done: PolicyItem[] = [];
  for (const item of [...items].sort((a, b) => rank(a) - rank(b))) {
    const longest = done.filter((other) => rank(other) < rank(item)).reduce<PolicyItem | null>((most, other) => (most === null || longestDays(other) > longestDays(most) ? other : most), null);
    done.push(longest !== null && longestDays(longest) > longestDays(item) ? { ...item, retentionUnit: longest.retentionUnit, retentionValue: longest.retentionValue } : item);
  }
  return done;
}

function invalid(reason: string): LeafvaultError {
  return new LeafvaultError('COMPLIANCE_INVALID', `Setting a backup compliance policy was refused: ${reason}`, { details: { reason } });
}

function forbidden({ projectId, authorizedEmail }: CompliancePolicy, rule: ComplianceRule, what: string): LeafvaultError {
  return new LeafvaultError('COMPLIANCE_PROTECTED', `The backup compliance policy of project ${projectId} forbids ${what.replace(/,$/, '')}`, {
    details: { rule, projectId, reason: what }, hint: `Ask ${authorizedEmail}, who answers for the policy; docs/guides/compliance.md`,
  });
}
