// A primary is cut off with writes that no majority ever gets, and is read by a tailer meanwhile; later it rejoins and rolls them back.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { MongoClient } from 'mongodb';
import { makeInventory, type Inventory } from '../../support/catalog-rows.ts';
import { differences, heldNow, restoreToInstant } from '../../support/instant-restores.ts';
import { until } from '../../support/job-rows.ts';
import { startReplicaSet, type ReplicaSet } from '../../support/mongod.ts';
import { mark, openTailerWorld, oplogBetween, reach, storedChain, tailerIn, windowsOf, type TailerWorld } from '../../support/tailer-world.ts';

const LOST = 'never-by-a-majority';

describe('a primary that rolls back', { timeout: 900_000 }, () => {
  let servers: ReplicaSet;
  let target: ReplicaSet;
  let client: MongoClient;
  let world: TailerWorld;
  let inventory: Inventory;

  before(async () => {
    [servers, target, world] = await Promise.all([startReplicaSet({ members: 3 }), startReplicaSet(), openTailerWorld()]);
    client = await MongoClient.connect(servers.uri, { heartbeatFrequencyMS: 500 });
  });
  after(async () => {
    await client?.close(true);
    await world?.[Symbol.asyncDispose]();
    await Promise.all([servers?.stop(), target?.stop()]);
  });

  test('gives the chain nothing of what it took alone, and the chain goes on', async () => {
    inventory = await world.addCluster(servers.uri);
    await client.db('shop').collection('orders').insertMany(Array.from({ length: 200 }, (_, n) => ({ _id: n as never, n })), { writeConcern: { w: 'majority' } });
    await world.startWorker();
    await world.startTailers();
    const before = await reach(world, inventory, await mark(client), { base: true });

    const old = await servers.primary();
    const others = [0, 1, 2].filter((index) => index !== old);
    const host = servers.members[old]!.host;
    await Promise.all(others.map((index) => servers.kill(index)));
    await writeAlone(servers.memberUri(old));
    await tailerIn(world, inventory, ({ state, member }) => state === 'running' && member === host);
    const rollbacks = await rollbacksOf(servers.memberUri(old));
    assert.equal(await countLost(servers.memberUri(old)), 50, 'the writes are there, and the tailer reads where they are');

    await servers.kill(old);
    await Promise.all(others.map((index) => servers.members[index]!.restart()));
    const next = await servers.primary();
    await client.db('shop').collection('orders').updateMany({ n: { $lt: 20 } }, { $set: { by: 'the next primary' } }, { writeConcern: { w: 'majority' } });
    await reach(world, inventory, await mark(client));
    await servers.members[old]!.restart();
    await until('the old primary to roll back', async () => (await rollbacksOf(servers.memberUri(old)).catch(() => rollbacks)) > rollbacks && (await countLost(servers.memberUri(old)).catch(() => 50)) === 0, 60_000);

    const { time, held } = await heldNow(servers.memberUri(await servers.primary()), ['shop']);
    await client.db('shop').collection('orders').deleteMany({});
    const { id, from, to } = await reach(world, inventory, await mark(client));
    assert.notEqual(next, old);
    assert.deepEqual([id, (await windowsOf(world, inventory)).map(({ end }) => end)], [before.id, [null]]);
    const { raw } = await storedChain(world.repository, id);
    assert.deepEqual(raw.filter((entry) => entry.includes(LOST)), []);
    const expected = await oplogBetween(client, from, to);
    assert.ok(Buffer.concat(raw.slice(0, expected.length)).equals(Buffer.concat(expected)), 'every entry that the set kept, once');

    const copy = await makeInventory(world.catalog, target.uri);
    const job = await restoreToInstant(world, inventory, copy, { border: time });
    assert.equal(job.state, 'completed', JSON.stringify(job));
    assert.equal(held.get('shop.orders')?.documents.length, 200);
    assert.deepEqual(await differences(target.uri, held), []);
  });

  /** Of every kind; not one can be known by a second member. */
  async function writeAlone(uri: string): Promise<void> {
    const direct = new MongoClient(uri, { writeConcern: { w: 1 }, retryWrites: false });
    try {
      const orders = direct.db('shop').collection('orders');
      await orders.insertMany(Array.from({ length: 50 }, (_, n) => ({ lost: LOST, n })));
      await orders.updateMany({ n: { $gte: 100 }, lost: { $exists: false } }, { $set: { changed: LOST } });
      await orders.deleteMany({ n: { $gte: 190 }, lost: { $exists: false } });
      await direct.db('shop').createCollection(LOST);
    } finally {
      await direct.close();
    }
  }
});

async function countLost(uri: string): Promise<number> {
  return withDirect(uri, (client) => client.db('shop').collection('orders').countDocuments({ lost: LOST }));
}

/** Grows with each rollback of a member. */
async function rollbacksOf(uri: string): Promise<number> {
  return withDirect(uri, async (client) => Number((await client.db('admin').command({ replSetGetRBID: 1 })).rbid));
}

async function withDirect<T>(uri: string, use: (client: MongoClient) => Promise<T>): Promise<T> {
  const client = new MongoClient(uri, { readPreference: 'secondaryPreferred', serverSelectionTimeoutMS: 5_000 });
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}
