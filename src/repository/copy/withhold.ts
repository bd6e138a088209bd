// Which new roots must not be put, since what they need could not be copied.
import { isLeafvaultError } from '../../foundation/errors.ts';
import { isDamage } from '../format/damage.ts';
import { createCleanPages } from '../check/clean-pages.ts';
import { isReadable } from '../chunk-index/resting.ts';
import type { RepositoryContext } from '../context.ts';
import { openRoot } from '../format/root.ts';
import { partsOfSnapshotName } from '../format/names.ts';
import { markSnapshot } from '../prune/mark-live.ts';
import { createChunkLoader } from '../read/load-chunk.ts';

/** Tells of each root whether every page and chunk below it, and every base of those, has a copy outside of the packs that are not in the copy. */
export function createWithholding(source: RepositoryContext, missing: ReadonlySet<string>, signal: AbortSignal | undefined): (name: string, bytes: Buffer) => Promise<boolean> {
  const loader = createChunkLoader(source, new Map());
  const walked = createCleanPages();
  let refreshed = false;
  return async (name, bytes) => {
    const parts = partsOfSnapshotName(name);
    const root = parts === null ? null : openRoot(source.keys, parts.id, bytes, parts.place);
    if (root === null) return true;
    if (!refreshed) await source.refreshIndex();
    refreshed = true;
    try {
      await markSnapshot({
        loader, walked, signal,
        async mark(id) {
          if (!(await isReadable(source.index, id, ({ packId }) => !missing.has(packId)))) throw new NotCopied();
        },
      }, root);
      return true;
    } catch (error) {
      if (error instanceof NotCopied || isDamage(error) || isLeafvaultError(error, 'REPOSITORY_CHUNK_MISSING') || isLeafvaultError(error, 'REPOSITORY_CHUNK_DAMAGED')) return false;
      throw error;
    }
  };
}

class NotCopied extends Error {}
