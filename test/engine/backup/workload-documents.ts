// Writers of documents: every kind of change that a scan may meet, on collections that keep their name.
import { Decimal128, Double, Int32, Long, ObjectId, Timestamp, type ClientSession, type Db, type Document, type MongoClient } from 'mongodb';
import type { Random } from './random.ts';

export const DOCUMENT_KINDS = [
  'insert', 'update nested', 'update array', 'update by pipeline', 'replace', 'delete', 'delete and reinsert', 'find and modify', 'update many', 'upsert',
  'move a unique value', 'transaction', 'transaction above 16 MB', 'insert into capped', 'insert into time series', 'change of a user',
] as const;

export type DocumentKind = (typeof DOCUMENT_KINDS)[number];

export interface DocumentWorld {
  readonly client: MongoClient;
  readonly db: Db;
  readonly random: Random;
  readonly user: string;
}

export const LIVE = ['c0', 'c1', 'c2', 'c3'] as const;
const DOCUMENTS = 1_200;
const UNIQUE_DOCUMENTS = 600;

/** Ids of every kind that people use, the same for the same number. */
export function idOf(n: number): unknown {
  const forms = [() => n, () => `key-${n}`, () => new ObjectId(n.toString(16).padStart(24, '0')), () => ({ shard: n % 7, '2': n, '1': `é${n}` }), () => Long.fromNumber(n * 1e10), () => new Double(n + 0.5), () => Decimal128.fromString(`${n}.25`)];
  return forms[n % forms.length]!();
}

export function documentOf(n: number, random: Random): Document {
  return {
    _id: idOf(n), n: new Int32(n), k: random.below(50), nested: { a: { b: random.below(1000), list: [1, { x: n }] }, at: new Timestamp({ t: 1, i: n }) },
    tags: Array.from({ length: 5 }, (_, i) => `tag-${(n * i) % 13}`), pad: String.fromCharCode(97 + (n % 26)).repeat(300 + random.below(400)),
  };
}

export async function prepareDocuments({ db, random }: DocumentWorld): Promise<void> {
  const live = LIVE.map((name) => ({ name, documents: Array.from({ length: DOCUMENTS }, (_, n) => documentOf(n, random)) }));
  await Promise.all([
    ...live.map(({ name, documents }) => db.collection<Document>(name).insertMany(documents)),
    prepareUnique(db),
    prepareCapped(db),
    prepareSeries(db),
  ]);
}

async function prepareUnique(db: Db): Promise<void> {
  await db.collection('unique').createIndex({ key: 1 }, { unique: true, sparse: true });
  await db.collection<Document>('unique').insertMany(Array.from({ length: UNIQUE_DOCUMENTS }, (_, n) => ({ _id: n as never, key: `k${n}`, pad: 'u'.repeat(600) })));
}

async function prepareCapped(db: Db): Promise<void> {
  await db.createCollection('capped', { capped: true, size: 300_000, max: 500 });
  await db.collection('capped').insertMany(Array.from({ length: 450 }, (_, n) => ({ n, pad: 'c'.repeat(500) })));
}

async function prepareSeries(db: Db): Promise<void> {
  await db.createCollection('series', { timeseries: { timeField: 't', metaField: 'm' } });
  await db.collection('series').insertMany(Array.from({ length: 600 }, (_, n) => ({ t: new Date(1e12 + n * 1e6), m: n % 40, v: n, note: 'x'.repeat(200) })));
}

