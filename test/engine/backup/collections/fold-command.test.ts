// What administrators do to collections and indexes, folded out of the oplog from nothing: options and indexes have to
// be those that the server lists.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { BSON, Long, MongoClient, type Db, type Document } from 'mongodb';
import type { Catalog, CatalogCollection } from '../../../../src/engine/backup/collections/catalog.ts';
import { foldCommand } from '../../../../src/engine/backup/collections/fold-command.ts';
import { parseOplogEntry } from '../../../../src/engine/backup/oplog/oplog-entry.ts';
import { startReplicaSet, type ReplicaSet } from '../../../support/mongod.ts';
import { openOplogSource, type OplogSource } from '../../replay/oplog-source.ts';

type Administer = (db: Db, name: string) => Promise<unknown>;

const create = (options: Document): Administer => (db, create) => db.command({ create, ...options });
const change = (...changes: readonly Document[]): Administer => async (db, collMod) => {
  for (const each of changes) await db.command({ collMod, ...each });
};
const index = (key: Document, options: Document = {}): Administer => (db, createIndexes) => db.command({ createIndexes, indexes: [{ key, name: 'index', ...options }] });
/** A document first: the index is built, not made with its collection. */
const build = (...build: Parameters<typeof index>): Administer => both((db, name) => db.collection(name).insertOne({ a: 1 }), index(...build));
const both = (...steps: readonly Administer[]): Administer => async (db, name) => {
  for (const step of steps) await step(db, name);
};
const capped = create({ capped: true, size: 20_000, max: 100 });

const CASES: Readonly<Record<string, Administer>> = {
  'a capped collection of an odd size': create({ capped: true, size: 5001 }),
  'a small capped collection': create({ capped: true, size: 100, max: 3 }),
  'another size of a capped collection': both(capped, change({ cappedSize: 5000 })),
  'a small size of a capped collection': both(capped, change({ cappedSize: 100 })),
  'a large size of a capped collection': both(capped, change({ cappedSize: Long.fromNumber(5_000_000_001) })),
  'another number of documents of a capped collection': both(capped, change({ cappedMax: 10 })),
  'no number of documents of a capped collection': both(capped, change({ cappedMax: 0 })),
  'size and number at once': both(capped, change({ cappedSize: 70_000.5, cappedMax: 7 })),
  'an index on _id that is stated': create({ idIndex: { v: 2, key: { _id: 1 }, name: '_id_' } }),
  'an old index on _id': create({ idIndex: { v: 1, key: { _id: 1 }, name: '_id_' } }),
  'an index on _id with the collation': create({ collation: { locale: 'de' }, idIndex: { v: 2, key: { _id: 1 }, name: '_id_', collation: { locale: 'de' } } }),
  'an index on _id by its old option': create({ autoIndexId: true }),
  'a clustered collection that expires': both(create({ clusteredIndex: { key: { _id: 1 }, unique: true, name: 'mine' } }), change({ expireAfterSeconds: 1e8 })),
  'a clustered collection that expires no more': both(create({ clusteredIndex: { key: { _id: 1 }, unique: true }, expireAfterSeconds: 1e8 }), change({ expireAfterSeconds: 'off' })),
  'a coarser time series': both(create({ timeseries: { timeField: 't', metaField: 'm' } }), change({ timeseries: { granularity: 'minutes' } }, { timeseries: { granularity: 'hours' } })),
  'a time series that expires': both(create({ timeseries: { timeField: 't' } }), change({ expireAfterSeconds: 1e8 }, { expireAfterSeconds: 'off' }, { expireAfterSeconds: 2e8 })),
  'a validator': both(create({}), change({ validator: { a: 1 }, validationAction: 'warn' }, { validationLevel: 'moderate' })),
  'no validator': both(create({ validator: { a: 1 } }), change({ validator: {} })),
  'images': both(create({ changeStreamPreAndPostImages: { enabled: true } }), change({ changeStreamPreAndPostImages: { enabled: false } }, { changeStreamPreAndPostImages: { enabled: true } })),
  'an index of an empty collection': both(create({}), index({ a: 1 }, { hidden: true })),
  'a text index': build({ a: 'text', b: 1 }, { weights: { a: 3 }, default_language: 'german' }),
  'places': both(build({ at: '2dsphere', a: 1 }), build({ xy: '2d' }, { name: 'flat', min: -10, max: 200, bits: 20 })),
  'a hashed index': build({ a: 'hashed', b: 1 }),
  'a wildcard index': build({ '$**': 1 }, { wildcardProjection: { 'a.b': 1, c: 1 } }),
  'partial, sparse and with a collation': both(build({ a: 1 }, { partialFilterExpression: { a: { $gt: 1 } } }), build({ b: 1 }, { name: 'sparse', sparse: true, collation: { locale: 'fr', strength: 1 } })),
  'a unique index out of another': both(build({ a: 1 }), change({ index: { name: 'index', prepareUnique: true } }, { index: { name: 'index', unique: true } })),
  'an index that is prepared no more': both(build({ a: 1 }), change({ index: { name: 'index', prepareUnique: true } }, { index: { name: 'index', prepareUnique: false } })),
  'an index that expires': both(build({ a: 1 }, { expireAfterSeconds: 1.5 }), change({ index: { keyPattern: { a: 1 }, expireAfterSeconds: Long.fromNumber(77), hidden: true } })),
  'an index that expires from now on': both(build({ a: 1 }), change({ index: { name: 'index', expireAfterSeconds: 1e8 } })),
  'an index that never expires': build({ a: 1 }, { expireAfterSeconds: Number.NaN }),
  'an old index': build({ a: 1 }, { v: 1 }),
  'indexes beside a collation': both(create({ collation: { locale: 'de', strength: 2 } }), build({ a: 1 }), build({ b: 1 }, { name: 'simple', collation: { locale: 'simple' } })),
  'indexes that go': both(build({ a: 1 }), build({ b: 1 }, { name: 'b' }), build({ c: 1 }, { name: 'c' }), (db, dropIndexes) => db.command({ dropIndexes, index: ['b', 'c'] })),
  'all indexes that go': both(build({ a: 1 }), build({ b: 1 }, { name: 'b' }), (db, dropIndexes) => db.command({ dropIndexes, index: '*' })),
  'a conversion to capped': both(build({ a: 1 }), (db, convertToCapped) => db.command({ convertToCapped, size: 5000 })),
  'an $out': both(build({ a: 1 }, { unique: true }), change({ validator: { a: { $gt: 0 } } }), (db, name) => db.collection(name).aggregate([{ $out: name }]).toArray()),
};

