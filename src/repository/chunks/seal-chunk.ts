// One chunk: its id, its sealed form and back (format document, section 7). Runs in worker threads.
import { createCipheriv, createDecipheriv, createHmac, type KeyObject } from 'node:crypto';
import { releaseMemory } from '../../foundation/release-memory.ts';
import { CHUNK_TYPES } from '../format/chunk-entry.ts';
import { FORMAT_VERSION } from '../format/names.ts';
import { packNonce, TAG_BYTES } from '../format/pack.ts';
import { compressBound, isBase, type Zstd } from './zstd.ts';

/** What the tag of a chunk vouches for, besides its bytes. */
export interface ChunkSeal {
  /** A key object: handing in bytes costs 40 µs each time. */
  readonly packKey: KeyObject;
  readonly packId: Uint8Array;
  readonly counter: number;
}

/** The chunk that another is told by its difference from: verified raw bytes of a full chunk. */
export interface DeltaBase {
  readonly id: Uint8Array;
  readonly raw: Uint8Array;
  /** What it takes itself, where that is known: the chunk, which is near to it, would take about as much for each of its bytes. */
  readonly storedLength?: number;
}

export interface SealedForm {
  readonly type: number;
  readonly storedLength: number;
}

/** Room that `sealChunk` needs: a chunk that does not shrink is stored as it is. */
export function sealedBound(rawBytes: number): number {
  return rawBytes + TAG_BYTES;
}

/** HMAC-SHA-256 of the raw bytes. */
export function chunkIdOf(chunkIdKey: KeyObject, raw: Uint8Array): Buffer {
  return createHmac('sha256', chunkIdKey).update(raw).digest();
}

/** A delta is read with its base, so it has to be worth that: at most this part of what the chunk takes when it is stored full. */
const DELTA_AT_MOST = 1 / 4;
/** At most this part of what its base lets expect: then it is worth that, and compressing the chunk in full, most of the work, would only say so. */
const SURELY_WORTH = 1 / 16;

/**
 * A sealer with its own scratch memory; one per thread. `target` may be the memory that `raw` lies in. With a base the chunk
 * becomes a delta (type 2) where that pays; else it is stored full.
 */
export function createChunkSealer(zstd: Zstd): (raw: Uint8Array, id: Uint8Array, seal: ChunkSeal, target: Uint8Array, base?: DeltaBase) => SealedForm {
  let scratch = Buffer.allocUnsafeSlow(compressBound(256 * 1024));
  /** The delta where it is worth its second read; else compressed, where that is shorter. */
  const smallest = (raw: Uint8Array, delta: Buffer | null): { readonly plain: Uint8Array; readonly type: number } => {
    const bound = compressBound(raw.length);
    if (scratch.length < bound) scratch = Buffer.allocUnsafeSlow(bound);
    const compressed = zstd.compress(raw, scratch);
    const full = compressed < raw.length ? { plain: scratch.subarray(0, compressed), type: CHUNK_TYPES.zstd } : { plain: raw, type: CHUNK_TYPES.plain };
    return delta !== null && delta.length <= full.plain.length * DELTA_AT_MOST ? { plain: delta, type: CHUNK_TYPES.delta } : full;
  };
  return (raw, id, seal, target, base) => {
    // Which form it takes is settled before anything is encrypted: a nonce serves once.
    const delta = base !== undefined && isBase(base.raw) ? zstd.compressDelta(raw, base.raw) : null;
    const { plain, type } = delta !== null && delta.length <= expectedLength(raw, base) * SURELY_WORTH ? { plain: delta, type: CHUNK_TYPES.delta } : smallest(raw, delta);
    const baseId = type === CHUNK_TYPES.delta ? base?.id : undefined;
    encrypt(plain, chunkAad({ type, id, rawLength: raw.length, baseId }, seal), seal, target);
    return { type, storedLength: plain.length + TAG_BYTES };
  };
}

/** Of the chunk in full, by what its base takes. */
function expectedLength(raw: Uint8Array, base: DeltaBase | undefined): number {
  return base?.storedLength === undefined ? 0 : (base.storedLength * raw.length) / base.raw.length;
}

/** Why a chunk could not be opened; the caller knows its pack and turns it into an error. */
export class ChunkUnreadable extends Error {}

export type OpenableChunk = ChunkSeal & { readonly id: Uint8Array; readonly type: number; readonly rawLength: number };

