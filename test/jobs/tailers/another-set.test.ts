// What is found at the address of a cluster is not what was followed: an earlier state of the set, or another set.
import assert from 'node:assert/strict';
import { cp, rm } from 'node:fs/promises';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { MongoClient } from 'mongodb';
import { makeInventory, type Inventory } from '../../support/catalog-rows.ts';
import { differences, heldNow, restoreToInstant } from '../../support/instant-restores.ts';
import { until } from '../../support/job-rows.ts';
import { startReplicaSet, type ReplicaSet } from '../../support/mongod.ts';
import { mark, openTailerWorld, reach, windowsOf, type TailerWorld } from '../../support/tailer-world.ts';

describe('a replica set that is not what it was', { timeout: 900_000 }, () => {
  let servers: ReplicaSet;
  let target: ReplicaSet;
  let client: MongoClient;
  let world: TailerWorld;
  let source: Inventory;

  before(async () => {
    [servers, target, world] = await Promise.all([startReplicaSet(), startReplicaSet(), openTailerWorld()]);
  });
  after(async () => {
    await world?.[Symbol.asyncDispose]();
    await Promise.all([servers?.stop(), target?.stop()]);
  });
  beforeEach(async () => {
    client = await MongoClient.connect(servers.uri);
    source = await world.addCluster(servers.uri);
    await world.startWorker();
    await world.startTailers();
  });
  afterEach(async () => {
    await world.stopAll();
    await world.catalog.clusters.setContinuousBackup(source.cluster.id, false);
    await client?.close(true);
  });

  test('ends the chain as diverged when its files were put back to an earlier state', async () => {
    const [member] = servers.members;
    const copy = `${member!.dataFolder}-earlier`;
    await write('kept');
    await servers.kill(0);
    await cp(member!.dataFolder, copy, { recursive: true });
    await member!.restart();
    await write('gone');
    const first = await reach(world, source, await mark(client), { base: true });
    await servers.kill(0);
    await rm(member!.dataFolder, { recursive: true });
    await cp(copy, member!.dataFolder, { recursive: true });
    await member!.restart();
    await servers.primary();
    assert.equal(await client.db('shop').collection('orders').countDocuments({ state: 'gone' }), 0);
    await assertNext(first.id, 'OPLOG_DIVERGED');
  });

  test('ends the chain by name when another set answers at its address', async () => {
    const [member] = servers.members;
    await write('of the first set');
    const first = await reach(world, source, await mark(client), { base: true });
    await servers.kill(0);
    await rm(member!.dataFolder, { recursive: true });
    await member!.restart();
    const direct = await MongoClient.connect(servers.memberUri(0));
    await direct.db('admin').command({ replSetInitiate: { _id: servers.name, members: [{ _id: 0, host: member!.host }] } });
    await direct.close();
    await servers.primary();
    // A client that knows elections of the first set takes no primary of the second.
    await client.close(true);
    client = await MongoClient.connect(servers.uri);
    await write('of the second set');
    const second = await assertNext(first.id, 'REPLICA_SET_CHANGED');
    assert.notEqual(second.replicaSetId, first.replicaSetId);
  });

  async function write(state: string): Promise<void> {
    await client.db('shop').collection('orders').insertMany(Array.from({ length: 100 }, (_, n) => ({ n, state })), { writeConcern: { w: 'majority' } });
  }

  /** The next chain has a base of its own, and an instant of it is exact. */
  async function assertNext(firstId: string, reason: string): Promise<{ readonly replicaSetId: string | null }> {
    const second = await until('the next chain and its base', async () => {
      const time = await mark(client);
      const newest = (await windowsOf(world, source)).at(-1);
      return newest !== undefined && newest.id !== firstId && newest.base !== null && newest.to.t >= time.t - 1 && newest;
    }, 60_000);
    const windows = await windowsOf(world, source);
    assert.deepEqual(windows.map(({ id, end }) => [id, end?.reason]), [[firstId, reason], [second.id, undefined]]);
    await write('behind the base');
    const { time, held } = await heldNow(servers.memberUri(0), ['shop']);
    await client.db('shop').collection('orders').deleteMany({});
    await reach(world, source, await mark(client));
    const job = await restoreToInstant(world, source, await makeInventory(world.catalog, target.uri), { border: time });
    assert.equal(job.state, 'completed', JSON.stringify(job));
    assert.deepEqual(await differences(target.uri, held), []);
    return second;
  }
});
