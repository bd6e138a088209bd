// A sorted run of chunk entries, in memory or in a local file; the file is read by pages that a fence of
// first ids finds.
import { open, rm, type FileHandle } from 'node:fs/promises';
import { CHUNK_ENTRY_BYTES } from '../format/chunk-entry.ts';
import type { PageCache } from './page-cache.ts';
import { compareIdToEntry } from './sort-entries.ts';

export const RUN_PAGE_BYTES = 4096;
const READ_BYTES = 256 * 1024;

export interface Run {
  readonly entries: number;
  /** Copies of all entries with this id. */
  find(id: Buffer): Promise<Buffer[]> | Buffer[];
  /** All entries in order, in pieces of whole entries; a piece is valid until the next is asked for. */
  pieces(): AsyncIterable<Buffer>;
  /** Ends use and deletes the file, if any. */
  discard(): Promise<void>;
}

export function memoryRun(sorted: Buffer): Run {
  return {
    entries: sorted.length / CHUNK_ENTRY_BYTES,
    find: (id) => {
      const found: Buffer[] = [];
      for (let at = lowerBound(sorted, id); at < sorted.length && compareIdToEntry(id, sorted, at) === 0; at += CHUNK_ENTRY_BYTES) {
        found.push(sorted.subarray(at, at + CHUNK_ENTRY_BYTES));
      }
      return found;
    },
    async *pieces() {
      yield sorted;
    },
    async discard() {
      // Memory goes with the last reference.
    },
  };
}

/** Writes sorted pieces to a new file and opens it as a run. */
export async function writeFileRun(path: string, pieces: AsyncIterable<Buffer>, cache: PageCache): Promise<Run> {
  const file = await open(path, 'wx+', 0o600);
  try {
    const fences: number[] = [];
    let length = 0;
    for await (const piece of pieces) {
      for (let at = (RUN_PAGE_BYTES - (length % RUN_PAGE_BYTES)) % RUN_PAGE_BYTES; at < piece.length; at += RUN_PAGE_BYTES) fences.push(fenceOf(piece, at));
      await writeAll(file, piece, length);
      length += piece.length;
    }
    return fileRun(path, file, length, Float64Array.from(fences), cache);
  } catch (error) {
    await file.close();
    await rm(path, { force: true });
    throw error;
  }
}

function fileRun(path: string, file: FileHandle, length: number, fences: Float64Array, cache: PageCache): Run {
  const readPage = async (page: number): Promise<Buffer> => {
    const cached = cache.get(path, page);
    if (cached !== undefined) return cached;
    const bytes = Buffer.allocUnsafeSlow(Math.min(RUN_PAGE_BYTES, length - page * RUN_PAGE_BYTES));
    await readAll(file, bytes, page * RUN_PAGE_BYTES);
    cache.set(path, page, bytes);
    return bytes;
  };
  return {
    entries: length / CHUNK_ENTRY_BYTES,
    async find(id) {
      const found: Buffer[] = [];
      for (let page = firstPage(fences, fenceOf(id, 0)); page < fences.length; page += 1) {
        const bytes = await readPage(page);
        let at = lowerBound(bytes, id);
        for (; at < bytes.length && compareIdToEntry(id, bytes, at) === 0; at += CHUNK_ENTRY_BYTES) found.push(bytes.subarray(at, at + CHUNK_ENTRY_BYTES));
        if (at < bytes.length) break;
      }
      return found;
    },
    async *pieces() {
      const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
      for (let at = 0; at < length; at += READ_BYTES) {
        const piece = buffer.subarray(0, Math.min(READ_BYTES, length - at));
        await readAll(file, piece, at);
        yield piece;
      }
    },
    async discard() {
      cache.forget(path);
      await file.close();
      await rm(path, { force: true });
    },
  };
}

/** 48 bits of an id: exact in a number, and enough to tell pages apart. */
function fenceOf(bytes: Buffer, at: number): number {
  return bytes.readUIntBE(at, 6);
}

/** The last page that begins before `fence`: an id with that fence stands there or behind. */
function firstPage(fences: Float64Array, fence: number): number {
  let low = 0;
  let high = fences.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((fences[middle] ?? 0) < fence) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
}

/** Byte position of the first entry whose id is not below `id`. */
function lowerBound(entries: Buffer, id: Buffer): number {
  let low = 0;
  let high = entries.length / CHUNK_ENTRY_BYTES;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareIdToEntry(id, entries, middle * CHUNK_ENTRY_BYTES) > 0) low = middle + 1;
    else high = middle;
  }
  return low * CHUNK_ENTRY_BYTES;
}

async function readAll(file: FileHandle, target: Buffer, position: number): Promise<void> {
  let done = 0;
  while (done < target.length) {
    const { bytesRead } = await file.read(target, done, target.length - done, position + done);
    if (bytesRead === 0) throw new Error('the local index file is shorter than it was written');
    done += bytesRead;
  }
}

async function writeAll(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}
