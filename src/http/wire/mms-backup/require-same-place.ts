// Clients repeat in a body what stands in the path.
import type { Cluster } from '../../../domain/records.ts';
import { LeafvaultError } from '../../../foundation/errors.ts';

/** @throws GROUP_MISMATCH, ATTRIBUTE_INVALID where the body names another group or cluster than the path */
export function requireSamePlace({ groupId, clusterId }: { readonly groupId?: string | undefined; readonly clusterId?: string | undefined }, cluster: Cluster): void {
  if (groupId !== undefined && groupId !== cluster.projectId) throw new LeafvaultError('GROUP_MISMATCH', 'Reading the body failed: groupId is not that of the path', { details: { groupId, projectId: cluster.projectId } });
  if (clusterId !== undefined && clusterId !== cluster.id) throw new LeafvaultError('ATTRIBUTE_INVALID', 'Reading the body failed: clusterId is not that of the path', { details: { name: 'clusterId' } });
}
