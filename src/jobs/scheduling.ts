// Snapshots that schedules ask for. Every worker looks; one does it, once for each due time (docs/design/schedules.md).
import type { Catalog, CatalogTransaction, EndedSnapshot, SnapshotSelection } from '../catalog/index.ts';
import { isExportDue, newExport } from '../domain/exports.ts';
import { usualSelection } from '../domain/namespace-selection.ts';
import { afterFailure, afterSuccess, afterTwice, planRun, type CatchUp, type PlannedRun } from '../domain/plan-run.ts';
import { daysKept, expiryOf, joinLonger, type PolicyItem } from '../domain/retention.ts';
import type { Cluster } from '../domain/records.ts';
import { keptItems, type SnapshotSchedule } from '../domain/schedule.ts';
import type { Clock } from '../foundation/clock.ts';
import { describeError, isLeafvaultError } from '../foundation/errors.ts';
import { newId } from '../foundation/ids.ts';
import type { Logger } from '../foundation/logger.ts';
import type { JobQueue } from './queue.ts';
import type { Chore } from './worker.ts';

export interface SchedulingParts {
  readonly catalog: Catalog;
  readonly queue: Pick<JobQueue, 'enqueue'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly catchUp: CatchUp;
}

const LOOK_EVERY_MS = 10_000;
const FORGET_EVERY_MS = 3_600_000;
const DAY_MS = 86_400_000;
const RUNS_KEPT_MS = 35 * DAY_MS;

export const SCHEDULE_REQUESTER = 'backup schedule';

export function createScheduleChores(parts: SchedulingParts): readonly Chore[] {
  return [
    { name: 'following the backup schedules', everyMs: LOOK_EVERY_MS, run: (signal) => followSchedules(parts, signal) },
    {
      name: 'forgetting runs of schedules', everyMs: FORGET_EVERY_MS,
      run: async () => void (await parts.catalog.schedules.forgetRuns(new Date(parts.clock.now().getTime() - RUNS_KEPT_MS))),
    },
  ];
}

/** What ended first: it says what is owed. */
async function followSchedules(parts: SchedulingParts, signal: AbortSignal): Promise<void> {
  const { catalog, log } = parts;
  // Those that can't be settled must not hide the ones behind them.
  for (const ended of await catalog.schedules.ended(Number.MAX_SAFE_INTEGER)) {
    if (signal.aborted) return;
    await settle(parts, ended).catch((error: unknown) => {
      log.warn({ cluster: ended.clusterId, snapshot: ended.snapshotId, reason: describeError(error) }, 'the end of a scheduled snapshot could not be taken into account; trying again');
    });
  }
  // Those that fail, or that another process holds, must not stand before the others for ever: one pass over all, each once.
  for (const clusterId of await catalog.schedules.due(Number.MAX_SAFE_INTEGER)) {
    if (signal.aborted) return;
    await look(parts, clusterId).catch((error: unknown) => {
      // Another process was faster; the unique row says so.
      if (!isLeafvaultError(error, 'CATALOG_DUPLICATE')) log.warn({ cluster: clusterId, reason: describeError(error) }, 'a backup schedule could not be followed; trying again');
    });
  }
}

async function settle({ catalog, queue, clock, log }: SchedulingParts, { clusterId, snapshotId, snapshotState }: EndedSnapshot): Promise<void> {
  await catalog.transaction(async (tx) => {
    const record = await tx.schedules.hold(clusterId, { wait: false });
    // Of all its due times together: it failed once, however many had joined it.
    const items = record === null ? null : await tx.schedules.settle(snapshotId);
    // Somebody's decision; nothing is owed.
    if (record === null || items === null || snapshotState === 'cancelled') return;
    const { schedule, progress } = record;
    const known = items.filter(({ id }) => schedule.items.some((item) => item.id === id));
    if (snapshotState === 'failed' && known.length === 0) return;
    const changed = snapshotState === 'completed' ? afterSuccess(progress, items) : afterFailure(progress, known, clock.now());
    await tx.schedules.save({ schedule, progress: changed });
    if (snapshotState === 'completed') await exportIfDue(tx, { queue, clock, log }, schedule, { snapshotId, items });
    if (snapshotState === 'failed') log.warn({ cluster: clusterId, snapshot: snapshotId, failures: changed.failures, retryAt: changed.retryAt }, 'a scheduled snapshot failed; it is asked for again');
  });
}

