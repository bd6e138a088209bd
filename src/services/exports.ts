// Exports of snapshots: asking for one, looking at them, ending one.
import type { CatalogStore } from '../catalog/index.ts';
import { newExport, type SnapshotExport } from '../domain/exports.ts';
import type { Clock } from '../foundation/clock.ts';
import { isLeafvaultError, LeafvaultError } from '../foundation/errors.ts';
import { isId, newId } from '../foundation/ids.ts';
import type { JobQueue } from '../jobs/queue.ts';
import type { Exports } from './contracts.ts';
import { bucketNotFound } from './export-buckets.ts';
import { nameOf } from './principals.ts';
import { snapshotNotFound } from './snapshots.ts';
import { keptText } from './storable.ts';

export interface ExportsOptions {
  readonly catalog: Pick<CatalogStore, 'exports' | 'transaction'>;
  readonly queue: JobQueue;
  readonly clock: Clock;
}

export function createExports({ catalog, queue, clock }: ExportsOptions): Exports {
  const find = async (clusterId: string, id: string): Promise<SnapshotExport> => {
    const found = isId(id) ? await catalog.exports.get(id) : null;
    if (found?.clusterId !== clusterId) throw new LeafvaultError('EXPORT_NOT_FOUND', `Reading export ${id} of cluster ${clusterId} failed: there is none`, { details: { id, clusterId } });
    return found;
  };
  return {
    create: ({ cluster, project, snapshotId, bucketId, labels, principal }) => onceMore(() => catalog.transaction(async (tx) => {
      const now = clock.now();
      const snapshot = isId(snapshotId) ? await tx.snapshots.get(snapshotId) : null;
      if (snapshot === null || snapshot.clusterId !== cluster.id || snapshot.deletedAt !== null) throw snapshotNotFound(cluster.id, snapshotId);
      if (snapshot.state !== 'completed') {
        throw new LeafvaultError('SNAPSHOT_NOT_COMPLETE', `Exporting snapshot ${snapshotId} failed: it is ${snapshot.state}`, { details: { id: snapshotId, state: snapshot.state }, hint: 'Wait until the snapshot is completed, or choose another one' });
      }
      const bucket = isId(bucketId) ? await tx.exportBuckets.hold(bucketId) : null;
      if (bucket?.projectId !== project.id) throw bucketNotFound(bucketId);
      const organization = await tx.organizations.get(project.orgId);
      const forms = (await tx.schedules.get(cluster.id))?.schedule.forms ?? {};
      const row = newExport({
        ids: { exportId: newId(now), jobId: newId(now) }, cluster, project, organization: organization ?? { id: project.orgId, name: project.orgId }, snapshot, bucketId, now,
        labels: labels.map(({ key, value }) => ({ ...(key === undefined ? {} : { key: keptText('customData.key', key) }), ...(value === undefined ? {} : { value: keptText('customData.value', value) }) })),
        useNames: forms['atlas']?.['useOrgAndGroupNamesInExportPrefix'] === true,
      });
      await queue.enqueue(tx, { id: row.jobId, kind: 'export', payload: { exportId: row.id }, projectId: project.id, clusterId: cluster.id, snapshotId, restoreId: null, requestedBy: nameOf(principal) });
      return tx.exports.insert(row);
    })),
    list: (clusterId, page) => catalog.exports.list(clusterId, page),
    get: find,
    async cancel({ cluster, id, principal }) {
      const { jobId } = await find(cluster.id, id);
      if ((await queue.cancel(jobId, nameOf(principal))) !== 'over') return;
      const { state } = await find(cluster.id, id);
      throw new LeafvaultError('JOB_NOT_CANCELLABLE', `Cancelling export ${id} failed: it is already ${state}`, { details: { id: jobId, state } });
    },
  };
}

/** Another export took the same prefix at the same moment: the next try sees it. */
async function onceMore<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isLeafvaultError(error, 'CATALOG_DUPLICATE')) throw error;
    return work();
  }
}
