// Takes a copy into use: the mark goes, and with it everything that kept writers away and let copiers in.
import type { RepositoryContext } from '../context.ts';
import { withExclusive } from '../exclusive.ts';
import { COPY_FILE, MISSED } from '../format/names.ts';
import type { PruneOptions } from '../repository.ts';

/** @throws REPOSITORY_BUSY while a copier is at work there */
export async function promoteCopy(context: RepositoryContext, { isOver }: Pick<PruneOptions, 'isOver'>): Promise<void> {
  await withExclusive(context, isOver, async ({ assertStands }) => {
    await assertStands();
    await context.storage.delete(COPY_FILE);
    // Nobody asks for it any more.
    for await (const { name } of context.storage.list(MISSED)) await context.storage.delete(name);
  });
}
