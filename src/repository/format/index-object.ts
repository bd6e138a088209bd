// Payload of an index object: which packs, and where their chunks lie (format document, section 8).
import { CHUNK_ENTRY_BYTES, CHUNK_ID_BYTES, haveBases, havePacks } from './chunk-entry.ts';
import { damaged } from './damage.ts';
import type { RepositoryKeys } from './keys.ts';
import { DELTA_FORMAT_VERSION } from './names.ts';
import { sealObject } from './sealed-object.ts';

export interface IndexedPack {
  /** 24 hex digits. */
  readonly id: string;
  readonly chunks: number;
  readonly sizeBytes: number;
}

export interface IndexPayload {
  readonly packs: readonly IndexedPack[];
  /** Entries of 64 bytes, sorted by chunk id, then pack number. */
  readonly entries: Buffer;
  /** Ids of the bases that deltas among the entries name by position, 32 bytes each; left out without any. */
  readonly bases?: Buffer;
}

const HEADER_BYTES = 16;
const PACK_BYTES = 24;
const NO_BASES = Buffer.alloc(0);

/** The bytes of an index object; of a later version where it names deltas. */
export function sealIndex(keys: RepositoryKeys, name: string, index: IndexPayload): Buffer {
  const hasDeltas = index.bases !== undefined && index.bases.length > 0;
  return sealObject(keys, { kind: 'index', name, ...(hasDeltas ? { version: DELTA_FORMAT_VERSION } : {}) }, writeIndexPayload(index));
}

export function writeIndexPayload(index: IndexPayload): Buffer {
  const head = Buffer.alloc(HEADER_BYTES + index.packs.length * PACK_BYTES);
  head.writeUInt32LE(index.packs.length, 0);
  head.writeUInt32LE(index.entries.length / CHUNK_ENTRY_BYTES, 4);
  const bases = index.bases ?? NO_BASES;
  head.writeUInt32LE(bases.length / CHUNK_ID_BYTES, 8);
  index.packs.forEach((pack, i) => {
    const at = HEADER_BYTES + i * PACK_BYTES;
    head.write(pack.id, at, 'hex');
    head.writeUInt32LE(pack.chunks, at + 12);
    head.writeBigUInt64LE(BigInt(pack.sizeBytes), at + 16);
  });
  return Buffer.concat([head, index.entries, bases]);
}

/** `entries` and `bases` are views on `payload`. @throws REPOSITORY_OBJECT_DAMAGED */
export function readIndexPayload(name: string, payload: Buffer): IndexPayload {
  if (payload.length < HEADER_BYTES) throw damaged(name, 'it is too short for an index');
  const packCount = payload.readUInt32LE(0);
  const entryCount = payload.readUInt32LE(4);
  const entriesAt = HEADER_BYTES + packCount * PACK_BYTES;
  const basesAt = entriesAt + entryCount * CHUNK_ENTRY_BYTES;
  if (payload.length !== basesAt + payload.readUInt32LE(8) * CHUNK_ID_BYTES) throw damaged(name, 'it has another length than it says');
  const packs = Array.from({ length: packCount }, (_, i) => {
    const at = HEADER_BYTES + i * PACK_BYTES;
    return {
      id: payload.toString('hex', at, at + 12),
      chunks: payload.readUInt32LE(at + 12),
      sizeBytes: Number(payload.readBigUInt64LE(at + 16)),
    };
  });
  const entries = payload.subarray(entriesAt, basesAt);
  if (!havePacks(entries, packCount)) throw damaged(name, 'it has a chunk in a pack that it does not name');
  if (!haveBases(entries, (payload.length - basesAt) / CHUNK_ID_BYTES)) throw damaged(name, 'it has a delta and not its base');
  if (basesAt === payload.length) return { packs, entries };
  return { packs, entries, bases: payload.subarray(basesAt) };
}
