// Deleted snapshots: their roots go, then what was said about them, last that they are deleted.
import { isLeafvaultError } from '../../foundation/errors.ts';
import { isDamage } from '../format/damage.ts';
import type { RepositoryContext } from '../context.ts';
import { deleteOrLeave } from '../delete-or-leave.ts';
import { DELETED, deletedSnapshots, KEEPS, readFact } from '../facts.ts';
import { FACTS, partsOfFactName, partsOfSnapshotName, snapshotName } from '../format/names.ts';
import { findRoot } from '../snapshots.ts';

type Context = Pick<RepositoryContext, 'storage' | 'keys' | 'log'>;

export interface ForgottenRoots {
  /** Those that a fact says are deleted, and that have no root any more. */
  readonly deleted: readonly string[];
  /** Of them those whose root was there. */
  readonly withRoot: readonly string[];
}

/**
 * Nobody can begin to read them from here on. What was said about them stays: it hides a root that a writer at work may still put. Fences
 * stay for ever, since whoever they keep out may wake up at any time.
 */
export async function forgetRoots(context: Context, { dryRun, stuck, signal }: { readonly dryRun: boolean; readonly stuck: string[]; readonly signal?: AbortSignal | undefined }): Promise<ForgottenRoots> {
  const deleted = new Set(await deletedSnapshots(context, undefined, passOver(context)));
  const withRoot: string[] = [];
  for (const id of deleted) {
    signal?.throwIfAborted();
    const place = await placeOfRoot(context, id);
    if (place === null) continue;
    // What hides a root has to stay as long as the root does.
    if (dryRun || (await deleteOrLeave(context, snapshotName(id, place), stuck))) withRoot.push(id);
    else deleted.delete(id);
  }
  return { deleted: [...deleted], withRoot };
}

/** A fact that can't be read deletes nothing: its snapshot stays as if it were there, which costs room and nothing else. */
export function passOver({ log }: Pick<Context, 'log'>): (object: string, error: unknown) => void {
  return (object, error) => {
    if (!isLeafvaultError(error) || !isDamage(error)) throw error;
    log.warn({ object, reason: error.message }, 'what says that a snapshot is deleted can not be read; the snapshot stays');
  };
}

/** null without a root. One that is damaged is no fence, so it goes. */
async function placeOfRoot(context: Pick<Context, 'storage' | 'keys'>, id: string): Promise<number | null> {
  try {
    const { root, place } = await findRoot(context, id);
    return root === null ? null : place;
  } catch (error) {
    const object = isLeafvaultError(error, 'REPOSITORY_OBJECT_DAMAGED') ? partsOfSnapshotName(String(error.details['object'])) : null;
    if (object === null) throw error;
    return object.place;
  }
}

/** @param ids that have no root any more, and will never have one */
export async function forgetFacts({ storage, keys, log }: Context, ids: readonly string[], { stuck, signal }: { readonly stuck: string[]; readonly signal?: AbortSignal | undefined }): Promise<void> {
  for (const id of ids) {
    signal?.throwIfAborted();
    const names: string[] = [];
    for await (const { name } of storage.list(`${FACTS}${id}/`)) names.push(name);
    const last = [...(await lettingGo({ storage, keys }, names)), ...names.filter((name) => partsOfFactName(name)?.kind === DELETED)];
    // Behind one that stays the others wait: what is left of a snapshot has to say that it was deleted, and that nothing keeps it.
    for (const name of [...names.filter((each) => !last.includes(each)), ...last]) if (!(await deleteOrLeave({ storage, log }, name, stuck))) break;
  }
}

/** What takes back a pin or a hold goes behind it: left alone that one would count again. */
async function lettingGo(context: Pick<Context, 'storage' | 'keys'>, names: readonly string[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const name of names) {
    if (!KEEPS.includes(partsOfFactName(name)?.kind ?? '')) continue;
    const fact = await readFact(context, name).catch((error: unknown) => {
      if (!isLeafvaultError(error) || !isDamage(error)) throw error;
      return null;
    });
    if (fact?.body['kept'] === false) found.push(name);
  }
  return found;
}
