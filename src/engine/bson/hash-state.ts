// What one pass over documents adds up: hashes, counts, and where the current chunk stands.
// The layout is the kernel's STATE block; a state belongs to one stream and is copied in and out around each call.

/** Running sums of one stream of documents. Opaque bytes; read with the functions below. */
export interface HashState {
  readonly block: Uint8Array;
}

export const STATE_BYTES = 56;

export function newHashState(): HashState {
  return { block: new Uint8Array(STATE_BYTES) };
}

export function copyHashState(state: HashState): HashState {
  return { block: state.block.slice() };
}

/** 32 hex digits: the sum of the documents' hashes, two lanes of 64 bits; the order doesn't count. */
export function hashOf(state: HashState): string {
  return lane(state, 0) + lane(state, 8);
}

/** 32 hex digits that depend on the order of the documents too. */
export function orderedHashOf(state: HashState): string {
  return lane(state, 16) + lane(state, 24);
}

export function documentsOf(state: HashState): number {
  return Number(view(state).getBigUint64(32, true));
}

/** Raw BSON bytes. */
export function bytesOf(state: HashState): number {
  return Number(view(state).getBigUint64(40, true));
}

/** Bytes of the chunk that has begun and was not cut yet. */
export function chunkBytesOf(state: HashState): number {
  return view(state).getUint32(48, true);
}

/** Documents of the chunk that has begun and was not cut yet. */
export function chunkDocumentsOf(state: HashState): number {
  return view(state).getUint32(52, true);
}

/** Adds what `part` counted (sums, documents, bytes; not its order) to `total`. */
export function addToHashState(total: HashState, part: HashState): void {
  combine(total, part, (a, b) => a + b);
}

/** Takes what `part` counted (sums, documents, bytes; not its order) out of `total`. */
export function subtractFromHashState(total: HashState, part: HashState): void {
  combine(total, part, (a, b) => a - b);
}

function combine(total: HashState, part: HashState, operation: (a: bigint, b: bigint) => bigint): void {
  const into = view(total);
  const from = view(part);
  for (const at of [0, 8, 32, 40]) {
    into.setBigUint64(at, BigInt.asUintN(64, operation(into.getBigUint64(at, true), from.getBigUint64(at, true))), true);
  }
}

function lane(state: HashState, at: number): string {
  return view(state).getBigUint64(at, true).toString(16).padStart(16, '0');
}

function view(state: HashState): DataView {
  return new DataView(state.block.buffer, state.block.byteOffset, STATE_BYTES);
}
