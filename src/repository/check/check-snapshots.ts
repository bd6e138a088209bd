// Every snapshot that exists: its root, its entries, their lists.
import { throwIfAborted } from '../../foundation/abort.ts';
import { isLeafvaultError } from '../../foundation/errors.ts';
import type { RepositoryContext } from '../context.ts';
import { readEntryRecords } from '../format/entry-record.ts';
import { snapshotName } from '../format/names.ts';
import { walkList } from '../read/walk-list.ts';
import type { SnapshotEntry, SnapshotRoot } from '../repository.ts';
import { passedOver, readRoot } from '../snapshots.ts';
import { checkList, type ListCheck } from './check-list.ts';

/** @param snapshot `place`: the last one that is looked at @returns 1 for a snapshot, 0 for a fence, or for one that was pruned since */
export async function checkSnapshot(
  context: Pick<RepositoryContext, 'storage' | 'keys'>, check: ListCheck, { id, place }: { readonly id: string; readonly place: number }, onEntry: (name: string) => void,
): Promise<number> {
  let root: SnapshotRoot | null;
  try {
    for await (const { object, error } of passedOver(context, id, place)) {
      check.problems.find(error.code, object, `${error.message}; something follows it, so it was a fence, and costs nothing. Leave it where it is: without it the snapshot ${id} may not be found`);
    }
    root = await readRoot(context, id, place);
  } catch (error) {
    if (!isLeafvaultError(error) || !error.code.startsWith('REPOSITORY_')) throw error;
    check.problems.find(error.code, typeof error.details['object'] === 'string' ? error.details['object'] : snapshotName(id), error.message).costs(id, null);
    return 1;
  }
  if (root === null) return 0;
  await checkList(check, root.entries, (finding) => finding.costs(id, null));
  for await (const entry of readableEntries(check, root)) {
    throwIfAborted(check.signal);
    onEntry(entry.name);
    for (const list of Object.values(entry.lists)) await checkList(check, list, (finding) => finding.costs(id, entry.name));
  }
  return 1;
}

/** The entries that can be read; the others were named with the list of entries, or are here. */
async function* readableEntries(check: ListCheck, root: SnapshotRoot): AsyncGenerator<SnapshotEntry> {
  const refs = walkList(check.loader, root.entries);
  for (;;) {
    let entries: readonly SnapshotEntry[];
    try {
      const ref = await refs.next();
      if (ref.done === true) return;
      entries = readEntryRecords(`entry chunk ${ref.value.id.toString('hex')}`, await check.loader.load(ref.value.id));
    } catch (error) {
      if (!isLeafvaultError(error) || !error.code.startsWith('REPOSITORY_')) throw error;
      const object = typeof error.details['object'] === 'string' ? error.details['object'] : snapshotName(root.id);
      check.problems.find(error.code, object, error.message).costs(root.id, null);
      continue; // A generator that threw is done: the next round ends; a chunk that failed is passed over.
    }
    yield* entries;
  }
}
