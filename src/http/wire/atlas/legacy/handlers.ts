// Atlas's legacy backup: the same snapshots, restores and schedule in the form that Ops Manager still has, by the cluster's name.
import type { Cluster, Snapshot } from '../../../../domain/records.ts';
import { LeafvaultError } from '../../../../foundation/errors.ts';
import type { ClusterSchedule } from '../../../../services/contracts.ts';
import type { Answer } from '../../answer.ts';
import { parseChangeSchedule } from '../../mms-backup/parse-schedule.ts';
import { asksForBatch, parseCompleted, parseCreateRestoreJob, parseUpdateSnapshot } from '../../mms-backup/parse.ts';
import { checkpointIntervalOf, presentSchedule } from '../../mms-backup/present-schedule.ts';
import { presentRestoreJob, presentSnapshot, type MmsPlace } from '../../mms-backup/present.ts';
import type { ProjectCall } from '../../mms-routes.ts';
import { readId } from '../../read-id.ts';
import { readTimeSeries } from '../../read-time-series.ts';
import { clusterOf } from '../inventory/handlers.ts';

/** Answers a list of the one job, as the vendor does: a sharded cluster would have one for each shard. */
export async function createLegacyRestoreJob(call: ProjectCall): Promise<Answer> {
  const cluster = await clusterOf(call);
  const order = parseCreateRestoreJob(call.body, cluster, call.clock.now());
  const restore = await call.services.restores.create({ ...order, cluster, principal: call.principal, timeSeries: readTimeSeries(call.headers) });
  return { kind: 'list', page: null, totalCount: 1, results: [presentRestoreJob(restore, placeOf(call))] };
}

export async function listLegacyRestoreJobs(call: ProjectCall): Promise<Answer> {
  const page = call.page();
  const cluster = await clusterOf(call);
  if (asksForBatch(call.query)) return { kind: 'list', page, totalCount: 0, results: [] };
  const { items, totalCount } = await call.services.restores.list(cluster.id, page);
  return { kind: 'list', page, totalCount, results: items.map((each) => presentRestoreJob(each, placeOf(call))) };
}

export async function getLegacyRestoreJob(call: ProjectCall): Promise<Answer> {
  const cluster = await clusterOf(call);
  const restore = await call.services.restores.get(cluster.id, readId('restoreJob', call.params['jobId']));
  return { kind: 'one', body: presentRestoreJob(restore, placeOf(call)) };
}

export async function listLegacySnapshots(call: ProjectCall): Promise<Answer> {
  const page = call.page();
  const which = parseCompleted(call.query);
  const cluster = await clusterOf(call);
  const { items, totalCount } = await call.services.snapshots.list(cluster.id, page, { completedOnly: which === 'whole', unfinishedOnly: which === 'partial' });
  return { kind: 'list', page, totalCount, results: items.map((each) => presentSnapshot(each, placeOf(call))) };
}

export async function getLegacySnapshot(call: ProjectCall): Promise<Answer> {
  return { kind: 'one', body: presentSnapshot(await snapshotOf(call, await clusterOf(call)), placeOf(call)) };
}

export async function updateLegacySnapshot(call: ProjectCall): Promise<Answer> {
  const cluster = await clusterOf(call);
  const snapshot = await snapshotOf(call, cluster);
  const now = call.clock.now();
  const change = parseUpdateSnapshot(call.body, snapshot, now);
  if ('expiresAt' in change) {
    const updated = await call.services.snapshots.setExpiry({ cluster, id: snapshot.id, expiresAt: change.expiresAt, principal: call.principal });
    return { kind: 'one', body: presentSnapshot(updated, placeOf(call)) };
  }
  await call.services.snapshots.delete({ cluster, id: snapshot.id, principal: call.principal });
  return { kind: 'one', body: presentSnapshot({ ...snapshot, expiresAt: now }, placeOf(call)) };
}

export async function deleteLegacySnapshot(call: ProjectCall): Promise<Answer> {
  const cluster = await clusterOf(call);
  await call.services.snapshots.delete({ cluster, id: readId('snapshot', call.params['snapshotId']), principal: call.principal });
  return { kind: 'none' };
}

export async function getLegacySchedule(call: ProjectCall): Promise<Answer> {
  const cluster = await clusterOf(call);
  return shownSchedule(call, cluster, await call.services.schedules.get(cluster));
}

/** A retention of 0 takes its tier away: the vendor's list of choices has it. */
export async function updateLegacySchedule(call: ProjectCall): Promise<Answer> {
  const cluster = await clusterOf(call);
  const change = parseChangeSchedule(call.body, cluster, { zero: 'none' });
  return shownSchedule(call, cluster, await call.services.schedules.change({ cluster, principal: call.principal, change }));
}

/** Only sharded clusters have checkpoints, and none is sharded here. */
export async function listCheckpoints(call: ProjectCall): Promise<Answer> {
  const page = call.page();
  await clusterOf(call);
  return { kind: 'list', page, totalCount: 0, results: [] };
}

/** @throws CHECKPOINT_NOT_FOUND always */
export async function getCheckpoint(call: ProjectCall): Promise<Answer> {
  const cluster = await clusterOf(call);
  const id = readId('checkpoint', call.params['checkpointId']);
  throw new LeafvaultError('CHECKPOINT_NOT_FOUND', `Reading checkpoint ${id} failed: there are none`, { details: { id, clusterId: cluster.id } });
}

function placeOf({ root }: ProjectCall): MmsPlace {
  return { root, rels: 'https://cloud.mongodb.com', clusterSegment: ({ clusterName }) => encodeURIComponent(clusterName) };
}

function shownSchedule({ root }: ProjectCall, cluster: Cluster, schedule: ClusterSchedule): Answer {
  const group = `${root}/groups/${cluster.projectId}`;
  const at = `${group}/clusters/${encodeURIComponent(cluster.name)}`;
  return {
    kind: 'one',
    body: {
      ...presentSchedule(schedule, cluster),
      clusterCheckpointIntervalMin: checkpointIntervalOf(schedule),
      links: [
        { rel: 'self', href: `${at}/snapshotSchedule` },
        { rel: 'https://cloud.mongodb.com/cluster', href: at },
        { rel: 'https://cloud.mongodb.com/group', href: group },
      ],
    },
  };
}

function snapshotOf(call: ProjectCall, cluster: Cluster): Promise<Snapshot> {
  return call.services.snapshots.get(cluster.id, readId('snapshot', call.params['snapshotId']));
}
