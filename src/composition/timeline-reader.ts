// Kept slices as the service of the time line reads them.
import { findOperations, readTimeline, slicesOfChain, type ChainToRead } from '../engine/index.ts';
import type { RepositoryProvider } from '../jobs/index.ts';
import type { TimelineChain, TimelineReader } from '../services/index.ts';

/** @param signal ends what is read when the app stops */
export function timelineReader({ repositories, signal }: { readonly repositories: RepositoryProvider; readonly signal: AbortSignal }): TimelineReader {
  const slicesOf = async ({ projectId, chainId, slices }: TimelineChain): Promise<ReturnType<typeof slicesOfChain>> => {
    const { chains }: Pick<ChainToRead, 'chains'> = await repositories.forProject(projectId);
    return slicesOfChain({ chains, chainId, slices });
  };
  return {
    read: async (chain, query) => readTimeline({ ...query, slices: await slicesOf(chain), signal }),
    find: async (chain, query) => findOperations({ ...query, slices: await slicesOf(chain), signal }),
  };
}
