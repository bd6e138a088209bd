// The snapshots of a repository: roots that no fact says are deleted.
import { isLeafvaultError, LeafvaultError } from '../foundation/errors.ts';
import { isId } from '../foundation/ids.ts';
import type { RepositoryContext } from './context.ts';
import { deletedSnapshots } from './facts.ts';
import { partsOfSnapshotName, SNAPSHOTS, snapshotName } from './format/names.ts';
import { openRoot } from './format/root.ts';
import { readObjectIfAny } from './read-object.ts';
import type { SnapshotRoot } from './repository.ts';

type Context = Pick<RepositoryContext, 'storage' | 'keys'>;

/**
 * @param onUnreadable told of each root that can't be read, and of each fact that may say that one is deleted; without it the first one is thrown, after all others were given
 * @throws REPOSITORY_OBJECT_DAMAGED, REPOSITORY_FORMAT_NEWER
 */
export async function* listSnapshots(context: Context, onUnreadable?: (object: string, error: unknown) => void): AsyncGenerator<SnapshotRoot> {
  let failure: { readonly error: unknown } | null = null;
  for (const id of (await snapshotPlaces(context, onUnreadable)).keys()) {
    try {
      const root = await readRoot(context, id);
      if (root !== null) yield root;
    } catch (error) {
      if (onUnreadable === undefined) failure ??= { error };
      else onUnreadable(snapshotName(id), error);
    }
  }
  if (failure !== null) throw failure.error;
}

/**
 * Ids of those that no fact says are deleted, and of fences in place of one, each with its last place that is taken: a root behind
 * that one came after this was asked, and may rest on what was not there before.
 */
export async function snapshotPlaces(context: Context, onUnreadable?: (object: string, error: unknown) => void): Promise<ReadonlyMap<string, number>> {
  const deleted = await deletedSnapshots(context, undefined, onUnreadable);
  const last = new Map<string, number>();
  for await (const { name } of context.storage.list(SNAPSHOTS)) {
    const parts = partsOfSnapshotName(name);
    if (parts !== null && !deleted.has(parts.id)) last.set(parts.id, Math.max(parts.place, last.get(parts.id) ?? 0));
  }
  return last;
}

/** @throws REPOSITORY_SNAPSHOT_MISSING, REPOSITORY_OBJECT_DAMAGED, REPOSITORY_FORMAT_NEWER */
export async function loadSnapshot(context: Context, id: string): Promise<SnapshotRoot> {
  const root = isId(id) && !(await deletedSnapshots(context, id)).has(id) ? await readRoot(context, id) : null;
  if (root !== null) return root;
  throw new LeafvaultError('REPOSITORY_SNAPSHOT_MISSING', `Loading the snapshot ${id} failed: the repository has none of that id, or it was deleted`, {
    details: { snapshotId: id },
  });
}

/** null where there is none, or fences in its places. @param last the last place to look at */
export async function readRoot(context: Context, id: string, last?: number): Promise<SnapshotRoot | null> {
  return (await findRoot(context, id, last)).root;
}

/** The root, or the first place that a writer may put it to. A gap before a place that is taken was left by a repair that died: the search goes on behind it. */
export async function findRoot({ storage, keys }: Context, id: string, last = Infinity): Promise<{ readonly root: SnapshotRoot | null; readonly place: number }> {
  let free: number | null = null;
  for (let place = 1; place <= last; place += 1) {
    const bytes = await readObjectIfAny(storage, snapshotName(id, place));
    const root = bytes === null ? null : await openOrPassOver({ storage, keys }, { id, place, bytes });
    if (root !== null) return { root, place };
    if (bytes !== null) continue;
    free ??= place;
    if (last === Infinity && !(await isTaken({ storage }, id, place + 1))) break;
  }
  return { root: null, place: free ?? last + 1 };
}

async function isTaken({ storage }: Pick<Context, 'storage'>, id: string, place: number): Promise<boolean> {
  return (await storage.stat(snapshotName(id, place))) !== null;
}

/** A damaged object before a place that is taken was a fence: a root is never followed. */
async function openOrPassOver({ storage, keys }: Context, { id, place, bytes }: { readonly id: string; readonly place: number; readonly bytes: Buffer }): Promise<SnapshotRoot | null> {
  try {
    return openRoot(keys, id, bytes, place);
  } catch (error) {
    if (isLeafvaultError(error, 'REPOSITORY_OBJECT_DAMAGED') && (await isTaken({ storage }, id, place + 1))) return null;
    throw error;
  }
}

/** Each damaged object that counts as a fence since something follows it, with why it can't be read. */
export async function* passedOver({ storage, keys }: Context, id: string, last: number): AsyncGenerator<{ readonly object: string; readonly error: LeafvaultError }> {
  for (let place = 1; place < last; place += 1) {
    const object = snapshotName(id, place);
    const bytes = await readObjectIfAny(storage, object);
    try {
      if (bytes !== null) openRoot(keys, id, bytes, place);
    } catch (error) {
      if (!isLeafvaultError(error, 'REPOSITORY_OBJECT_DAMAGED')) throw error;
      yield { object, error };
    }
  }
}
