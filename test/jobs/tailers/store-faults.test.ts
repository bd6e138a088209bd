// A store that fails at any call of a tailer, from the chain's head to its end: what goes on behind it is one chain without a gap, or one
// that ended by name and the next; rows and store say the same, and an instant behind the fault is restored, byte by byte.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { MongoClient } from 'mongodb';
import type { Repository } from '../../../src/repository/index.ts';
import { compareClusterTimes } from '../../../src/domain/cluster-time.ts';
import { systemClock } from '../../../src/foundation/clock.ts';
import { trimChains } from '../../../src/jobs/index.ts';
import { openStorage, type Storage } from '../../../src/storage/index.ts';
import { makeInventory, type Inventory } from '../../support/catalog-rows.ts';
import { createFaultyStorage, ODD_MODES, strikeCalls, type FaultMode, type FaultyStorage } from '../../support/faulty-storage.ts';
import { differences, heldNow, restoreToInstant, servicesOf } from '../../support/instant-restores.ts';
import { until } from '../../support/job-rows.ts';
import { startReplicaSet, type ReplicaSet } from '../../support/mongod.ts';
import { collect, openTestRepository } from '../../support/repository-fixture.ts';
import { mark, openTailerWorld, oplogBetween, reach, storedChain, windowsOf, type TailerWorld } from '../../support/tailer-world.ts';

const LONG = process.env['LEAFVAULT_LONG_TESTS'] === '1';
const MODES: readonly FaultMode[] = ['stop', 'stop after', 'lose answer', 'fail once'];
/** A strike takes seconds, a base and a restore among them: the short form takes the modes by turns, and those of writes and lists not at all. */
const FORMS: readonly (readonly FaultMode[])[] = LONG ? [...MODES, ...ODD_MODES].map((mode) => [mode]) : [MODES];

