// Takes the diff of a `$v: 2` update apart, as strictly as a server does: what isn't one of the known sections, in
// their order, is refused (the reader of document diffs in MongoDB's public source; experiment in apply-diff.test.ts).
import { LeafvaultError } from '../../foundation/errors.ts';
import { BSON_TYPE } from '../bson/index.ts';
import { rawElements, showKey, type RawElement } from './raw-elements.ts';

/** What a diff does to one field. */
export type FieldChange =
  | { readonly kind: 'delete' }
  | { readonly kind: 'update' | 'insert'; readonly element: RawElement }
  | { readonly kind: 'sub-diff'; readonly diff: Diff };

export interface DocumentDiff {
  readonly target: 'document';
  readonly changes: ReadonlyMap<string, FieldChange>;
  /** Fields that end up behind all others where the document lacks them: those updated, then those inserted. */
  readonly appended: readonly RawElement[];
}

/** What an array diff does to one place. */
export type PlaceChange = { readonly kind: 'update'; readonly element: RawElement } | { readonly kind: 'sub-diff'; readonly diff: Diff };

export interface ArrayDiff {
  readonly target: 'array';
  /** Length afterwards, when the diff states one. */
  readonly length: number | null;
  /** By place, rising. */
  readonly changes: ReadonlyMap<number, PlaceChange>;
}

export type Diff = DocumentDiff | ArrayDiff;

const SECTIONS = ['d', 'u', 'i', 'b', 's'];
/** A document has at most 16 MiB, an element at least 3 bytes. */
const MOST_ELEMENTS = 6_000_000;

/** @throws LeafvaultError REPLAY_UPDATE_UNKNOWN, BSON_MALFORMED */
export function readDiff(raw: Buffer): Diff {
  const elements = [...rawElements(raw)];
  if (elements.length === 0) throw unknownUpdate('a diff is empty');
  return elements[0]?.key === 'a' ? readArrayDiff(elements) : readDocumentDiff(elements);
}

function readDocumentDiff(elements: readonly RawElement[]): DocumentDiff {
  const changes = new Map<string, FieldChange>();
  const appended: RawElement[] = [];
  const change = (key: string, to: FieldChange): void => {
    if (changes.has(key)) throw unknownUpdate(`a diff names the field ${showKey(key)} twice`);
    changes.set(key, to);
  };
  let before = -1;
  for (const { key, type, value } of elements) {
    const section = SECTIONS.indexOf(key.slice(0, 1));
    const isSubDiff = SECTIONS[section] === 's';
    if (section < before || (section === before && !isSubDiff) || (!isSubDiff && key.length !== 1)) throw unknownUpdate(`a diff has the section ${showKey(key)}`);
    if (type !== BSON_TYPE.document) throw unknownUpdate(`the section ${showKey(key)} of a diff is not a document`);
    before = section;
    if (isSubDiff) change(key.slice(1), { kind: 'sub-diff', diff: readDiff(value) });
    else if (key === 'b') throw unknownUpdate('a diff changes a part of a binary value (time-series buckets of MongoDB 8.0)');
    else {
      for (const element of rawElements(value)) {
        change(element.key, key === 'd' ? { kind: 'delete' } : { kind: key === 'u' ? 'update' : 'insert', element });
        if (key !== 'd') appended.push(element);
      }
    }
  }
  return { target: 'document', changes, appended };
}

function readArrayDiff([head, ...rest]: readonly RawElement[]): ArrayDiff {
  if (head?.type !== BSON_TYPE.bool || head.value[0] !== 1) throw unknownUpdate('the head of an array diff is not true');
  const changes = new Map<number, PlaceChange>();
  const length = rest[0]?.key === 'l' ? readArrayLength(rest[0]) : null;
  let before = -1;
  for (const element of length === null ? rest : rest.slice(1)) {
    const place = /^[us](?:0|[1-9][0-9]{0,7})$/.test(element.key) ? Number(element.key.slice(1)) : MOST_ELEMENTS;
    if (place <= before || place >= MOST_ELEMENTS || (length !== null && place >= length)) throw unknownUpdate(`an array diff has the field ${showKey(element.key)}`);
    before = place;
    if (element.key.startsWith('u')) changes.set(place, { kind: 'update', element });
    else if (element.type === BSON_TYPE.document) changes.set(place, { kind: 'sub-diff', diff: readDiff(element.value) });
    else throw unknownUpdate(`the field ${showKey(element.key)} of an array diff is not a document`);
  }
  return { target: 'array', length, changes };
}

function readArrayLength({ type, value }: RawElement): number {
  const length = type === BSON_TYPE.int ? value.readInt32LE(0) : -1;
  if (length < 0 || length > MOST_ELEMENTS) throw unknownUpdate('an array diff states an impossible length');
  return length;
}

/** The error of an update in a form that isn't known. */
export function unknownUpdate(reason: string): LeafvaultError {
  return new LeafvaultError('REPLAY_UPDATE_UNKNOWN', `Applying an update of the oplog failed: ${reason}`, {
    details: { reason },
    hint: 'Restore an instant before this update, or a snapshot taken after it',
  });
}
