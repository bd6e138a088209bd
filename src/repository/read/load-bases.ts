// Reads what deltas rest on: bases lie side by side as their deltas do, so they are read in ranges, too. None is kept: a base is
// needed once in a list.
import type { LeafvaultError } from '../../foundation/errors.ts';
import type { ChunkLocation } from '../chunk-index/chunk-index.ts';
import { rangesOf, type ChunkRange } from './chunk-range.ts';
import { isCopyFault, type Bases } from './open-range.ts';

export interface BaseSource {
  locate(id: Buffer): Promise<readonly [ChunkLocation, ...ChunkLocation[]]>;
  loadRange(range: ChunkRange): Promise<readonly Promise<Buffer>[]>;
}

/** @returns for each base of these chunks its verified raw bytes, or why it has none (a fault of the base; what else goes wrong is thrown) */
export async function loadBases(source: BaseSource, chunks: readonly ChunkLocation[]): Promise<Bases> {
  const bases = new Map<string, Buffer | LeafvaultError>();
  const wanted = new Map(chunks.flatMap(({ baseId }) => (baseId === null ? [] : [[baseId.toString('hex'), baseId] as const])));
  if (wanted.size === 0) return bases;
  const found: ChunkLocation[] = [];
  for (const [hex, id] of wanted) {
    await source.locate(id).then(([best]) => found.push(best), (error: unknown) => {
      if (!isCopyFault(error)) throw error;
      bases.set(hex, error);
    });
  }
  await Promise.all(rangesOf(found).map(async (range) => {
    const loaded = await Promise.allSettled(await source.loadRange(range));
    loaded.forEach((result, i) => {
      if (result.status === 'rejected' && !isCopyFault(result.reason)) throw result.reason;
      bases.set((range.chunks[i] as ChunkLocation).id.toString('hex'), result.status === 'rejected' ? (result.reason as LeafvaultError) : result.value);
    });
  }));
  return bases;
}
