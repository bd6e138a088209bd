// Metadata (options, index specifications) as maps. A JavaScript object would put field names that look like
// numbers first, and so turn the index {b: 1, "0": 1} into another one; maps keep the order, the driver sends it.
import { BSON } from 'mongodb';
import { asBuffer, BSON_TYPE, rawDocument, rawFields, type RawField } from '../bson/index.ts';

export type OrderedDocument = ReadonlyMap<string, unknown>;

/** Documents become maps, arrays arrays; every other value keeps its BSON type. @throws BSON_MALFORMED */
export function decodeOrdered(document: Uint8Array): Map<string, unknown> {
  const bytes = asBuffer(document);
  const decoded = new Map<string, unknown>();
  for (const field of rawFields(bytes)) decoded.set(field.name, valueOf(bytes, field));
  return decoded;
}

/** From the base64 in which entries and plans hold BSON; the empty text is the empty document. */
export function decodeOrderedText(base64: string): Map<string, unknown> {
  return base64 === '' ? new Map() : decodeOrdered(Buffer.from(base64, 'base64'));
}

export function encodeOrdered(document: OrderedDocument): Buffer {
  return Buffer.from(BSON.serialize(document as never));
}

/** A field that is a document, or null. */
export function childOf(document: OrderedDocument, name: string): OrderedDocument | null {
  const child = document.get(name);
  return child instanceof Map ? child : null;
}

/** True when both would be the same bytes; undefined is only the same as undefined. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (a === undefined || b === undefined) return a === b;
  return encodeOrdered(new Map([['', a]])).equals(encodeOrdered(new Map([['', b]])));
}

function valueOf(bytes: Buffer, field: RawField): unknown {
  const value = bytes.subarray(field.valueAt, field.end);
  if (field.type === BSON_TYPE.document) return decodeOrdered(value);
  if (field.type === BSON_TYPE.array) return [...rawFields(value)].map((each) => valueOf(value, each));
  const alone = rawDocument([{ name: 'v', type: field.type, value }]);
  return BSON.deserialize(alone, { promoteValues: false, promoteBuffers: false, bsonRegExp: true }).v;
}
