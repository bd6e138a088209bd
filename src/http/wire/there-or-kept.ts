// A cluster to read from: also one that was deleted while its snapshots were kept. They can be read and restored.
import type { Cluster } from '../../domain/records.ts';
import { isLeafvaultError } from '../../foundation/errors.ts';

/** @param kept asked where the cluster is not there; its refusal counts then */
export async function thereOrKept(there: Promise<Cluster>, kept: () => Promise<Cluster>): Promise<Cluster> {
  try {
    return await there;
  } catch (error) {
    if (!isLeafvaultError(error, 'CLUSTER_NOT_FOUND')) throw error;
    return kept();
  }
}