describe('a tailer over a store that fails', { timeout: LONG ? 3_600_000 : 900_000 }, () => {
  let servers: ReplicaSet;
  let target: ReplicaSet;
  let client: MongoClient;
  let world: TailerWorld;
  let copy: Inventory;
  let storage: Storage;
  let written = 0;

  before(async () => {
    [servers, target, world] = await Promise.all([startReplicaSet(), startReplicaSet(), openTailerWorld()]);
    client = await MongoClient.connect(servers.uri);
    copy = await makeInventory(world.catalog, target.uri);
    storage = openStorage(`file:${join(world.folder, 'store')}`);
    // Takes the bases, and restores; its store is well.
    await world.startWorker();
  });
  after(async () => {
    await client?.close(true);
    await storage?.close();
    await world?.[Symbol.asyncDispose]();
    await Promise.all([servers?.stop(), target?.stop()]);
  });

  for (const modes of FORMS) {
    test(`at any call leaves what goes on without a gap (${modes.join(', ')})`, async (context) => {
      let turn = Math.floor(Math.random() * modes.length);
      const calls = await strikeCalls(context, async (call) => {
        const source = await world.addCluster(servers.uri);
        const mode = modes[(turn += 1) % modes.length] ?? 'stop';
        try {
          const { faulty, repository } = await openStruck(call, mode);
          const wasOn = await followToTheEnd(source, repository, () => mode.startsWith('stop') && faulty.struck);
          await repository.close();
          if (!faulty.struck) return false;
          // What is late comes before the next process begins, or behind its first slice.
          if (call % 2 === 0) await faulty.arrive();
          await assertGoesOn(source, { wasOn, arrive: faulty.arrive }, `call ${call}, ${mode}`);
          return true;
        } finally {
          await forget(source);
        }
      });
      assert.ok(calls > (modes.every((mode) => ODD_MODES.includes(mode)) ? 2 : 10), `only ${calls} calls`);
    });
  }

  /** A process of its own, as far as the store can see. What it takes to open the repository is not counted. */
  async function openStruck(call: number, mode: FaultMode): Promise<{ readonly faulty: FaultyStorage; readonly repository: Repository }> {
    const counting = createFaultyStorage(storage, 0, mode);
    const opened = await openTestRepository(counting);
    const opening = counting.calls;
    await opened.close();
    const faulty = createFaultyStorage(storage, opening + call, mode);
    return { faulty, repository: await openTestRepository(faulty) };
  }

  /**
   * Begins a chain, adds to it, resumes it, adds to it, ends it; leaves off when the process is dead.
   * @returns false once it was switched off: its chain ends
   */
  async function followToTheEnd(source: Inventory, repository: Repository, isDead: () => boolean): Promise<boolean> {
    const struck = { repositories: { forProject: () => Promise.resolve(repository) } };
    for (let process = 1; process <= 2; process += 1) {
      const tailers = await world.startTailers(struck);
      try {
        for (let slice = 1; slice <= 2; slice += 1) {
          await write();
          const time = await mark(client);
          await until('the slice, or the fault', async () => {
            const newest = (await windowsOf(world, source)).at(-1);
            return isDead() || (newest !== undefined && compareClusterTimes(newest.to, time) >= 0);
          });
          if (isDead()) return true;
        }
        if (process === 1) continue;
        await world.catalog.clusters.setContinuousBackup(source.cluster.id, false);
        await until('the end, or the fault', async () => isDead() || (await world.catalog.tailers.get(source.cluster.id))?.state === 'stopped');
        return false;
      } finally {
        await tailers.stop();
      }
    }
    return true;
  }

  async function assertGoesOn(source: Inventory, { wasOn, arrive }: { readonly wasOn: boolean; readonly arrive: () => Promise<void> }, where: string): Promise<void> {
    const before = await windowsOf(world, source);
    const tailers = await world.startTailers();
    try {
      if (!wasOn) {
        await until('the end', async () => (await windowsOf(world, source)).every(({ end }) => end !== null));
        assert.deepEqual((await windowsOf(world, source)).map(({ id, end }) => [id, end?.reason]), [[before[0]?.id, 'STOPPED']], where);
        await world.catalog.clusters.setContinuousBackup(source.cluster.id, true);
      }
      await reach(world, source, await mark(client), { base: true });
      await arrive();
      await write();
      const { time, held } = await heldNow(servers.memberUri(0), ['shop']);
      await write();
      await reach(world, source, await mark(client));
      const job = await restoreToInstant(world, source, copy, { border: time });
      assert.equal(job.state, 'completed', `${where}: ${JSON.stringify(job)}`);
      assert.deepEqual(await differences(target.uri, held), [], where);
    } finally {
      await tailers.stop();
    }
    await assertSame(source, wasOn, where);
    const [first] = await windowsOf(world, source);
    if (before[0] !== undefined) assert.equal(first?.id, before[0].id, `${where}: a chain that was told of is lost`);
  }

  /** Rows, store and the members' oplog say the same. */
  async function assertSame(source: Inventory, wasOn: boolean, where: string): Promise<void> {
    const windows = await windowsOf(world, source);
    assert.deepEqual(windows.map(({ end }) => end?.reason ?? 'open'), wasOn ? ['open'] : ['STOPPED', 'open'], where);
    if (where.endsWith('stop, late')) await trimChains(world.repository, { now: systemClock.now(), rows: world.catalog.chains });
    const chains = await collect(world.repository.chains.list(source.cluster.id));
    // A head that came late, behind the start of who goes on, is a chain that nobody knows: it holds nothing, and a prune ended it.
    for (const { head, end } of [...chains]) {
      if (!where.endsWith('stop, late') || windows.some(({ id }) => id === head.id)) continue;
      assert.deepEqual([(await storedChain(world.repository, head.id)).slices.length, end?.reason], [0, 'STOPPED'], where);
      chains.splice(chains.findIndex((each) => each.head.id === head.id), 1);
    }
    const stored = new Map(chains.map(({ head, end }) => [head.id, end?.reason]));
    assert.deepEqual(stored, new Map(windows.map(({ id, end }) => [id, end?.reason])), where);
    for (const window of windows) {
      const { slices, raw } = await storedChain(world.repository, window.id);
      assert.deepEqual([window.slices, window.records], [slices.length, raw.length], where);
      assert.ok(Buffer.concat(raw).equals(Buffer.concat(await oplogBetween(client, window.from, window.to))), `${where}: not every entry of the window is there, once`);
    }
    const { gaps } = await servicesOf(world).continuous.status({ ...source.cluster, continuousBackup: true });
    assert.deepEqual(gaps.map(({ reason }) => reason), wasOn ? [] : ['STOPPED'], where);
    assert.deepEqual((await world.repository.check({ readData: true })).problems, [], where);
  }

  async function write(): Promise<void> {
    const orders = client.db('shop').collection('orders');
    written += 1;
    await orders.insertMany(Array.from({ length: 20 }, (_, n) => ({ n, written })));
    await orders.updateMany({ n: { $mod: [3, 0] } }, { $set: { changed: written } });
    await orders.deleteMany({ written: written - 3 });
  }

  /** So that the next one finds as many names as this one, and calls the store as often. */
  async function forget(source: Inventory): Promise<void> {
    await world.catalog.clusters.setContinuousBackup(source.cluster.id, false);
    await world.catalog.transaction((tx) => tx.executeSql('delete from chains'));
    for (const { name } of await collect(storage.list('oplog/'))) await storage.delete(name);
  }
});
