// Deleted snapshots: their roots go, then what was said about them, last that they are deleted.
import { isLeafvaultError } from '../../foundation/errors.ts';
import type { RepositoryContext } from '../context.ts';
import { DELETED, deletedSnapshots } from '../facts.ts';
import { FACTS, partsOfFactName, partsOfSnapshotName, snapshotName } from '../format/names.ts';
import { findRoot } from '../snapshots.ts';
import { isDamage } from '../verify-object.ts';

type Context = Pick<RepositoryContext, 'storage' | 'keys' | 'log'>;

export interface ForgottenRoots {
  /** Those that a fact says are deleted. */
  readonly deleted: readonly string[];
  /** Of them those whose root was there. */
  readonly withRoot: readonly string[];
}

/**
 * Nobody can begin to read them from here on. What was said about them stays: it hides a root that a writer at work may still put. Fences
 * stay for ever, since whoever they keep out may wake up at any time.
 */
export async function forgetRoots(context: Context, { dryRun, signal }: { readonly dryRun: boolean; readonly signal?: AbortSignal | undefined }): Promise<ForgottenRoots> {
  const deleted = [...(await deletedSnapshots(context, undefined, passOver(context)))];
  const withRoot: string[] = [];
  for (const id of deleted) {
    signal?.throwIfAborted();
    const place = await placeOfRoot(context, id);
    if (place === null) continue;
    withRoot.push(id);
    if (!dryRun) await context.storage.delete(snapshotName(id, place));
  }
  return { deleted, withRoot };
}

/** A fact that can't be read deletes nothing: its snapshot stays as if it were there, which costs room and nothing else. */
export function passOver({ log }: Pick<Context, 'log'>): (object: string, error: unknown) => void {
  return (object, error) => {
    if (!isLeafvaultError(error) || !isDamage(error)) throw error;
    log.warn({ object, reason: error.message }, 'what says that a snapshot is deleted can not be read; the snapshot stays');
  };
}

/** null without a root. One that is damaged is no fence, so it goes. */
async function placeOfRoot(context: Context, id: string): Promise<number | null> {
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
export async function forgetFacts({ storage }: Context, ids: readonly string[], signal?: AbortSignal): Promise<void> {
  for (const id of ids) {
    signal?.throwIfAborted();
    const names: string[] = [];
    for await (const { name } of storage.list(`${FACTS}${id}/`)) names.push(name);
    const last = names.filter((name) => partsOfFactName(name)?.kind === DELETED);
    for (const name of [...names.filter((each) => !last.includes(each)), ...last]) await storage.delete(name);
  }
}
