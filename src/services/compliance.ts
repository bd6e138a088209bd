// The backup compliance policy of a project: looking at it, making it count, taking it away. What it forbids is asked where it would be done.
import type { CatalogStore, CatalogTransaction, ComplianceRecord } from '../catalog/index.ts';
import { checkPolicy, forbidWeaker, raised, requiresContinuous, shortfallOf, type CompliancePolicy } from '../domain/compliance.ts';
import { afterChange, freshProgress, type CatchUp } from '../domain/plan-run.ts';
import type { Cluster } from '../domain/records.ts';
import { checkSchedule, emptySchedule } from '../domain/schedule.ts';
import type { Clock } from '../foundation/clock.ts';
import { LeafvaultError } from '../foundation/errors.ts';
import { newId } from '../foundation/ids.ts';
import type { ActivePolicy, CompliancePolicies, GivenPolicy } from './contracts.ts';
import { keptText } from './storable.ts';

export interface ComplianceOptions {
  readonly catalog: Pick<CatalogStore, 'compliance' | 'transaction'>;
  readonly clock: Clock;
  readonly catchUp: CatchUp;
}

export function createCompliance({ catalog, clock, catchUp }: ComplianceOptions): CompliancePolicies {
  return {
    async get(projectId) {
      const record = await catalog.compliance.get(projectId);
      return record === null ? null : activeOf(record);
    },
    put: ({ project, policy: given, overwrite, principal }) => catalog.transaction(async (tx) => {
      const now = clock.now();
      const old = await tx.compliance.holdToChange(project.id);
      const policy = policyOf(given, old?.policy ?? null, { projectId: project.id, now });
      checkPolicy(policy);
      forbidWeaker(old?.policy ?? null, policy);
      await bringUp(tx, policy, { overwrite, now, catchUp });
      return activeOf(await tx.compliance.save(policy, principal.name));
    }),
    remove: ({ project }) => catalog.transaction(async (tx) => {
      const record = await tx.compliance.holdToChange(project.id);
      if (record === null) throw new LeafvaultError('COMPLIANCE_NOT_FOUND', `Removing the backup compliance policy of project ${project.id} failed: it has none`, { details: { projectId: project.id } });
      if (!record.deletable) {
        throw new LeafvaultError('COMPLIANCE_PROTECTED', `Removing the backup compliance policy of project ${project.id} was refused: it was not released`, {
          details: { rule: 'policy', projectId: project.id, reason: 'removing a policy that was not released' },
          hint: `On the machine of Leafvault: leafvault compliance release ${project.id} --email ${record.policy.authorizedEmail}`,
        });
      }
      await tx.compliance.delete(project.id);
    }),
  };
}

function activeOf({ policy, ...rest }: ComplianceRecord): ActivePolicy {
  return { ...policy, ...rest };
}

/** Ids that the old policy has stay; others are new. */
function policyOf(given: GivenPolicy, old: CompliancePolicy | null, { projectId, now }: { readonly projectId: string; readonly now: Date }): CompliancePolicy {
  const known = new Set([...(old?.scheduledItems ?? []), ...(old?.onDemandItem == null ? [] : [old.onDemandItem])].map(({ id }) => id));
  const withId = <Item extends { readonly id?: string | undefined }>(item: Item): Item & { readonly id: string } => ({ ...item, id: item.id !== undefined && known.has(item.id) ? item.id : newId(now) });
  const text = (name: 'authorizedUserFirstName' | 'authorizedUserLastName'): string | null => {
    const value = given[name];
    return value === null ? null : keptText(name, value);
  };
  return {
    ...given, projectId, authorizedEmail: keptText('authorizedEmail', given.authorizedEmail), authorizedUserFirstName: text('authorizedUserFirstName'), authorizedUserLastName: text('authorizedUserLastName'),
    onDemandItem: given.onDemandItem === null ? null : withId(given.onDemandItem), scheduledItems: given.scheduledItems.map(withId),
  };
}

/** Every cluster of the project keeps at least what the policy asks for, or nothing changes. @throws COMPLIANCE_UNMET */
async function bringUp(tx: CatalogTransaction, policy: CompliancePolicy, { overwrite, now, catchUp }: { readonly overwrite: boolean; readonly now: Date; readonly catchUp: CatchUp }): Promise<void> {
  const unmet: string[] = [];
  for (const cluster of await tx.clusters.ofProjects([policy.projectId])) {
    const isScheduleMet = await bringUpSchedule(tx, cluster, policy, { overwrite, now, catchUp });
    const isFollowed = !requiresContinuous(policy) || cluster.continuousBackup;
    if (!isFollowed && overwrite) await tx.clusters.setContinuousBackup(cluster.id, true);
    const isWhole = cluster.backupState === 'started' && cluster.namespaceFilter === null;
    if (!isWhole && overwrite) await backUpWhole(tx, cluster);
    if (!overwrite && !(isScheduleMet && isFollowed && isWhole)) unmet.push(cluster.name);
  }
  if (unmet.length === 0) return;
  throw new LeafvaultError('COMPLIANCE_UNMET', `Setting a backup compliance policy was refused: ${unmet.join(', ')} keep less than it asks for`, {
    details: { clusters: unmet.join(', ') }, hint: 'Raise their schedules first, or let the policy overwrite them: overwriteBackupPolicies=true',
  });
}

async function backUpWhole(tx: CatalogTransaction, { id }: Cluster): Promise<void> {
  await tx.clusters.setBackupState(id, 'started');
  await tx.clusters.setNamespaceFilter(id, null);
}

/** @returns whether it kept enough before */
async function bringUpSchedule(
  tx: CatalogTransaction, { id, createdAt }: Cluster, policy: CompliancePolicy, { overwrite, now, catchUp }: { readonly overwrite: boolean; readonly now: Date; readonly catchUp: CatchUp },
): Promise<boolean> {
  const fresh = { schedule: emptySchedule(id, createdAt), progress: freshProgress(now) };
  const { schedule: old, progress } = (await tx.schedules.hold(id, { wait: true })) ?? fresh;
  if (shortfallOf(policy, old) === null) return true;
  if (!overwrite) return false;
  const schedule = raised(policy, old, () => newId(now));
  checkSchedule(schedule);
  // Two changes of a cluster that has no row yet follow each other.
  await tx.schedules.insert(fresh);
  await tx.schedules.save({ schedule, progress: afterChange(old, schedule, progress, { now, catchUp }) });
  return false;
}
