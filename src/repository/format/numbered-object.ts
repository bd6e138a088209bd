// `oplog/<chain id>/<sequence>`: a slice of a chain, or the close in its place (format document, section 17).
import { hash } from 'node:crypto';
import type { ChainEnd, Slice } from '../chains/chains.ts';
import { chainEndOf, isCount, isDigest, isPosition, isRecord, MAX_SLICE_BYTES, MAX_SLICE_HEADER_BYTES } from './chain-fields.ts';
import { damaged, newerFormat } from './damage.ts';
import type { RepositoryKeys } from './keys.ts';
import { FORMAT_VERSION, sliceName } from './names.ts';
import type { JsonRecord } from './sealed-json.ts';
import { openObject, sealObject } from './sealed-object.ts';

export type SliceEncoding = 'stored' | 'zstd';

/** The raw bytes of a slice, as they are stored. */
export interface SliceData {
  readonly encoding: SliceEncoding;
  readonly bytes: Uint8Array;
}

export interface OpenedSlice {
  readonly slice: Slice;
  readonly data: SliceData;
}

export interface OpenedClose {
  readonly sequence: number;
  readonly previous: string;
  readonly end: ChainEnd;
}

export type NumberedObject = OpenedSlice | OpenedClose;

/** Hex SHA-256 of a stored object. */
export const digestOf = (bytes: Uint8Array): string => hash('sha256', bytes, 'hex');

export function sealSlice(keys: RepositoryKeys, slice: Omit<Slice, 'storedBytes' | 'digest'>, { encoding, bytes }: SliceData): Buffer {
  const { chainId, sequence, from, to, records, rawBytes, previous, createdAt, body } = slice;
  return seal(keys, { chainId, sequence, from, to, records, rawBytes, encoding, previous, createdAt, body }, bytes);
}

export function sealClose(keys: RepositoryKeys, chainId: string, { sequence, previous, end }: OpenedClose): Buffer {
  const { createdAt, reason, at, body } = end;
  return seal(keys, { chainId, sequence, previous, end: { createdAt, reason, at, body } });
}

/** Opened, not compared with its neighbours, not decompressed. @throws REPOSITORY_OBJECT_DAMAGED, REPOSITORY_FORMAT_NEWER */
export function openNumberedObject(keys: RepositoryKeys, chainId: string, sequence: number, bytes: Buffer): NumberedObject {
  const name = sliceName(chainId, sequence);
  const payload = openObject(keys, { kind: 'oplog', name }, bytes);
  const headerBytes = payload.length < 4 ? Infinity : payload.readUInt32LE(0);
  if (headerBytes > Math.min(payload.length - 4, MAX_SLICE_HEADER_BYTES)) throw damaged(name, 'its header is longer than it may be');
  const header = headerOf(name, payload.subarray(4, 4 + headerBytes));
  const data = payload.subarray(4 + headerBytes);
  if (header['chainId'] !== chainId || header['sequence'] !== sequence) throw damaged(name, 'it belongs under another name');
  const opened = header['end'] === undefined ? sliceOf(header, data, bytes) : closeOf(header, data);
  if (opened === null) throw damaged(name, 'it lacks a field, or one has a value that cannot be');
  return opened;
}

function seal(keys: RepositoryKeys, header: { readonly chainId: string; readonly sequence: number } & JsonRecord, data?: Uint8Array): Buffer {
  const json = Buffer.from(JSON.stringify({ formatVersion: FORMAT_VERSION, ...header }));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length);
  return sealObject(keys, { kind: 'oplog', name: sliceName(header.chainId, header.sequence) }, data === undefined ? [length, json] : [length, json, data]);
}

function headerOf(name: string, json: Buffer): JsonRecord {
  let header: unknown;
  try {
    header = JSON.parse(json.toString('utf8'));
  } catch (cause) {
    throw damaged(name, 'its header is not JSON', cause);
  }
  if (!isRecord(header)) throw damaged(name, 'its header is not a JSON object');
  const version = header['formatVersion'];
  if (typeof version !== 'number') throw damaged(name, 'it names no format version');
  if (version > FORMAT_VERSION) throw newerFormat(name, version);
  return header;
}

function sliceOf(header: JsonRecord, bytes: Buffer, stored: Buffer): OpenedSlice | null {
  const { from, to, records, rawBytes, encoding, previous, createdAt, body } = header;
  if (!isPosition(from) || !isPosition(to) || to <= from || !isCount(records) || !isCount(rawBytes) || rawBytes > MAX_SLICE_BYTES) return null;
  if (!isDigest(previous) || typeof createdAt !== 'string' || !isRecord(body)) return null;
  if (encoding !== 'zstd' && (encoding !== 'stored' || bytes.length !== rawBytes)) return null;
  const slice: Slice = {
    chainId: header['chainId'] as string, sequence: header['sequence'] as number, from, to, records, rawBytes, storedBytes: stored.length,
    createdAt, previous, digest: digestOf(stored), body,
  };
  return { slice, data: { encoding, bytes } };
}

function closeOf({ sequence, previous, end: fields }: JsonRecord, data: Buffer): OpenedClose | null {
  const end = isRecord(fields) ? chainEndOf(fields) : null;
  return end === null || !isDigest(previous) || data.length > 0 ? null : { sequence: sequence as number, previous, end };
}
