// The hot path over raw documents, compiled from AssemblyScript to WebAssembly (`npm run build:kernel`).
// Frames documents by their length prefix, finds `_id`, hashes, decides where chunks are cut, and packs
// the documents of a reply's array side by side. Every read is checked against the end of the input.
// docs/design/consistency.md, "Hashes and cuts", says what another program needs to do the same.

// Memory: [0, 1024) unused · STATE · RESULT · tables · id set · input (grows). See kernel.ts, which owns the layout.
const STATE: usize = 1024;
const RESULT: usize = 1152;
const TABLES: usize = 4096;
/** Documents that one call frames at most. */
export const SLICE_DOCUMENTS: u32 = 16384;
const RECORD_BYTES: usize = 32;

const RECORDS: usize = TABLES;
const OFFSETS: usize = RECORDS + RECORD_BYTES * 16384;
const FLAGS: usize = OFFSETS + 4 * 16384;
const CUTS: usize = FLAGS + 16384;
/** Room for a cut before and after every document. */
const TABLES_END: usize = CUTS + 8 * 2 * 16384 + 64;

export function recordsAt(): usize { return RECORDS; }
export function offsetsAt(): usize { return OFFSETS; }
export function flagsAt(): usize { return FLAGS; }
export function cutsAt(): usize { return CUTS; }
export function stateAt(): usize { return STATE; }
export function resultAt(): usize { return RESULT; }
export function setAt(): usize { return (TABLES_END + 4095) & ~4095; }

// XXH64 (Yann Collet), the published constants.
const P1: u64 = 0x9E3779B185EBCA87;
const P2: u64 = 0xC2B2AE3D27D4EB4F;
const P3: u64 = 0x165667B19E3779F9;
const P4: u64 = 0x85EBCA77C2B2AE63;
const P5: u64 = 0x27D4EB2F165667C5;

let seedA: u64 = 0;
let seedB: u64 = 0;
let seedId: u64 = 0;

export function setSeeds(a: u64, b: u64, id: u64): void {
  seedA = a;
  seedB = b;
  seedId = id;
}

@inline function mix(acc: u64, product: u64): u64 { return rotl<u64>(acc + product, 31) * P1; }
@inline function merge(h: u64, v: u64): u64 { return (h ^ mix(0, v * P2)) * P1 + P4; }
@inline function converge(v1: u64, v2: u64, v3: u64, v4: u64): u64 {
  const h = rotl<u64>(v1, 1) + rotl<u64>(v2, 7) + rotl<u64>(v3, 12) + rotl<u64>(v4, 18);
  return merge(merge(merge(merge(h, v1), v2), v3), v4);
}
@inline function avalanche(value: u64): u64 {
  let h = value ^ (value >> 33);
  h *= P2;
  h ^= h >> 29;
  h *= P3;
  return h ^ (h >> 32);
}

function finish(value: u64, from: usize, end: usize): u64 {
  let h = value;
  let p = from;
  for (; p + 8 <= end; p += 8) h = rotl<u64>(h ^ mix(0, load<u64>(p) * P2), 27) * P1 + P4;
  if (p + 4 <= end) {
    h = rotl<u64>(h ^ (<u64>load<u32>(p) * P1), 23) * P2 + P3;
    p += 4;
  }
  for (; p < end; p++) h = rotl<u64>(h ^ (<u64>load<u8>(p) * P5), 11) * P1;
  return avalanche(h);
}

/** XXH64 of [at, at + length). */
export function hash64(at: usize, length: u32, seed: u64): u64 {
  const end = at + length;
  let p = at;
  let h: u64 = seed + P5;
  if (length >= 32) {
    let v1 = seed + P1 + P2, v2 = seed + P2, v3 = seed, v4 = seed - P1;
    for (; p + 32 <= end; p += 32) {
      v1 = mix(v1, load<u64>(p) * P2);
      v2 = mix(v2, load<u64>(p, 8) * P2);
      v3 = mix(v3, load<u64>(p, 16) * P2);
      v4 = mix(v4, load<u64>(p, 24) * P2);
    }
    h = converge(v1, v2, v3, v4);
  }
  return finish(h + <u64>length, p, end);
}

let hashA: u64 = 0;
let hashB: u64 = 0;

/** XXH64 twice, with seeds A and B, in one pass over the bytes: the products with P2 are shared. */
function hashBoth(at: usize, length: u32): void {
  if (length < 32) {
    hashA = hash64(at, length, seedA);
    hashB = hash64(at, length, seedB);
    return;
  }
  const end = at + length;
  let p = at;
  let a1 = seedA + P1 + P2, a2 = seedA + P2, a3 = seedA, a4 = seedA - P1;
  let b1 = seedB + P1 + P2, b2 = seedB + P2, b3 = seedB, b4 = seedB - P1;
  for (; p + 32 <= end; p += 32) {
    const k1 = load<u64>(p) * P2, k2 = load<u64>(p, 8) * P2;
    a1 = mix(a1, k1); b1 = mix(b1, k1);
    a2 = mix(a2, k2); b2 = mix(b2, k2);
    const k3 = load<u64>(p, 16) * P2, k4 = load<u64>(p, 24) * P2;
    a3 = mix(a3, k3); b3 = mix(b3, k3);
    a4 = mix(a4, k4); b4 = mix(b4, k4);
  }
  hashA = finish(converge(a1, a2, a3, a4) + <u64>length, p, end);
  hashB = finish(converge(b1, b2, b3, b4) + <u64>length, p, end);
}

