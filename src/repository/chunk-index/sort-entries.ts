// Order of chunk entries: by id, then pack number. Works on packed bytes; no object per entry.
import { CHUNK_ENTRY_BYTES } from '../format/chunk-entry.ts';

// 36 bits of the id and 17 of the position make a number that a Float64Array sorts natively.
const PREFIX_SCALE = 2 ** 17;

/** Compares the ids of two entries, then their pack numbers. */
export function compareEntries(a: Buffer, aAt: number, b: Buffer, bAt: number): number {
  const head = a.readUInt32BE(aAt) - b.readUInt32BE(bAt);
  if (head !== 0) return head;
  return a.compare(b, bAt, bAt + 32, aAt, aAt + 32) || a.readUInt32LE(aAt + 56) - b.readUInt32LE(bAt + 56);
}

/** Compares an id with that of an entry. */
export function compareIdToEntry(id: Buffer, entries: Buffer, at: number): number {
  const head = id.readUInt32BE(0) - entries.readUInt32BE(at);
  return head !== 0 ? head : id.compare(entries, at, at + 32, 0, 32);
}

/** A sorted copy. */
export function sortEntries(entries: Buffer): Buffer {
  const count = entries.length / CHUNK_ENTRY_BYTES;
  const order = count < PREFIX_SCALE ? orderByPrefix(entries, count) : Uint32Array.from({ length: count }, (_, i) => i);
  const compare = (a: number, b: number): number => compareEntries(entries, a * CHUNK_ENTRY_BYTES, entries, b * CHUNK_ENTRY_BYTES);
  if (count >= PREFIX_SCALE) order.sort(compare);
  else settleTies(order, compare);
  const sorted = Buffer.allocUnsafeSlow(entries.length);
  order.forEach((from, to) => entries.copy(sorted, to * CHUNK_ENTRY_BYTES, from * CHUNK_ENTRY_BYTES, (from + 1) * CHUNK_ENTRY_BYTES));
  return sorted;
}

function orderByPrefix(entries: Buffer, count: number): Uint32Array {
  const keys = new Float64Array(count);
  for (let i = 0; i < count; i += 1) {
    const at = i * CHUNK_ENTRY_BYTES;
    keys[i] = (entries.readUInt32BE(at) * 16 + ((entries[at + 4] ?? 0) >>> 4)) * PREFIX_SCALE + i;
  }
  keys.sort();
  return Uint32Array.from(keys, (key) => key % PREFIX_SCALE);
}

/** Equal prefixes stand in order of position so far: a handful, and copies of one chunk. */
function settleTies(order: Uint32Array, compare: (a: number, b: number) => number): void {
  for (let i = 1; i < order.length; i += 1) {
    const moving = order[i] ?? 0;
    let at = i;
    for (; at > 0 && compare(order[at - 1] ?? 0, moving) > 0; at -= 1) order[at] = order[at - 1] ?? 0;
    order[at] = moving;
  }
}
