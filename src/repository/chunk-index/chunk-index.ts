// Where every stored chunk lies: sorted runs in a local folder, made from the repository's index
// objects, with a filter in front. Memory is fixed, whatever the size of the repository.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CHUNK_ENTRY_BYTES, readChunkEntry, type ChunkEntry } from '../format/chunk-entry.ts';
import type { IndexPayload } from '../format/index-object.ts';
import { createBloomFilter, type BloomFilter } from './bloom-filter.ts';
import { mergeRuns } from './merge-runs.ts';
import { createPackTable, type PackTable } from './pack-table.ts';
import { createPageCache } from './page-cache.ts';
import { memoryRun, writeFileRun, type Run } from './run.ts';

export interface ChunkIndexOptions {
  /** Where the runs may lie; a private folder is made inside when it is needed, and removed by `close`. */
  readonly tempDir: string;
  /** Entries kept in memory before they go to a file. Default 8 MiB. */
  readonly memoryRunBytes?: number;
  /** Default 16 MiB. */
  readonly pageCacheBytes?: number;
  /** Default 32 MiB: at 12 bits a chunk good for 22 million chunks, beyond that it answers "perhaps" more often. */
  readonly filterMaxBytes?: number;
}

export interface ChunkLocation extends ChunkEntry {
  readonly packId: string;
  /** False where no index object names the pack: it may be read, but nothing new may rest on it. */
  readonly named: boolean;
}

export interface ChunkIndex {
  /** Takes in the content of an index object; `named` false: it was made up from the directory of a pack. */
  add(index: IndexPayload, named?: boolean): Promise<void>;
  /** Every copy of a chunk. */
  find(id: Buffer): Promise<ChunkLocation[]>;
  /** All entries in order of id, in pieces valid until the next is asked for; nothing may be added meanwhile. */
  pieces(): AsyncIterable<Buffer>;
  readonly packs: PackTable;
  readonly entries: number;
  readonly filter: BloomFilter;
  /** Told when the filter was replaced by a larger one. */
  onFilter(listener: (filter: BloomFilter) => void): void;
  clear(): Promise<void>;
  close(): Promise<void>;
}

const MERGE_AT = 8;
const BITS_PER_ENTRY = 12;
const FIRST_FILTER_BYTES = 64 * 1024;

