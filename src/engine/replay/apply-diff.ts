// What the diff of a `$v: 2` update does to a document, over raw bytes: our own implementation, so that the server's is
// not believed alone (docs/design/continuous-backup.md, "The independent fold").
import { LeafvaultError } from '../../foundation/errors.ts';
import { BSON_TYPE } from '../bson/index.ts';
import { createDocumentBuilder, rawElements, showKey, type DocumentBuilder, type RawElement } from './raw-elements.ts';
import { readDiff, unknownUpdate, type ArrayDiff, type Diff, type DocumentDiff, type PlaceChange } from './read-diff.ts';

/** A change that finds something else than the diff of an ordinary collection finds at the source. */
export interface Misfit {
  /** Shown names, each in quotes, with dots between them. */
  readonly path: string;
  readonly reason: string;
  /** Every version of MongoDB does the same then. */
  readonly alike: boolean;
  /** An update of a field that is missing: it was added. */
  readonly added: boolean;
}

export type OnMisfit = (misfit: Misfit) => void;

/**
 * The document after the diff. Fields that are not named stay where they are; an updated field keeps its place, or goes
 * to the end if it was missing; an inserted field goes to the end, whether it was there or not.
 *
 * What cannot be at the source is done as MongoDB 6.0 does it (checked by `applyOps` in apply-diff-server.test.ts), and
 * told to `onMisfit`: a sub-diff of a missing field does nothing, of a value of another type leaves null; deleting a missing field
 * does nothing. Later servers do some of this otherwise, so who replays an exact window refuses it.
 * @throws LeafvaultError REPLAY_UPDATE_UNKNOWN, REPLAY_FIELD_AMBIGUOUS, BSON_MALFORMED
 */
export function applyDiff(document: Buffer, diff: Buffer, onMisfit: OnMisfit = () => undefined): Buffer {
  const read = readDiff(diff);
  if (read.target === 'array') throw unknownUpdate('the diff of a whole document is one of an array');
  return changeDocument(document, read, { path: '', onMisfit });
}

interface Where {
  readonly path: string;
  readonly onMisfit: OnMisfit;
}

function changeDocument(document: Buffer, { changes, appended }: DocumentDiff, where: Where): Buffer {
  const result = createDocumentBuilder();
  const met = new Set<string>();
  for (const element of rawElements(document)) {
    const change = changes.get(element.key);
    if (change === undefined) {
      result.copy(element.whole);
      continue;
    }
    // A primary changes the first of two, who applies the entry changes both: no result is right.
    if (met.has(element.key)) throw ambiguous(pathOf(where, element.key), 'the document holds this field twice');
    met.add(element.key);
    if (change.kind === 'update') result.copy(change.element.whole);
    else if (change.kind === 'sub-diff') changeValue(result, element, change.diff, { ...where, path: pathOf(where, element.key) });
  }
  for (const element of appended) {
    const kept = met.has(element.key) && changes.get(element.key)?.kind === 'update';
    if (!kept) result.copy(element.whole);
  }
  for (const [key, { kind }] of changes) {
    if (met.has(key) || kind === 'insert') continue;
    where.onMisfit({ path: pathOf(where, key), reason: `${kind} of a field that is missing`, alike: kind !== 'sub-diff', added: kind === 'update' });
  }
  return result.finish();
}

/** Adds the changed value of an element under its own name. */
function changeValue(result: DocumentBuilder, { key, type, value }: RawElement, diff: Diff, where: Where): void {
  if (diff.target === 'document' && type === BSON_TYPE.document) result.add(key, type, changeDocument(value, diff, where));
  else if (diff.target === 'array' && type === BSON_TYPE.array) result.add(key, type, changeArray(value, diff, where));
  else {
    where.onMisfit({ path: where.path, reason: `a diff of ${diff.target === 'array' ? 'an array' : 'a document'} meets another type`, alike: false, added: false });
    result.add(key, BSON_TYPE.null, Buffer.alloc(0));
  }
}

function changeArray(array: Buffer, { length, changes }: ArrayDiff, where: Where): Buffer {
  const result = createDocumentBuilder();
  const limit = length ?? Number.POSITIVE_INFINITY;
  let place = 0;
  for (const element of rawElements(array)) {
    // Servers disagree on whether such names stay or are made right.
    if (element.key !== String(place)) throw ambiguous(where.path, 'the elements of this array are not named by their places');
    if (place < limit) changePlace(result, { place, element, change: changes.get(place) }, where);
    place += 1;
  }
  const end = length ?? Math.max(place, lastOf(changes) + 1);
  for (; place < end; place += 1) changePlace(result, { place, element: null, change: changes.get(place) }, where);
  return result.finish();
}

interface Place {
  readonly place: number;
  /** Null behind the end of the array. */
  readonly element: RawElement | null;
  readonly change: PlaceChange | undefined;
}

function changePlace(result: DocumentBuilder, { place, element, change }: Place, where: Where): void {
  const key = String(place);
  if (change?.kind === 'update') result.add(key, change.element.type, change.element.value);
  else if (change === undefined && element !== null) result.copy(element.whole);
  else if (change === undefined || element === null) {
    if (change !== undefined) where.onMisfit({ path: pathOf(where, key), reason: 'sub-diff of a place behind the end of its array', alike: false, added: false });
    result.add(key, BSON_TYPE.null, Buffer.alloc(0));
  } else changeValue(result, element, change.diff, { ...where, path: pathOf(where, key) });
}

function lastOf(changes: ReadonlyMap<number, PlaceChange>): number {
  let last = -1;
  for (const place of changes.keys()) last = place;
  return last;
}

function pathOf({ path }: Where, key: string): string {
  return path === '' ? showKey(key) : `${path}.${showKey(key)}`;
}

function ambiguous(field: string, reason: string): LeafvaultError {
  return new LeafvaultError('REPLAY_FIELD_AMBIGUOUS', `Applying an update of the oplog failed at ${field === '' ? 'the document' : field}: ${reason}`, {
    details: { field },
    hint: 'Restore an instant before this update, or a snapshot taken after it',
  });
}
