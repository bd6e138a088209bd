// Snapshots on demand: asking for one, looking at them, ending their life.
import type { CatalogStore, SnapshotRecord } from '../catalog/index.ts';
import { daysOnDemand, forbidDeletion, forbidShortening } from '../domain/compliance.ts';
import { narrowed } from '../domain/namespace-selection.ts';
import type { Clock } from '../foundation/clock.ts';
import { LeafvaultError } from '../foundation/errors.ts';
import { isId, newId } from '../foundation/ids.ts';
import { forbidDeletionOfKept } from '../domain/keeps.ts';
import type { JobQueue } from '../jobs/queue.ts';
import type { Snapshots } from './contracts.ts';
import { holdCluster } from './hold-cluster.ts';
import { keepSnapshot, letGoOfSnapshot } from './keep-snapshot.ts';
import { nameOf } from './principals.ts';
import { keptText } from './storable.ts';

const DAY_MS = 86_400_000;

export interface SnapshotsOptions {
  readonly catalog: Pick<CatalogStore, 'snapshots' | 'transaction'>;
  readonly queue: JobQueue;
  readonly clock: Clock;
}

export function createSnapshots({ catalog, queue, clock }: SnapshotsOptions): Snapshots {
  const find = async (clusterId: string, id: string): Promise<SnapshotRecord> => {
    const found = isId(id) ? await catalog.snapshots.get(id) : null;
    if (found === null || found.clusterId !== clusterId || found.deletedAt !== null) throw snapshotNotFound(clusterId, id);
    return found;
  };
  return {
    create: async ({ cluster, description, retentionDays: days, isRetentionAsked = true, principal, selection, jobForm, exactDays = false }) => catalog.transaction(async (tx) => {
      const now = clock.now();
      const policy = await tx.compliance.hold(cluster.projectId);
      // A filter that was given meanwhile counts.
      const { namespaceFilter } = await holdCluster(tx, cluster);
      const kept = daysOnDemand(policy, { days, isAsked: isRetentionAsked });
      const extraDays = exactDays ? 0 : (await tx.schedules.get(cluster.id))?.schedule.extraDays.ondemand ?? 0;
      const retentionDays = kept + extraDays;
      const [snapshotId, jobId] = [newId(now), newId(now)];
      const where = { projectId: cluster.projectId, clusterId: cluster.id };
      const job = await queue.enqueue(tx, {
        ...where, id: jobId, kind: 'snapshot', payload: { snapshotId }, snapshotId, restoreId: null, requestedBy: nameOf(principal), form: jobForm,
      });
      const snapshot = await tx.snapshots.insert({
        ...where, id: snapshotId, clusterName: cluster.name, type: 'onDemand', description: description === null ? null : keptText('description', description), retentionDays, jobId,
        selection: narrowed(namespaceFilter, selection), expiresAt: new Date(now.getTime() + retentionDays * DAY_MS),
      });
      return { snapshot, job };
    }),
    list: (clusterId, page, filter) => catalog.snapshots.list(clusterId, page, filter),
    get: find,
    async newestOf(subclient, notAfter = null) {
      const found = await catalog.snapshots.newestOfSubclient(subclient, notAfter);
      if (found === null) throw snapshotNotFound(subclient.clusterId, notAfter === null ? 'newest' : `newest up to ${notAfter.toISOString()}`);
      return found;
    },
    isOf: (subclient, id) => catalog.snapshots.isOfSubclient(subclient, id),
    async delete({ cluster, id, principal, unfinishedOnly = false }) {
      const { jobId, state } = await find(cluster.id, id);
      const isGone = await catalog.transaction(async (tx) => {
        const policy = await tx.compliance.hold(cluster.projectId);
        // Newly read: one that ran a moment ago may be whole now.
        const now = await tx.snapshots.hold(id);
        if (now === null || (unfinishedOnly && now.state === 'completed')) return now !== null;
        forbidDeletion(policy, now);
        forbidDeletionOfKept(now);
        return tx.snapshots.markDeleted(id);
      });
      if (!isGone) throw snapshotNotFound(cluster.id, id);
      // After the deletion: a capture that ends in between is deleted already, one that goes on is told to stop.
      if (state === 'queued' || state === 'inProgress') await queue.cancel(jobId, nameOf(principal));
    },
    async setExpiry({ cluster, id, expiresAt }) {
      const snapshot = await find(cluster.id, id);
      if (Number.isNaN(expiresAt.getTime()) || expiresAt <= (snapshot.capturedAt ?? snapshot.requestedAt)) {
        throw new LeafvaultError('EXPIRY_INVALID', `Setting the expiry of snapshot ${id} failed: it would end before it was taken`, {
          details: { expiresAt: Number.isNaN(expiresAt.getTime()) ? null : expiresAt.toISOString() },
        });
      }
      await catalog.transaction(async (tx) => {
        const policy = await tx.compliance.hold(cluster.projectId);
        forbidShortening(policy, (await tx.snapshots.hold(id)) ?? snapshot, expiresAt);
        await tx.snapshots.setExpiry(id, expiresAt);
      });
      return find(cluster.id, id);
    },
    async keep({ cluster, id, kind, reason, principal }) {
      await find(cluster.id, id);
      return keepSnapshot({ catalog, clock }, { id, kind, reason, by: nameOf(principal) });
    },
    async letGo({ cluster, id, kind, principal }) {
      await find(cluster.id, id);
      return letGoOfSnapshot({ catalog, clock }, { id, kind, by: nameOf(principal) });
    },
  };
}

/** One and the same answer for never there, of another cluster, and deleted; `more` is for doors that tell them apart. */
export function snapshotNotFound(clusterId: string, id: string, more: { readonly deleted?: true } = {}): LeafvaultError {
  return new LeafvaultError('SNAPSHOT_NOT_FOUND', `Reading snapshot ${id} of cluster ${clusterId} failed: there is none`, { details: { id, clusterId, ...more } });
}
