// A restore that rests keeps what it loaded whole; the attempt that goes on takes it over and proves it.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { MongoClient } from 'mongodb';
import type { RestoreOptions } from '../../../src/engine/contracts.ts';
import type { Load } from '../../../src/engine/restore/context.ts';
import { restoreSnapshot, settleRestore } from '../../../src/engine/restore/index.ts';
import { parsePlan } from '../../../src/engine/restore/plan.ts';
import { restShadows } from '../../../src/engine/restore/rest-shadows.ts';
import { systemClock } from '../../../src/foundation/clock.ts';
import { isLeafvaultError, LeafvaultError } from '../../../src/foundation/errors.ts';
import type { Repository, SnapshotRoot } from '../../../src/repository/repository.ts';
import { createMemoryStorage } from '../../../src/storage/index.ts';
import { buildSnapshot } from '../../support/build-snapshot.ts';
import { startReplicaSet, type ReplicaSet } from '../../support/mongod.ts';
import { openTestRepository } from '../../support/repository-fixture.ts';
import { contentOfServer, restoreWorld, type RestoreWorld } from '../../support/restore-world.ts';

const CHOICE = { selection: { databases: ['shop'], collections: [], renames: [] }, rests: (reason: unknown) => isLeafvaultError(reason, 'JOBS_PAUSED') };

