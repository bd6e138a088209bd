// The kernel as the rest of the engine sees it: whole batches in, packed documents, records, cuts and sums out.
// One kernel is one WebAssembly memory; calls are synchronous and their views end with the next call.
import { hkdfSync } from 'node:crypto';
import { LeafvaultError } from '../../foundation/errors.ts';
import type { CutRule } from './cut-rule.ts';
import { STATE_BYTES, type HashState } from './hash-state.ts';
import { KERNEL_BASE64 } from './kernel/kernel-bytes.ts';

/** Bytes of one record: id hash, hash lane A, hash lane B (u64 each), document length, offset of `_id`'s element (u32 each). */
export const RECORD_BYTES = 32;

/** A run of framed documents. Every view is valid only until the callback returns. */
export interface Slice {
  readonly documents: number;
  /** The documents side by side, nothing between them. */
  readonly bytes: Uint8Array;
  /** One record of RECORD_BYTES for each document, in order. */
  readonly records: Uint8Array;
  /** Where each document begins in `bytes`. */
  readonly offsets: Uint32Array;
  /** Pairs: end of a chunk in `bytes`, its documents (those of earlier slices included). */
  readonly cuts: Uint32Array;
}

export interface FrameOptions {
  /** The input is the BSON array of a reply (its length word included), not documents side by side. */
  readonly array?: boolean;
  readonly state: HashState;
  /** Absent: no cuts are decided. */
  readonly cut?: CutRule;
  readonly onSlice: (slice: Slice) => void;
}

export interface Kernel {
  /**
   * Frames all documents of `input`, adds them to the state.
   * @throws LeafvaultError BSON_MALFORMED; what earlier slices gave stands
   */
  frame(input: Uint8Array, options: FrameOptions): void;
  /** Empties the id set. */
  clearSet(): void;
  /** Adds a raw id (type byte and value). The set takes `setCapacity` ids. */
  addToSet(rawId: Uint8Array): void;
  readonly setSize: number;
  /** Within `onSlice`: one byte for each document, 1 where its id hash is in the set; null when none is. */
  membersOf(slice: Slice): Uint8Array | null;
  /** Takes the records whose id hash is in the set out of the state's sums; returns how many. */
  subtractMembers(records: Uint8Array, state: HashState): number;
  /** Adds the records whose id hash is not in the set to the state, in order; returns how many. */
  addNonMembers(records: Uint8Array, state: HashState): number;
  /** The seeded hash of a raw id, for tables that outlive the set. */
  idHash(rawId: Uint8Array): bigint;
}

interface Exports {
  readonly memory: Memory;
  readonly SLICE_DOCUMENTS: { readonly value: number };
  recordsAt(): number;
  offsetsAt(): number;
  flagsAt(): number;
  cutsAt(): number;
  stateAt(): number;
  resultAt(): number;
  setAt(): number;
  setSeeds(a: bigint, b: bigint, id: bigint): void;
  frame(begin: number, from: number, end: number, array: number, cutting: number, mask: number, min: number, soft: number, max: number): void;
  setClear(slots: number): void;
  setAddId(at: number, length: number): bigint;
  hash64(at: number, length: number, seed: bigint): bigint;
  markMembers(documents: number): number;
  subtractMembers(at: number, count: number): number;
  addNonMembers(at: number, count: number): number;
}

/** What is used of the platform's WebAssembly; its types come with the DOM library only. */
interface Platform {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
}
interface Memory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

const platform = (globalThis as unknown as { readonly WebAssembly: Platform }).WebAssembly;
const compiled = new platform.Module(Buffer.from(KERNEL_BASE64, 'base64'));
const PAGE = 65536;
const REASONS = [
  '',
  'the array has no end',
  'bytes follow the end of the array',
  'the array holds something that is no document',
  'a document begins too close to the end',
  'a document has a wrong length or no end',
  'an element passes the end of its document',
];

/**
 * A kernel with its own memory.
 * @param hashSeed 32 secret bytes of the repository: the same seed gives the same hashes and cuts
 * @param setCapacity ids that the id set takes at most; 0 when it isn't used
 */
