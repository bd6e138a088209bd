// What a cluster holds, read without Leafvault: a hash for every document, and how each collection is made.
import { createHash } from 'node:crypto';
import { BSON, type Document, type MongoClient } from 'mongodb';
import { rawIdOf } from './raw-bson.ts';

export interface CollectionPrint {
  readonly type: string;
  /** Options and indexes, as text to compare; without the UUID. */
  readonly made: string;
  /** Hex of the raw `_id` element -> hash of the raw document. Time series: of the measurements, sorted. */
  readonly documents: ReadonlyMap<string, string>;
  /** Ids in natural order, where order is part of the collection (capped). */
  readonly order: string | null;
}

export type ClusterPrint = ReadonlyMap<string, CollectionPrint>;

const OWN_DATABASES = ['admin', 'config', 'local', '__leafvault'];

/** Namespace -> print, of every user database. */
export async function fingerprint(client: MongoClient): Promise<ClusterPrint> {
  const prints = new Map<string, CollectionPrint>();
  const { databases } = await client.db('admin').admin().listDatabases({ nameOnly: true });
  for (const { name } of databases.filter((each) => !OWN_DATABASES.includes(each.name))) {
    const collections = await client.db(name).listCollections().toArray();
    for (const info of collections.filter((each) => !each.name.startsWith('system.'))) prints.set(`${name}.${info.name}`, await printOf(client, name, info));
  }
  return prints;
}

export function hashOf(raw: Uint8Array): string {
  return createHash('sha1').update(raw).digest('base64');
}

async function printOf(client: MongoClient, db: string, info: Document): Promise<CollectionPrint> {
  const name = String(info.name);
  const isView = info.type === 'view';
  const indexes = isView ? [] : await client.db(db).collection(name).listIndexes().toArray();
  const made = BSON.EJSON.stringify({ type: info.type, options: info.options, indexes: [...indexes].sort((a, b) => (String(a.name) < String(b.name) ? -1 : 1)) });
  const documents = new Map<string, string>();
  const order = createHash('sha1');
  if (!isView) {
    const cursor = client.db(db).collection(name).find({}, { raw: true, batchSize: 5_000 });
    for await (const document of cursor) {
      const raw = document as unknown as Buffer;
      const id = rawIdOf(raw);
      documents.set(id, hashOf(raw));
      order.update(id);
    }
  }
  return { type: String(info.type), made, documents, order: info.options?.capped === true ? order.digest('hex') : null };
}
