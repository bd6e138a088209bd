// When all that is taken of a cluster was last proven.
import { isDeepStrictEqual } from 'node:util';
import type { CatalogTransaction } from '../../catalog/index.ts';
import { usualSelection } from '../../domain/namespace-selection.ts';

/** Only by a snapshot that was asked for what is taken now: under a filter an older one of everything says nothing of those that are made. */
export async function learnProof(tx: CatalogTransaction, { clusterId, snapshotId }: { readonly clusterId: string; readonly snapshotId: string }, provenAt: Date): Promise<void> {
  const [cluster, snapshot] = [await tx.clusters.get(clusterId), await tx.snapshots.get(snapshotId)];
  if (cluster !== null && snapshot !== null && isDeepStrictEqual(snapshot.selection, usualSelection(cluster))) await tx.clusters.learn(clusterId, { lastProvenAt: provenAt });
}
