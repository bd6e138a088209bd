// What the steps of one prune share.
import { join } from 'node:path';
import { createCleanPages, type CleanPages } from '../check/clean-pages.ts';
import { createChunkIndex, type ChunkIndex } from '../chunk-index/chunk-index.ts';
import { createIndexLoader, type IndexLoader } from '../chunk-index/load-indexes.ts';
import { createSortedRuns, type SortedRuns } from '../chunk-index/sorted-runs.ts';
import type { RepositoryContext } from '../context.ts';
import { createChunkLoader, type ChunkLoader } from '../read/load-chunk.ts';
import type { PruneOptions } from '../repository.ts';
import { readRoot } from '../snapshots.ts';
import { markSnapshot } from './mark-live.ts';
import { CHECK, refused } from './refusals.ts';

export interface PruneParts extends PruneOptions {
  readonly tempDir: string;
  readonly packBytes: number | undefined;
}

/** What one prune works with: an index of its own, so that writers of this process do not change it under its hands. */
export interface Prune {
  readonly context: RepositoryContext;
  readonly parts: PruneParts;
  readonly tempDir: string;
  readonly index: ChunkIndex;
  /** Ids of live chunks. */
  readonly live: SortedRuns;
  /** Live chunks that have to be put elsewhere. */
  readonly moves: SortedRuns;
  readonly indexes: IndexLoader;
  readonly loader: ChunkLoader;
  readonly walked: CleanPages;
  /** Roots whose chunks are marked. */
  readonly marked: Set<string>;
  /** Names of what the store did not let go. */
  readonly stuck: string[];
}

export function startPrune(shared: RepositoryContext, parts: PruneParts): Prune {
  const tempDir = join(parts.tempDir, 'prune');
  const [index, live, moves] = [createChunkIndex({ tempDir }), createSortedRuns({ tempDir }), createSortedRuns({ tempDir })];
  const indexes = createIndexLoader(shared, index);
  const context: RepositoryContext = {
    ...shared, index, refreshIndex: () => indexes.refresh(),
    // What only unnamed packs hold is lost to a prune: they are leavings to it.
    recoverIndex: () => Promise.resolve(),
  };
  return { context, parts, tempDir, index, live, moves, indexes, loader: createChunkLoader(context, indexes.unreadable), walked: createCleanPages(), marked: new Set(), stuck: [] };
}

export async function endPrune({ index, live, moves }: Prune): Promise<void> {
  await index.close();
  await live.close();
  await moves.close();
}

export async function refreshIndexes({ indexes }: Prune): Promise<void> {
  await indexes.refresh();
  assertReadable(indexes);
}

/** What a damaged index names can't be told; it may be all that a snapshot needs. */
export function assertReadable(indexes: IndexLoader): void {
  const [unreadable] = indexes.unreadable.values();
  if (unreadable !== undefined) throw refused(`an index can not be read (${unreadable.message})`, CHECK, unreadable);
}

/** Marks the snapshots that were not marked before. A root that can't be read stops the prune: what it needs can't be told. @returns how many */
export async function markNew(prune: Prune, places: ReadonlyMap<string, number>, mark: (id: Buffer) => Promise<void> | void): Promise<number> {
  const { context, loader, walked, marked, parts: { signal } } = prune;
  let snapshots = 0;
  for (const [id, last] of places) {
    if (marked.has(id)) continue;
    const root = await readRoot(context, id, last);
    // A fence now; its snapshot may come to the next place.
    if (root === null) continue;
    marked.add(id);
    await markSnapshot({ loader, walked, signal, mark }, root);
    snapshots += 1;
    tell(prune, 'mark', marked.size, places.size);
  }
  return snapshots;
}

export function tell({ parts: { onProgress } }: Prune, phase: 'mark' | 'weigh' | 'rewrite' | 'sweep', done: number, total: number | null): void {
  const isBytes = phase === 'rewrite';
  onProgress?.({ phase, documentsDone: isBytes ? 0 : done, documentsTotal: isBytes ? null : total, bytesDone: isBytes ? done : 0, bytesTotal: isBytes ? total : null, namespace: null });
}
