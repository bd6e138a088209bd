// Header, directory and trailer of a pack (format document, section 7).
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { CHUNK_ENTRY_BYTES, CHUNK_ID_BYTES, haveBases, readChunkEntry, type ChunkEntry } from './chunk-entry.ts';
import { damaged, newerFormat } from './damage.ts';
import { DELTA_FORMAT_VERSION, FORMAT_VERSION, packName } from './names.ts';

export const PACK_HEADER_BYTES = 64;
export const PACK_TRAILER_BYTES = 16;
export const TAG_BYTES = 16;
/** A pack closes at the chunk that makes it reach this. */
export const PACK_TARGET_BYTES = 16 * 1024 * 1024;

const HEADER_MAGIC = Buffer.from('LVPK');
const TRAILER_MAGIC = Buffer.from('LVPE');
const DIRECTORY_DOMAIN = 1;

export interface PackHeader {
  readonly id: Buffer;
  readonly salt: Buffer;
}

export interface PackTrailer {
  readonly directoryBytes: number;
  readonly chunks: number;
}

export function writePackHeader(header: PackHeader): Buffer {
  const bytes = Buffer.alloc(PACK_HEADER_BYTES);
  HEADER_MAGIC.copy(bytes);
  bytes[4] = FORMAT_VERSION;
  header.id.copy(bytes, 8);
  header.salt.copy(bytes, 32);
  return bytes;
}

/** Makes it the header of a pack with a delta in it. */
export function tellOfDeltas(header: Uint8Array): void {
  header[4] = DELTA_FORMAT_VERSION;
}

/** @throws REPOSITORY_OBJECT_DAMAGED, REPOSITORY_FORMAT_NEWER */
export function readPackHeader(packId: string, bytes: Buffer): PackHeader {
  const name = packName(packId);
  if (bytes.length < PACK_HEADER_BYTES || !bytes.subarray(0, 4).equals(HEADER_MAGIC)) throw damaged(name, 'its header is not that of a pack');
  if (bytes.readUInt8(4) > DELTA_FORMAT_VERSION) throw newerFormat(name, bytes.readUInt8(4), DELTA_FORMAT_VERSION);
  if (bytes.subarray(5, 8).some(isSet) || bytes.subarray(20, 32).some(isSet)) throw damaged(name, 'its header has bits set that mean nothing');
  const id = bytes.subarray(8, 20);
  if (id.toString('hex') !== packId) throw damaged(name, 'it is another pack under this name');
  return { id, salt: bytes.subarray(32, 64) };
}

/** Directory and trailer. `plain`: entries of 64 bytes, then base ids. */
export function sealDirectory(packKey: Buffer, packId: Buffer, plain: Buffer, chunks: number): Buffer {
  const cipher = createCipheriv('aes-256-gcm', packKey, packNonce(DIRECTORY_DOMAIN, 0)).setAAD(directoryAad(packId, chunks));
  const sealed = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  const trailer = Buffer.alloc(PACK_TRAILER_BYTES);
  trailer.writeUInt32LE(sealed.length, 0);
  trailer.writeUInt32LE(chunks, 4);
  trailer[8] = plain.length > chunks * CHUNK_ENTRY_BYTES ? DELTA_FORMAT_VERSION : FORMAT_VERSION;
  TRAILER_MAGIC.copy(trailer, 12);
  return Buffer.concat([sealed, trailer]);
}

/** @throws REPOSITORY_OBJECT_DAMAGED, REPOSITORY_FORMAT_NEWER */
export function readPackTrailer(packId: string, bytes: Buffer): PackTrailer {
  const name = packName(packId);
  if (bytes.length !== PACK_TRAILER_BYTES || !bytes.subarray(12).equals(TRAILER_MAGIC)) throw damaged(name, 'it does not end as a pack does');
  if (bytes.readUInt8(8) > DELTA_FORMAT_VERSION) throw newerFormat(name, bytes.readUInt8(8), DELTA_FORMAT_VERSION);
  if (bytes.subarray(9, 12).some(isSet)) throw damaged(name, 'its end has bits set that mean nothing');
  return { directoryBytes: bytes.readUInt32LE(0), chunks: bytes.readUInt32LE(4) };
}

export interface Directory {
  /** In order of offset. */
  readonly entries: ChunkEntry[];
  /** Ids of the bases that deltas name by position, 32 bytes each. */
  readonly bases: Buffer;
}

/** @throws REPOSITORY_OBJECT_DAMAGED */
export function openDirectory(packKey: Buffer, packId: string, sealed: Buffer, chunks: number): Directory {
  const name = packName(packId);
  if (sealed.length < TAG_BYTES) throw damaged(name, 'its directory is cut off');
  const decipher = createDecipheriv('aes-256-gcm', packKey, packNonce(DIRECTORY_DOMAIN, 0));
  decipher.setAAD(directoryAad(Buffer.from(packId, 'hex'), chunks)).setAuthTag(sealed.subarray(-TAG_BYTES));
  let plain: Buffer;
  try {
    plain = Buffer.concat([decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final()]);
  } catch (cause) {
    throw damaged(name, 'its directory was altered', cause);
  }
  const bases = plain.length - chunks * CHUNK_ENTRY_BYTES;
  if (bases < 0 || bases % CHUNK_ID_BYTES !== 0) throw damaged(name, 'its directory has another length than it says');
  const table = plain.subarray(chunks * CHUNK_ENTRY_BYTES);
  if (!haveBases(plain.subarray(0, chunks * CHUNK_ENTRY_BYTES), bases / CHUNK_ID_BYTES)) throw damaged(name, 'its directory has a delta and not its base');
  return { entries: Array.from({ length: chunks }, (_, i) => readChunkEntry(plain, i * CHUNK_ENTRY_BYTES)), bases: table };
}

/** u32 domain, u64 counter. */
export function packNonce(domain: number, counter: number): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32LE(domain, 0);
  nonce.writeUInt32LE(counter, 4);
  return nonce;
}

function isSet(byte: number): boolean {
  return byte !== 0;
}

function directoryAad(packId: Buffer, chunks: number): Buffer {
  const aad = Buffer.alloc(24);
  aad.write('LVPD', 0, 'latin1');
  aad[4] = FORMAT_VERSION;
  packId.copy(aad, 8);
  aad.writeUInt32LE(chunks, 20);
  return aad;
}