let set: ReplicaSet;
let client: MongoClient;
let source: OplogSource;

before(async () => {
  set = await startReplicaSet();
  client = new MongoClient(set.memberUri(0));
  source = await openOplogSource(client);
});

after(async () => {
  await client?.close();
  await set?.stop();
});

describe('the fold of the catalog', () => {
  for (const [number, [what, administer]] of Object.entries(CASES).entries()) {
    test(`comes to what the server lists: ${what}`, async () => {
      const db = client.db(`case${number}`);
      const began = await source.now();
      await administer(db, 'held');
      const { collections } = await source.held([db.databaseName], await source.now());
      const wanted = [...collections.values()].map(({ collection }) => collection).filter(({ name }) => name !== 'system.views');
      assert.ok(wanted.length > 0);
      const folded = [...(await foldSince(began)).values()].filter(({ name }) => name !== 'system.views');
      assert.deepEqual(folded.map(stated), wanted.map(stated));
    });
  }
});

async function foldSince(began: Parameters<OplogSource['entries']>[0]): Promise<Catalog> {
  const catalog: Catalog = new Map();
  for (const { raw } of await source.entries(began)) {
    const { operations, time } = parseOplogEntry(raw);
    for (const operation of operations) if (operation.kind === 'command') foldCommand(catalog, operation, time);
  }
  return catalog;
}

/** Numbers by value, fields in any order: a server writes an int as a long now and then. */
function stated({ db, name, options, indexes }: CatalogCollection): Document {
  const decode = (raw: Buffer): unknown => BSON.EJSON.parse(BSON.EJSON.stringify(BSON.deserialize(raw)));
  return { namespace: `${db}.${name}`, options: decode(options), indexes: [...indexes].map(([key, raw]) => ({ key, specification: decode(raw) })).sort((a, b) => a.key.localeCompare(b.key)) };
}
