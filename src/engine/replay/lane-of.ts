// Which lane an operation runs in: operations of one document share one, so that their order is kept. Servers compare
// numbers by value, also inside documents, so ids that are equal there must meet here, whatever their bytes are.
import { BSON } from 'mongodb';
import { BSON_TYPE, rawDocument, rawFields } from '../bson/index.ts';

/**
 * @param collection number of the collection
 * @param id type byte and value; null for a collection that is replayed strictly in order
 */
export function laneOf(lanes: number, collection: number, id: Buffer | null): number {
  return (id === null ? mix(FIRST, collection) : hashValue(mix(FIRST, collection), id[0] ?? 0, id.subarray(1))) % lanes;
}

const FIRST = 0x811c9dc5;
const NUMBERS: readonly number[] = [BSON_TYPE.double, BSON_TYPE.int, BSON_TYPE.long, BSON_TYPE.decimal];
const SYMBOL = 0x0e;

function hashValue(before: number, type: number, value: Buffer): number {
  if (NUMBERS.includes(type)) return hashBytes(before, numberBytes(type, value));
  if (type === BSON_TYPE.document || type === BSON_TYPE.array) {
    let hash = mix(before, type);
    for (const field of rawFields(value)) {
      hash = hashValue(hashBytes(hash, value.subarray(field.at + 1, field.valueAt)), field.type, value.subarray(field.valueAt, field.end));
    }
    return hash;
  }
  // Servers compare a symbol with a string by its text.
  return hashBytes(mix(before, type === SYMBOL ? BSON_TYPE.string : type), value);
}

/** Equal numbers give equal doubles; that others do as well only costs parallelism. */
function numberBytes(type: number, value: Buffer): Buffer {
  const number = asDouble(type, value);
  const bytes = Buffer.alloc(8);
  // No negative zero, one NaN.
  bytes.writeDoubleLE(Number.isNaN(number) ? Number.NaN : number + 0);
  return bytes;
}

function asDouble(type: number, value: Buffer): number {
  if (type === BSON_TYPE.int) return value.readInt32LE(0);
  if (type === BSON_TYPE.long) return Number(value.readBigInt64LE(0));
  if (type === BSON_TYPE.double) return value.readDoubleLE(0);
  return Number(String(BSON.deserialize(rawDocument([{ name: 'v', type, value }])).v));
}

/** FNV-1a: cheap, and spreads ids that differ in their last byte. */
function hashBytes(before: number, bytes: Uint8Array): number {
  let hash = before;
  for (const byte of bytes) hash = mix(hash, byte);
  return hash;
}

function mix(hash: number, byte: number): number {
  return Math.imul(hash ^ byte, 0x01000193) >>> 0;
}
