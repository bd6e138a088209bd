// Which packs index objects name.
import { readIndexObject } from '../chunk-index/load-indexes.ts';
import type { RepositoryContext } from '../context.ts';

/** @throws REPOSITORY_OBJECT_DAMAGED, REPOSITORY_OBJECT_MISSING */
export async function eachIndexOf(
  context: Pick<RepositoryContext, 'storage' | 'keys'>, names: Iterable<string>, visit: (name: string, packs: readonly string[]) => void,
): Promise<void> {
  for (const name of names) visit(name, (await readIndexObject(context, name)).packs.map(({ id }) => id));
}
