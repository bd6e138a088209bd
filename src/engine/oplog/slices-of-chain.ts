// A chain of the repository as a restore reads it.
import { compareClusterTimes, timeOfPosition, type ClusterTime } from '../../domain/cluster-time.ts';
import type { Chains } from '../../repository/repository.ts';
import type { ChainToRead, KeptInstant } from '../contracts.ts';

/** For `RestoreOptions.instant.slices`. @throws REPOSITORY_CHAIN_* while it is read */
export function slicesOfChain({ chains, chainId, slices = 0 }: ChainToRead): KeptInstant['slices'] {
  return async function* ({ behind, signal }) {
    const after = behind === null ? 0 : await lastWhollyBefore(behind, slices, (sequence) => endOf(chains, chainId, sequence, signal));
    for await (const { slice, raw } of chains.read(chainId, { after, signal })) {
      yield { from: timeOfPosition(slice.from), to: timeOfPosition(slice.to), raw };
    }
  };
}

/** The number of the last slice that ends at or before a time; 0: none does. */
async function lastWhollyBefore(time: ClusterTime, newest: number, end: (sequence: number) => Promise<ClusterTime | null>): Promise<number> {
  let low = 0;
  let high = newest;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const at = await end(middle);
    if (at !== null && compareClusterTimes(at, time) <= 0) low = middle;
    else high = middle - 1;
  }
  return low;
}

async function endOf(chains: Pick<Chains, 'slices'>, chainId: string, sequence: number, signal: AbortSignal): Promise<ClusterTime | null> {
  for await (const { to } of chains.slices(chainId, { after: sequence - 1, signal })) return timeOfPosition(to);
  return null;
}
