// The backup schedule of a cluster: looking at it, changing it, and what a change does to snapshots that are there.
import type { CatalogStore, CatalogTransaction, ScheduleRecord } from '../catalog/index.ts';
import { forbidDeletion, forbidShortening, forbidShortfall, type CompliancePolicy } from '../domain/compliance.ts';
import { nextDue } from '../domain/due-times.ts';
import type { ScheduleExport } from '../domain/exports.ts';
import { afterChange, type CatchUp, freshProgress, putsNothingOff } from '../domain/plan-run.ts';
import type { Cluster } from '../domain/records.ts';
import { renewed, type KeptItem, type PolicyItem } from '../domain/retention.ts';
import { broken, checkSchedule, emptySchedule, keptItems, type SnapshotSchedule } from '../domain/schedule.ts';
import { previewSchedule, type Preview } from '../domain/schedule-preview.ts';
import type { Clock } from '../foundation/clock.ts';
import { newId } from '../foundation/ids.ts';
import { bucketNotFound } from './export-buckets.ts';
import type { ClusterSchedule, GivenItem, ScheduleChange, Schedules } from './contracts.ts';

export interface SchedulesOptions {
  readonly catalog: Pick<CatalogStore, 'schedules' | 'transaction'>;
  readonly clock: Clock;
  readonly catchUp: CatchUp;
}

export function createSchedules({ catalog, clock, catchUp }: SchedulesOptions): Schedules {
  /** A cluster without a row takes nothing. */
  const recordOf = (found: ScheduleRecord | null, { id, createdAt }: Cluster): ScheduleRecord =>
    found ?? { schedule: emptySchedule(id, createdAt), progress: freshProgress(clock.now()) };
  const shown = ({ schedule, progress }: ScheduleRecord, { backupState }: Cluster): ClusterSchedule => ({ ...schedule, nextSnapshotAt: backupState === 'started' ? nextAt(schedule, progress, clock.now()) : null });
  return {
    get: async (cluster) => shown(recordOf(await catalog.schedules.get(cluster.id), cluster), cluster),
    change: ({ cluster, change, updateSnapshots = false, deleteSnapshots = false }) => catalog.transaction(async (tx) => {
      const now = clock.now();
      const policy = await tx.compliance.hold(cluster.projectId);
      // So that two changes of a cluster that has no row yet follow each other.
      await tx.schedules.insert({ schedule: emptySchedule(cluster.id, cluster.createdAt), progress: freshProgress(now) });
      const old = recordOf(await tx.schedules.hold(cluster.id, { wait: true }), cluster);
      const asked = typeof change === 'function' ? change(old.schedule) : change;
      const schedule = { ...changed(old.schedule, asked, now), export: await exportOf(tx, cluster, old.schedule.export, asked.export) };
      checkSchedule(schedule);
      forbidShortfall(policy, schedule);
      const after = afterChange(old.schedule, schedule, old.progress, { now, catchUp });
      const frequencies = (policy?.scheduledItems ?? []).map(({ frequencyType }) => frequencyType);
      const record = { schedule, progress: putsNothingOff({ old: old.schedule, before: old.progress, changed: schedule, after }, { now, frequencies }) };
      await tx.schedules.save(record);
      await changeSnapshots(tx, old.schedule, schedule, { updateSnapshots, deleteSnapshots, policy });
      return shown(record, cluster);
    }),
    preview: (cluster, range) => previewClusterSchedule(catalog, cluster, { ...range, clock, catchUp }),
  };
}

/** For the command line, too, which has a catalog alone. */
export async function previewClusterSchedule(
  catalog: Pick<CatalogStore, 'schedules'>, { id, backupState }: Pick<Cluster, 'id' | 'backupState'>,
  { clock, until, limit, catchUp }: { readonly clock: Clock; readonly until: Date; readonly limit: number; readonly catchUp: CatchUp },
): Promise<Preview> {
  const found = await catalog.schedules.get(id);
  return found === null || backupState !== 'started' ? { runs: [], isCut: false } : previewSchedule(found.schedule, found.progress, { now: clock.now(), until, limit, catchUp });
}

/** The next time in the future at which one is asked for; null: never. */
function nextAt(schedule: SnapshotSchedule, { retryAt }: ScheduleRecord['progress'], now: Date): Date | null {
  const due = nextDue(schedule, now)?.at ?? null;
  return retryAt !== null && retryAt > now && (due === null || retryAt < due) ? retryAt : due;
}