/** In the transaction that takes the end of a snapshot into account, which is one for each snapshot. */
async function exportIfDue(
  tx: CatalogTransaction, { queue, clock, log }: Pick<SchedulingParts, 'queue' | 'clock' | 'log'>, schedule: SnapshotSchedule, { snapshotId, items }: { readonly snapshotId: string; readonly items: readonly PolicyItem[] },
): Promise<void> {
  if (!isExportDue(schedule.export, items)) return;
  const [cluster, snapshot] = [await tx.clusters.get(schedule.clusterId), await tx.snapshots.get(snapshotId)];
  const project = cluster === null ? null : await tx.projects.get(cluster.projectId);
  const organization = project === null ? null : await tx.organizations.get(project.orgId);
  if (cluster === null || project === null || organization === null || snapshot === null || snapshot.deletedAt !== null) return;
  const now = clock.now();
  const useNames = schedule.forms['atlas']?.['useOrgAndGroupNamesInExportPrefix'] === true;
  const row = newExport({ ids: { exportId: newId(now), jobId: newId(now) }, cluster, project, organization, snapshot, bucketId: schedule.export.bucketId, labels: [], useNames, now });
  await queue.enqueue(tx, { id: row.jobId, kind: 'export', payload: { exportId: row.id }, projectId: project.id, clusterId: cluster.id, snapshotId, restoreId: null, requestedBy: SCHEDULE_REQUESTER });
  await tx.exports.insert(row);
  log.info({ cluster: cluster.id, snapshot: snapshotId, export: row.id }, 'a scheduled snapshot is exported');
}

async function look({ catalog, queue, clock, log, catchUp }: SchedulingParts, clusterId: string): Promise<void> {
  await catalog.transaction(async (tx) => {
    const record = await tx.schedules.hold(clusterId, { wait: false });
    if (record === null) return;
    const { schedule } = record;
    // Behind the schedule, as everywhere; held, so that a filter is there for all that is asked for behind it.
    await tx.clusters.hold(clusterId);
    const cluster = await tx.clusters.get(clusterId);
    if (cluster?.backupState !== 'started') return;
    const now = clock.now();
    const { run, progress } = planRun(schedule, record.progress, { now, catchUp });
    const isTwice = run !== null && (await tx.schedules.hasRun(clusterId, run.dueAt));
    await tx.schedules.save({ schedule, progress: isTwice ? afterTwice(record.progress, { run, progress }, now) : progress });
    if (run === null || isTwice) return;
    const wanted = { cluster, schedule, run, selection: usualSelection(cluster) };
    const snapshotId = (await joinWaiting(tx, clock, wanted)) ?? (await askForSnapshot(tx, { queue, clock }, wanted));
    await tx.schedules.addRun({ ...run, clusterId, snapshotId });
    log.info({ cluster: clusterId, snapshot: snapshotId, dueAt: run.dueAt, missed: run.missed }, 'a scheduled snapshot is due');
  });
}

interface WantedSnapshot { readonly cluster: Cluster; readonly schedule: SnapshotSchedule; readonly run: PlannedRun; readonly selection: SnapshotSelection | null }

/** One that waits for its job and takes the same stands for this due time, too. */
async function joinWaiting(tx: CatalogTransaction, clock: Clock, { schedule, run, selection }: WantedSnapshot): Promise<string | null> {
  const id = await tx.schedules.waitingSnapshot(schedule.clusterId, selection);
  const waiting = id === null ? null : await tx.snapshots.hold(id);
  if (waiting === null) return null;
  const now = clock.now();
  const joined = joinLonger(waiting.policyItems ?? [], keptItems(schedule, run.items), now);
  return (await tx.snapshots.joinItems(waiting.id, joined, expiryOf(now, joined))) ? waiting.id : null;
}

async function askForSnapshot(tx: CatalogTransaction, { queue, clock }: Pick<SchedulingParts, 'queue' | 'clock'>, { cluster, schedule, run, selection }: WantedSnapshot): Promise<string> {
  const now = clock.now();
  const [snapshotId, jobId] = [newId(now), newId(now)];
  const where = { projectId: cluster.projectId, clusterId: cluster.id };
  const policyItems = keptItems(schedule, run.items);
  await queue.enqueue(tx, { ...where, id: jobId, kind: 'snapshot', payload: { snapshotId }, snapshotId, restoreId: null, requestedBy: SCHEDULE_REQUESTER });
  await tx.snapshots.insert({
    ...where, id: snapshotId, jobId, clusterName: cluster.name, type: 'scheduled', description: null, selection, policyItems,
    retentionDays: daysKept(policyItems), expiresAt: expiryOf(now, policyItems),
  });
  return snapshotId;
}