/** Fills `target` with the raw bytes, verified by tag, length and id. @param base of a delta; verified by whoever read it @throws ChunkUnreadable */
export function openChunk(zstd: Zstd, chunkIdKey: KeyObject, stored: Uint8Array, chunk: OpenableChunk, target: Uint8Array, base?: DeltaBase): void {
  if (stored.length < TAG_BYTES) throw new ChunkUnreadable('it is shorter than its tag');
  const isDelta = chunk.type === CHUNK_TYPES.delta;
  if (isDelta && base === undefined) throw new ChunkUnreadable('it is a delta, and its base is not at hand');
  const plain = decrypt(stored, chunk, isDelta ? base?.id : undefined);
  if (isDelta && base !== undefined) decompress(target, () => zstd.decompressDelta(plain, base.raw, target));
  else if (chunk.type === CHUNK_TYPES.zstd) decompress(target, () => zstd.decompress(plain, target));
  else if (plain.length === target.length) target.set(plain);
  else throw new ChunkUnreadable(`it has ${plain.length} bytes where ${target.length} are due`);
  releaseMemory(plain);
  if (Buffer.compare(chunkIdOf(chunkIdKey, target), chunk.id) !== 0) throw new ChunkUnreadable('its content does not give its id');
}

/** Whether the bytes are those that were sealed: the tag alone. @param baseId of a delta @throws ChunkUnreadable */
export function verifySeal(stored: Uint8Array, chunk: OpenableChunk, baseId: Uint8Array | undefined): void {
  if (stored.length < TAG_BYTES) throw new ChunkUnreadable('it is shorter than its tag');
  releaseMemory(decrypt(stored, chunk, baseId));
}

/** Takes a delta from one pack to another, in place: nothing but nonce and tag changes. @throws ChunkUnreadable */
export function resealDelta(stored: Uint8Array, { delta, baseId, to }: { readonly delta: OpenableChunk; readonly baseId: Uint8Array; readonly to: ChunkSeal }): void {
  if (stored.length < TAG_BYTES) throw new ChunkUnreadable('it is shorter than its tag');
  const plain = decrypt(stored, delta, baseId);
  encrypt(plain, chunkAad({ ...delta, baseId }, to), to, stored);
  releaseMemory(plain);
}

/** Ciphertext and tag into `target`. */
function encrypt(plain: Uint8Array, aad: Buffer, seal: ChunkSeal, target: Uint8Array): void {
  const cipher = createCipheriv('aes-256-gcm', seal.packKey, packNonce(0, seal.counter)).setAAD(aad);
  const encrypted = cipher.update(plain);
  target.set(encrypted);
  releaseMemory(encrypted);
  cipher.final();
  target.set(cipher.getAuthTag(), plain.length);
}

function decompress(target: Uint8Array, run: () => void): void {
  try {
    run();
  } catch (cause) {
    throw new ChunkUnreadable(`it does not decompress to ${target.length} bytes`, { cause });
  }
}

function decrypt(stored: Uint8Array, chunk: OpenableChunk, baseId: Uint8Array | undefined): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', chunk.packKey, packNonce(0, chunk.counter));
  decipher.setAAD(chunkAad({ ...chunk, baseId }, chunk)).setAuthTag(stored.subarray(stored.length - TAG_BYTES));
  const plain = decipher.update(stored.subarray(0, stored.length - TAG_BYTES));
  try {
    decipher.final();
  } catch (cause) {
    throw new ChunkUnreadable('its bytes were altered', { cause });
  }
  return plain;
}

interface SealedFacts {
  readonly type: number;
  readonly id: Uint8Array;
  readonly rawLength: number;
  readonly baseId: Uint8Array | undefined;
}

function chunkAad({ type, id, rawLength, baseId }: SealedFacts, seal: ChunkSeal): Buffer {
  const aad = Buffer.alloc(baseId === undefined ? 60 : 92);
  aad.write('LVCK', 0, 'latin1');
  aad[4] = FORMAT_VERSION;
  aad[5] = type;
  aad.set(seal.packId, 8);
  aad.set(id, 20);
  aad.writeUInt32LE(seal.counter, 52);
  aad.writeUInt32LE(rawLength, 56);
  if (baseId !== undefined) aad.set(baseId, 60);
  return aad;
}
