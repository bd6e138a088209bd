// Takes condemned packs away: first out of the indexes, then out of the store, so that nobody is told of a pack that is gone.
import { throwIfAborted } from '../../foundation/abort.ts';
import { readIndexObject } from '../chunk-index/load-indexes.ts';
import type { RepositoryContext } from '../context.ts';
import { deleteOrLeave } from '../delete-or-leave.ts';
import { CHUNK_ENTRY_BYTES } from '../format/chunk-entry.ts';
import { INDEXES, packName } from '../format/names.ts';
import { createJoiner } from './join-indexes.ts';

type Context = Pick<RepositoryContext, 'storage' | 'keys' | 'clock' | 'log'>;

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
  /** Takes in the names of what the store does not let go. */
  readonly stuck: string[];
  readonly signal: AbortSignal | undefined;
}

/** @returns ids of those that are gone */
export async function sweepPacks(context: Context, { swept, lost, named, assertOurs, stuck, signal }: SweepOptions): Promise<ReadonlySet<string>> {
  const gone = new Set<string>();
  if (swept.size + lost.size === 0) return gone;
  const deletePacks = (ids: readonly string[]): Promise<void> => deleteAll(context, ids, { gone, stuck, signal });
  // The leavings of writers first: on a full disk they make the room for a new index.
  await assertOurs();
  await deletePacks([...swept].filter((id) => !named.has(id)));
  await rewriteIndexes(context, { swept: new Set([...swept, ...lost]), assertOurs, stuck, signal });
  await assertOurs();
  await deletePacks([...swept].filter((id) => named.has(id)));
  return gone;
}

interface Deleting extends Pick<SweepOptions, 'stuck' | 'signal'> { readonly gone: Set<string> }

async function deleteAll(context: Context, ids: readonly string[], { gone, stuck, signal }: Deleting): Promise<void> {
  const left = ids[Symbol.iterator]();
  await Promise.all(Array.from({ length: DELETES_AT_ONCE }, async () => {
    for (const id of left) {
      throwIfAborted(signal);
      if (await deleteOrLeave(context, packName(id), stuck)) gone.add(id);
    }
  }));
}

/** Every index that names a swept pack is replaced by one of the others; the new ones are there before the old ones go. */
async function rewriteIndexes(context: Context, { swept, assertOurs, stuck, signal }: Omit<SweepOptions, 'named' | 'lost'>): Promise<void> {
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
  for (const name of old) await deleteOrLeave(context, name, stuck);
}