/** @throws SCHEDULE_INVALID */
function changed(old: SnapshotSchedule, { policyId, items, forms, export: _, ...rest }: ScheduleChange, now: Date): SnapshotSchedule {
  if (policyId !== undefined && policyId !== old.policyId) throw broken('policyId', `the policy of the cluster has another id than ${policyId}`, policyId);
  return { ...old, ...rest, items: items === undefined ? old.items : items.map((item) => itemOf(old, item, now)), forms: joinForms(old.forms, forms) };
}

/** Member by member: a door sends what its client named. */
function joinForms(old: SnapshotSchedule['forms'], forms: SnapshotSchedule['forms'] = {}): SnapshotSchedule['forms'] {
  return { ...old, ...Object.fromEntries(Object.entries(forms).map(([name, form]) => [name, { ...old[name], ...form }])) };
}

/** @throws EXPORT_BUCKET_NOT_FOUND; SCHEDULE_INVALID where it is turned on and nobody said what */
async function exportOf(tx: CatalogTransaction, { projectId }: Cluster, old: ScheduleExport | null, change: ScheduleChange['export']): Promise<ScheduleExport | null> {
  if (change === undefined) return old;
  if (change === null) return null;
  const { bucketId, frequencyType, isEnabled = false } = { ...old, ...change };
  if (bucketId === undefined || frequencyType === undefined) {
    if (!isEnabled) return null;
    throw broken('export', 'an export needs a bucket and a frequency', bucketId ?? null);
  }
  // Held, so that nobody deletes it meanwhile.
  if ((await tx.exportBuckets.hold(bucketId))?.projectId !== projectId) throw bucketNotFound(bucketId);
  return { bucketId, frequencyType, isEnabled };
}

function itemOf({ items }: SnapshotSchedule, { id, ...given }: GivenItem, now: Date): PolicyItem {
  if (id === undefined) return { id: newId(now), ...given };
  const known = items.find((item) => item.id === id);
  if (known === undefined) throw broken('itemId', `the policy has no item ${id}`, id);
  if (known.frequencyType !== given.frequencyType) throw broken('itemType', `the item ${id} is ${known.frequencyType}, which does not change`, given.frequencyType);
  return { id, ...given };
}

async function changeSnapshots(
  tx: CatalogTransaction, old: SnapshotSchedule, schedule: SnapshotSchedule,
  { updateSnapshots, deleteSnapshots, policy }: { readonly updateSnapshots: boolean; readonly deleteSnapshots: boolean; readonly policy: CompliancePolicy | null },
): Promise<void> {
  if (!updateSnapshots && !deleteSnapshots) return;
  const kept = new Set(schedule.items.map(({ id }) => id));
  const removed = new Set(old.items.map(({ id }) => id).filter((id) => !kept.has(id)));
  const changes = changedItems(old, schedule);
  // Like an end by age: of two at once each has to see what the other took.
  await tx.executeSql('select 1 from clusters where id = $1 for update', [schedule.clusterId]);
  const irreplaceable = new Set(await tx.snapshots.irreplaceable(schedule.clusterId));
  for (const { id, state, policyItems, expiresAt, ...snapshot } of await tx.snapshots.holdScheduled(schedule.clusterId)) {
    const items = policyItems ?? [];
    // An item that an earlier change removed promised to keep its snapshots.
    const isOver = items.length > 0 && items.every((item) => removed.has(item.id));
    if (deleteSnapshots && isOver && state === 'completed' && !irreplaceable.has(id) && snapshot.pin === null && snapshot.hold === null) {
      forbidDeletion(policy, { id, state });
      await tx.snapshots.markDeleted(id);
    } else if (updateSnapshots) {
      const news = renewed({ from: snapshot.capturedAt ?? snapshot.requestedAt, items, expiresAt }, changes);
      if (news === null) continue;
      forbidShortening(policy, { id, expiresAt }, news.expiresAt);
      await tx.snapshots.changePolicy(id, news.items, news.expiresAt);
    }
  }
}

/** Items of both whose retention is another now. */
function changedItems(old: SnapshotSchedule, schedule: SnapshotSchedule): readonly KeptItem[] {
  const before = keptItems(old, old.items);
  return keptItems(schedule, schedule.items).filter((item) => before.some(({ id, retentionUnit, retentionValue, extraDays }) =>
    id === item.id && (retentionUnit !== item.retentionUnit || retentionValue !== item.retentionValue || extraDays !== item.extraDays)));
}
