// Which form an update of the oplog has, and what it makes of a document.
import { BSON_TYPE, rawField } from '../bson/index.ts';
import { applyDiff, type OnMisfit } from './apply-diff.ts';
import { createDocumentBuilder, rawElements, showKey, type RawElement } from './raw-elements.ts';
import { unknownUpdate } from './read-diff.ts';

/** The first operators of updates before 5.0 (`$v: 1`), which name fields by dotted paths. */
const LEGACY = new Set(['$set', '$unset']);

/** `whole`: the new document. `withoutId`: the new document, which keeps the old `_id`. */
export type UpdateForm = 'whole' | 'withoutId' | 'diff';

/**
 * What an update's `o` is. With an `_id` it is a document, whatever else it holds (`$v` may be a field of the user's);
 * without, `$v` says that it is a diff (how servers tell them apart, by MongoDB's public source; experiments in
 * fold-real-oplog.test.ts).
 */
export function updateForm(update: Uint8Array): UpdateForm {
  return rawField(update, '_id') !== null ? 'whole' : rawField(update, '$v') !== null ? 'diff' : 'withoutId';
}

/**
 * The document after an update's `o`.
 * @param onMisfit told where a diff meets something else than at the source
 * @throws LeafvaultError REPLAY_UPDATE_UNKNOWN, REPLAY_FIELD_AMBIGUOUS, BSON_MALFORMED
 */
export function applyUpdate(document: Buffer, update: Buffer, onMisfit?: OnMisfit): Buffer {
  const elements = [...rawElements(update)];
  const form = updateForm(update);
  if (form === 'whole') return Buffer.from(update);
  if (form === 'withoutId') return replaceKeepingId(document, elements);
  const version = elements.find(({ key }) => key === '$v');
  const number = version?.type === BSON_TYPE.int ? version.value.readInt32LE(0) : null;
  const diff = elements.find(({ key }) => key === 'diff');
  if (number !== 2 || diff?.type !== BSON_TYPE.document) throw unknownUpdate(`its form is ${elements.map(({ key }) => showKey(key)).join(', ')} with $v: ${number ?? 'no int'}`);
  const unknown = elements.find(({ key }) => key !== '$v' && key !== 'diff');
  if (unknown !== undefined) throw unknownUpdate(`a diff comes with the field ${showKey(unknown.key)}`);
  return applyDiff(document, diff.value, onMisfit);
}

function replaceKeepingId(document: Buffer, elements: readonly RawElement[]): Buffer {
  const first = elements[0]?.key ?? '';
  if (LEGACY.has(first)) throw unknownUpdate(`${first} is of servers before MongoDB 5.0`);
  const result = createDocumentBuilder();
  for (const { key, whole } of rawElements(document)) if (key === '_id') result.copy(whole);
  for (const { whole } of elements) result.copy(whole);
  return result.finish();
}