export function createKernel(hashSeed: Uint8Array, setCapacity: number = 0): Kernel {
  const wasm = new platform.Instance(compiled).exports as Exports;
  const seeds = deriveSeeds(hashSeed);
  wasm.setSeeds(seeds.a, seeds.b, seeds.id);
  const slots = setCapacity === 0 ? 0 : 2 ** Math.ceil(Math.log2(setCapacity * 2));
  const inputAt = wasm.setAt() + slots * 8;
  let setSize = 0;

  const loadInput = (input: Uint8Array): void => {
    const missing = inputAt + input.length + 8 - wasm.memory.buffer.byteLength;
    if (missing > 0) wasm.memory.grow(Math.ceil(missing / PAGE));
    new Uint8Array(wasm.memory.buffer).set(input, inputAt);
  };
  const withState = <T>(state: HashState, run: () => T): T => {
    new Uint8Array(wasm.memory.buffer, wasm.stateAt(), STATE_BYTES).set(state.block);
    const result = run();
    state.block.set(new Uint8Array(wasm.memory.buffer, wasm.stateAt(), STATE_BYTES));
    return result;
  };

  const kernel: Kernel = {
    frame(input, options) {
      const begin = options.array === true ? inputAt + 4 : inputAt;
      if (options.array === true && (input.length < 5 || readLength(input) !== input.length)) throw malformed(1, 0);
      loadInput(input);
      const cut = options.cut;
      const result = new Uint32Array(wasm.memory.buffer, wasm.resultAt(), 6);
      for (let consumed = 0, done = false; !done; ) {
        withState(options.state, () =>
          wasm.frame(begin, begin + consumed, inputAt + input.length, options.array === true ? 1 : 0, cut === undefined ? 0 : 1,
            cut?.mask ?? 0, cut?.minBytes ?? 0, cut?.softBytes ?? 0, cut?.maxBytes ?? 0));
        const [documents = 0, next = 0, packed = 0, cuts = 0, ended = 0, failure = 0] = result;
        consumed = next;
        done = ended === 1;
        if (documents > 0) options.onSlice(sliceOf(wasm, begin, { documents, packed, cuts }));
        if (failure !== 0) throw malformed(failure, consumed);
      }
    },
    clearSet() {
      const missing = inputAt - wasm.memory.buffer.byteLength;
      if (missing > 0) wasm.memory.grow(Math.ceil(missing / PAGE));
      if (slots > 0) wasm.setClear(slots);
      setSize = 0;
    },
    addToSet(rawId) {
      if (setSize >= setCapacity) throw new RangeError(`An id set for ${setCapacity} ids is full`);
      loadInput(rawId);
      wasm.setAddId(inputAt, rawId.length);
      setSize += 1;
    },
    get setSize() {
      return setSize;
    },
    membersOf(slice) {
      if (setSize === 0 || wasm.markMembers(slice.documents) === 0) return null;
      return new Uint8Array(wasm.memory.buffer, wasm.flagsAt(), slice.documents);
    },
    subtractMembers(records, state) {
      if (setSize === 0) return 0;
      loadInput(records);
      return withState(state, () => wasm.subtractMembers(inputAt, records.length / RECORD_BYTES));
    },
    addNonMembers(records, state) {
      if (slots === 0) throw new RangeError('A kernel without an id set cannot tell members apart');
      loadInput(records);
      return withState(state, () => wasm.addNonMembers(inputAt, records.length / RECORD_BYTES));
    },
    idHash(rawId) {
      loadInput(rawId);
      return BigInt.asUintN(64, wasm.hash64(inputAt + 1, rawId.length - 1, BigInt.asUintN(64, seeds.id + BigInt(rawId[0] ?? 0))));
    },
  };
  kernel.clearSet();
  return kernel;
}

function sliceOf(wasm: Exports, begin: number, size: { documents: number; packed: number; cuts: number }): Slice {
  const buffer = wasm.memory.buffer;
  return {
    documents: size.documents,
    bytes: new Uint8Array(buffer, begin, size.packed),
    records: new Uint8Array(buffer, wasm.recordsAt(), size.documents * RECORD_BYTES),
    offsets: new Uint32Array(buffer, wasm.offsetsAt(), size.documents),
    cuts: new Uint32Array(buffer, wasm.cutsAt(), size.cuts * 2),
  };
}

/** Three seeds of 64 bits, little-endian, out of HKDF-SHA-256 of the repository's hash seed. */
function deriveSeeds(hashSeed: Uint8Array): { readonly a: bigint; readonly b: bigint; readonly id: bigint } {
  const bytes = Buffer.from(hkdfSync('sha256', hashSeed, Buffer.alloc(0), 'leafvault document hashes v1', 24));
  return { a: bytes.readBigUInt64LE(0), b: bytes.readBigUInt64LE(8), id: bytes.readBigUInt64LE(16) };
}

function readLength(input: Uint8Array): number {
  return (input[0] ?? 0) | ((input[1] ?? 0) << 8) | ((input[2] ?? 0) << 16) | ((input[3] ?? 0) << 24);
}

function malformed(failure: number, at: number): LeafvaultError {
  return new LeafvaultError('BSON_MALFORMED', `Reading documents failed at byte ${at}: ${REASONS[failure] ?? 'unknown reason'}`, { details: { at } });
}
