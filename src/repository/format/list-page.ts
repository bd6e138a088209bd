// Pages of chunk lists, and where they are cut (format document, section 9).
import type { ChunkRef } from '../repository.ts';
import { CHUNK_ID_BYTES } from './chunk-entry.ts';
import { damaged } from './damage.ts';

const MAGIC = Buffer.from('LVPG');
const HEADER_BYTES = 16;
const LEAF_BYTES = 40;
const BRANCH_BYTES = 64;
const MIN_ITEMS = 32;
const MAX_ITEMS = 1024;

/** A page below another page, and the sums over everything below it. */
export interface PageRef {
  readonly id: Buffer;
  /** Of the page itself. */
  readonly pageBytes: number;
  readonly chunks: number;
  readonly records: number;
  readonly rawBytes: number;
}

export type Page =
  | { readonly height: 0; readonly refs: readonly ChunkRef[] }
  | { readonly height: number; readonly pages: readonly PageRef[] };

/** True when a page with `items` items ends after the one with this id. */
export function endsPage(items: number, lastId: Buffer): boolean {
  return items >= MAX_ITEMS || (items >= MIN_ITEMS && lastId[0] === 0);
}

export function writeLeafPage(refs: readonly ChunkRef[]): Buffer {
  const bytes = header(0, refs.length, LEAF_BYTES);
  refs.forEach((ref, i) => {
    const at = HEADER_BYTES + i * LEAF_BYTES;
    ref.id.copy(bytes, at);
    bytes.writeUInt32LE(ref.rawBytes, at + 32);
    bytes.writeUInt32LE(ref.records, at + 36);
  });
  return bytes;
}

export function writeBranchPage(height: number, pages: readonly PageRef[]): Buffer {
  const bytes = header(height, pages.length, BRANCH_BYTES);
  pages.forEach((page, i) => {
    const at = HEADER_BYTES + i * BRANCH_BYTES;
    page.id.copy(bytes, at);
    bytes.writeUInt32LE(page.pageBytes, at + 32);
    bytes.writeBigUInt64LE(BigInt(page.chunks), at + 40);
    bytes.writeBigUInt64LE(BigInt(page.records), at + 48);
    bytes.writeBigUInt64LE(BigInt(page.rawBytes), at + 56);
  });
  return bytes;
}

/** @param height that the page above (or the list) says @throws REPOSITORY_OBJECT_DAMAGED */
export function readPage(id: Buffer, bytes: Buffer, height: number): Page {
  const name = `page ${id.toString('hex')}`;
  if (bytes.length < HEADER_BYTES || !bytes.subarray(0, 4).equals(MAGIC) || bytes[4] !== 1) throw damaged(name, 'it is not a page of a list');
  if (bytes[5] !== height) throw damaged(name, `it has height ${bytes[5]} where ${height} is due`);
  const count = bytes.readUInt32LE(8);
  if (bytes.length !== HEADER_BYTES + count * (height === 0 ? LEAF_BYTES : BRANCH_BYTES)) throw damaged(name, 'it has another length than it says');
  if (height === 0) return { height: 0, refs: Array.from({ length: count }, (_, i) => readRef(bytes, HEADER_BYTES + i * LEAF_BYTES)) };
  return { height, pages: Array.from({ length: count }, (_, i) => readPageRef(bytes, HEADER_BYTES + i * BRANCH_BYTES)) };
}

function header(height: number, items: number, itemBytes: number): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES + items * itemBytes);
  MAGIC.copy(bytes);
  bytes[4] = 1;
  bytes[5] = height;
  bytes.writeUInt32LE(items, 8);
  return bytes;
}

function readRef(bytes: Buffer, at: number): ChunkRef {
  return { id: bytes.subarray(at, at + CHUNK_ID_BYTES), rawBytes: bytes.readUInt32LE(at + 32), records: bytes.readUInt32LE(at + 36) };
}

function readPageRef(bytes: Buffer, at: number): PageRef {
  return {
    id: bytes.subarray(at, at + CHUNK_ID_BYTES),
    pageBytes: bytes.readUInt32LE(at + 32),
    chunks: Number(bytes.readBigUInt64LE(at + 40)),
    records: Number(bytes.readBigUInt64LE(at + 48)),
    rawBytes: Number(bytes.readBigUInt64LE(at + 56)),
  };
}