/** Bytes of a value of this type at `at`, or -1 when it is unknown or would pass `end`. */
function valueLength(type: u32, at: usize, end: usize): i32 {
  const room: i64 = <i64>end - <i64>at;
  let need: i64 = -1;
  switch (type) {
    case 0x06: case 0x0a: case 0x7f: case 0xff: need = 0; break;
    case 0x08: need = 1; break;
    case 0x10: need = 4; break;
    case 0x01: case 0x09: case 0x11: case 0x12: need = 8; break;
    case 0x07: need = 12; break;
    case 0x13: need = 16; break;
    case 0x02: case 0x0d: case 0x0e: case 0x0c: {
      if (room < 4) return -1;
      const text = load<i32>(at);
      if (text < 1) return -1;
      need = 4 + <i64>text + (type == 0x0c ? 12 : 0);
      break;
    }
    case 0x03: case 0x04: case 0x0f: {
      if (room < 4) return -1;
      const size = load<i32>(at);
      if (size < 5) return -1;
      need = size;
      break;
    }
    case 0x05: {
      if (room < 5) return -1;
      const size = load<i32>(at);
      if (size < 0) return -1;
      need = 5 + <i64>size;
      break;
    }
    case 0x0b: {
      const first = afterCstring(at, end);
      const second: usize = first == 0 ? 0 : afterCstring(first, end);
      if (second == 0) return -1;
      need = <i64>second - <i64>at;
      break;
    }
    default: return -1;
  }
  return need > room ? -1 : <i32>need;
}

/** Position behind the NUL of a C string, 0 when there is none before `end`. */
function afterCstring(at: usize, end: usize): usize {
  for (let p = at; p < end; p++) if (load<u8>(p) == 0) return p + 1;
  return 0;
}

let idElement: usize = 0;
let idValue: usize = 0;
let idLength: u32 = 0;

/** Finds the first top-level `_id`. False: malformed. `idElement` 0: none. */
function findId(at: usize, end: usize): bool {
  idElement = 0;
  const last = end - 1;
  let p = at + 4;
  while (p < last) {
    const type = <u32>load<u8>(p);
    const value = afterCstring(p + 1, last);
    if (value == 0) return false;
    const length = valueLength(type, value, last);
    if (length < 0) return false;
    // "_id\0" as one little-endian word
    if (value - p == 5 && load<u32>(p + 1) == 0x0064695f) {
      idElement = p;
      idValue = value;
      idLength = <u32>length;
      return true;
    }
    p = value + <usize>length;
  }
  return p == last;
}

/**
 * Frames documents in [begin, end): one behind the other, or (array) as elements of a BSON array behind its
 * length word. Packs them side by side from `begin` on and fills the tables. With `cutting` decides the cuts.
 */
export function frame(begin: usize, from: usize, end: usize, array: bool, cutting: bool, mask: u32, min: u32, soft: u32, max: u32): void {
  let p = from, out = begin, docs: u32 = 0, cuts: u32 = 0, done = false, error = 0;
  let sumA = load<u64>(STATE), sumB = load<u64>(STATE, 8), orderA = load<u64>(STATE, 16), orderB = load<u64>(STATE, 24);
  let bytes = load<u64>(STATE, 40), chunkBytes = load<u32>(STATE, 48), chunkDocs = load<u32>(STATE, 52);
  const weak = mask >> 3;
  while (docs < SLICE_DOCUMENTS) {
    let at = p;
    if (array) {
      if (at >= end) { error = 1; break; }
      const type = load<u8>(at);
      if (type == 0) { done = true; if (at + 1 != end) error = 2; break; }
      at = type == 3 ? afterCstring(at + 1, end) : 0;
      if (at == 0) { error = 3; break; }
    } else if (at == end) { done = true; break; }
    if (at + 5 > end) { error = 4; break; }
    const length = load<u32>(at);
    if (length < 5 || <u64>length > <u64>(end - at) || load<u8>(at + length - 1) != 0) { error = 5; break; }
    if (!findId(at, at + length)) { error = 6; break; }
    hashBoth(at, length);
    const idHash = idElement == 0 ? hashA : hash64(idValue, idLength, seedId + <u64>load<u8>(idElement));
    const record = RECORDS + <usize>docs * RECORD_BYTES;
    store<u64>(record, idHash);
    store<u64>(record, hashA, 8);
    store<u64>(record, hashB, 16);
    store<u32>(record, length, 24);
    store<u32>(record, idElement == 0 ? 0 : <u32>(idElement - at), 28);
    store<u32>(OFFSETS + (<usize>docs << 2), <u32>(out - begin));
    sumA += hashA;
    sumB += hashB;
    orderA = orderA * P1 + hashA;
    orderB = orderB * P2 + hashB;
    bytes += length;
    if (cutting) {
      if (chunkBytes > 0 && chunkBytes + length > max) {
        store<u32>(CUTS + (<usize>cuts << 3), <u32>(out - begin));
        store<u32>(CUTS + (<usize>cuts << 3), chunkDocs, 4);
        cuts++;
        chunkBytes = 0;
        chunkDocs = 0;
      }
      chunkBytes += length;
      chunkDocs++;
      if (chunkBytes >= max || (chunkBytes >= min && (<u32>idHash & mask) == 0) || (chunkBytes >= soft && (<u32>idHash & weak) == 0)) {
        store<u32>(CUTS + (<usize>cuts << 3), <u32>(out - begin) + length);
        store<u32>(CUTS + (<usize>cuts << 3), chunkDocs, 4);
        cuts++;
        chunkBytes = 0;
        chunkDocs = 0;
      }
    }
    if (out != at) memory.copy(out, at, length);
    out += length;
    docs++;
    p = at + length;
  }
  store<u64>(STATE, sumA);
  store<u64>(STATE, sumB, 8);
  store<u64>(STATE, orderA, 16);
  store<u64>(STATE, orderB, 24);
  store<u64>(STATE, load<u64>(STATE, 32) + <u64>docs, 32);
  store<u64>(STATE, bytes, 40);
  store<u32>(STATE, chunkBytes, 48);
  store<u32>(STATE, chunkDocs, 52);
  store<u32>(RESULT, docs);
  store<u32>(RESULT, <u32>(p - begin), 4);
  store<u32>(RESULT, <u32>(out - begin), 8);
  store<u32>(RESULT, cuts, 12);
  store<u32>(RESULT, done ? 1 : 0, 16);
  store<u32>(RESULT, error, 20);
}

