// Where every stored chunk lies: sorted runs in a local folder, made from the repository's index
// objects, with a filter in front. Memory is fixed, whatever the size of the repository.
import { CHUNK_ENTRY_BYTES, isDelta, readChunkEntry, type ChunkEntry } from '../format/chunk-entry.ts';
import type { IndexPayload } from '../format/index-object.ts';
import { baseIn, takeBases } from './base-records.ts';
import { createBloomFilter, type BloomFilter } from './bloom-filter.ts';
import { createPackTable, type PackTable } from './pack-table.ts';
import { createSortedRuns, type SortedRunsOptions } from './sorted-runs.ts';

export interface ChunkIndexOptions extends SortedRunsOptions {
  /** Default 32 MiB: at 12 bits a chunk good for 22 million chunks, beyond that it answers "perhaps" more often. */
  readonly filterMaxBytes?: number;
}

export interface ChunkLocation extends ChunkEntry {
  readonly packId: string;
  /** False where no index object names the pack: it may be read, but nothing new may rest on it. */
  readonly named: boolean;
  /** Of a delta: the id of its base; null where that is not known, so that nothing can be done with the copy. Null for a full chunk, too. */
  readonly baseId: Buffer | null;
}

export interface ChunkIndex {
  /** Takes in the content of an index object; `named` false: it was made up from the directory of a pack. */
  add(index: IndexPayload, named?: boolean): Promise<void>;
  /** Every copy of a chunk. */
  find(id: Buffer): Promise<ChunkLocation[]>;
  /** All entries in order of id, in pieces valid until the next is asked for; nothing may be added meanwhile. */
  pieces(): AsyncIterable<Buffer>;
  /** What the deltas among them rest on: records of chunk id and base id, in the same order, in the same way. */
  bases(): AsyncIterable<Buffer>;
  readonly packs: PackTable;
  readonly entries: number;
  readonly filter: BloomFilter;
  /** Told when the filter was replaced by a larger one. */
  onFilter(listener: (filter: BloomFilter) => void): void;
  clear(): Promise<void>;
  close(): Promise<void>;
}

const BITS_PER_ENTRY = 12;
const FIRST_FILTER_BYTES = 64 * 1024;
/** Bases are looked up for deltas alone, and mostly where a neighbour was just looked up. */
const BASES_MEMORY_BYTES = 4 * 1024 * 1024;

export function createChunkIndex(options: ChunkIndexOptions): ChunkIndex {
  const filterMaxBytes = options.filterMaxBytes ?? 32 * 1024 * 1024;
  const runs = createSortedRuns(options);
  const bases = createSortedRuns({ memoryRunBytes: BASES_MEMORY_BYTES, pageCacheBytes: BASES_MEMORY_BYTES, ...options });
  const listeners: ((filter: BloomFilter) => void)[] = [];
  let packs = createPackTable();
  const unnamed = new Set<number>();
  let filter = createBloomFilter(Math.min(FIRST_FILTER_BYTES, filterMaxBytes));
  let entries = 0;
  let changing: Promise<void> = Promise.resolve();

  const growFilter = async (): Promise<void> => {
    const wanted = Math.min(filterMaxBytes, 2 ** Math.ceil(Math.log2((entries * BITS_PER_ENTRY) / 8)));
    if (wanted <= filter.memory.byteLength) return;
    const larger = createBloomFilter(wanted);
    for await (const piece of runs.pieces()) addAll(larger, piece);
    filter = larger;
    for (const listener of listeners) listener(filter);
  };

  const addNow = async (index: IndexPayload, named: boolean): Promise<void> => {
    const numbers = index.packs.map((pack) => packs.add(pack.id, pack.sizeBytes));
    if (!named) for (const number of numbers) unnamed.add(number);
    const own = Buffer.from(index.entries);
    for (let at = 56; at < own.length; at += CHUNK_ENTRY_BYTES) own.writeUInt32LE(numbers[own.readUInt32LE(at)] ?? 0xffffffff, at);
    // Bases first: no delta is found whose base is not.
    const records = takeBases(own, index.bases);
    if (records.length > 0) await bases.add(records);
    entries += own.length / CHUNK_ENTRY_BYTES;
    addAll(filter, own);
    await runs.add(own);
    await growFilter();
  };

  const clearNow = async (): Promise<void> => {
    [entries, packs] = [0, createPackTable()];
    unnamed.clear();
    // Both at once: nobody may find an entry and not its base.
    await Promise.all([runs.clear(), bases.clear()]);
  };

  /** One change after the other: what is added while the runs are cleared would lose half of itself. */
  const inTurn = (change: () => Promise<void>): Promise<void> => {
    const changed = changing.then(change);
    changing = changed.catch(() => undefined);
    return changed;
  };

  return {
    add: (index, named = true) => inTurn(() => addNow(index, named)),
    async find(id) {
      if (!filter.mayHold(id)) return [];
      for (;;) {
        const table = packs;
        const found = (await runs.find(id)).map((bytes) => readChunkEntry(bytes, 0));
        const records = found.some(isDelta) ? await bases.find(id) : [];
        // Cleared meanwhile: the numbers mean other packs.
        if (table !== packs) continue;
        return found.map((entry) => ({
          ...entry, packId: table.idOf(entry.packNumber), named: !unnamed.has(entry.packNumber), baseId: isDelta(entry) ? baseIn(records, entry.base) : null,
        }));
      }
    },
    pieces: () => runs.pieces(),
    bases: () => bases.pieces(),
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
    clear: () => inTurn(clearNow),
    async close() {
      await changing;
      await runs.close();
      await bases.close();
    },
  };
}

function addAll(filter: BloomFilter, entries: Buffer): void {
  for (let at = 0; at < entries.length; at += CHUNK_ENTRY_BYTES) filter.add(entries.subarray(at, at + 32));
}
