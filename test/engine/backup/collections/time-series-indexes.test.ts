// Indexes of a time series, as its buckets have them on a real server, in the words of the series.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { BSON, MongoClient, type Db, type Document } from 'mongodb';
import { seriesIndex } from '../../../../src/engine/backup/collections/time-series-indexes.ts';
import { startReplicaSet, type ReplicaSet } from '../../../support/mongod.ts';

const NAME = 'series';
const OPTIONS = { timeseries: { timeField: 't', metaField: 'm' } };

let set: ReplicaSet;
let client: MongoClient;
let db: Db;

before(async () => {
  set = await startReplicaSet();
  client = new MongoClient(set.memberUri(0));
  db = client.db('shop');
  await db.createCollection(NAME, OPTIONS);
});

after(async () => {
  await client?.close();
  await set?.stop();
});

async function translated(): Promise<Record<string, Document>> {
  const indexes = await db.collection(`system.buckets.${NAME}`).indexes();
  return Object.fromEntries(indexes.map((each) => [String(each.name), BSON.deserialize(seriesIndex(Buffer.from(BSON.serialize(each)), Buffer.from(BSON.serialize(OPTIONS))))]));
}

test('an index of a time series is translated to what the series lists', async () => {
  const keys: readonly Document[] = [{ v: 1 }, { m: 1, t: -1 }, { 'm.a': -1 }, { place: '2dsphere' }, { 'm.place': '2dsphere' }];
  for (const key of keys) await db.collection(NAME).createIndex(key as Record<string, 1>);
  await db.collection(NAME).createIndex({ w: 1 }, { name: 'part', partialFilterExpression: { v: { $gt: 1 } } });
  const listed = Object.fromEntries((await db.collection(NAME).indexes()).map((each) => [String(each.name), each]));
  assert.deepEqual(await translated(), listed);
});

test('an index of a time series is hidden where queries do not use it, however it was made', async () => {
  await db.collection(NAME).createIndex({ shown: 1 }, { hidden: true });
  await db.collection(NAME).createIndex({ gone: 1 });
  await db.command({ collMod: NAME, index: { name: 'shown_1', hidden: false } });
  await db.command({ collMod: NAME, index: { name: 'gone_1', hidden: true } });
  const { shown_1: shown, gone_1: gone } = await translated();
  assert.equal(shown?.hidden, undefined);
  assert.equal(gone?.hidden, true);
  assert.deepEqual(await stages({ shown: 5 }), { index: true });
  assert.deepEqual(await stages({ gone: 5 }), { index: false });
});

/** Whether a plan goes by an index. */
async function stages(filter: Document): Promise<{ readonly index: boolean }> {
  return { index: JSON.stringify(await db.collection(NAME).find(filter).explain('queryPlanner')).includes('"IXSCAN"') };
}
