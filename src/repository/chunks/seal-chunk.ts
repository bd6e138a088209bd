// One chunk: its id, its sealed form and back (format document, section 7). Runs in worker threads.
import { createCipheriv, createDecipheriv, createHmac, type KeyObject } from 'node:crypto';
import { releaseMemory } from '../../foundation/release-memory.ts';
import { CHUNK_TYPES } from '../format/chunk-entry.ts';
import { FORMAT_VERSION } from '../format/names.ts';
import { packNonce, TAG_BYTES } from '../format/pack.ts';
import { compressBound, type Zstd } from './zstd.ts';

/** What the tag of a chunk vouches for, besides its bytes. */
export interface ChunkSeal {
  /** A key object: handing in bytes costs 40 µs each time. */
  readonly packKey: KeyObject;
  readonly packId: Uint8Array;
  readonly counter: number;
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

/** A sealer with its own scratch memory; one per thread. `target` may be the memory that `raw` lies in. */
export function createChunkSealer(zstd: Zstd): (raw: Uint8Array, id: Uint8Array, seal: ChunkSeal, target: Uint8Array) => SealedForm {
  let scratch = Buffer.allocUnsafeSlow(compressBound(256 * 1024));
  return (raw, id, seal, target) => {
    const bound = compressBound(raw.length);
    if (scratch.length < bound) scratch = Buffer.allocUnsafeSlow(bound);
    const compressed = zstd.compress(raw, scratch);
    const shrank = compressed < raw.length;
    const type = shrank ? CHUNK_TYPES.zstd : CHUNK_TYPES.plain;
    const plain = shrank ? scratch.subarray(0, compressed) : raw;
    const cipher = createCipheriv('aes-256-gcm', seal.packKey, packNonce(0, seal.counter)).setAAD(chunkAad(type, id, seal, raw.length));
    const encrypted = cipher.update(plain);
    target.set(encrypted);
    releaseMemory(encrypted);
    cipher.final();
    target.set(cipher.getAuthTag(), plain.length);
    return { type, storedLength: plain.length + TAG_BYTES };
  };
}

/** Why a chunk could not be opened; the caller knows its pack and turns it into an error. */
export class ChunkUnreadable extends Error {}

export type OpenableChunk = ChunkSeal & { readonly id: Uint8Array; readonly type: number; readonly rawLength: number };

/** Fills `target` with the raw bytes, verified by tag, length and id. @throws ChunkUnreadable */
export function openChunk(zstd: Zstd, chunkIdKey: KeyObject, stored: Uint8Array, chunk: OpenableChunk, target: Uint8Array): void {
  if (stored.length < TAG_BYTES) throw new ChunkUnreadable('it is shorter than its tag');
  const plain = decrypt(stored, chunk);
  if (chunk.type === CHUNK_TYPES.zstd) decompress(zstd, plain, target);
  else if (plain.length === target.length) target.set(plain);
  else throw new ChunkUnreadable(`it has ${plain.length} bytes where ${target.length} are due`);
  releaseMemory(plain);
  if (Buffer.compare(chunkIdOf(chunkIdKey, target), chunk.id) !== 0) throw new ChunkUnreadable('its content does not give its id');
}

function decompress(zstd: Zstd, plain: Uint8Array, target: Uint8Array): void {
  try {
    zstd.decompress(plain, target);
  } catch (cause) {
    throw new ChunkUnreadable(`it does not decompress to ${target.length} bytes`, { cause });
  }
}

function decrypt(stored: Uint8Array, chunk: OpenableChunk): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', chunk.packKey, packNonce(0, chunk.counter));
  decipher.setAAD(chunkAad(chunk.type, chunk.id, chunk, chunk.rawLength)).setAuthTag(stored.subarray(stored.length - TAG_BYTES));
  const plain = decipher.update(stored.subarray(0, stored.length - TAG_BYTES));
  try {
    decipher.final();
  } catch (cause) {
    throw new ChunkUnreadable('its bytes were altered', { cause });
  }
  return plain;
}

function chunkAad(type: number, id: Uint8Array, seal: ChunkSeal, rawLength: number): Buffer {
  const aad = Buffer.alloc(60);
  aad.write('LVCK', 0, 'latin1');
  aad[4] = FORMAT_VERSION;
  aad[5] = type;
  aad.set(seal.packId, 8);
  aad.set(id, 20);
  aad.writeUInt32LE(seal.counter, 52);
  aad.writeUInt32LE(rawLength, 56);
  return aad;
}
