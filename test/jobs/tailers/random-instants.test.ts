// A random workload on three members, followed and restored by processes that are killed in between, with elections and lost
// servers: at random instants a restore holds what the source held there, byte by byte. LEAFVAULT_REPLAY_SEED tells the seed.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { MongoClient, type Document } from 'mongodb';
import { compareClusterTimes, type ClusterTime } from '../../../src/domain/cluster-time.ts';
import { borderOf, type Instant } from '../../../src/domain/instant.ts';
import { makeInventory, type Inventory } from '../../support/catalog-rows.ts';
import { askForInstant, differences, servicesOf } from '../../support/instant-restores.ts';
import { begun, ended, until } from '../../support/job-rows.ts';
import { startReplicaSet, type ReplicaSet } from '../../support/mongod.ts';
import { insertAsIs, oddDocuments, storeZeroTimestamps } from '../../support/odd-corpus.ts';
import { kindsOfEntry, OPLOG_KINDS } from '../../support/oplog-kinds.ts';
import { startTailerChild, type CatalogChild } from '../../support/start-catalog-child.ts';
import { mark, openTailerWorld, oplogBetween, reach, storedChain, windowsOf, type TailerWorld } from '../../support/tailer-world.ts';
import { createRandom } from '../../engine/backup/random.ts';
import { CATALOG_KINDS, createInstantWorkload, openOplogSource, writeOdd, type InstantWorkload, type Place } from '../../engine/restore/instant/instant-workload.ts';

const SEED = Number(process.env.LEAFVAULT_REPLAY_SEED ?? 20261126);
const LONG = process.env.LEAFVAULT_LONG_TESTS !== undefined;
const ROUNDS = LONG ? 10 : 2;
const OPERATIONS = LONG ? 150 : 30;

type Trouble = 'step down' | 'kill the tailer' | 'kill a primary' | 'kill a secondary' | 'kill the worker';
/** While the writers write, round after round. */
const TROUBLES: readonly (readonly Trouble[])[] = LONG
  ? [['kill the tailer', 'step down'], ['kill a primary'], ['step down', 'kill the worker'], ['kill a secondary', 'kill the tailer'], ['step down']]
  : [['step down', 'kill the tailer'], ['kill a primary']];

interface Chosen { readonly place: Place; readonly instant: Instant }

