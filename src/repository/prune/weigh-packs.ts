// How much of each pack is needed.
import type { ChunkIndex } from '../chunk-index/chunk-index.ts';
import type { SortedRuns } from '../chunk-index/sorted-runs.ts';
import { CHUNK_ENTRY_BYTES } from '../format/chunk-entry.ts';
import { keptCopy, withKept, type CopyRules } from './kept-copy.ts';
import { visitChunks } from './live-chunks.ts';

export interface PackWeights {
  /** By pack number: stored bytes of all chunks in it. */
  readonly storedBytes: Float64Array;
  /** By pack number: of those chunks for which this pack is the one that is kept. */
  readonly liveBytes: Float64Array;
  /** Numbers of packs outside of the usable ones that hold the last copy of a live chunk. */
  readonly needed: ReadonlySet<number>;
  readonly liveChunks: number;
  /** Live chunks without any copy. */
  readonly lost: number;
  readonly firstLost: string | null;
}

export interface WeighOptions extends CopyRules {
  readonly index: ChunkIndex;
  /** Bases among them. */
  readonly live: SortedRuns;
  /** Packs that are there and not condemned: a copy in one of them is worth keeping. */
  readonly isUsable: (packNumber: number) => boolean;
  readonly signal?: AbortSignal | undefined;
}

/** A live chunk counts in the pack of the copy that is kept; in all others its copy is dead. */
export async function weighPacks({ index, live, isUsable, isThere, isBad, signal }: WeighOptions): Promise<PackWeights> {
  const storedBytes = new Float64Array(index.packs.count);
  const liveBytes = new Float64Array(index.packs.count);
  const needed = new Set<number>();
  const counted = { liveChunks: 0, lost: 0, firstLost: null as string | null };
  const add = (sums: Float64Array, entries: Buffer, at: number): void => {
    const packNumber = entries.readUInt32LE(at + 56);
    sums[packNumber] = (sums[packNumber] ?? 0) + entries.readUInt32LE(at + 44);
  };
  const see = (entries: Buffer, from: number, to: number): void => {
    for (let at = from; at < to; at += CHUNK_ENTRY_BYTES) add(storedBytes, entries, at);
  };
  const rules: CopyRules = { index, isThere, isBad };
  await visitChunks(index, live, {
    dead: see,
    live(entries, from, to, id) {
      see(entries, from, to);
      counted.liveChunks += 1;
      return withKept(keptCopy(rules, { entries, from, to }, isUsable), (kept) => {
        if (kept === null) {
          counted.lost += 1;
          counted.firstLost ??= id.toString('hex');
          return;
        }
        add(liveBytes, entries, kept);
        const packNumber = entries.readUInt32LE(kept + 56);
        if (!isUsable(packNumber)) needed.add(packNumber);
      });
    },
  }, signal);
  return { storedBytes, liveBytes, needed, ...counted };
}