let setMask: u64 = 0;

/** Empties the id set and gives it `slots` (a power of two) places of 8 bytes. */
export function setClear(slots: u32): void {
  setMask = <u64>slots - 1;
  memory.fill(setAt(), 0, <usize>slots << 3);
}

/** Adds the hash of an `_id` (type byte at `at`, value behind it). The caller keeps the set at most half full. */
export function setAddId(at: usize, length: u32): u64 {
  const hash = hash64(at + 1, length - 1, seedId + <u64>load<u8>(at));
  setAddHash(hash);
  return hash;
}

export function setAddHash(hash: u64): void {
  const key = hash == 0 ? 1 : hash;
  const base = setAt();
  let slot = key & setMask;
  let there = load<u64>(base + (<usize>slot << 3));
  while (there != 0 && there != key) {
    slot = (slot + 1) & setMask;
    there = load<u64>(base + (<usize>slot << 3));
  }
  store<u64>(base + (<usize>slot << 3), key);
}

function setHas(hash: u64): bool {
  const key = hash == 0 ? 1 : hash;
  const base = setAt();
  let slot = key & setMask;
  let there = load<u64>(base + (<usize>slot << 3));
  while (there != 0 && there != key) {
    slot = (slot + 1) & setMask;
    there = load<u64>(base + (<usize>slot << 3));
  }
  return there == key;
}

/** Flags the framed documents whose id hash is in the set; returns how many. */
export function markMembers(docs: u32): u32 {
  let hits: u32 = 0;
  for (let i: u32 = 0; i < docs; i++) {
    const hit = setHas(load<u64>(RECORDS + <usize>i * RECORD_BYTES));
    store<u8>(FLAGS + i, hit ? 1 : 0);
    hits += hit ? 1 : 0;
  }
  return hits;
}

/** Takes every record in [at, at + n records) whose id hash is in the set out of the state's sums; returns how many. */
export function subtractMembers(at: usize, count: u32): u32 {
  let hits: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const record = at + <usize>i * RECORD_BYTES;
    if (!setHas(load<u64>(record))) continue;
    hits++;
    store<u64>(STATE, load<u64>(STATE) - load<u64>(record, 8));
    store<u64>(STATE, load<u64>(STATE, 8) - load<u64>(record, 16), 8);
    store<u64>(STATE, load<u64>(STATE, 32) - 1, 32);
    store<u64>(STATE, load<u64>(STATE, 40) - <u64>load<u32>(record, 24), 40);
  }
  return hits;
}

/** Adds every record in [at, at + n records) whose id hash is not in the set to the state, in order; returns how many. */
export function addNonMembers(at: usize, count: u32): u32 {
  let kept: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const record = at + <usize>i * RECORD_BYTES;
    if (setHas(load<u64>(record))) continue;
    kept++;
    const a = load<u64>(record, 8), b = load<u64>(record, 16);
    store<u64>(STATE, load<u64>(STATE) + a);
    store<u64>(STATE, load<u64>(STATE, 8) + b, 8);
    store<u64>(STATE, load<u64>(STATE, 16) * P1 + a, 16);
    store<u64>(STATE, load<u64>(STATE, 24) * P2 + b, 24);
    store<u64>(STATE, load<u64>(STATE, 32) + 1, 32);
    store<u64>(STATE, load<u64>(STATE, 40) + <u64>load<u32>(record, 24), 40);
  }
  return kept;
}
