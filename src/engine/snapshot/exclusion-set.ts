// The ids that settling touched, as a set with bounded memory: up to a budget exact in memory, beyond it a Bloom
// filter in memory in front of a table on disk. Membership is exact: by the id's bytes, not by a hash of them.
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export interface ExclusionSet {
  /**
   * @param hash the kernel's id hash as two halves of 32 bits: says no without looking at bytes
   * @param rawId gives type byte and value of the `_id`; asked only when the hash says maybe
   */
  has(low: number, high: number, rawId: () => Uint8Array): boolean;
  readonly size: number;
  /** Removes what lies on disk. Safe to call twice. */
  close(): Promise<void>;
}

export interface ExclusionSetOptions {
  /** Raw ids (type byte and value). */
  readonly ids: AsyncIterable<Uint8Array>;
  readonly idHash: (rawId: Uint8Array) => bigint;
  readonly tempDir: string;
  /** Ids that are kept in memory at most; their bytes are limited to 64 for each on average. */
  readonly memoryIds?: number;
  /** Bits of the filter when the ids lie on disk; a power of two. 2^27 (16 MiB) by default. */
  readonly filterBits?: number;
}

const MEMORY_IDS = 100_000;
const BYTES_PER_ID = 64;

/** Reads all ids and gives the set. The ids may come in any order and more than once. */
export async function buildExclusionSet(options: ExclusionSetOptions): Promise<ExclusionSet> {
  const limit = options.memoryIds ?? MEMORY_IDS;
  const inMemory = new Map<string, bigint>();
  let bytes = 0;
  const ids = options.ids[Symbol.asyncIterator]();
  for (let next = await ids.next(); !next.done; next = await ids.next()) {
    const text = Buffer.from(next.value).toString('latin1');
    inMemory.set(text, options.idHash(next.value));
    bytes += text.length;
    if (inMemory.size >= limit || bytes >= limit * BYTES_PER_ID) return onDisk(inMemory, ids, options);
  }
  return asMemorySet(inMemory);
}

function asMemorySet(ids: ReadonlyMap<string, bigint>): ExclusionSet {
  const hashes = new Set<number>();
  // 52 bits of the hash in one number: enough to say no; the bytes decide.
  for (const hash of ids.values()) hashes.add(shortHash(Number(hash & 0xffffffffn), Number(hash >> 32n)));
  return {
    size: ids.size,
    has: (low, high, rawId) => hashes.has(shortHash(low, high)) && ids.has(Buffer.from(rawId()).toString('latin1')),
    close: async () => undefined,
  };
}

function shortHash(low: number, high: number): number {
  return (high >>> 12) * 4294967296 + (low >>> 0);
}

async function onDisk(first: ReadonlyMap<string, bigint>, rest: AsyncIterator<Uint8Array>, options: ExclusionSetOptions): Promise<ExclusionSet> {
  const path = join(options.tempDir, `touched-${randomBytes(6).toString('hex')}.sqlite`);
  const table = new DatabaseSync(path);
  const filter = createFilter(options.filterBits ?? 2 ** 27);
  let closed = false;
  const close = async (): Promise<void> => {
    if (closed) return;
    closed = true;
    table.close();
    await rm(path, { force: true });
  };
  try {
    table.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -16384; CREATE TABLE ids (id BLOB PRIMARY KEY) WITHOUT ROWID; BEGIN');
    const add = table.prepare('INSERT OR IGNORE INTO ids VALUES (?)');
    let size = 0;
    const put = (id: Uint8Array, hash: bigint): void => {
      size += Number(add.run(id).changes);
      filter.add(Number(hash & 0xffffffffn), Number(hash >> 32n));
    };
    for (const [text, hash] of first) put(Buffer.from(text, 'latin1'), hash);
    for (let next = await rest.next(); !next.done; next = await rest.next()) put(next.value, options.idHash(next.value));
    table.exec('COMMIT');
    const find = table.prepare('SELECT 1 FROM ids WHERE id = ?');
    return { size, close, has: (low, high, rawId) => filter.has(low, high) && find.get(rawId()) !== undefined };
  } catch (error) {
    await close();
    throw error;
  }
}

interface Filter {
  add(low: number, high: number): void;
  has(low: number, high: number): boolean;
}

/** A Bloom filter with four places for each id, taken from the halves of its hash (double hashing). */
function createFilter(bits: number): Filter {
  const words = new Uint32Array(bits / 32);
  const mask = bits - 1;
  const place = (low: number, high: number, round: number): number => (low + Math.imul(round, high | 1)) & mask;
  return {
    add(low, high) {
      for (let round = 0; round < 4; round++) {
        const at = place(low, high, round);
        words[at >>> 5] = (words[at >>> 5] ?? 0) | (1 << (at & 31));
      }
    },
    has(low, high) {
      for (let round = 0; round < 4; round++) {
        const at = place(low, high, round);
        if (((words[at >>> 5] ?? 0) & (1 << (at & 31))) === 0) return false;
      }
      return true;
    },
  };
}
