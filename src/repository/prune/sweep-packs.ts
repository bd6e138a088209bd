// Takes condemned packs away: first out of the indexes, then out of the store, so that nobody is told of a pack that is gone.
import { throwIfAborted } from '../../foundation/abort.ts';
import { newId } from '../../foundation/ids.ts';
import { readIndexObject } from '../chunk-index/load-indexes.ts';
import { sortEntries } from '../chunk-index/sort-entries.ts';
import type { RepositoryContext } from '../context.ts';
import { CHUNK_ENTRY_BYTES } from '../format/chunk-entry.ts';
import { writeIndexPayload, type IndexedPack, type IndexPayload } from '../format/index-object.ts';
import { indexName, INDEXES, packName } from '../format/names.ts';
import { sealObject } from '../format/sealed-object.ts';

type Context = Pick<RepositoryContext, 'storage' | 'keys' | 'clock'>;

const FULL_ENTRIES = 65_536;
/** Index objects with fewer are joined when others are rewritten. */
const SMALL_ENTRIES = 4_096;
const DELETES_AT_ONCE = 8;

export interface SweepOptions {
  readonly swept: ReadonlySet<string>;
  /** In no store any more: only the indexes have to forget them. */
  readonly lost: ReadonlySet<string>;
  /** Those that some index names; it has to forget them first. */
  readonly named: ReadonlySet<string>;
  /** Throws when another prune took over. */
  readonly assertOurs: () => Promise<void>;
  readonly signal: AbortSignal | undefined;
}

export async function sweepPacks(context: Context, { swept, lost, named, assertOurs, signal }: SweepOptions): Promise<void> {
  if (swept.size + lost.size === 0) return;
  // The leavings of writers first: on a full disk they make the room for a new index.
  await assertOurs();
  await deletePacks(context, [...swept].filter((id) => !named.has(id)), signal);
  await rewriteIndexes(context, { swept: new Set([...swept, ...lost]), assertOurs, signal });
  await assertOurs();
  await deletePacks(context, [...swept].filter((id) => named.has(id)), signal);
}

async function deletePacks({ storage }: Context, ids: readonly string[], signal: AbortSignal | undefined): Promise<void> {
  const names = ids.map(packName)[Symbol.iterator]();
  await Promise.all(Array.from({ length: DELETES_AT_ONCE }, async () => {
    for (const name of names) {
      throwIfAborted(signal);
      await storage.delete(name);
    }
  }));
}

/** Every index that names a swept pack is replaced by one of the others; the new ones are there before the old ones go. */
async function rewriteIndexes(context: Context, { swept, assertOurs, signal }: Omit<SweepOptions, 'named' | 'lost'>): Promise<void> {
  const names: string[] = [];
  for await (const { name } of context.storage.list(INDEXES)) names.push(name);
  const joiner = createJoiner(context, assertOurs);
  const old: string[] = [];
  for (const name of names) {
    throwIfAborted(signal);
    const index = await readIndexObject(context, name);
    const isSmall = index.entries.length < SMALL_ENTRIES * CHUNK_ENTRY_BYTES;
    if (!isSmall && !index.packs.some(({ id }) => swept.has(id))) continue;
    old.push(name);
    await joiner.add(index, swept);
  }
  await joiner.flush();
  for (const name of old) await context.storage.delete(name);
}

/** Joins the packs of several index objects into full ones. */
function createJoiner(context: Context, assertOurs: () => Promise<void>): { add(index: IndexPayload, without: ReadonlySet<string>): Promise<void>; flush(): Promise<void> } {
  let packs: IndexedPack[] = [];
  let blocks: Buffer[] = [];
  let bytes = 0;
  const flush = async (): Promise<void> => {
    if (packs.length === 0) return;
    // An index that names a pack which another prune took would be believed by writers.
    await assertOurs();
    const name = indexName(newId(context.clock.now()));
    await context.storage.put(name, sealObject(context.keys, { kind: 'index', name }, writeIndexPayload({ packs, entries: sortEntries(Buffer.concat(blocks)) })));
    [packs, blocks, bytes] = [[], [], 0];
  };
  return {
    flush,
    async add(index, without) {
      const numbers = index.packs.map((pack) => (without.has(pack.id) ? null : packs.push(pack) - 1));
      const kept = keptEntries(index.entries, numbers);
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
