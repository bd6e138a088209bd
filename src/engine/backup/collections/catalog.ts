// The catalog of collections, keyed by UUID: as it was listed, then as the oplog changed it.
// Options and index specifications stay raw, so key order, odd names and number types survive.
import type { ClusterTime } from '../../../domain/cluster-time.ts';
import { asBuffer, BSON_TYPE, filterFields, rawField, rawFields, rawDocument } from '../../bson/index.ts';
import { isTrue } from '../oplog/oplog-entry.ts';

export interface CatalogCollection {
  /** 32 hex digits; `db.name` where a server gives no UUIDs. */
  readonly uuid: string;
  db: string;
  name: string;
  /** Raw document as `listCollections` gives it. */
  options: Buffer;
  /** Raw specifications as `listIndexes` gives them, by name, finished ones only. */
  readonly indexes: Map<string, Buffer>;
  /** When its `create` was met in the oplog; null when it was listed. */
  bornAt: ClusterTime | null;
}

export type Catalog = Map<string, CatalogCollection>;

export function isCapped(collection: CatalogCollection): boolean {
  return isTrue(collection.options, 'capped');
}

/** What a capped collection keeps; null where it isn't stated. */
export interface CappedLimits {
  /** Bytes of documents. */
  readonly size: number | null;
  readonly max: number | null;
}

/** @param options raw; a limit of zero and less is none */
export function limitsIn(options: Uint8Array): CappedLimits {
  const limit = (name: string): number | null => {
    const value = numberIn(options, name);
    return value > 0 ? value : null;
  };
  const size = limit('size');
  return { size: size === null ? null : roundedSize(size), max: limit('max') };
}

/** 0 where there is no such number. */
export function numberIn(document: Uint8Array, name: string): number {
  const field = rawField(document, name);
  const bytes = asBuffer(document);
  if (field?.type === BSON_TYPE.int) return bytes.readInt32LE(field.valueAt);
  if (field?.type === BSON_TYPE.long) return Number(bytes.readBigInt64LE(field.valueAt));
  return field?.type === BSON_TYPE.double ? Math.trunc(bytes.readDoubleLE(field.valueAt)) : 0;
}

/** Servers round the size of a capped collection up to a multiple of 256. */
export function roundedSize(size: number): number {
  return Math.ceil(size / 256) * 256;
}

/** Made by a server for a while only (`$out`, convertToCapped), and dropped by it. */
export function isTemporary(collection: CatalogCollection): boolean {
  return isTrue(collection.options, 'temp');
}

/** The document with `name` set to the raw value, at its old place or at the end; `value` null removes it. */
export function withField(document: Buffer, name: string, type: number, value: Uint8Array | null): Buffer {
  const fields = [...rawFields(document)];
  if (value === null) return filterFields(document, (field) => field.name !== name);
  const replaced = fields.some((field) => field.name === name);
  const kept = fields.map((field) =>
    field.name === name ? { name, type, value } : { name: field.name, type: field.type, value: document.subarray(field.valueAt, field.end) });
  return rawDocument(replaced ? kept : [...kept, { name, type, value }]);
}

/** Copies a field of one raw document into another. */
export function copyField(from: Buffer, into: Buffer, name: string): Buffer {
  const field = rawField(from, name);
  return field === null ? into : withField(into, name, field.type, from.subarray(field.valueAt, field.end));
}

/** Sets a string where the document has no such field. */
export function withDefaultText(document: Buffer, name: string, text: string): Buffer {
  if (rawField(document, name) !== null) return document;
  const value = Buffer.alloc(text.length + 5);
  value.writeInt32LE(text.length + 1, 0);
  value.write(text, 4);
  return withField(document, name, BSON_TYPE.string, value);
}

export const EMPTY_DOCUMENT: Buffer = Buffer.from([5, 0, 0, 0, 0]);
