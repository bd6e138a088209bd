// A loader of the tests' own for mongodump directories: reads files by the rules of mongorestore, not by ours.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BSON, type Db, type Document, type MongoClient } from 'mongodb';
import { insertRaw } from '../../src/engine/mongo/raw-insert.ts';
import { loadSequenceMaker } from '../../src/engine/mongo/raw-insert-sequence.ts';

export interface DumpFile {
  readonly db: string;
  /** As the metadata file says it. */
  readonly name: string;
  readonly metadata: Document;
  /** Raw documents; null for a view. */
  readonly documents: readonly Buffer[] | null;
}

/** Reads every file below `<dir>`; anything that mongorestore would not know is an error. */
export async function readDump(dir: string): Promise<DumpFile[]> {
  const found: DumpFile[] = [];
  for (const db of await readdir(dir)) {
    const files = new Set(await readdir(join(dir, db)));
    for (const file of [...files].filter((each) => each.endsWith('.metadata.json'))) {
      const metadata = BSON.EJSON.parse(await readFile(join(dir, db, file), 'utf8'), { relaxed: false }) as Document;
      const base = file.slice(0, -'.metadata.json'.length);
      const name = String(metadata['collectionName']);
      if (base.length < 238 && decodeURIComponent(base) !== name) throw new Error(`${file} says ${name}`);
      const bson = `${metadata['type'] === 'timeseries' ? `system.buckets.${base}` : base}.bson`;
      const documents = files.delete(bson) ? split(await readFile(join(dir, db, bson))) : null;
      if ((documents === null) !== (metadata['type'] === 'view')) throw new Error(`${file} has no documents`);
      files.delete(file);
      found.push({ db, name, metadata, documents });
    }
    if (files.size > 0) throw new Error(`Nobody knows ${[...files].join(', ')}`);
  }
  return found;
}

/** Stores documents in a collection that was just made. */
type Insert = (db: Db, collection: string, documents: readonly Buffer[]) => Promise<unknown>;

/** Byte for byte, whatever the documents are. */
const insertAsIs: Insert = (db, collection, documents) =>
  insertRaw({ db, collection, label: `${db.databaseName}.${collection}`, makeSequence: loadSequenceMaker(), maxDocumentBytes: 1 << 24, ordered: true }, { pieces: documents, documents: documents.length, bytes: 0 });

/** With nothing but the driver: for documents that decoding and encoding leaves as they are. */
export const insertDecoded: Insert = (db, collection, documents) =>
  db.collection(collection).insertMany(documents.map((bytes) => BSON.deserialize(bytes, { promoteValues: false, promoteBuffers: false, bsonRegExp: true })));

/** Loads what was read into a server: collections, then views; users and roles are left out. */
export async function loadDump(client: MongoClient, files: readonly DumpFile[], insert: Insert = insertAsIs): Promise<void> {
  const own = files.filter(({ db }) => db !== 'admin');
  for (const { db, name, metadata, documents } of own.filter((each) => each.documents !== null)) {
    const database = client.db(db);
    const { expireAfterSeconds: _expiry, ...options } = (metadata['options'] ?? {}) as Document;
    await database.command({ create: name, ...options });
    const collection = metadata['type'] === 'timeseries' ? `system.buckets.${name}` : name;
    if (documents !== null && documents.length > 0) await insert(database, collection, documents);
    const indexes = (metadata['indexes'] as Document[]).filter((index) => index['name'] !== '_id_' && index['clustered'] !== true);
    if (indexes.length > 0) await database.command({ createIndexes: name, indexes: indexes.map((index) => (options['collation'] !== undefined && index['collation'] === undefined ? { ...index, collation: { locale: 'simple' } } : index)) });
    if (_expiry !== undefined) await database.command({ collMod: name, expireAfterSeconds: _expiry });
  }
  const views = own.filter((each) => each.documents === null);
  // Views build on each other; the order of files says nothing about it.
  for (let round = 0; views.length > 0 && round < 10; round++) {
    for (const view of views.splice(0)) {
      await client.db(view.db).command({ create: view.name, ...(view.metadata['options'] as Document) }).catch(() => views.push(view));
    }
  }
}

function split(bytes: Buffer): Buffer[] {
  const documents: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readInt32LE(at);
    BSON.deserialize(bytes.subarray(at, at + length), { validation: { utf8: false } });
    documents.push(bytes.subarray(at, at + length));
    at += length;
  }
  return documents;
}
