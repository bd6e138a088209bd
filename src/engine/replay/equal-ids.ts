// Ids that a server takes for equal although their bytes differ (`1` and `1.0`): the table keeps documents apart by bytes, so where
// something was left out of one of them, the other must not be there as well. A collation of the collection makes more strings equal: those are not found.
import { breathe, breatheEvery } from '../../foundation/abort.ts';
import { LeafvaultError } from '../../foundation/errors.ts';
import { equalityClass, equalityKey, hasEquals } from '../mongo/equality-key.ts';
import { describeRawId } from '../mongo/raw-insert-inspect.ts';
import type { CollectionNumber, OperationsTable } from './operations-table.ts';

const AT_ONCE = 5_000;

/** @throws RESTORE_LEAVE_OUT_UNSUITABLE; the signal's reason */
export async function refuseEqualIds(table: OperationsTable, collection: CollectionNumber, signal: AbortSignal): Promise<void> {
  if (!(await mayHoldEquals(table, collection, signal))) return;
  // In the table, as the ids are too many for memory.
  const ids = table.leftOutIds(collection);
  for (let next = ids.next(); next.done !== true; ) {
    table.together(() => {
      for (let taken = 0; taken < AT_ONCE && next.done !== true; taken += 1, next = ids.next()) table.watch(collection, keyOf(next.value.id), next.value.id);
    });
    await breathe(signal);
  }
  const between = breatheEvery(AT_ONCE, signal);
  for (const id of table.touchedIds(collection)) {
    await between();
    const other = table.watched(collection, keyOf(id));
    if (other === null || other.equals(id)) continue;
    throw new LeafvaultError('RESTORE_LEAVE_OUT_UNSUITABLE', `Leaving out failed: ${show(other)} and ${show(id)}, which was written to as well, are equal to a server`, {
      details: { ids: [show(other), show(id)] }, hint: 'Restore an instant just before it, or leave out something else',
    });
  }
}

/** By the types of all ids: mostly equal ids have equal bytes, and there is nothing to compare. */
async function mayHoldEquals(table: OperationsTable, collection: CollectionNumber, signal: AbortSignal): Promise<boolean> {
  const between = breatheEvery(AT_ONCE, signal);
  const typeOf = new Map<number, number>();
  for (const id of table.touchedIds(collection)) {
    const type = id[0] ?? 0;
    const of = equalityClass(type);
    if (hasEquals(id) || (typeOf.get(of) ?? type) !== type) return true;
    typeOf.set(of, type);
    await between();
  }
  return false;
}

function keyOf(id: Buffer): Buffer {
  return Buffer.from(equalityKey(id), 'latin1');
}

function show(id: Buffer): string {
  return describeRawId(id) ?? 'an _id of odd bytes';
}
