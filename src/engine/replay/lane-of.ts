// Which lane an operation runs in: operations of one document share one, so that their order is kept. Servers compare
// numbers by value, also inside documents, so ids that are equal there must meet here, whatever their bytes are.
import { BSON_TYPE, rawFields } from '../bson/index.ts';
import { isNumber, nearestDouble } from '../mongo/number-key.ts';

/**
 * @param collection number of the collection
 * @param id type byte and value; null for a collection that is replayed strictly in order
 */
export function laneOf(lanes: number, collection: number, id: Buffer | null): number {
  return (id === null ? mix(FIRST, collection) : hashValue(mix(FIRST, collection), id[0] ?? 0, id.subarray(1))) % lanes;
}

const FIRST = 0x811c9dc5;
const SYMBOL = 0x0e;

function hashValue(before: number, type: number, value: Buffer): number {
  if (isNumber(type)) return hashBytes(before, doubleBytes(nearestDouble(type, value)));
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

/** Not by `numberKey`, which misses some equal decimals: that others share a lane as well only costs parallelism. */
function doubleBytes(number: number): Buffer {
  const bytes = Buffer.alloc(8);
  // One NaN.
  bytes.writeDoubleLE(Number.isNaN(number) ? Number.NaN : number);
  return bytes;
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
