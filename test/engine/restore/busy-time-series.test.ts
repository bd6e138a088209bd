import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { MongoClient, type Document } from 'mongodb';
import type { RestoreOptions, RestoreResult } from '../../../src/engine/contracts.ts';
import { BACKUP_ROLE, RESTORE_ROLE } from '../../../src/engine/mongo/roles.ts';
import { restoreSnapshot, settleRestore } from '../../../src/engine/restore/index.ts';
import type { Repository, SnapshotRoot } from '../../../src/repository/repository.ts';
import { createMemoryStorage } from '../../../src/storage/index.ts';
import { buildSnapshot } from '../../support/build-snapshot.ts';
import { takeSnapshot } from '../../support/capture.ts';
import { HOLDABLE, slowCommands } from '../../support/hold-commands.ts';
import { startReplicaSet, type ReplicaSet } from '../../support/mongod.ts';
import { openTestRepository } from '../../support/repository-fixture.ts';
import { restoreWorld } from '../../support/restore-world.ts';

const CHOICE = { selection: { databases: [], collections: ['shop.weather'], renames: [] } };
const SERIES = { timeseries: { timeField: 't', metaField: 'sensor' } };
/** Of the snapshot, one bucket each. */
const SENSORS = 60;

describe('a time series that applications write to while it is restored', () => {
  let server: ReplicaSet;
  let client: MongoClient;
  let repository: Repository;
  let root: SnapshotRoot;
  let uri: string;
  let writing: { readonly acknowledged: readonly string[]; stop(): Promise<void> };

  before(async () => {
    server = await startReplicaSet({ auth: true, parameters: HOLDABLE });
    await server.createRole(RESTORE_ROLE);
    await server.createRole(BACKUP_ROLE);
    uri = await server.createUser({ user: 'leafvault', password: 'both', roles: ['leafvaultBackup', 'leafvaultRestore'] });
    client = new MongoClient(server.adminUri);
    repository = await openTestRepository(createMemoryStorage());
    await client.db('shop').createCollection('weather', SERIES);
    await client.db('shop').collection('weather').insertMany(Array.from({ length: SENSORS * 5 }, (_, i) => ({ t: new Date(i * 1000), sensor: i % SENSORS, id: `snapshot ${i}` })));
    root = await buildSnapshot(server.adminUri, { repository, databases: ['shop'] });
    await client.db('shop').dropDatabase();
  });

  after(async () => {
    await client?.close();
    await repository?.close();
    await server?.stop();
  });

  beforeEach(() => {
    writing = { acknowledged: [], stop: async () => undefined };
  });

  afterEach(async () => {
    await writing.stop();
    await client.db('shop').dropDatabase();
    await client.db('__leafvault').dropDatabase();
  });

  for (const [how, phase, live] of [['dropped', 'finish:time-series', 7], ['emptied', 'finish:time-series', 7], ['emptied', 'finish:time-series:copying', 0]] as const) {
    test(`fails and says so when its proven copy is ${how} in ${phase}`, { timeout: 900_000 }, async () => {
      await client.db('shop').createCollection('weather', SERIES);
      await client.db('shop').collection('weather').insertMany(Array.from({ length: 7 }, (_, i) => ({ t: new Date(i * 1000), sensor: 'live' })));
      await using world = await restoreWorld(repository, root, uri, { ...CHOICE, timeSeries: 'replace', onPhase: async (name) => {
        if (name !== phase) return;
        const [copy] = await client.db('shop').listCollections({ name: /^__lv_/, type: 'timeseries' }).toArray();
        if (how === 'dropped') await client.db('shop').dropCollection(copy!.name);
        else await client.db('shop').collection(`system.buckets.${copy!.name}`).deleteMany({});
      } });
      await assert.rejects(restoreSnapshot(world.options), { code: 'RESTORE_COPY_LOST', retryable: false, details: { collections: ['shop.weather'] } });
      assert.equal(await client.db('shop').collection('weather').countDocuments(), live, 'what is live was not dropped for nothing');
      assert.equal(world.journal.saved.at(-1)?.['state'], 'finished', 'no plan stays open');
    });
  }

  for (const [before, timeSeries] of [['dropped', 'refuse'], ['damaged', 'replace']] as const) {
    for (const writers of [1, 5]) {
      test(`${before} before, ${writers} writer(s): is whole, and every acknowledged write is live or kept`, { timeout: 900_000 }, async () => {
        await damage(before);
        writing = startWriters(writers);
        const result = await restore({ timeSeries });
        await writing.stop();
        await assertNothingLost(result, before);
        assert.equal(await seriesOf('weather'), 'timeseries');
      });
    }
  }

  test('takes its name from busy writers on a server that is slow to list', { timeout: 900_000 }, async () => {
    await damage('damaged');
    writing = startWriters(5);
    let release = async (): Promise<void> => undefined;
    try {
      const result = await restore({ timeSeries: 'replace', onPhase: async (phase) => {
        if (phase === 'finish:time-series:dropping') ({ release } = await slowCommands(server, ['listCollections'], 100, { appName: 'leafvault-restore' }));
        if (phase === 'finish:time-series:copying') await release();
      } });
      await writing.stop();
      await assertNothingLost(result, 'damaged');
      assert.equal(await seriesOf('weather'), 'timeseries');
    } finally {
      await release();
    }
  });

  test('names no collection that was to be moved aside and was not, as the worker died just before', async () => {
    await damage('dropped');
    await client.db('shop').collection('weather').insertOne({ id: 'of an application' });
    await using world = await restoreWorld(repository, root, uri, CHOICE);
    const died = new Error('of the test');
    const journal = { ...world.journal, save: async (plan: Readonly<Record<string, unknown>>) => {
      await world.journal.save(plan);
      const [series] = plan['timeSeries'] as readonly { readonly gaps: readonly string[] }[];
      if (series?.gaps.length === 1) throw died;
    } };
    await assert.rejects(restoreSnapshot({ ...world.options, journal }), { cause: died });
    const result = await restoreSnapshot(world.options);
    assert.deepEqual(result.movedAside.length, 1);
    assert.deepEqual((result.warnings ?? []).filter((each) => /\.gap\d/.test(each)).length, 1, (result.warnings ?? []).join('\n'));
    assert.match((result.warnings ?? []).join(), new RegExp(`it is kept as ${result.movedAside[0]}:`));
  });

  test('goes on after a failure with what applications wrote since, and ends', async () => {
    await damage('dropped');
    await using world = await restoreWorld(repository, root, uri, {
      ...CHOICE, onPhase: async (phase) => {
        if (phase !== 'finish:time-series:comparing') return;
        writing = startWriters(1);
        while (writing.acknowledged.length < 20) await new Promise(setImmediate);
        await writing.stop();
        throw new Error('of the test');
      },
    });
    const result = await restoreSnapshot(world.options);
    await assertNothingLost(result, 'dropped');
    assert.deepEqual(result.movedAside, []);
    assert.equal(await settleRestore(world.options), 'new');
  });

  test('is left to applications that make a series of their own meanwhile', async () => {
    await damage('dropped');
    const result = await restore({ onPhase: async (phase) => {
      if (phase === 'finish:time-series:dropping') await client.db('shop').createCollection('weather', { timeseries: { timeField: 't' } });
    } });
    const to = (result.collections[0]?.to ?? '').slice('shop.'.length);
    assert.notEqual(to, 'weather');
    assert.equal(await client.db('shop').collection(to).countDocuments(), SENSORS * 5);
    assert.match((result.warnings ?? []).join(), /shop\.weather is left alone: another time series/);
  });

  test('stays where it was loaded when something is there that no series can be made over', async () => {
    const result = await restore({ onPhase: async (phase) => {
      if (phase === 'finish:time-series:dropping') await client.db('shop').collection('system.buckets.weather').insertOne({ a: 1 });
    } });
    const to = (result.collections[0]?.to ?? '').slice('shop.'.length);
    assert.equal(await client.db('shop').collection(to).countDocuments(), SENSORS * 5);
    assert.match((result.warnings ?? []).join(), /shop\.weather is left alone/);
    await assert.rejects(restore({}), /shop\.system\.buckets\.weather is there without its time series/);
  });

  test('keeps the proven copy when applications delete from it while it is filled, and says so', async () => {
    await damage('dropped');
    const result = await restore({ onPhase: async (phase) => {
      if (phase === 'finish:time-series:comparing') await client.db('shop').collection('weather').deleteMany({ sensor: { $in: [1, 2] } });
    } });
    assert.match((result.warnings ?? []).join(), /of its 60 restored buckets 2 were deleted and 0 changed/);
    assert.equal(await client.db('shop').collection('weather').countDocuments(), (SENSORS - 2) * 5);
    const [copy] = result.movedAside;
    assert.equal(await client.db('shop').collection((copy ?? '').slice('shop.'.length)).countDocuments(), SENSORS * 5);
    await assertNotCaptured(result.movedAside);
  });

  test('keeps the proven copy when applications change what was restored while it is filled, and says so', async () => {
    await damage('dropped');
    const result = await restore({ onPhase: async (phase) => {
      if (phase === 'finish:time-series:comparing') await client.db('shop').collection('weather').updateMany({ sensor: { $in: [1, 2, 3] } }, { $set: { sensor: SENSORS } });
    } });
    assert.match((result.warnings ?? []).join(), /of its 60 restored buckets 0 were deleted and 3 changed/);
    assert.equal(await client.db('shop').collection('weather').countDocuments({ sensor: SENSORS }), 3 * 5);
    const [copy] = result.movedAside;
    assert.equal(await client.db('shop').collection((copy ?? '').slice('shop.'.length)).countDocuments({ sensor: { $in: [1, 2, 3] } }), 3 * 5);
  });

  test('stays where it was loaded when somebody drops the new one before it is filled', async () => {
    await damage('dropped');
    const result = await restore({ onPhase: async (phase) => {
      if (phase === 'finish:time-series:copying') await client.db('shop').dropCollection('weather');
    } });
    const to = (result.collections[0]?.to ?? '').slice('shop.'.length);
    assert.equal(await client.db('shop').collection(to).countDocuments(), SENSORS * 5);
    assert.match((result.warnings ?? []).join(), /dropped while it was being filled/);
    assert.deepEqual((await client.db('shop').listCollections({ name: /weather/ }).toArray()).map(({ name }) => name), []);
  });

  async function damage(how: 'dropped' | 'damaged'): Promise<void> {
    const db = client.db('shop');
    if (how === 'dropped') return;
    await db.createCollection('weather', SERIES);
    await db.collection('weather').insertOne({ t: new Date(), sensor: 1, id: 'damaged' });
  }

  async function restore(changes: Partial<RestoreOptions>): Promise<RestoreResult> {
    await using world = await restoreWorld(repository, root, uri, { ...CHOICE, ...changes });
    return await restoreSnapshot(world.options);
  }

  /** As applications do: what fails is tried no more, what was acknowledged is remembered. */
  function startWriters(count: number): typeof writing {
    let going = true;
    const acknowledged: string[] = [];
    const running = Array.from({ length: count }, async (_, writer) => {
      for (let n = 0; going; n++) {
        const id = `application ${writer} ${n}`;
        await client.db('shop').collection('weather').insertOne({ t: new Date(), sensor: 1000 + writer, id }, { writeConcern: { w: 'majority' } }).then(() => acknowledged.push(id), () => undefined);
      }
    });
    return {
      acknowledged,
      stop: async () => {
        going = false;
        await Promise.all(running);
      },
    };
  }

  async function assertNothingLost(result: RestoreResult, before: 'dropped' | 'damaged'): Promise<void> {
    const live = await idsOf('weather');
    assert.deepEqual([...live].filter((id) => id.startsWith('snapshot')).length, SENSORS * 5);
    assert.ok(!live.has('damaged'));
    const kept = new Set(live);
    for (const name of result.movedAside) for (const id of await idsOf(name.slice('shop.'.length))) kept.add(id);
    const lost = writing.acknowledged.filter((id) => !kept.has(id));
    assert.ok(writing.acknowledged.length > 0);
    // What went into the old series before it was dropped goes with it, as with any collection that is replaced.
    if (before === 'dropped') assert.deepEqual(lost, []);
    else for (const mine of Map.groupBy(writing.acknowledged, (id) => id.split(' ')[1]).values()) assert.deepEqual(mine.filter((id) => lost.includes(id)), mine.slice(0, mine.findIndex((id) => !lost.includes(id))));
    await assertNotCaptured(result.movedAside);
  }

  /** The next snapshot is not held up, and has none of what lies beside. */
  async function assertNotCaptured(names: readonly string[]): Promise<void> {
    const { root: next } = await takeSnapshot({ uri, repository });
    const reader = await repository.openReader();
    const captured: string[] = [];
    try {
      for await (const { name } of reader.entries(next)) captured.push(name);
    } finally {
      await reader.close();
    }
    for (const name of names) assert.ok(!captured.includes(name), `${name} is not in ${captured.join()}`);
  }

  async function idsOf(name: string): Promise<Set<string>> {
    return new Set((await client.db('shop').collection(name).find().toArray()).map((each: Document) => String(each['id'])));
  }

  async function seriesOf(name: string): Promise<string | undefined> {
    return (await client.db('shop').listCollections({ name }).toArray())[0]?.type;
  }
});
