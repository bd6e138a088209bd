// Databases that are hard to restore exactly: odd documents, every kind of index, options, views on views, names.
import type { Document, MongoClient } from 'mongodb';
import { BSON } from 'mongodb';
import { rawDocument, type RawValue } from '../../src/engine/bson/index.ts';
import { loadSequenceMaker } from '../../src/engine/mongo/raw-insert-sequence.ts';

const ZERO = new Uint8Array(8);

/** `int`, `timestamp` and the like by their type byte; values are raw. */
export function field(name: string, type: number, value: Uint8Array | number): RawValue {
  return { name, type, value: typeof value === 'number' ? int(value) : value };
}

export function int(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

/** Sends documents exactly as they are. The server fills in top-level zero timestamps. */
export async function insertAsIs(client: MongoClient, db: string, collection: string, documents: readonly Uint8Array[]): Promise<void> {
  const makeSequence = loadSequenceMaker();
  if (makeSequence === null) throw new Error('The driver has no document sequences');
  const answer = await client.db(db).command({ insert: collection, documents: makeSequence('documents', documents) });
  if (answer.writeErrors !== undefined) throw new Error(JSON.stringify(answer.writeErrors));
}

/** Documents that decoding and encoding would change, without zero timestamps. */
export function oddDocuments(): Buffer[] {
  const nan = Buffer.from('010203040506f87f', 'hex');
  return [
    rawDocument([field('_id', 0x10, 1), field('a', 0x10, 1), field('a', 0x10, 2), field('', 0x10, 3)]),
    rawDocument([field('_id', 0x10, 2), field('a.b', 0x10, 1), field('$c', 0x10, 2), field('d$', 0x10, 3), field('é\n\t', 0x10, 4)]),
    rawDocument([field('_id', 0x10, 3), field('nan', 0x01, nan), field('minusZero', 0x01, Buffer.from('0000000000000080', 'hex')), field('undefined', 0x06, new Uint8Array(0))]),
    rawDocument([field('_id', 0x12, Buffer.from('0400000000000000', 'hex')), field('long', 0x12, Buffer.from('0500000000000000', 'hex')), field('double', 0x01, Buffer.from('0000000000001440', 'hex'))]),
    rawDocument([field('_id', 0x10, 5), field('10', 0x10, 1), field('9', 0x10, 2), field('b', 0x10, 3)]),
    rawDocument([field('_id', 0x11, ZERO), field('zeroTimestampAsId', 0x10, 1)]),
    rawDocument([field('_id', 0x03, rawDocument([field('x', 0x10, 1), field('x', 0x10, 1)])), field('nested', 0x03, rawDocument([field('t', 0x11, ZERO)]))]),
    rawDocument([field('_id', 0x10, 8), field('bad utf-8', 0x02, Buffer.from('03000000fffe00', 'hex'))]),
    rawDocument([field('_id', 0x10, 9), field('symbol', 0x0e, Buffer.from('0200000073' + '00', 'hex')), field('min', 0xff, new Uint8Array(0)), field('max', 0x7f, new Uint8Array(0))]),
    Buffer.from(BSON.serialize({ _id: 'text', decimal: BSON.Decimal128.fromString('1.000'), code: new BSON.Code('f', { a: 1 }), binary: new BSON.Binary(Buffer.from('x'), 0x80), date: new Date(-1), re: /a/i })),
  ];
}

/** Zero timestamps at the top level, with each way to put them back. */
export function zeroTimestampDocuments(): Buffer[] {
  return [
    rawDocument([field('_id', 0x10, 101), field('t', 0x11, ZERO)]),
    rawDocument([field('_id', 0x10, 102), field('t', 0x11, ZERO), field('twice', 0x10, 1), field('twice', 0x10, 2), field('u', 0x11, ZERO)]),
    rawDocument([field('_id', 0x10, 103), field('a.b', 0x11, ZERO), field('', 0x11, ZERO), field('$c', 0x11, ZERO), field('after', 0x10, 1)]),
  ];
}

/** Stores them: the server replaces zero timestamps on insert, an update of a stored document keeps them. */
export async function storeZeroTimestamps(client: MongoClient, db: string, collection: string): Promise<void> {
  await insertAsIs(client, db, collection, zeroTimestampDocuments());
  const zero = new BSON.Timestamp({ t: 0, i: 0 });
  await client.db(db).collection<{ _id: number }>(collection).updateOne({ _id: 101 }, { $set: { t: zero } });
  await client.db(db).collection<{ _id: number }>(collection).updateOne({ _id: 102 }, { $set: { t: zero, u: zero } });
  const third = { _id: 103, 'a.b': zero, '': zero, $c: zero, after: 1 };
  await client.db(db).collection<{ _id: number }>(collection).updateOne({ _id: 103 }, [{ $replaceWith: { $literal: third } }] as Document[]);
}

/** Fills `odd` and `shop` on a server. */
export async function writeCorpus(client: MongoClient): Promise<void> {
  await writeOdd(client);
  await writeShop(client);
}

async function writeOdd(client: MongoClient): Promise<void> {
  const db = client.db('odd');
  await insertAsIs(client, 'odd', 'documents', oddDocuments());
  await storeZeroTimestamps(client, 'odd', 'documents');
  for (const name of ['with space', 'new\nline', 'dots..inside', 'dot.', 'é', 'x'.repeat(200)]) await db.collection<{ _id: number }>(name).insertOne({ _id: 1 });
  await db.createCollection('nothing');
  await db.createCollection('system.js');
  await db.collection<Document & { _id: string }>('system.js').insertOne({ _id: 'f', value: new BSON.Code('function () {}') });
}

async function writeShop(client: MongoClient): Promise<void> {
  const db = client.db('shop');
  const at = (i: number): Date => new Date(Date.UTC(2026, 0, 1) + i * 60_000);
  await db.createCollection('orders', { validator: { $or: [{ total: { $gte: 0 } }, { total: { $exists: false } }] }, validationLevel: 'moderate' });
  await db.collection('orders').insertMany(Array.from({ length: 2_000 }, (_, i) => ({
    _id: i as never, total: i % 97, customer: { name: `c${i % 50}`, city: ['Bern', 'Köln', null][i % 3] }, tags: ['a', `t${i % 7}`], at: at(i),
    place: { type: 'Point', coordinates: [i % 180, i % 90] }, note: `Note ${i} with some words`,
  })));
  await db.command({ insert: 'orders', documents: [{ _id: -1, total: -5 }], bypassDocumentValidation: true });
  await db.command({
    createIndexes: 'orders', indexes: [
      { key: { total: 1, at: -1 }, name: 'compound' }, { key: { at: 1 }, name: 'v1', v: 1 }, { key: { note: 'text', 'customer.name': 'text' }, name: 'words', weights: { note: 3 }, default_language: 'german' },
      { key: { place: '2dsphere' }, name: 'place' }, { key: { '$**': 1 }, name: 'wild', wildcardProjection: { note: 0 } }, { key: { tags: 'hashed' }, name: 'hashedOfArrays', partialFilterExpression: { tags: 'none' } },
      { key: { total: 1 }, name: 'partial', partialFilterExpression: { total: { $gt: 50 } } }, { key: { missing: 1 }, name: 'sparseUnique', unique: true, sparse: true },
      { key: { note: 1 }, name: 'hidden', hidden: true }, { key: { 'customer.city': 1 }, name: 'collated', collation: { locale: 'de', strength: 2 } }, { key: { _id: 1, total: 1 }, name: 'unique', unique: true },
      { key: { 'customer.name': 'hashed' }, name: 'hashed' }, { key: { at: 1, total: 1 }, name: 'prepared' }, { key: { b: 1, 0: 1 } as Document, name: 'numbersInKey' },
    ],
  });
  await db.command({ collMod: 'orders', index: { name: 'prepared', prepareUnique: true } });
  await db.createCollection('events');
  await db.collection('events').insertMany(Array.from({ length: 50 }, (_, i) => ({ at: new Date(Date.now() + i * 1000), i })));
  await db.collection('events').createIndex({ at: 1 }, { expireAfterSeconds: 86_400 * 365, name: 'ttl' });
  await db.createCollection('people', { collation: { locale: 'fr', strength: 1 } });
  await db.collection('people').insertMany([{ _id: 'a' as never, name: 'Éa' }, { _id: 'b' as never, name: 'eb' }]);
  await db.collection('people').createIndexes([{ key: { name: 1 }, name: 'inherited' }, { key: { name: -1 }, name: 'simple', collation: { locale: 'simple' } }]);
  await db.createCollection('log', { capped: true, size: 64 * 1024, max: 200 });
  for (let i = 0; i < 300; i++) await db.collection<Document & { _id: number }>('log').insertOne({ _id: (i * 7919) % 1000, text: `line ${i}` });
  await db.createCollection('clustered', { clusteredIndex: { key: { _id: 1 }, unique: true, name: 'by id' }, expireAfterSeconds: 86_400 * 3650 });
  await db.collection('clustered').insertMany(Array.from({ length: 30 }, (_, i) => ({ _id: at(i) as never, i })));
  await db.createCollection('images', { changeStreamPreAndPostImages: { enabled: true } });
  await db.createCollection('weather', { timeseries: { timeField: 't', metaField: 'sensor', granularity: 'minutes' }, expireAfterSeconds: 86_400 * 3650 });
  await db.collection('weather').insertMany(Array.from({ length: 400 }, (_, i) => ({ t: at(i * 30), sensor: { id: i % 4 }, celsius: i / 10 })));
  await db.collection('weather').createIndex({ 'sensor.id': 1, t: -1 });
  await db.createCollection('top', { viewOn: 'middle', pipeline: [{ $limit: 3 }], collation: { locale: 'de' } });
  await db.createCollection('middle', { viewOn: 'orders', pipeline: [{ $match: { total: { $gt: 90 } } }, { $project: { b: 1, 9: 1 } }], collation: { locale: 'de' } });
  await db.createCollection('cities', { viewOn: 'people', pipeline: [{ $sort: { name: 1 } }], collation: { locale: 'fr', strength: 1 } });
}
