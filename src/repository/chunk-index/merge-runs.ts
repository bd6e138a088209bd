// Merges sorted runs into one sorted stream with a piece of each in memory.
import { CHUNK_ENTRY_BYTES } from '../format/chunk-entry.ts';
import type { Run } from './run.ts';
import { compareEntries } from './sort-entries.ts';

const OUT_BYTES = 256 * 1024;

interface Cursor {
  readonly pieces: AsyncIterator<Buffer>;
  piece: Buffer;
  at: number;
}

/** All entries of the runs in order. A yielded piece is valid until the next is asked for. */
export async function* mergeRuns(runs: readonly Run[]): AsyncGenerator<Buffer> {
  const cursors: Cursor[] = [];
  for (const run of runs) {
    const cursor: Cursor = { pieces: run.pieces()[Symbol.asyncIterator](), piece: Buffer.alloc(0), at: 0 };
    if (await refill(cursor)) cursors.push(cursor);
  }
  const out = Buffer.allocUnsafeSlow(OUT_BYTES);
  let filled = 0;
  while (cursors.length > 0) {
    // A handful of runs: looking at each is as fast as a heap.
    let least = cursors[0] as Cursor;
    for (const cursor of cursors) if (compareEntries(cursor.piece, cursor.at, least.piece, least.at) < 0) least = cursor;
    least.piece.copy(out, filled, least.at, least.at + CHUNK_ENTRY_BYTES);
    filled += CHUNK_ENTRY_BYTES;
    least.at += CHUNK_ENTRY_BYTES;
    if (least.at >= least.piece.length && !(await refill(least))) cursors.splice(cursors.indexOf(least), 1);
    if (filled === OUT_BYTES) {
      yield out;
      filled = 0;
    }
  }
  if (filled > 0) yield out.subarray(0, filled);
}

async function refill(cursor: Cursor): Promise<boolean> {
  for (;;) {
    const next = await cursor.pieces.next();
    if (next.done === true) return false;
    if (next.value.length === 0) continue;
    cursor.piece = next.value;
    cursor.at = 0;
    return true;
  }
}