describe('a restore that rests', { timeout: 900_000 }, () => {
  let server: ReplicaSet;
  let client: MongoClient;
  let repository: Repository;
  let root: SnapshotRoot;
  let wanted: Record<string, string>;

  before(async () => {
    server = await startReplicaSet({ parameters: { enableTestCommands: 1 } });
    client = new MongoClient(server.uri);
    repository = await openTestRepository(createMemoryStorage());
    const shop = client.db('shop');
    await shop.collection('orders').insertMany(Array.from({ length: 200 }, (_, n) => ({ _id: n as never, text: `order ${n}` })));
    await shop.collection('orders').createIndex({ text: 1 }, { name: 'by text' });
    await shop.collection('people').insertOne({ name: 'Ada' });
    await shop.createCollection('recent', { viewOn: 'orders', pipeline: [{ $match: { _id: { $gt: 100 } } }] });
    root = await buildSnapshot(server.uri, { repository, databases: ['shop'] });
    wanted = await contentOfServer(server.uri);
  });
  after(async () => {
    await client?.close();
    await repository?.close();
    await server?.stop();
  });
  let damaged: Record<string, string>;
  beforeEach(async () => {
    await client.db('shop').dropDatabase();
    await client.db('shop').collection('orders').insertOne({ damaged: true });
    damaged = await contentOfServer(server.uri);
  });

  /** Paused when it comes to a phase. */
  const pausedAt = async (world: RestoreWorld, at: string, changes: Partial<RestoreOptions> = {}): Promise<void> => {
    const pause = new AbortController();
    const onPhase = async (phase: string): Promise<void> => { if (phase === at) pause.abort(new LeafvaultError('JOBS_PAUSED', 'paused')); };
    await assert.rejects(restoreSnapshot({ ...world.options, signal: pause.signal, onPhase, ...changes }), { code: 'JOBS_PAUSED' });
  };
  const uuidsNow = async (): Promise<Map<string, string>> => new Map((await client.db('shop').listCollections({ type: 'collection' }).toArray()).map((each) => [each.name, String((each as { info?: { uuid?: unknown } }).info?.uuid)]));
  const shadows = async (): Promise<string[]> => [...(await uuidsNow()).keys()].filter((name) => name.startsWith('__lv_')).sort();
  const live = async (): Promise<Record<string, string>> => Object.fromEntries(Object.entries(await contentOfServer(server.uri)).filter(([name]) => !name.includes('.__lv_')));

  test('takes over a collection whose indexes are still being built, once they are', async () => {
    await using world = await restoreWorld(repository, root, server.uri, CHOICE);
    await pausedAt(world, 'indexes');
    const counts = await Promise.all((await shadows()).map(async (name) => [name, await client.db('shop').collection(name).countDocuments()] as const));
    const [shadow = ''] = counts.find(([, documents]) => documents === 200) ?? [];
    const failPoint = 'hangAfterStartingIndexBuildUnlocked';
    await client.db('admin').command({ configureFailPoint: failPoint, mode: 'alwaysOn' });
    const letGo = (): Promise<unknown> => client.db('admin').command({ configureFailPoint: failPoint, mode: 'off' });
    // As a build that a closed connection left goes on.
    const building = client.db('shop').command({ createIndexes: shadow, indexes: [{ key: { text: 1 }, name: 'by text' }] });
    try {
      await client.db('admin').command({ waitForFailPoint: failPoint, timesEntered: 1, maxTimeMS: 30_000 });
      let waited = false;
      const log = Object.create(world.options.log, { info: { value: (_what: unknown, message: string) => {
        if (/still being built/.test(message)) void letGo();
        waited ||= /still being built/.test(message);
      } } }) as RestoreOptions['log'];
      await restoreSnapshot({ ...world.options, log });
      assert.equal(waited, true);
      assert.deepEqual(await contentOfServer(server.uri), wanted);
    } finally {
      await letGo();
      await building;
    }
  });

  for (const phase of ['indexes', 'swap']) {
    test(`before its ${phase} goes on with the very collections that it had loaded`, async () => {
      await using world = await restoreWorld(repository, root, server.uri, CHOICE);
      await pausedAt(world, phase);
      assert.deepEqual(await live(), damaged, 'what is live is as it was');
      const resting = await uuidsNow();
      assert.equal((await shadows()).length, 2, 'two collections, and no trial of the view');
      const told: string[] = [];
      const result = await restoreSnapshot({ ...world.options, onProgress: ({ phase: at, documentsDone }) => void told.push(`${at} ${documentsDone}`) });
      assert.equal(result.documents, 201);
      assert.deepEqual(await contentOfServer(server.uri), wanted);
      const now = await uuidsNow();
      for (const name of ['orders', 'people']) assert.ok([...resting].some(([shadow, uuid]) => shadow.startsWith('__lv_') && uuid === now.get(name)), `${name} was not loaded again`);
      assert.ok(told.includes('prove 201'), 'all of it was read back');
      assert.equal(await client.db('__leafvault').collection('plans').countDocuments(), 0);
    });
  }

  test('twice, the second time before it had taken anything over, goes on all the same', async () => {
    await using world = await restoreWorld(repository, root, server.uri, CHOICE);
    await pausedAt(world, 'prove');
    const resting = [...(await uuidsNow()).values()];
    await pausedAt(world, 'preflight');
    await pausedAt(world, 'prepare');
    assert.equal((await shadows()).length, 2);
    await restoreSnapshot(world.options);
    assert.deepEqual(await contentOfServer(server.uri), wanted);
    assert.ok(resting.includes((await uuidsNow()).get('orders') ?? ''));
  });

  test('proves what rested: what somebody wrote to meanwhile never goes live', async () => {
    await using world = await restoreWorld(repository, root, server.uri, CHOICE);
    await pausedAt(world, 'indexes');
    for (const name of await shadows()) await client.db('shop').collection(name).insertOne({ stranger: true });
    await assert.rejects(restoreSnapshot(world.options), { code: 'RESTORE_PROOF_FAILED' });
    assert.deepEqual(await contentOfServer(server.uri), damaged, 'and it is rolled back');
  });

  test('drops what it had begun for ten seconds at most; what is left goes before it goes on', async () => {
    await using world = await restoreWorld(repository, root, server.uri, CHOICE);
    await pausedAt(world, 'indexes');
    // As if many more had been under construction.
    const plan = parsePlan((await world.journal.load())!);
    const [step] = plan.swaps;
    assert.ok(step?.shadowUuid);
    const begun = Array.from({ length: 40 }, (_, n) => `${plan.prefix}.${900 + n}`);
    for (const name of begun) await client.db('shop').createCollection(name);
    plan.swaps.push(...begun.map((shadow) => ({ ...step, shadow, shadowUuid: null })));
    let seconds = 0;
    const clock = { ...systemClock, monotonicMs: () => (seconds += 1) * 1000 };
    const load = { entry: { body: { kind: 'collection' } }, step, loaded: { committed: true, electionId: null }, rested: null } as unknown as Load;
    assert.equal(await restShadows({ ...world.options, clock }, plan, [load]), true);
    const left = (await shadows()).length - 1;
    assert.ok(left > 20 && left < 40, `${left} of 40 are left, beside the one that rests`);
    await restoreSnapshot(world.options);
    assert.deepEqual(await contentOfServer(server.uri), wanted);
  });

  test('loads again what is gone', async () => {
    await using world = await restoreWorld(repository, root, server.uri, CHOICE);
    await pausedAt(world, 'indexes');
    for (const name of await shadows()) await client.db('shop').collection(name).drop();
    await restoreSnapshot(world.options);
    assert.deepEqual(await contentOfServer(server.uri), wanted);
  });

  test('is taken away by its settlement, and is in the way of another one of the same collections until then', async () => {
    await using world = await restoreWorld(repository, root, server.uri, CHOICE);
    await pausedAt(world, 'indexes');
    await using other = await restoreWorld(repository, root, server.uri, CHOICE);
    await assert.rejects(restoreSnapshot(other.options), { code: 'RESTORE_PREFLIGHT_REFUSED' });
    assert.equal(await settleRestore(world.options), 'old');
    assert.deepEqual(await contentOfServer(server.uri), damaged);
    await restoreSnapshot(other.options);
    assert.deepEqual(await contentOfServer(server.uri), wanted);
  });

  test('keeps nothing where it is ended for another reason, or had loaded nothing', async () => {
    await using world = await restoreWorld(repository, root, server.uri, CHOICE);
    await pausedAt(world, 'load');
    assert.deepEqual(await contentOfServer(server.uri), damaged);
    const cancel = new AbortController();
    const onPhase = async (phase: string): Promise<void> => { if (phase === 'prove') cancel.abort(new LeafvaultError('JOBS_CANCELLED', 'cancelled')); };
    await assert.rejects(restoreSnapshot({ ...world.options, signal: cancel.signal, onPhase }), { code: 'JOBS_CANCELLED' });
    assert.deepEqual(await contentOfServer(server.uri), damaged);
  });
});
