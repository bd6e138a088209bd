// Builds raw documents by hand, so that values that came raw go on raw.
import { asBuffer, rawFields, type RawField } from './raw-fields.ts';

/** A field to write: its name, type byte and value bytes. */
export interface RawValue {
  readonly name: string | Uint8Array;
  readonly type: number;
  readonly value: Uint8Array;
}

/** A raw value that brings its type byte (a raw id, for one) as a field. */
export function rawIdField(id: Uint8Array, name = '_id'): RawValue {
  return { name, type: id[0] ?? 0, value: id.subarray(1) };
}

/** A document of these fields, in this order. */
export function rawDocument(fields: readonly RawValue[]): Buffer {
  const parts: Uint8Array[] = [];
  let length = 5;
  for (const field of fields) {
    const name = typeof field.name === 'string' ? Buffer.from(field.name, 'utf8') : field.name;
    if (name.includes(0)) throw new TypeError('A BSON field name holds a NUL');
    parts.push(Uint8Array.of(field.type), name, Uint8Array.of(0), field.value);
    length += name.length + 2 + field.value.length;
  }
  const bytes = Buffer.allocUnsafe(length);
  bytes.writeInt32LE(length, 0);
  let at = 4;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  bytes[at] = 0;
  return bytes;
}

/** An array of raw values; each begins with its type byte (a raw id, for one). */
export function rawArray(values: readonly Uint8Array[]): Buffer {
  return rawDocument(values.map((value, index) => rawIdField(value, String(index))));
}

/** The same document with only the fields that `keep` says, bytes as they were. */
export function filterFields(document: Uint8Array, keep: (field: RawField) => boolean): Buffer {
  const bytes = asBuffer(document);
  const kept = [...rawFields(bytes)].filter(keep).map((field) => bytes.subarray(field.at, field.end));
  const length = kept.reduce((sum, element) => sum + element.length, 5);
  const head = Buffer.alloc(4);
  head.writeInt32LE(length, 0);
  return Buffer.concat([head, ...kept, Buffer.of(0)], length);
}
