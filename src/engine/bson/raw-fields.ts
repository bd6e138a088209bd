// Reads raw documents without decoding them: top-level fields by position, single values by need.
import { LeafvaultError } from '../../foundation/errors.ts';

/** One element of a document; positions count from the start of the document's bytes. */
export interface RawField {
  readonly type: number;
  /** UTF-8 text of the name; for comparison only, names with invalid bytes don't survive it. */
  readonly name: string;
  /** Position of the type byte. */
  readonly at: number;
  readonly valueAt: number;
  /** Position behind the value. */
  readonly end: number;
}

export const BSON_TYPE = {
  double: 0x01, string: 0x02, document: 0x03, array: 0x04, binary: 0x05, undefined: 0x06, objectId: 0x07, bool: 0x08, date: 0x09,
  null: 0x0a, regex: 0x0b, int: 0x10, timestamp: 0x11, long: 0x12, decimal: 0x13, minKey: 0xff, maxKey: 0x7f,
} as const;

const FIXED_LENGTHS: Readonly<Record<number, number>> = {
  0x06: 0, 0x0a: 0, 0x7f: 0, 0xff: 0, 0x08: 1, 0x10: 4, 0x01: 8, 0x09: 8, 0x11: 8, 0x12: 8, 0x07: 12, 0x13: 16,
};

/**
 * The top-level fields of a document or array, in order. Nothing inside values is looked at.
 * @throws LeafvaultError BSON_MALFORMED
 */
export function* rawFields(document: Uint8Array): Generator<RawField, void, undefined> {
  const bytes = asBuffer(document);
  const last = documentLength(bytes, 0) - 1;
  if (last + 1 !== bytes.length || bytes[last] !== 0) throw malformed('the length word and the end differ', 0);
  let at = 4;
  while (at < last) {
    const nameEnd = bytes.indexOf(0, at + 1);
    if (nameEnd < 0 || nameEnd >= last) throw malformed('a field name has no end', at);
    const type = bytes[at] ?? 0;
    const valueAt = nameEnd + 1;
    const end = valueAt + valueLength(bytes, type, valueAt, last);
    yield { type, name: bytes.toString('utf8', at + 1, nameEnd), at, valueAt, end };
    at = end;
  }
  if (at !== last) throw malformed('the last value passes the end', at);
}

/** The first top-level field of this name, or null. @throws LeafvaultError BSON_MALFORMED */
export function rawField(document: Uint8Array, name: string): RawField | null {
  for (const field of rawFields(document)) if (field.name === name) return field;
  return null;
}

/** The value's bytes when the field is there and a document or array, else null. */
export function rawChild(document: Uint8Array, name: string): Buffer | null {
  const field = rawField(document, name);
  if (field === null || (field.type !== BSON_TYPE.document && field.type !== BSON_TYPE.array)) return null;
  return asBuffer(document).subarray(field.valueAt, field.end);
}

/** The text of the field when it is there and a string, else null. */
export function rawText(document: Uint8Array, name: string): string | null {
  const field = rawField(document, name);
  return field?.type === BSON_TYPE.string ? readString(document, field) : null;
}

/** A string value. */
export function readString(document: Uint8Array, field: RawField): string {
  if (field.type !== BSON_TYPE.string) throw malformed(`${field.name} is not a string`, field.at);
  return asBuffer(document).toString('utf8', field.valueAt + 4, field.end - 1);
}

/** An element of a document (`_id` or any) as a raw id: type byte, then the value's bytes. */
export function rawIdOf(document: Uint8Array, field: RawField): Buffer {
  const id = Buffer.allocUnsafe(field.end - field.valueAt + 1);
  id[0] = field.type;
  asBuffer(document).copy(id, 1, field.valueAt, field.end);
  return id;
}

/** The raw `_id` of a document, null when it has none. @throws LeafvaultError BSON_MALFORMED */
export function rawId(document: Uint8Array): Buffer | null {
  const field = rawField(document, '_id');
  return field === null ? null : rawIdOf(document, field);
}

/** The raw `_id` whose element begins `idAt` bytes into the document (as the kernel's records say; 0: none). */
export function rawIdAt(document: Uint8Array, idAt: number): Buffer | null {
  if (idAt === 0) return null;
  const bytes = asBuffer(document);
  const valueAt = idAt + 5;
  const type = bytes[idAt] ?? 0;
  const end = valueAt + valueLength(bytes, type, valueAt, bytes.length - 1);
  return rawIdOf(bytes, { type, name: '_id', at: idAt, valueAt, end });
}

/** The length word of the document at `at`, checked against what is there. @throws LeafvaultError BSON_MALFORMED */
export function documentLength(bytes: Uint8Array, at: number): number {
  if (bytes.length - at < 5) throw malformed('fewer than five bytes', at);
  const length = asBuffer(bytes).readInt32LE(at);
  if (length < 5 || length > bytes.length - at) throw malformed('the length word passes the end', at);
  return length;
}

/** Views of itself as a Buffer; no copy. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function valueLength(bytes: Buffer, type: number, at: number, end: number): number {
  const length = FIXED_LENGTHS[type] ?? sizedLength(bytes, type, at, end);
  if (length > end - at) throw malformed('a value passes the end of its document', at);
  return length;
}

function sizedLength(bytes: Buffer, type: number, at: number, end: number): number {
  if (type === 0x0b) return regexLength(bytes, at, end);
  if (end - at < 4) throw malformed('a length word passes the end of its document', at);
  const size = bytes.readInt32LE(at);
  if (type === 0x02 || type === 0x0d || type === 0x0e) return 4 + atLeast(size, 1, at);
  if (type === 0x0c) return 16 + atLeast(size, 1, at);
  if (type === 0x03 || type === 0x04 || type === 0x0f) return atLeast(size, 5, at);
  if (type === 0x05) return 5 + atLeast(size, 0, at);
  throw malformed(`unknown type ${type}`, at);
}

function regexLength(bytes: Buffer, at: number, end: number): number {
  const pattern = bytes.indexOf(0, at);
  const flags = pattern < 0 ? -1 : bytes.indexOf(0, pattern + 1);
  if (pattern < 0 || flags < 0 || flags >= end) throw malformed('a regular expression has no end', at);
  return flags + 1 - at;
}

function atLeast(size: number, least: number, at: number): number {
  if (size < least) throw malformed('a value has an impossible length', at);
  return size;
}

function malformed(reason: string, at: number): LeafvaultError {
  return new LeafvaultError('BSON_MALFORMED', `Reading a document failed at byte ${at}: ${reason}`, { details: { at } });
}