describe('instants of a random workload', { timeout: 1_800_000 }, () => {
  const random = createRandom(SEED);
  const done: Record<Trouble, number> = { 'step down': 0, 'kill the tailer': 0, 'kill a primary': 0, 'kill a secondary': 0, 'kill the worker': 0 };
  const chosen: Chosen[] = [];
  let servers: ReplicaSet;
  let target: ReplicaSet;
  let client: MongoClient;
  let world: TailerWorld;
  let inventory: Inventory;
  let workload: InstantWorkload;
  let tailer: CatalogChild;
  let worker: CatalogChild;
  const children = new Set<CatalogChild>();

  before(async () => {
    [servers, target, world] = await Promise.all([
      startReplicaSet({ members: 3, oplogSizeMB: 990, parameters: { minSnapshotHistoryWindowInSeconds: 1_800 } }), startReplicaSet({ oplogSizeMB: 990 }), openTailerWorld(),
    ]);
    client = await MongoClient.connect(servers.uri, { heartbeatFrequencyMS: 500 });
    await client.db('admin').command({ createUser: 'worker', pwd: 'x', roles: [] });
    workload = createInstantWorkload(client, await openOplogSource(client), SEED, 'worker');
    await insertAsIs(client, 'work', 'odd', oddDocuments());
    await storeZeroTimestamps(client, 'work', 'odd');
    // Written by a replacement: each secondary put its own time for zero.
    await client.db('work').collection<Document>('odd').deleteOne({ _id: 103 as never });
    await workload.prepare();
    inventory = await world.addCluster(servers.uri);
    [tailer, worker] = [start(), start(join(world.folder, 'jobs'))];
  });
  after(async () => {
    for (const child of children) await child.kill();
    await client?.close(true);
    await world?.[Symbol.asyncDispose]();
    await Promise.all([servers?.stop(), target?.stop()]);
  });

  test('are restored exactly, whoever was killed meanwhile', async (context) => {
    const began = performance.now();
    await workload.write(OPERATIONS, takeBase);
    for (let round = 0; round < ROUNDS; round += 1) await playRound(round);
    const seconds = (performance.now() - began) / 1000;
    const { id, from, to } = await reach(world, inventory, await mark(client));
    assert.deepEqual((await windowsOf(world, inventory)).map(({ end }) => end), [null], 'one chain all the time');
    const { raw, times } = await storedChain(world.repository, id);
    const expected = await oplogBetween(client, from, to);
    assert.ok(Buffer.concat(raw.slice(0, expected.length)).equals(Buffer.concat(expected)), 'every entry that the set kept, once');

    const replayed = new Map<string, number>(OPLOG_KINDS.map((kind) => [kind, 0]));
    const window = await restoreAll();
    for (const [index, time] of times.entries()) {
      if (compareClusterTimes(time, window.from) <= 0 || compareClusterTimes(time, window.to) > 0) continue;
      for (const kind of kindsOfEntry(raw[index]!)) replayed.set(kind, (replayed.get(kind) ?? 0) + 1);
    }
    context.diagnostic(`seed ${SEED}; ${seconds.toFixed(0)} s of work, ${raw.length} entries; ${chosen.length} instants in ${((performance.now() - began) / 1000 - seconds).toFixed(0)} s; ${JSON.stringify(done)}`);
    context.diagnostic([...replayed].map(([kind, count]) => `${kind} ${count}`).join(', '));
    assert.deepEqual([...replayed].filter(([, count]) => count === 0), [], 'every kind was replayed');
    assert.deepEqual(TROUBLES.flat().filter((trouble) => done[trouble] === 0), []);
  });

  function start(workerFolder?: string): CatalogChild {
    const child = startTailerChild({ database: world.database.database, schema: world.catalog.schema, store: `file:${join(world.folder, 'store')}`, ...(workerFolder === undefined ? {} : { workerFolder }) });
    children.add(child);
    return child;
  }

  async function killed(child: CatalogChild, workerFolder?: string): Promise<CatalogChild> {
    await child.kill();
    children.delete(child);
    return start(workerFolder);
  }

  async function killWorker(): Promise<void> {
    worker = await killed(worker, join(world.folder, 'jobs'));
    done['kill the worker'] += 1;
  }

  /** The worker is killed with the base in its hands; the next one takes it. */
  async function takeBase(): Promise<void> {
    const base = await until('a base to be asked for', async () => (await world.catalog.snapshots.list(inventory.cluster.id, { pageNumber: 1, itemsPerPage: 5 })).items[0]);
    await begun(world.catalog, base.jobId);
    await killWorker();
    await reach(world, inventory, await mark(client), { base: true });
  }

  async function playRound(round: number): Promise<void> {
    await writeOdd(client, round, servers.members.length);
    // A catalog that changes while others write, with servers and processes that go.
    const kinds = LONG ? CATALOG_KINDS : CATALOG_KINDS.filter((_, index) => index % ROUNDS === round);
    await workload.write(OPERATIONS, () => makeTrouble(TROUBLES[round % TROUBLES.length]!));
    await workload.write(OPERATIONS / 3, () => workload.change(kinds));
    await choose(`after round ${round}`, round % 2 === 0);
    const begin = await workload.source.now();
    await workload.transact(LONG ? 8 : 3);
    for (const place of await workload.placesAmong(begin, LONG ? 2 : 1)) chosen.push({ place, instant: { border: place.time } });
  }

  /** Here, exactly; or at the end of this second, in which nobody writes any more. */
  async function choose(label: string, exact: boolean): Promise<void> {
    const place = await workload.place(label);
    if (exact) return void chosen.push({ place, instant: { border: place.time } });
    await until('the second to end', async () => (await workload.source.now()).t > place.time.t);
    chosen.push({ place: { ...place, label: `${label}, at the end of the second` }, instant: { time: new Date((place.time.t + 1) * 1000) } });
  }

  async function makeTrouble(troubles: readonly Trouble[]): Promise<void> {
    for (const trouble of troubles) {
      await reach(world, inventory, await mark(client));
      if (trouble === 'step down') await until('an election', () => servers.stepDown().then(() => true, () => false));
      else if (trouble === 'kill the tailer') tailer = await killed(tailer);
      else if (trouble === 'kill the worker') await killWorker();
      else await killServer(trouble === 'kill a primary');
      if (trouble !== 'kill the worker') done[trouble] += 1;
    }
    await reach(world, inventory, await mark(client));
  }

  async function killServer(isPrimary: boolean): Promise<void> {
    const primary = await servers.primary();
    const victim = isPrimary ? primary : (primary + 1 + random.below(2)) % 3;
    await servers.kill(victim);
    await mark(client);
    await servers.members[victim]!.restart();
  }

  /** Also one whose worker is killed. @returns what was replayed, in all */
  async function restoreAll(): Promise<{ readonly from: ClusterTime; readonly to: ClusterTime }> {
    const copy = await makeInventory(world.catalog, target.uri);
    const services = servicesOf(world);
    for (const [index, { place, instant }] of chosen.entries()) {
      for (const db of workload.databases) await dropDatabase(db);
      const { jobId } = await askForInstant(services, inventory, copy, instant);
      if (index % 10 === 1) {
        await begun(world.catalog, jobId);
        await killWorker();
      }
      const job = await ended(world.catalog, jobId);
      assert.equal(job.state, 'completed', `${place.label}: ${JSON.stringify(job)}`);
      assert.deepEqual(await differences(target.uri, place.held, { capped: place.capped, databases: workload.databases }), [], `${place.label} (seed ${SEED})`);
    }
    const { snapshot } = await services.continuous.findBase(inventory.cluster, chosen.at(-1)!.instant);
    return { from: snapshot.pointInTime!, to: borderOf(chosen.at(-1)!.instant) };
  }

  async function dropDatabase(db: string): Promise<void> {
    const direct = new MongoClient(target.uri);
    await direct.db(db).dropDatabase();
    await direct.close();
  }
});
