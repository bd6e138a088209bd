// Rows of chains and bases, written as tailers and captures do.
import type { Catalog, Chain, TailerClaim } from '../../src/catalog/index.ts';
import type { ClusterTime } from '../../src/domain/cluster-time.ts';
import { newId } from '../../src/foundation/ids.ts';
import { jobRow, OUTCOME, snapshotRow, type Inventory } from './catalog-rows.ts';

export const SET_ID = 'f'.repeat(24);
export const at = (t: number, i = 1): ClusterTime => ({ t, i });

export function chainRow({ cluster }: Inventory, from: ClusterTime, to: ClusterTime, changes: Partial<Chain> = {}): Chain {
  return {
    id: newId(), clusterId: cluster.id, replicaSetId: SET_ID, from, to, slices: 3, records: 30, rawBytes: 3000, storedBytes: 1000,
    createdAt: new Date(from.t * 1000), newestSliceAt: new Date(to.t * 1000), end: null, ...changes,
  };
}

export async function saveChain(catalog: Catalog, inventory: Inventory, from: ClusterTime, to: ClusterTime, changes: Partial<Chain> = {}): Promise<Chain> {
  const chain = chainRow(inventory, from, to, changes);
  await catalog.transaction((tx) => tx.chains.save(chain));
  return chain;
}

export function ended(reason: string): Partial<Chain> {
  return { end: { reason, message: null, at: new Date('2026-03-01T12:00:00Z') } };
}

/** A whole snapshot of that instant. @returns its id */
export async function saveBase(catalog: Catalog, inventory: Inventory, pointInTime: ClusterTime, changes: Partial<typeof OUTCOME> = {}): Promise<string> {
  const id = newId();
  await catalog.transaction(async (tx) => {
    const job = await tx.jobs.insert(jobRow(inventory, { snapshotId: id }));
    await tx.snapshots.insert(snapshotRow(inventory, job.id, { id }));
    await tx.snapshots.complete(id, { ...OUTCOME, replicaSetId: SET_ID, pointInTime, ...changes });
    await tx.executeSql('update jobs set state = $1, finished_at = created_at where id = $2', ['completed', job.id]);
  });
  return id;
}

/** Claims the cluster for a worker that is registered. */
export async function claim(catalog: Catalog, { cluster }: Inventory, workerId = `worker ${newId()}`, leaseSeconds = 60): Promise<TailerClaim> {
  await catalog.workers.seen({ id: workerId, host: 'h', pid: 1, processStart: '' });
  const claimed = await catalog.tailers.claim({ clusterId: cluster.id, workerId, leaseSeconds });
  if (claimed === null) throw new Error('the cluster is followed by somebody else');
  return claimed;
}
