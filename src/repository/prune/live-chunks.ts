// The live ids and the index, both sorted, read side by side. No object for a chunk: there are millions.
import { throwIfAborted } from '../../foundation/abort.ts';
import type { ChunkIndex } from '../chunk-index/chunk-index.ts';
import type { SortedRuns } from '../chunk-index/sorted-runs.ts';
import { CHUNK_ENTRY_BYTES } from '../format/chunk-entry.ts';

/** Entries of all copies of one chunk, in order of pack number: `entries` from `from` to `to`; empty where it has none. Valid during the call. */
export interface ChunkVisitor {
  /** @param bases with `withBases`: the records of what its deltas rest on */
  live(entries: Buffer, from: number, to: number, id: Buffer, bases: readonly Buffer[]): Promise<void> | void;
  dead?(entries: Buffer, from: number, to: number): void;
  readonly withBases?: boolean;
}

/** Every live chunk, also one without any copy, and every other chunk that is stored. */
export async function visitChunks(index: ChunkIndex, live: SortedRuns, visitor: ChunkVisitor, signal?: AbortSignal): Promise<void> {
  const stored = createCursor(index.pieces(), signal);
  const wanted = createCursor(live.pieces(), signal);
  const resting = visitor.withBases === true ? createCursor(index.bases(), signal) : null;
  let hasBases = resting !== null && (await resting.next());
  let hasStored = await stored.next();
  while (await wanted.next()) {
    while (hasStored && stored.compare(wanted) < 0) {
      visitor.dead?.(stored.bytes, stored.from, stored.to);
      hasStored = stored.step() || (await stored.next());
    }
    const isStored = hasStored && stored.compare(wanted) === 0;
    while (resting !== null && hasBases && resting.compare(wanted) < 0) hasBases = resting.step() || (await resting.next());
    const bases = resting !== null && hasBases && resting.compare(wanted) === 0 ? recordsOf(resting) : [];
    const id = wanted.bytes.subarray(wanted.from, wanted.from + ID_BYTES);
    const waiting = isStored ? visitor.live(stored.bytes, stored.from, stored.to, id, bases) : visitor.live(NOTHING, 0, 0, id, bases);
    if (waiting !== undefined) await waiting;
    if (isStored) hasStored = stored.step() || (await stored.next());
  }
  for (; hasStored; hasStored = stored.step() || (await stored.next())) visitor.dead?.(stored.bytes, stored.from, stored.to);
}

const ID_BYTES = 32;
const NOTHING = Buffer.alloc(0);

/** Goes through sorted records from one id to the next: those with the same id lie side by side in `bytes`. */
interface Cursor {
  bytes: Buffer;
  from: number;
  to: number;
  /** The next id, as far as it is at hand; false: `next` has to be asked. */
  step(): boolean;
  next(): Promise<boolean>;
  compare(other: Cursor): number;
}

function recordsOf({ bytes, from, to }: Cursor): Buffer[] {
  return Array.from({ length: (to - from) / CHUNK_ENTRY_BYTES }, (_, i) => bytes.subarray(from + i * CHUNK_ENTRY_BYTES, from + (i + 1) * CHUNK_ENTRY_BYTES));
}

function createCursor(pieces: AsyncIterable<Buffer>, signal: AbortSignal | undefined): Cursor {
  const source = pieces[Symbol.asyncIterator]();
  let isOver = false;
  const cursor: Cursor = {
    bytes: NOTHING, from: 0, to: 0,
    step() {
      const { bytes, to: from } = cursor;
      let to = from + CHUNK_ENTRY_BYTES;
      while (to < bytes.length && bytes.compare(bytes, from, from + ID_BYTES, to, to + ID_BYTES) === 0) to += CHUNK_ENTRY_BYTES;
      // The records of an id may go on in the next piece.
      if (from >= bytes.length || (to >= bytes.length && !isOver)) return false;
      [cursor.from, cursor.to] = [from, to];
      return true;
    },
    async next() {
      while (!cursor.step()) {
        if (isOver) return false;
        throwIfAborted(signal);
        const piece = await source.next();
        isOver = piece.done === true;
        // A copy: the piece is filled anew while its records are still looked at.
        cursor.bytes = Buffer.concat([cursor.bytes.subarray(cursor.to), ...(piece.done === true ? [] : [piece.value])]);
        [cursor.from, cursor.to] = [0, 0];
      }
      return true;
    },
    compare: (other) => cursor.bytes.compare(other.bytes, other.from, other.from + ID_BYTES, cursor.from, cursor.from + ID_BYTES),
  };
  return cursor;
}
