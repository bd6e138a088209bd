// One cluster followed from its first slice to being switched off, on a real server, catalog and store.
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { MongoClient } from 'mongodb';
import { readPostmaster } from '../../../src/catalog/embedded-postgres/postmaster-file.ts';
import { compareClusterTimes } from '../../../src/domain/cluster-time.ts';
import { presentContinuous } from '../../../src/http/console/present-continuous.ts';
import type { Inventory } from '../../support/catalog-rows.ts';
import { servicesOf } from '../../support/instant-restores.ts';
import { until } from '../../support/job-rows.ts';
import { startReplicaSet, startStandalone, type ReplicaSet } from '../../support/mongod.ts';
import { SOON_MS } from '../../support/patience.ts';
import { mark, openTailerWorld, oplogBetween, reach, storedChain, tailerIn, windowsOf, type TailerWorld } from '../../support/tailer-world.ts';

describe('tailers', { timeout: 900_000 }, () => {
  let servers: ReplicaSet;
  let client: MongoClient;
  let world: TailerWorld;
  let inventory: Inventory;

  before(async () => {
    [servers, world] = await Promise.all([startReplicaSet({ parameters: { enableTestCommands: 1 } }), openTailerWorld()]);
    client = await MongoClient.connect(servers.uri);
    await client.db('shop').collection('orders').insertMany(Array.from({ length: 200 }, (_, n) => ({ n })));
  });
  after(async () => {
    await client?.close(true);
    await world?.[Symbol.asyncDispose]();
    await servers?.stop();
  });
  beforeEach(async () => { inventory = await world.addCluster(servers.uri); });
  afterEach(async () => {
    await world.stopAll();
    await world.catalog.clusters.setContinuousBackup(inventory.cluster.id, false);
    await world.catalog.transaction((tx) => tx.executeSql('delete from chains'));
  });

  const snapshotsOf = async ({ cluster }: Inventory) => (await world.catalog.snapshots.list(cluster.id, { pageNumber: 1, itemsPerPage: 50 })).items;

  test('ask for one base at once, and the window moves on with the writes', async () => {
    await world.startWorker();
    await world.startTailers();
    const first = await reach(world, inventory, await mark(client), { base: true });
    const [base, ...others] = await snapshotsOf(inventory);
    assert.deepEqual([base?.type, base?.state, others.length], ['scheduled', 'completed', 0]);
    assert.deepEqual(first.base, base?.pointInTime);
    const second = await reach(world, inventory, await mark(client));
    assert.equal(second.id, first.id);
    assert.ok(second.slices > first.slices && second.storedBytes > first.storedBytes);
    const tailer = await tailerIn(world, inventory, ({ state }) => state === 'running');
    assert.deepEqual([tailer.held, tailer.chainId, tailer.error, tailer.warning], [true, first.id, null, null]);
    assert.equal((await snapshotsOf(inventory)).length, 1);
  });

  test('put what they gathered when it is asked for, once, and go on behind it', async () => {
    await world.startTailers({ limits: { bytes: 1e9, ms: 3_600_000 } });
    await tailerIn(world, inventory, ({ state }) => state === 'running');
    for (let round = 1; round <= 2; round += 1) {
      const written = await mark(client);
      await world.catalog.tailers.requestCut(inventory.cluster.id);
      const chain = await reach(world, inventory, written);
      assert.equal(chain.slices, round);
    }
  });

  test('put what they gathered when they stop, and go on behind it', async () => {
    const tailers = await world.startTailers({ limits: { bytes: 1e9, ms: 3_600_000 } });
    await tailerIn(world, inventory, ({ state }) => state === 'running');
    const before = await mark(client);
    const began = performance.now();
    await tailers.stop();
    assert.ok(performance.now() - began < SOON_MS, `took ${performance.now() - began} ms`);
    const [stopped] = await windowsOf(world, inventory);
    assert.ok(stopped && compareClusterTimes(stopped.to, before) >= 0);
    assert.equal((await world.catalog.tailers.get(inventory.cluster.id))?.held, false);
    await mark(client);
    await world.startTailers();
    const resumed = await reach(world, inventory, await mark(client));
    assert.equal(resumed.id, stopped.id);
    const { slices, raw } = await storedChain(world.repository, resumed.id);
    assert.equal(slices[0]?.sequence, 1);
    const expected = await oplogBetween(client, resumed.from, { t: resumed.to.t, i: resumed.to.i });
    assert.ok(Buffer.concat(raw.slice(0, expected.length)).equals(Buffer.concat(expected)));
  });

  test('heal rows that are behind the store, and make those that are gone', async () => {
    let tailers = await world.startTailers();
    const whole = await reach(world, inventory, await mark(client));
    await tailers.stop();
    const [stopped] = await windowsOf(world, inventory);
    await world.catalog.transaction((tx) => tx.executeSql('update chains set slices = 0, records = 0, raw_bytes = 0, stored_bytes = 0, to_t = from_t, to_i = from_i'));
    tailers = await world.startTailers({ limits: { bytes: 1e9, ms: 3_600_000 } });
    await tailerIn(world, inventory, ({ held, chainId }) => held && chainId === whole.id);
    const healed = await until('the rows', async () => {
      const [row] = await windowsOf(world, inventory);
      return row !== undefined && row.slices === stopped?.slices && row;
    });
    assert.deepEqual(healed, stopped);
    await tailers.stop();
    const [before] = await windowsOf(world, inventory);
    await world.catalog.transaction((tx) => tx.executeSql('delete from chains'));
    await world.startTailers({ limits: { bytes: 1e9, ms: 3_600_000 } });
    const again = await until('the rows', async () => (await windowsOf(world, inventory))[0]);
    assert.deepEqual(again, before);
  });

  test('end a chain at a change of the compatibility version; a new one begins with a new base', async () => {
    await world.startWorker();
    await world.startTailers();
    const first = await reach(world, inventory, await mark(client), { base: true });
    await client.db('admin').command({ setFeatureCompatibilityVersion: '5.0' });
    await client.db('admin').command({ setFeatureCompatibilityVersion: '6.0' });
    const until = await mark(client);
    const last = await reach(world, inventory, until, { base: true });
    const windows = await windowsOf(world, inventory);
    assert.notEqual(last.id, first.id);
    assert.equal(windows[0]?.end?.reason, 'FCV_CHANGED');
    assert.equal(last.end, null);
    assert.ok(last.base !== null && compareClusterTimes(last.base, last.from) >= 0);
    assert.deepEqual(windows.filter(({ end }) => end === null).length, 1);
    const stored: (string | undefined)[] = [];
    for await (const { end } of world.repository.chains.list(inventory.cluster.id)) stored.push(end?.reason);
    assert.deepEqual(stored.map((reason) => reason ?? 'open').sort(), windows.map(({ end }) => end?.reason ?? 'open').sort());
  });

  test('end a chain by name at an operation that nobody knows; a new one begins with a new base, and the API says so', async () => {
    const { continuous } = servicesOf(world);
    await client.db('shop').createCollection('ring', { capped: true, size: 4_096 });
    await world.startWorker();
    await world.startTailers();
    const first = await reach(world, inventory, await mark(client), { base: true });
    const last = await mark(client);
    // A command of the server's own tests that goes through the oplog.
    await client.db('shop').command({ emptycapped: 'ring' });
    const second = await reach(world, inventory, await mark(client), { base: true });
    assert.notEqual(second.id, first.id);
    const [ended, ...others] = await windowsOf(world, inventory);
    assert.deepEqual([ended?.id, ended?.end?.reason, others.map(({ id, end }) => [id, end])], [first.id, 'OPERATION_UNKNOWN', [[second.id, null]]]);
    assert.ok(compareClusterTimes(ended!.to, last) >= 0 && compareClusterTimes(ended!.to, second.from) < 0, 'with everything before it, and nothing of it');
    assert.ok(compareClusterTimes(second.base!, second.from) >= 0 && compareClusterTimes(second.base!, first.base!) > 0);
    const told = await until('the API to tell of the second window', async () => {
      const status = presentContinuous(await continuous.status((await world.catalog.clusters.get(inventory.cluster.id))!)) as { state: string; windows: { chainId: string; end: { reason: string; message: string } | null }[]; gaps: { reason: string }[] };
      return status.state === 'running' && status;
    });
    assert.deepEqual(told.windows.map(({ chainId, end }) => [chainId, end?.reason]), [[first.id, 'OPERATION_UNKNOWN'], [second.id, undefined]]);
    assert.match(told.windows[0]?.end?.message ?? '', /emptycapped/);
    assert.deepEqual(told.gaps.map(({ reason }) => reason), ['OPERATION_UNKNOWN']);
    await client.db('shop').collection('ring').drop();
  });

  test('end the chain that a restore asked to end, and begin the next', async () => {
    await world.startTailers();
    const first = await reach(world, inventory, await mark(client));
    await world.catalog.transaction((tx) => tx.tailers.requestEnd(inventory.cluster.id, 'RESTORED'));
    const second = await until('the next chain', async () => {
      const newest = (await windowsOf(world, inventory)).at(-1);
      return newest !== undefined && newest.id !== first.id && newest;
    });
    assert.deepEqual((await windowsOf(world, inventory)).map(({ end }) => end?.reason), ['RESTORED', undefined]);
    const later = await reach(world, inventory, await mark(client));
    assert.equal(later.id, second.id, 'the request is forgotten');
  });

  test('end the chain when continuous backup is switched off, and begin another one when it is on again', async () => {
    const tailers = await world.startTailers({ limits: { bytes: 1e9, ms: 3_600_000 } });
    await tailerIn(world, inventory, ({ state }) => state === 'running');
    const last = await mark(client);
    await world.catalog.clusters.setContinuousBackup(inventory.cluster.id, false);
    await tailerIn(world, inventory, ({ state, held }) => state === 'stopped' && !held);
    const [chain] = await windowsOf(world, inventory);
    assert.equal(chain?.end?.reason, 'STOPPED');
    assert.ok(compareClusterTimes(chain.to, last) >= 0, 'with what had been gathered');
    await until('the end', async () => tailers.active === 0);
    await world.catalog.clusters.setContinuousBackup(inventory.cluster.id, true);
    await until('a second chain', async () => (await windowsOf(world, inventory)).length === 2);
  });

  test('end the chain of a cluster that was switched off while nobody followed it', async () => {
    const tailers = await world.startTailers();
    await reach(world, inventory, await mark(client));
    await tailers.stop();
    await world.catalog.clusters.setContinuousBackup(inventory.cluster.id, false);
    await world.startTailers();
    await tailerIn(world, inventory, ({ state }) => state === 'stopped');
    assert.deepEqual((await windowsOf(world, inventory)).map(({ end }) => end?.reason), ['STOPPED']);
  });

  test('end a chain in the catalog alone when the store lost a part of it', async () => {
    const tailers = await world.startTailers();
    await tailerIn(world, inventory, ({ state }) => state === 'running');
    await reach(world, inventory, await mark(client));
    const { id, slices } = await reach(world, inventory, await mark(client));
    await tailers.stop();
    assert.ok(slices >= 2);
    await rm(`${world.folder}/store/oplog/${id}/0000000001`);
    await world.startTailers();
    await until('the next chain', async () => (await windowsOf(world, inventory)).length === 2);
    assert.deepEqual((await windowsOf(world, inventory)).map(({ end }) => end?.reason), ['CHAIN_BROKEN', undefined]);
  });

  test('try again while the server is down, and keep the chain', async () => {
    await world.startTailers();
    const before = await reach(world, inventory, await mark(client));
    await servers.kill(0);
    const failed = await tailerIn(world, inventory, ({ state }) => state === 'failed');
    assert.match(failed.error?.code ?? '', /^SOURCE_/);
    await servers.members[0]?.restart();
    const later = await reach(world, inventory, await mark(client));
    assert.equal(later.id, before.id);
    const running = await tailerIn(world, inventory, ({ state }) => state === 'running');
    assert.equal(running.error, null);
  });

  test('go on with the chain after PostgreSQL was killed', async () => {
    await world.startTailers();
    await tailerIn(world, inventory, ({ state }) => state === 'running');
    const before = await reach(world, inventory, await mark(client));
    const home = 'home' in world.database.database ? world.database.database.home : '';
    process.kill((await readPostmaster(join(home, 'postgres', 'data')))?.pid ?? 0, 'SIGKILL');
    const time = await mark(client);
    const later = await until('the catalog to be back and the window to move on', async () => {
      const newest = (await windowsOf(world, inventory).catch(() => [])).at(-1);
      return newest !== undefined && compareClusterTimes(newest.to, time) >= 0 && newest;
    });
    assert.equal(later.id, before.id);
    await world.stopAll();
    const [row] = await windowsOf(world, inventory);
    const { slices, raw } = await storedChain(world.repository, later.id);
    assert.deepEqual([row?.slices, row?.records], [slices.length, raw.length]);
    const expected = await oplogBetween(client, later.from, later.to);
    assert.ok(Buffer.concat(raw.slice(0, expected.length)).equals(Buffer.concat(expected)));
  });

  test('say that a standalone can not be followed', async () => {
    await using standalone = await startStandalone();
    const other = await world.addCluster(standalone.uri);
    await world.startTailers();
    const { error } = await tailerIn(world, other, ({ state }) => state === 'failed');
    assert.match(error?.message ?? '', /no member of a replica set/);
    assert.deepEqual(await windowsOf(world, other), []);
    await world.catalog.clusters.setContinuousBackup(other.cluster.id, false);
  });
});
