// The live chunks that packs which go are the last to hold, in the order in which they lie there.
import type { ChunkIndex } from '../chunk-index/chunk-index.ts';
import type { SortedRuns } from '../chunk-index/sorted-runs.ts';
import { CHUNK_ENTRY_BYTES, type ChunkEntry } from '../format/chunk-entry.ts';
import { keptCopy, withKept, type CopyRules } from './kept-copy.ts';
import { visitChunks } from './live-chunks.ts';

/** Where a chunk lies that has to be put elsewhere. `base`: of a delta, how the id of its base begins. */
export type Move = Pick<ChunkEntry, 'id' | 'type' | 'flags' | 'counter' | 'offset' | 'storedLength' | 'rawLength' | 'base' | 'packNumber'>;

export interface FindMovesOptions extends CopyRules {
  readonly index: ChunkIndex;
  readonly live: SortedRuns;
  /** Filled with the moves; `readMoves` gives them back. */
  readonly moves: SortedRuns;
  /** Packs that stay: a chunk with a copy there does not move. */
  readonly stays: (packNumber: number) => boolean;
  readonly signal?: AbortSignal | undefined;
}

const BATCH_MOVES = 65_536;

export async function findMoves({ index, live, moves, stays, isThere, isBad, signal }: FindMovesOptions): Promise<void> {
  const batch = Buffer.alloc(BATCH_MOVES * CHUNK_ENTRY_BYTES);
  let filled = 0;
  const flush = (): Promise<void> => {
    const sorted = sortByPlace(batch.subarray(0, filled));
    filled = 0;
    return moves.add(sorted);
  };
  await visitChunks(index, live, {
    live(entries, from, to) {
      return withKept(keptCopy({ index, isThere, isBad }, { entries, from, to }, stays), (kept) => {
        if (kept === null || stays(entries.readUInt32LE(kept + 56))) return undefined;
        writeMove(batch, filled, entries, kept);
        filled += CHUNK_ENTRY_BYTES;
        return filled === batch.length ? flush() : undefined;
      });
    },
  }, signal);
  await flush();
}

/** By pack, then offset. */
export async function* readMoves(moves: SortedRuns): AsyncGenerator<Move> {
  for await (const piece of moves.pieces()) {
    const own = Buffer.from(piece);
    for (let at = 0; at < own.length; at += CHUNK_ENTRY_BYTES) {
      yield {
        packNumber: own.readUInt32BE(at), offset: own.readUInt32BE(at + 4), type: own.readUInt8(at + 8), flags: own.readUInt8(at + 9), counter: own.readUInt32LE(at + 12),
        storedLength: own.readUInt32LE(at + 16), rawLength: own.readUInt32LE(at + 20), base: own.readUInt32LE(at + 24), id: own.subarray(at + 32, at + 64),
      };
    }
  }
}

/** The place stands in front, so that runs keep moves in the order of places; then what an entry says besides, then the id. */
function writeMove(target: Buffer, to: number, entries: Buffer, at: number): void {
  target.writeUInt32BE(entries.readUInt32LE(at + 56), to);
  target.writeUInt32BE(entries.readUInt32LE(at + 40), to + 4);
  entries.copy(target, to + 8, at + 32, at + 34);
  entries.copy(target, to + 12, at + 36, at + 40);
  entries.copy(target, to + 16, at + 44, at + 56);
  entries.copy(target, to + 32, at, at + 32);
}

function sortByPlace(records: Buffer): Buffer {
  const order = Uint32Array.from({ length: records.length / CHUNK_ENTRY_BYTES }, (_, i) => i * CHUNK_ENTRY_BYTES);
  order.sort((a, b) => records.compare(records, b, b + 8, a, a + 8));
  const sorted = Buffer.allocUnsafeSlow(records.length);
  order.forEach((from, i) => records.copy(sorted, i * CHUNK_ENTRY_BYTES, from, from + CHUNK_ENTRY_BYTES));
  return sorted;
}