/** One random operation of a kind; the names that it changed. */
export async function runDocumentOperation(world: DocumentWorld, kind: DocumentKind): Promise<readonly string[]> {
  const { db, random } = world;
  const name = random.pick(LIVE);
  const collection = db.collection<Document>(name);
  const n = random.below(DOCUMENTS);
  const byId = { _id: idOf(n) as never };
  switch (kind) {
    case 'insert':
      await collection.insertMany(Array.from({ length: 1 + random.below(4) }, () => documentOf(10_000 + random.below(1_000_000_000), random)));
      return [name];
    case 'update nested':
      await collection.updateOne(byId, { $set: { 'nested.a.b': random.below(1e6), [`nested.extra.${random.below(5)}`]: 'x'.repeat(random.below(200)) }, $unset: { 'nested.at': '' } });
      return [name];
    case 'update array':
      await collection.updateOne(byId, random.pick<Document>([{ $push: { tags: `t${random.below(99)}` } }, { $pop: { tags: -1 } }, { $set: { 'tags.1': random.below(9) } }, { $pull: { tags: 'tag-0' } }]));
      return [name];
    case 'update by pipeline':
      await collection.updateOne(byId, [{ $set: { sum: { $add: ['$k', random.below(100)] }, nested: { $mergeObjects: ['$nested', { p: random.below(9) }] } } }, { $unset: 'k' }, { $set: { k: random.below(50) } }]);
      return [name];
    case 'replace':
      await collection.replaceOne(byId, { replaced: random.below(1e6), k: random.below(50), pad: 'r'.repeat(random.below(900)) });
      return [name];
    case 'delete':
      await collection.deleteOne({ _id: idOf(random.below(DOCUMENTS)) as never });
      return [name];
    case 'delete and reinsert':
      await collection.deleteOne(byId);
      await collection.insertOne({ ...documentOf(n, random), again: random.below(1e6) });
      return [name];
    case 'find and modify':
      await collection.findOneAndUpdate(byId, { $inc: { count: 1 }, $set: { touched: new Date() } }, { returnDocument: 'after' });
      return [name];
    case 'update many':
      await collection.updateMany({ k: random.below(50) }, { $inc: { many: 1 } });
      return [name];
    case 'upsert':
      await collection.updateOne({ _id: idOf(20_000 + random.below(300)) as never }, { $inc: { upserts: 1 } }, { upsert: true });
      return [name];
    case 'move a unique value':
      return moveUniqueValue(world);
    case 'transaction':
      await inTransaction(world, (session) => runTransaction(world, session));
      return [...LIVE];
    case 'transaction above 16 MB':
      await inTransaction(world, (session) => runLargeTransaction(world, session));
      return ['c3'];
    case 'insert into capped':
      await db.collection('capped').insertMany(Array.from({ length: 1 + random.below(8) }, () => ({ n: random.below(1e9), pad: 'd'.repeat(random.below(800)) })));
      return ['capped'];
    case 'insert into time series':
      await db.collection('series').insertMany(Array.from({ length: 5 }, () => ({ t: new Date(1e12 + random.below(1e9)), m: random.below(40), v: random.next(), [`x${random.below(3)}`]: 1 })));
      return ['system.buckets.series'];
    case 'change of a user':
      await world.client.db('admin').command({ updateUser: world.user, customData: { n: random.below(1e9) } });
      return ['admin.system.users'];
  }
}

async function moveUniqueValue({ db, random }: DocumentWorld): Promise<readonly string[]> {
  const collection = db.collection<Document>('unique');
  const [from, to] = [random.below(UNIQUE_DOCUMENTS), random.below(UNIQUE_DOCUMENTS)];
  if (from === to) return [];
  const giver = await collection.findOneAndUpdate({ _id: from as never }, { $unset: { key: '' } });
  const taker = await collection.findOneAndUpdate({ _id: to as never }, giver?.key === undefined ? { $set: { checked: 1 } } : { $set: { key: giver.key } });
  if (taker?.key !== undefined && giver?.key !== undefined) await collection.updateOne({ _id: from as never }, { $set: { key: taker.key } });
  return ['unique'];
}

async function inTransaction({ client }: DocumentWorld, run: (session: ClientSession) => Promise<void>): Promise<void> {
  const session = client.startSession();
  try {
    await session.withTransaction(() => run(session), { timeoutMS: 10_000 });
  } finally {
    await session.endSession();
  }
}

async function runTransaction({ db, random }: DocumentWorld, session: ClientSession): Promise<void> {
  const n = random.below(DOCUMENTS);
  await db.collection<Document>('c0').updateOne({ _id: idOf(n) as never }, { $inc: { balance: -5 } }, { session });
  await db.collection<Document>('c1').updateOne({ _id: idOf(n) as never }, { $inc: { balance: 5 } }, { session, upsert: true });
  await db.collection<Document>('c2').insertOne({ transfer: n, amount: 5 }, { session });
  await db.collection<Document>('c3').deleteOne({ _id: idOf(random.below(DOCUMENTS)) as never }, { session });
}

async function runLargeTransaction({ db, random }: DocumentWorld, session: ClientSession): Promise<void> {
  const pad = Buffer.alloc(900_000, random.below(255));
  for (let i = 0; i < 20; i += 1) {
    await db.collection<Document>('c3').insertOne({ large: i, of: random.below(1e9), pad }, { session });
    await db.collection<Document>('c3').updateOne({ _id: idOf(random.below(DOCUMENTS)) as never }, { $set: { large: i } }, { session });
  }
}
