// A real server as the tests of replay read it: its raw oplog, its catalog, and what its collections held at an instant.
import type { MongoClient, Timestamp } from 'mongodb';
import type { ClusterTime } from '../../../src/domain/cluster-time.ts';
import { rawChild, rawField, rawId, readString, type RawField } from '../../../src/engine/bson/index.ts';
import type { CatalogCollection } from '../../../src/engine/backup/collections/catalog.ts';
import { readUuid } from '../../../src/engine/backup/oplog/oplog-entry.ts';
import { createRawReader, readAll, toClusterTime, toTimestamp, type RawReader } from '../../../src/engine/mongo/index.ts';
import type { Random } from '../backup/random.ts';

export interface RawEntry {
  readonly time: ClusterTime;
  readonly raw: Buffer;
}

/** Collections and their documents at one instant: what a base is, and what a fold must give. */
export interface Held {
  readonly time: ClusterTime;
  /** False when capped collections were left out. */
  readonly capped: boolean;
  /** By `db.collection`; documents of capped collections in natural order. */
  readonly collections: ReadonlyMap<string, { readonly collection: CatalogCollection; readonly documents: readonly Buffer[] }>;
}

export interface OplogSource {
  /** A position that a majority has; nothing is written meanwhile. */
  now(): Promise<ClusterTime>;
  /** Every entry after a position. */
  entries(after: ClusterTime): Promise<RawEntry[]>;
  /** What the databases hold at a time; their catalog must be the same now, and their capped collections too. */
  held(databases: readonly string[], time: ClusterTime, options?: { readonly capped?: boolean }): Promise<Held>;
}

/** @param client direct to the primary */
export async function openOplogSource(client: MongoClient): Promise<OplogSource> {
  const reader = await createRawReader(client);
  return {
    async now() {
      const reply = await client.db('admin').command({ appendOplogNote: 1, data: { position: 1 }, writeConcern: { w: 'majority' } });
      return toClusterTime(reply.operationTime as Timestamp);
    },
    async entries(after) {
      const found: RawEntry[] = [];
      const command = { find: 'oplog.rs', filter: { ts: { $gt: toTimestamp(after) } }, sort: { $natural: 1 }, readConcern: { level: 'majority' } };
      for await (const raw of readAll(reader, 'local', command)) found.push({ raw: Buffer.from(raw), time: timeOf(raw, rawField(raw, 'ts')!) });
      return found;
    },
    async held(databases, time, { capped = true } = {}) {
      const collections = new Map<string, { collection: CatalogCollection; documents: Buffer[] }>();
      for (const db of databases) {
        for await (const entry of readAll(reader, db, { listCollections: 1 })) {
          const collection = await catalogEntry(reader, db, Buffer.from(entry));
          if (collection === null) continue;
          const isCapped = rawField(collection.options, 'capped') !== null;
          if (isCapped && !capped) continue;
          collections.set(`${db}.${collection.name}`, { collection, documents: await documentsOf(reader, collection, isCapped ? null : time) });
        }
      }
      return { time, capped, collections };
    },
  };
}

async function catalogEntry(reader: RawReader, db: string, entry: Buffer): Promise<CatalogCollection | null> {
  if (readString(entry, rawField(entry, 'type')!) !== 'collection') return null;
  const info = rawChild(entry, 'info')!;
  const name = readString(entry, rawField(entry, 'name')!);
  const indexes = new Map<string, Buffer>();
  for await (const index of readAll(reader, db, { listIndexes: name })) indexes.set(readString(index, rawField(index, 'name')!), Buffer.from(index));
  return { uuid: readUuid(info, rawField(info, 'uuid')!)!, db, name, options: Buffer.from(rawChild(entry, 'options')!), indexes, bornAt: null };
}

async function documentsOf(reader: RawReader, { db, name }: CatalogCollection, time: ClusterTime | null): Promise<Buffer[]> {
  const command = time === null
    ? { find: name, hint: { $natural: 1 }, readConcern: { level: 'majority' } }
    : { find: name, readConcern: { level: 'snapshot', atClusterTime: toTimestamp(time) } };
  const documents: Buffer[] = [];
  for await (const document of readAll(reader, db, command)) documents.push(Buffer.from(document));
  return documents;
}

function timeOf(raw: Buffer, field: RawField): ClusterTime {
  return { i: raw.readUInt32LE(field.valueAt), t: raw.readUInt32LE(field.valueAt + 4) };
}

/** A raw id as text. */
export function idKey(document: Buffer): string {
  return rawId(document)!.toString('hex');
}

/** The entries as slices of random lengths. */
export async function* slicesOf(entries: readonly RawEntry[], random: Random): AsyncGenerator<Buffer, void, undefined> {
  for (let at = 0; at < entries.length; ) {
    const end = at + 1 + random.below(200);
    yield await Promise.resolve(Buffer.concat(entries.slice(at, end).map(({ raw }) => raw)));
    at = end;
  }
}
