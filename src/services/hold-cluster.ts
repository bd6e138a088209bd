// The row of a cluster as it is, to the end of a transaction.
import type { CatalogTransaction } from '../catalog/index.ts';
import type { Cluster } from '../domain/records.ts';
import { LeafvaultError } from '../foundation/errors.ts';

/** @throws CLUSTER_NOT_FOUND where somebody deleted it */
export async function holdCluster(tx: Pick<CatalogTransaction, 'clusters'>, { id, name, projectId }: Cluster): Promise<Cluster> {
  await tx.clusters.hold(id);
  const cluster = await requiredCluster(tx, id);
  if (cluster.deletedAt === null) return cluster;
  throw new LeafvaultError('CLUSTER_NOT_FOUND', `Changing cluster ${name} failed: it is gone`, { details: { id, projectId, name } });
}

/** Rows of clusters stay for ever. */
export async function requiredCluster(tx: Pick<CatalogTransaction, 'clusters'>, id: string): Promise<Cluster> {
  const cluster = await tx.clusters.get(id);
  if (cluster === null) throw new Error(`The row of cluster ${id} is gone`);
  return cluster;
}
