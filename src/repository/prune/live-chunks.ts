// The live ids and the index, both sorted, read side by side. No object for a chunk: there are millions.
import { throwIfAborted } from '../../foundation/abort.ts';
import type { ChunkIndex } from '../chunk-index/chunk-index.ts';
import type { SortedRuns } from '../chunk-index/sorted-runs.ts';
import { CHUNK_ENTRY_BYTES } from '../format/chunk-entry.ts';

/** Entries of all copies of one chunk, in order of pack number: `entries` from `from` to `to`; empty where it has none. Valid during the call. */
export interface ChunkVisitor {
  live(entries: Buffer, from: number, to: number, id: Buffer): Promise<void> | void;
  dead?(entries: Buffer, from: number, to: number): void;
}

/** Every live chunk, also one without any copy, and every other chunk that is stored. */
export async function visitChunks(index: ChunkIndex, live: SortedRuns, visitor: ChunkVisitor, signal?: AbortSignal): Promise<void> {
  const stored = createCursor(index.pieces(), signal);
  const wanted = createCursor(live.pieces(), signal);
  let hasStored = await stored.next();
  while (await wanted.next()) {
    while (hasStored && stored.compare(wanted) < 0) {
      visitor.dead?.(stored.bytes, stored.from, stored.to);
      hasStored = stored.step() || (await stored.next());
    }
    const isStored = hasStored && stored.compare(wanted) === 0;
    const id = wanted.bytes.subarray(wanted.from, wanted.from + ID_BYTES);
    const waiting = isStored ? visitor.live(stored.bytes, stored.from, stored.to, id) : visitor.live(NOTHING, 0, 0, id);
    if (waiting !== undefined) await waiting;
    if (isStored) hasStored = stored.step() || (await stored.next());
  }
  for (; hasStored; hasStored = stored.step() || (await stored.next())) visitor.dead?.(stored.bytes, stored.from, stored.to);
}

/** Where the first copy stands whose pack is one of these; null: none is. */
export function copyIn(entries: Buffer, from: number, to: number, isOne: (packNumber: number) => boolean): number | null {
  for (let at = from; at < to; at += CHUNK_ENTRY_BYTES) if (isOne(entries.readUInt32LE(at + 56))) return at;
  return null;
}

/** Whether a check found this copy bad. */
export type IsBad = (packNumber: number, chunkId: Buffer) => boolean;

/** As `copyIn`, but never a bad copy where a sound one is there. */
export function bestCopyIn(
  entries: Buffer, from: number, to: number, isOne: (packNumber: number) => boolean, { isThere, isBad }: { readonly isThere: (packNumber: number) => boolean; readonly isBad: IsBad | undefined },
): number | null {
  let hasSound = false;
  for (let at = from; isBad !== undefined && at < to; at += CHUNK_ENTRY_BYTES) {
    const packNumber = entries.readUInt32LE(at + 56);
    if (!isThere(packNumber) || isBad(packNumber, entries.subarray(at, at + ID_BYTES))) continue;
    if (isOne(packNumber)) return at;
    hasSound = true;
  }
  return hasSound ? null : copyIn(entries, from, to, isOne);
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
