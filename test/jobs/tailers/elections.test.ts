// A set of three: its primary changes, and the member that is read dies.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { MongoClient } from 'mongodb';
import { startReplicaSet, type ReplicaSet } from '../../support/mongod.ts';
import { mark, openTailerWorld, oplogBetween, reach, storedChain, tailerIn, windowsOf, type TailerWorld } from '../../support/tailer-world.ts';

describe('tailers of a set of three', { timeout: 900_000 }, () => {
  let servers: ReplicaSet;
  let client: MongoClient;
  let world: TailerWorld;

  before(async () => {
    [servers, world] = await Promise.all([startReplicaSet({ members: 3 }), openTailerWorld()]);
    client = await MongoClient.connect(servers.uri, { heartbeatFrequencyMS: 500 });
  });
  after(async () => {
    await client?.close(true);
    await world?.[Symbol.asyncDispose]();
    await servers?.stop();
  });

  test('keep one chain through an election and the loss of the member that they read', async () => {
    const inventory = await world.addCluster(servers.uri);
    await world.startTailers();
    const { member } = await tailerIn(world, inventory, ({ state }) => state === 'running');
    let writing = true;
    const writer = (async () => {
      for (let n = 0; writing; n += 1) await client.db('shop').collection('orders').insertOne({ n }).catch(() => delay(20));
    })();
    await reach(world, inventory, await mark(client));
    await servers.stepDown();
    await reach(world, inventory, await mark(client));
    await servers.kill(servers.members.findIndex(({ host }) => host === member));
    await reach(world, inventory, await mark(client));
    await tailerIn(world, inventory, ({ state, member: now }) => state === 'running' && now !== member);
    writing = false;
    await writer;
    const { id, from, to } = await reach(world, inventory, await mark(client));
    await world.stopAll();
    assert.deepEqual((await windowsOf(world, inventory)).map(({ end }) => end), [null]);
    const { raw } = await storedChain(world.repository, id);
    const expected = await oplogBetween(client, from, to);
    assert.ok(Buffer.concat(raw.slice(0, expected.length)).equals(Buffer.concat(expected)));
  });
});
