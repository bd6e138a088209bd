// What Ops Manager and Atlas's legacy backup ask of the services: the same calls, which differ in how a cluster is named and what is shown of it.
import type { Cluster, ListedRestore, Snapshot } from '../../../domain/records.ts';
import { LeafvaultError } from '../../../foundation/errors.ts';
import type { ClusterSchedule } from '../../../services/contracts.ts';
import type { Answer } from '../answer.ts';
import type { ProjectCall } from '../mms-routes.ts';
import { readId } from '../read-id.ts';
import { readTimeSeries } from '../read-time-series.ts';
import { withAddressFor } from '../with-address.ts';
import { parseChangeSchedule } from './parse-schedule.ts';
import { asksForBatch, parseCompleted, parseCreateRestoreJob, parseUpdateSnapshot } from './parse.ts';

export interface MmsBackupForm {
  /** @throws CLUSTER_NOT_FOUND */
  clusterOf(call: ProjectCall): Promise<Cluster>;
  /** Also one that was deleted while its snapshots were kept. @throws CLUSTER_NOT_FOUND */
  sourceOf(call: ProjectCall): Promise<Cluster>;
  showRestoreJob(restore: ListedRestore, root: string): object;
  showSnapshot(snapshot: Snapshot, root: string): object;
  showSchedule(schedule: ClusterSchedule, cluster: Cluster, root: string): object;
  /** What a retention of 0 means for its tier. */
  readonly zero: 'none' | 'unchanged';
  /** What becomes of an interval of checkpoints, which only a sharded cluster has. */
  readonly checkpoints: 'kept' | 'refused';
}

type Handler = (call: ProjectCall) => Promise<Answer>;

export type MmsBackupHandlers = Readonly<Record<
  | 'createRestoreJob' | 'listRestoreJobs' | 'getRestoreJob' | 'listSnapshots' | 'getSnapshot' | 'updateSnapshot' | 'deleteSnapshot'
  | 'getSchedule' | 'updateSchedule' | 'listCheckpoints' | 'getCheckpoint', Handler
>>;

export function createMmsBackupHandlers({ clusterOf, sourceOf, showRestoreJob, showSnapshot, showSchedule, zero, checkpoints }: MmsBackupForm): MmsBackupHandlers {
  const snapshotOf = (call: ProjectCall, cluster: Cluster): Promise<Snapshot> => call.services.snapshots.get(cluster.id, readId('snapshot', call.params['snapshotId']));
  const one = (body: object): Answer => ({ kind: 'one', body });
  return {
    /** Answers a list of the one job, as the vendor does: a sharded cluster would have one for each shard. */
    async createRestoreJob(call) {
      const cluster = await sourceOf(call);
      const order = parseCreateRestoreJob(call.body, cluster, call.clock.now());
      const restore = await call.services.restores.create({ ...order, cluster, principal: call.principal, timeSeries: readTimeSeries(call.headers) });
      return { kind: 'list', page: null, totalCount: 1, results: [showRestoreJob(restore, call.root)] };
    },
    async listRestoreJobs(call) {
      const page = call.page();
      const cluster = await sourceOf(call);
      if (asksForBatch(call.query)) return { kind: 'list', page, totalCount: 0, results: [] };
      const { items, totalCount } = await call.services.restores.list(cluster.id, page);
      return { kind: 'list', page, totalCount, results: items.map((each) => showRestoreJob(withAddressFor(call, each), call.root)) };
    },
    async getRestoreJob(call) {
      const cluster = await sourceOf(call);
      const restore = await call.services.restores.get(cluster.id, readId('restoreJob', call.params['jobId']));
      return one(showRestoreJob(withAddressFor(call, restore), call.root));
    },
    async listSnapshots(call) {
      const page = call.page();
      const which = parseCompleted(call.query);
      const cluster = await sourceOf(call);
      const { items, totalCount } = await call.services.snapshots.list(cluster.id, page, { completedOnly: which === 'whole', unfinishedOnly: which === 'partial' });
      return { kind: 'list', page, totalCount, results: items.map((each) => showSnapshot(each, call.root)) };
    },
    getSnapshot: async (call) => one(showSnapshot(await snapshotOf(call, await sourceOf(call)), call.root)),
    async updateSnapshot(call) {
      const cluster = await sourceOf(call);
      const snapshot = await snapshotOf(call, cluster);
      const now = call.clock.now();
      const change = parseUpdateSnapshot(call.body, snapshot, now);
      if ('expiresAt' in change) {
        return one(showSnapshot(await call.services.snapshots.setExpiry({ cluster, id: snapshot.id, expiresAt: change.expiresAt, principal: call.principal }), call.root));
      }
      if ('pinned' in change) {
        const about = { cluster, id: snapshot.id, kind: 'pin' as const, principal: call.principal };
        return one(showSnapshot(await (change.pinned ? call.services.snapshots.keep({ ...about, reason: null }) : call.services.snapshots.letGo(about)), call.root));
      }
      await call.services.snapshots.delete({ cluster, id: snapshot.id, principal: call.principal });
      return one(showSnapshot({ ...snapshot, expiresAt: now }, call.root));
    },
    async deleteSnapshot(call) {
      const cluster = await sourceOf(call);
      await call.services.snapshots.delete({ cluster, id: readId('snapshot', call.params['snapshotId']), principal: call.principal });
      return { kind: 'none' };
    },
    async getSchedule(call) {
      const cluster = await clusterOf(call);
      return one(showSchedule(await call.services.schedules.get(cluster), cluster, call.root));
    },
    async updateSchedule(call) {
      const cluster = await clusterOf(call);
      const change = parseChangeSchedule(call.body, cluster, { zero, checkpoints });
      return one(showSchedule(await call.services.schedules.change({ cluster, principal: call.principal, change }), cluster, call.root));
    },
    /** Only sharded clusters have checkpoints, and none is sharded here; the vendor keeps none either for clusters of today. */
    async listCheckpoints(call) {
      const page = call.page();
      await sourceOf(call);
      return { kind: 'list', page, totalCount: 0, results: [] };
    },
    /** @throws CHECKPOINT_NOT_FOUND always */
    async getCheckpoint(call) {
      const cluster = await sourceOf(call);
      const id = readId('checkpoint', call.params['checkpointId']);
      throw new LeafvaultError('CHECKPOINT_NOT_FOUND', `Reading checkpoint ${id} failed: there are none`, { details: { id, clusterId: cluster.id } });
    },
  };
}
