// Deleted snapshots: their roots go, then what was said about them, last that they are deleted.
import type { RepositoryContext } from '../context.ts';
import { DELETED, deletedSnapshots } from '../facts.ts';
import { FACTS, partsOfFactName, partsOfSnapshotName, SNAPSHOTS } from '../format/names.ts';

type Context = Pick<RepositoryContext, 'storage' | 'keys'>;

export interface ForgottenRoots {
  /** Those that a fact says are deleted. */
  readonly deleted: readonly string[];
  /** Of them those whose root was there. */
  readonly withRoot: readonly string[];
}

/** Nobody can begin to read them from here on. What was said about them stays, so that a crash is noticed. */
export async function forgetRoots(context: Context, { dryRun, signal }: { readonly dryRun: boolean; readonly signal?: AbortSignal | undefined }): Promise<ForgottenRoots> {
  const deleted = [...(await deletedSnapshots(context))];
  const withRoot: string[] = [];
  for (const id of deleted) {
    signal?.throwIfAborted();
    const names: string[] = [];
    for await (const { name } of context.storage.list(`${SNAPSHOTS}${id}`)) names.push(name);
    if (names.length > 0) withRoot.push(id);
    // The last place first: one behind a hole would not be found.
    const placeOf = (name: string): number => partsOfSnapshotName(name)?.place ?? 0;
    if (!dryRun) for (const name of names.toSorted((a, b) => placeOf(b) - placeOf(a))) await context.storage.delete(name);
  }
  return { deleted, withRoot };
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
