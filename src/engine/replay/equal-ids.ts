// Ids that a server takes for equal although their bytes differ (`1` and `1.0`): the table keeps documents apart by bytes, so where
// something was left out of one of them, the other must not be there as well.
import { breatheEvery } from '../../foundation/abort.ts';
import { LeafvaultError } from '../../foundation/errors.ts';
import { BSON_TYPE, rawFields } from '../bson/index.ts';
import { isNumber, numberKey } from '../mongo/number-key.ts';
import { describeRawId } from '../mongo/raw-insert-inspect.ts';
import type { CollectionNumber, OperationsTable } from './operations-table.ts';

const AT_ONCE = 5_000;

/** @throws RESTORE_LEAVE_OUT_UNSUITABLE */
export async function refuseEqualIds(table: OperationsTable, collection: CollectionNumber, signal: AbortSignal): Promise<void> {
  const breathe = breatheEvery(AT_ONCE, signal);
  // Within one type of numbers equal values have equal bytes: mostly there is nothing to compare.
  const types = new Set<number>();
  for (const id of table.touchedIds(collection)) {
    if (isByValue(id)) types.add(id[0] ?? 0);
    await breathe();
  }
  if (types.size < 2 && !types.has(BSON_TYPE.document)) return;
  const watched = new Map<string, Buffer>();
  for (const { id } of table.leftOutIds(collection)) {
    if (isByValue(id)) watched.set(valueOf(id[0] ?? 0, id.subarray(1)), id);
    await breathe();
  }
  for (const id of table.touchedIds(collection)) {
    await breathe();
    const other = isByValue(id) ? watched.get(valueOf(id[0] ?? 0, id.subarray(1))) : undefined;
    if (other === undefined || other.equals(id)) continue;
    throw new LeafvaultError('RESTORE_LEAVE_OUT_UNSUITABLE', `Leaving out failed: ${show(other)} and ${show(id)}, which was written to as well, are equal to a server`, {
      details: { ids: [show(other), show(id)] }, hint: 'Restore an instant just before it, or leave out something else',
    });
  }
}

function isByValue(id: Buffer): boolean {
  return isNumber(id[0] ?? 0) || id[0] === BSON_TYPE.document;
}

/** The same text for values that a server takes for equal. */
function valueOf(type: number, value: Buffer): string {
  if (isNumber(type)) return `n${numberKey(type, value)}`;
  if (type !== BSON_TYPE.document && type !== BSON_TYPE.array) return `${type}:${value.toString('hex')}`;
  const fields = [...rawFields(value)].map((field) => `${value.toString('hex', field.at + 1, field.valueAt)}=${valueOf(field.type, value.subarray(field.valueAt, field.end))}`);
  return `${type}{${fields.join()}}`;
}

function show(id: Buffer): string {
  return describeRawId(id) ?? 'an _id of odd bytes';
}