export function createChunkIndex(options: ChunkIndexOptions): ChunkIndex {
  const memoryRunBytes = options.memoryRunBytes ?? 8 * 1024 * 1024;
  const filterMaxBytes = options.filterMaxBytes ?? 32 * 1024 * 1024;
  const cache = createPageCache(options.pageCacheBytes ?? 16 * 1024 * 1024);
  const listeners: ((filter: BloomFilter) => void)[] = [];
  let packs = createPackTable();
  const unnamed = new Set<number>();
  let inMemory: Run[] = [];
  let onDisk: Run[] = [];
  let filter = createBloomFilter(Math.min(FIRST_FILTER_BYTES, filterMaxBytes));
  let entries = 0;
  let folder: Promise<string> | null = null;
  let nextRun = 0;
  let changes = 0;
  let adding: Promise<void> = Promise.resolve();

  const runFile = async (pieces: AsyncIterable<Buffer>): Promise<Run> => {
    folder ??= mkdir(options.tempDir, { recursive: true }).then(() => mkdtemp(join(options.tempDir, 'index-')));
    nextRun += 1;
    return writeFileRun(join(await folder, `run-${nextRun}`), pieces, cache);
  };

  const remember = async (sorted: Buffer): Promise<void> => {
    inMemory = [...inMemory, memoryRun(sorted)];
    changes += 1;
    const held = inMemory.reduce((sum, run) => sum + run.entries, 0) * CHUNK_ENTRY_BYTES;
    if (held > memoryRunBytes) {
      const merged = inMemory;
      const run = await runFile(mergeRuns(merged));
      onDisk = [...onDisk, run];
      inMemory = inMemory.filter((one) => !merged.includes(one));
      await mergeOnDisk();
    } else if (inMemory.length > MERGE_AT) {
      inMemory = [memoryRun(await gathered(mergeRuns(inMemory), held))];
    }
  };

  /** Runs of one order of magnitude become one of the next: a lookup meets few of them. */
  const mergeOnDisk = async (): Promise<void> => {
    const magnitude = (run: Run): number => Math.floor(Math.log(run.entries) / Math.log(MERGE_AT));
    for (;;) {
      const alike = onDisk.map((one) => onDisk.filter((other) => magnitude(other) === magnitude(one))).find((group) => group.length >= MERGE_AT / 2);
      if (alike === undefined) return;
      const merged = await runFile(mergeRuns(alike));
      onDisk = [...onDisk.filter((run) => !alike.includes(run)), merged];
      changes += 1;
      for (const run of alike) await run.discard();
    }
  };

  const growFilter = async (): Promise<void> => {
    const wanted = Math.min(filterMaxBytes, 2 ** Math.ceil(Math.log2((entries * BITS_PER_ENTRY) / 8)));
    if (wanted <= filter.memory.byteLength) return;
    const larger = createBloomFilter(wanted);
    for (const run of [...inMemory, ...onDisk]) for await (const piece of run.pieces()) addAll(larger, piece);
    filter = larger;
    for (const listener of listeners) listener(filter);
  };

  const addNow = async (index: IndexPayload, named: boolean): Promise<void> => {
    const numbers = index.packs.map((pack) => packs.add(pack.id, pack.sizeBytes));
    if (!named) for (const number of numbers) unnamed.add(number);
    const own = Buffer.from(index.entries);
    for (let at = 56; at < own.length; at += CHUNK_ENTRY_BYTES) own.writeUInt32LE(numbers[own.readUInt32LE(at)] ?? 0xffffffff, at);
    entries += own.length / CHUNK_ENTRY_BYTES;
    addAll(filter, own);
    await remember(own);
    await growFilter();
  };

  const findNow = async (id: Buffer): Promise<ChunkLocation[]> => {
    const found: ChunkLocation[] = [];
    for (const run of [...inMemory, ...onDisk]) {
      for (const bytes of await run.find(id)) {
        const entry = readChunkEntry(bytes, 0);
        found.push({ ...entry, packId: packs.idOf(entry.packNumber), named: !unnamed.has(entry.packNumber) });
      }
    }
    return found;
  };

  return {
    add(index, named = true) {
      const added = adding.then(() => addNow(index, named));
      adding = added.catch(() => undefined);
      return added;
    },
    async find(id) {
      if (!filter.mayHold(id)) return [];
      for (;;) {
        const before = changes;
        try {
          return await findNow(id);
        } catch (error) {
          // A merge took the file away under the lookup: its entries are in another run by now.
          if (before === changes) throw error;
        }
      }
    },
    pieces: () => mergeRuns([...inMemory, ...onDisk]),
    get packs() {
      return packs;
    },
    get entries() {
      return entries;
    },
    get filter() {
      return filter;
    },
    onFilter: (listener) => void listeners.push(listener),
    async clear() {
      await adding;
      const old = onDisk;
      [inMemory, onDisk, entries, packs] = [[], [], 0, createPackTable()];
      unnamed.clear();
      changes += 1;
      for (const run of old) await run.discard();
    },
    async close() {
      await adding;
      for (const run of onDisk.splice(0)) await run.discard();
      if (folder !== null) await rm(await folder, { recursive: true, force: true });
    },
  };
}

function addAll(filter: BloomFilter, entries: Buffer): void {
  for (let at = 0; at < entries.length; at += CHUNK_ENTRY_BYTES) filter.add(entries.subarray(at, at + 32));
}

async function gathered(pieces: AsyncIterable<Buffer>, length: number): Promise<Buffer> {
  const whole = Buffer.allocUnsafeSlow(length);
  let at = 0;
  for await (const piece of pieces) at += piece.copy(whole, at);
  return whole;
}
