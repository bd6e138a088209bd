// Which ids a server takes for one: it looks at values, not at bytes.
import { BSON_TYPE, rawFields } from '../bson/index.ts';
import { isNumber, numberKey } from './number-key.ts';

const CODE_WITH_SCOPE = 0x0f;
const SYMBOL = 0x0e;

/**
 * The same text for ids that a server takes for one, another for all others: numbers of all types by value, a symbol as a
 * string, both also within documents. Collations are not looked at.
 * @param id type byte and value
 * @returns one character a byte: apart from numbers, BSON that is made uniform
 * @throws LeafvaultError BSON_MALFORMED
 */
export function equalityKey(id: Buffer): string {
  return keyOf(id[0] ?? 0, id, 1, id.length);
}

/** A number for each type; values can be equal only where it is the same. */
export function equalityClass(type: number): number {
  if (isNumber(type)) return BSON_TYPE.double;
  return type === SYMBOL ? BSON_TYPE.string : type;
}

/** Whether an equal id of the same type may have other bytes. */
export function hasEquals(id: Buffer): boolean {
  const type = id[0] ?? 0;
  if (type === BSON_TYPE.double) {
    const double = id.readDoubleLE(1);
    // Some shells write every number as a double, and of those only zero and NaN have other forms.
    return double === 0 || Number.isNaN(double);
  }
  return type === BSON_TYPE.decimal || type === BSON_TYPE.document || type === BSON_TYPE.array || type === CODE_WITH_SCOPE;
}

function keyOf(type: number, bytes: Buffer, at: number, end: number): string {
  // A value says itself where it ends; of a number's text the NUL does.
  if (isNumber(type)) return `\x01${numberKey(type, bytes.subarray(at, end))}\0`;
  if (type === BSON_TYPE.document || type === BSON_TYPE.array) return nestedKey(type, bytes.subarray(at, end));
  if (type === CODE_WITH_SCOPE) {
    const scopeAt = at + 8 + bytes.readInt32LE(at + 4);
    return `\x0f${bytes.toString('latin1', at + 4, scopeAt)}${nestedKey(BSON_TYPE.document, bytes.subarray(scopeAt, end))}`;
  }
  return String.fromCharCode(equalityClass(type)) + bytes.toString('latin1', at, end);
}

function nestedKey(type: number, document: Buffer): string {
  let key = String.fromCharCode(type);
  for (const field of rawFields(document)) {
    // The names in an array don't count, whatever they are.
    const name = type === BSON_TYPE.array ? '' : `${document.toString('latin1', field.at + 1, field.valueAt - 1)}\0`;
    key += `\x02${name}${keyOf(field.type, document, field.valueAt, field.end)}`;
  }
  return `${key}\0`;
}
