// Puts top-level zero timestamps back after an insert in which the server replaced them by its clock.
// docs/design/restore-protocol.md, "Documents that a server changes or refuses", says why each way exists.
import { asBuffer, BSON_TYPE, rawDocument, rawFields, rawId, rawIdField, type RawValue } from '../bson/index.ts';
import type { ZeroTimestamps } from './raw-insert-inspect.ts';

/** One raw element of an `update` command's `updates`, or why no update can say it. */
export type TimestampRepair = { readonly update: Buffer } | { readonly impossible: string };

const ZERO = new Uint8Array(8);

/** Plans the update that gives a stored document its zero timestamps back. */
export function repairZeroTimestamps({ document, fields }: ZeroTimestamps): TimestampRepair {
  const id = rawId(document);
  if (id === null) return { impossible: 'it has no _id' };
  if (timesNamed(document, fields)) return { impossible: 'a field that holds Timestamp(0, 0) has a name that comes twice' };
  if (fields.every(isPlainName)) return { update: updateById(id, embed('u', rawDocument([embed('$set', rawDocument(fields.map(zeroField)))]))) };
  // A pipeline update of a document with a repeated name aborts the server (6.0.5).
  if (hasRepeatedName(document)) return { impossible: 'it holds Timestamp(0, 0) under a name that $set cannot say, and another name twice' };
  const literal = embed('$replaceWith', rawDocument([embed('$literal', document)]));
  return { update: updateById(id, { name: 'u', type: BSON_TYPE.array, value: rawDocument([embed('0', rawDocument([literal]))]) }) };
}

function timesNamed(document: Buffer, fields: readonly string[]): boolean {
  const names = [...rawFields(document)].map((field) => field.name);
  return fields.some((name) => names.indexOf(name) !== names.lastIndexOf(name));
}

function isPlainName(name: string): boolean {
  return name !== '' && !name.includes('.') && !name.startsWith('$') && !name.includes('\uFFFD');
}

function zeroField(name: string): RawValue {
  return { name, type: BSON_TYPE.timestamp, value: ZERO };
}

function embed(name: string, document: Uint8Array): RawValue {
  return { name, type: BSON_TYPE.document, value: document };
}

function updateById(id: Buffer, change: RawValue): Buffer {
  const equals = rawDocument([rawIdField(id, '$eq')]);
  return rawDocument([embed('q', rawDocument([embed('_id', equals)])), change]);
}

function hasRepeatedName(document: Uint8Array): boolean {
  const bytes = asBuffer(document);
  const seen = new Set<string>();
  for (const field of rawFields(bytes)) {
    // latin1 keeps bytes that are no UTF-8 apart
    const name = bytes.toString('latin1', field.at + 1, field.valueAt - 1);
    if (seen.has(name)) return true;
    seen.add(name);
    const nested = field.type === BSON_TYPE.document || field.type === BSON_TYPE.array;
    if (nested && hasRepeatedName(bytes.subarray(field.valueAt, field.end))) return true;
  }
  return false;
}
