// Puts index objects that name the packs of several others.
import { newId } from '../../foundation/ids.ts';
import { sortEntries } from '../chunk-index/sort-entries.ts';
import type { RepositoryContext } from '../context.ts';
import { createBaseTable } from '../format/base-table.ts';
import { CHUNK_ENTRY_BYTES } from '../format/chunk-entry.ts';
import { sealIndex, type IndexedPack, type IndexPayload } from '../format/index-object.ts';
import { indexName } from '../format/names.ts';

const FULL_ENTRIES = 65_536;

export interface Joiner {
  /** @param without packs that are not named any more */
  add(index: IndexPayload, without: ReadonlySet<string>): Promise<void>;
  flush(): Promise<void>;
}

/** Memory: one full index object. @param assertOurs throws when another prune took over */
export function createJoiner(context: Pick<RepositoryContext, 'storage' | 'keys' | 'clock'>, assertOurs: () => Promise<void>): Joiner {
  let packs: IndexedPack[] = [];
  let blocks: Buffer[] = [];
  let bytes = 0;
  let bases = createBaseTable();
  const flush = async (): Promise<void> => {
    if (packs.length === 0) return;
    // An index that names a pack which another prune took would be believed by writers.
    await assertOurs();
    const name = indexName(newId(context.clock.now()));
    await context.storage.put(name, sealIndex(context.keys, name, { packs, entries: sortEntries(Buffer.concat(blocks)), bases: bases.bytes() }));
    bases = createBaseTable();
    [packs, blocks, bytes] = [[], [], 0];
  };
  return {
    flush,
    async add(index, without) {
      const numbers = index.packs.map((pack) => (without.has(pack.id) ? null : packs.push(pack) - 1));
      const kept = keptEntries(index.entries, numbers);
      if (index.bases !== undefined) bases.take(kept, index.bases);
      blocks.push(kept);
      bytes += kept.length;
      if (bytes >= FULL_ENTRIES * CHUNK_ENTRY_BYTES) await flush();
    },
  };
}

/** A copy of the entries whose pack has a new number. */
function keptEntries(entries: Buffer, numbers: readonly (number | null)[]): Buffer {
  const kept = Buffer.allocUnsafeSlow(entries.length);
  let length = 0;
  for (let at = 0; at < entries.length; at += CHUNK_ENTRY_BYTES) {
    const number = numbers[entries.readUInt32LE(at + 56)] ?? null;
    if (number === null) continue;
    entries.copy(kept, length, at, at + CHUNK_ENTRY_BYTES);
    kept.writeUInt32LE(number, length + 56);
    length += CHUNK_ENTRY_BYTES;
  }
  return kept.subarray(0, length);
}
