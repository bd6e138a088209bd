// A chain of the repository as a restore reads it.
import { timeOfPosition, type ClusterTime } from '../../domain/cluster-time.ts';
import type { Chains } from '../../repository/repository.ts';
import type { RestoreInstant } from '../contracts.ts';

export interface ChainToRead {
  readonly chains: Pick<Chains, 'read'>;
  readonly chainId: string;
  /**
   * The sequence of the last slice that lies wholly at or before a time, 0 when there is none: what came before it is not read. The caller
   * knows it from the rows of its catalog; absent: the chain is read from its beginning.
   */
  readonly sequenceAt?: (time: ClusterTime) => number | Promise<number>;
}

/** For `RestoreOptions.instant.slices`. @throws REPOSITORY_CHAIN_* while it is read */
export function slicesOfChain({ chains, chainId, sequenceAt = () => 0 }: ChainToRead): RestoreInstant['slices'] {
  return async function* ({ behind, signal }) {
    const after = behind === null ? 0 : await sequenceAt(behind);
    for await (const { slice, raw } of chains.read(chainId, { after, signal })) {
      yield { from: timeOfPosition(slice.from), to: timeOfPosition(slice.to), raw };
    }
  };
}
