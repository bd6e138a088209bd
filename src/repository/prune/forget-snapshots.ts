// Deleted snapshots: their roots go, then what was said about them, last that they are deleted.
import type { RepositoryContext } from '../context.ts';
import { DELETED, deletedSnapshots } from '../facts.ts';
import { FACTS, partsOfFactName, snapshotName } from '../format/names.ts';

type Context = Pick<RepositoryContext, 'storage' | 'keys'>;

/**
 * @param rootsMayCome a writer is at work: a fact about a snapshot without a root may be ahead of it
 * @returns ids of those whose root was there
 */
export async function forgetSnapshots(context: Context, { dryRun, rootsMayCome }: { readonly dryRun: boolean; readonly rootsMayCome: boolean }): Promise<readonly string[]> {
  const forgotten: string[] = [];
  for (const id of await deletedSnapshots(context)) {
    const hasRoot = (await context.storage.stat(snapshotName(id))) !== null;
    if (hasRoot) forgotten.push(id);
    if (dryRun || (!hasRoot && rootsMayCome)) continue;
    await context.storage.delete(snapshotName(id));
    await forgetFacts(context, id);
  }
  return forgotten;
}

async function forgetFacts({ storage }: Context, snapshotId: string): Promise<void> {
  const names: string[] = [];
  for await (const { name } of storage.list(`${FACTS}${snapshotId}/`)) names.push(name);
  const last = names.filter((name) => partsOfFactName(name)?.kind === DELETED);
  for (const name of [...names.filter((each) => !last.includes(each)), ...last]) await storage.delete(name);
}
