import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { MongoClient } from 'mongodb';
import type { RestoreOptions } from '../../../src/engine/contracts.ts';
import { newId } from '../../../src/foundation/ids.ts';
import { LeafvaultError } from '../../../src/foundation/errors.ts';
import { RESTORE_ROLE } from '../../../src/engine/mongo/roles.ts';
import { dropKept, restoreSnapshot, settleRestore, undoRestore } from '../../../src/engine/restore/index.ts';
import type { Repository, SnapshotRoot } from '../../../src/repository/repository.ts';
import { createMemoryStorage } from '../../../src/storage/index.ts';
import { buildSnapshot } from '../../support/build-snapshot.ts';
import { startReplicaSet, type ReplicaSet } from '../../support/mongod.ts';
import { openTestRepository } from '../../support/repository-fixture.ts';
import { contentOfServer, interrupted, memoryJournal, restoreWorld, type RestoreWorld } from '../../support/restore-world.ts';

describe('undoing a restore', () => {
  let server: ReplicaSet;
  let client: MongoClient;
  let repository: Repository;
  let root: SnapshotRoot;
  let uri: string;
  let damaged: Record<string, string>;
  let restored: Record<string, string>;

  before(async () => {
    server = await startReplicaSet({ auth: true });
    await server.createRole(RESTORE_ROLE);
    uri = await server.createUser({ user: 'leafvault', password: 'restores', roles: ['leafvaultRestore'] });
    client = new MongoClient(server.adminUri);
    repository = await openTestRepository(createMemoryStorage());
    const db = client.db('shop');
    await db.collection('orders').insertMany([{ n: 1 }, { n: 2 }]);
    await db.collection('orders').createIndex({ n: 1 });
    await db.collection('gone').insertOne({ n: 3 });
    await db.createCollection('big', { viewOn: 'orders', pipeline: [{ $match: { n: 2 } }] });
    await db.createCollection('lost', { viewOn: 'orders', pipeline: [] });
    root = await buildSnapshot(server.adminUri, { repository });
  });

  after(async () => {
    await client?.close();
    await repository?.close();
    await server?.stop();
  });

  beforeEach(async () => {
    const db = client.db('shop');
    await db.dropDatabase();
    await client.db('__leafvault').dropDatabase();
    await db.collection('orders').insertOne({ n: 'damaged' });
    await db.collection('later').insertOne({ made: 'after the snapshot' });
    await db.createCollection('big', { viewOn: 'orders', pipeline: [{ $match: { n: 'damaged' } }] });
    await db.createCollection('own', { viewOn: 'later', pipeline: [] });
    damaged = await contentOfServer(server.adminUri);
  });

  test('puts back what was there, keeps what was restored, and can be undone in turn', async () => {
    await using world = await restoreKeeping();
    const { putBack, movedAside, warnings } = await undo(world);
    assert.deepEqual(await liveContent(), damaged);
    assert.deepEqual([...putBack].sort(), ['shop.big', 'shop.later', 'shop.orders', 'shop.own']);
    assert.deepEqual(warnings, []);
    const [plan] = await client.db('__leafvault').collection('plans').find().toArray();
    assert.deepEqual([plan?.['state'], plan?.['shadows']], ['finished', movedAside]);
    await undo(world);
    assert.deepEqual(await liveContent(), restored);
  });

  for (const phase of ['swap:aside:shop.gone', 'swap:old:shop.orders', 'swap:new:shop.orders', 'swap:commit', 'finish:views', 'finish:clean-up']) {
    test(`that fails in ${phase} ends on one side, and works when it is called again`, async () => {
      await using world = await restoreKeeping();
      const kept = await namesInDatabase();
      const isDone = await undoRestore({ ...world.options, undoId: newId(), onPhase: async (name) => {
        if (name === phase) throw new Error('boom');
      } }).then(() => true, () => false);
      assert.deepEqual(await liveContent(), isDone ? damaged : restored);
      if (isDone) return;
      assert.deepEqual(await namesInDatabase(), kept, 'nothing that was kept is gone');
      assert.equal(await settleRestore(world.options), 'old');
      await undo(world);
      assert.deepEqual(await liveContent(), damaged);
    });
  }

  for (const phase of ['swap:new:shop.orders', 'finish:views', 'finish:clean-up', 'the end']) {
    test(`whose worker dies at ${phase} is finished by its next attempt, and not taken back`, async () => {
      await using world = await restoreKeeping();
      const undoId = newId();
      let dead = false;
      const lost = new LeafvaultError('CATALOG_LEASE_LOST', 'of the test');
      const journal: RestoreOptions['journal'] = { load: () => world.journal.load(), save: async (plan) => {
        if (dead) throw lost;
        await world.journal.save(plan);
      } };
      await undoRestore({ ...world.options, undoId, journal, onPhase: async (name) => {
        if (name !== phase) return;
        dead = true;
        throw lost;
      } }).catch(() => undefined);
      const { putBack } = await undo(world, undoId);
      assert.deepEqual([...putBack].sort(), ['shop.big', 'shop.later', 'shop.orders', 'shop.own']);
      assert.deepEqual(await liveContent(), damaged);
    });
  }

  test('that was rolled back still lets what is kept go, but for what was live for a moment', async () => {
    await using world = await restoreKeeping();
    await assert.rejects(undoRestore({ ...world.options, undoId: newId(), onPhase: async (name) => {
      if (name !== 'swap:commit') return;
      await client.db('shop').collection('orders').insertOne({ acknowledged: true });
      throw new Error('boom');
    } }), /boom/);
    const still = await dropKept(world.options);
    const found = await Promise.all(still.map((name) => client.db('shop').collection(name.slice('shop.'.length)).countDocuments({ acknowledged: true })));
    assert.equal(found.filter((n) => n === 1).length, 1);
    assert.deepEqual(await liveContent(), restored);
    await assert.rejects(undo(world), /were not kept/);
  });

  test('keeps an acknowledged write of a failed undo also when the next one fails, and until the end', async () => {
    await using world = await restoreKeeping();
    const failIn = async (phase: RegExp, before: () => Promise<unknown>): Promise<void> => {
      await assert.rejects(undoRestore({ ...world.options, undoId: newId(), onPhase: async (name) => {
        if (!phase.test(name)) return;
        await before();
        throw new Error('boom');
      } }), /boom/);
    };
    await failIn(/^swap:commit$/, () => client.db('shop').collection('orders').insertOne({ acknowledged: true }));
    await failIn(/^swap:/, () => Promise.resolve());
    const still = await dropKept(world.options);
    const found = await Promise.all(still.map((name) => client.db('shop').collection(name.slice('shop.'.length)).countDocuments({ acknowledged: true })));
    assert.equal(found.filter((n) => n === 1).length, 1);
  });

  test('keeps what applications made anew where the restore had moved a collection aside', async () => {
    await using world = await restoreKeeping();
    await client.db('shop').collection('later').insertOne({ the: 'application goes on' });
    const { movedAside, warnings } = await undo(world);
    assert.match(warnings.join(), /shop\.later was made anew by applications since the restore/);
    assert.deepEqual(await client.db('shop').collection('later').distinct('made'), ['after the snapshot']);
    const found = await Promise.all(movedAside.map((name) => client.db('shop').collection(name.slice('shop.'.length)).countDocuments({ the: 'application goes on' })));
    assert.equal(found.filter((n) => n === 1).length, 1, 'the write is kept');
  });

  test('is refused beside another restore of the same collections that is not over', async () => {
    const only = { selection: { databases: [], collections: ['shop.orders'], renames: [] } };
    await using world = await restoreKeeping(only);
    await using other = await dyingIn('swap:new:shop.orders', { ...only, oldCollections: 'drop' });
    await assert.rejects(undo(world), /the restore [0-9a-f]{24} of the same collections is not over/);
    await settleRestore(other.options);
    await undo(world);
    assert.deepEqual(await client.db('shop').collection('orders').distinct('n'), ['damaged']);
  });

  test('says after a failure in its finish what is really kept, and again what it leaves as it is', async () => {
    await using world = await restoreKeeping();
    let once = true;
    const { movedAside } = await undoRestore({ ...world.options, undoId: newId(), onPhase: async (name) => {
      if (name !== 'finish:views' || !once) return;
      once = false;
      throw new Error('boom');
    } });
    const [plan] = await client.db('__leafvault').collection('plans').find().toArray();
    assert.deepEqual(movedAside, plan?.['kept']);
    assert.equal((await namesInDatabase()).filter((name) => movedAside.includes(`shop.${name}`)).length, movedAside.length);
  });

  test('drops nothing of what is kept while it is not ended', async () => {
    await using world = await restoreKeeping();
    await using dying = { ...world, [Symbol.asyncDispose]: async () => undefined };
    const kept = (await namesInDatabase()).length;
    await interrupted('swap:new:shop.orders', (options) => undoRestore({ ...options, undoId: newId() }), dying.options);
    await assert.rejects(dropKept(world.options), { code: 'RESTORE_UNSETTLED', retryable: true });
    assert.equal(await settleRestore(world.options), 'old');
    assert.deepEqual(await liveContent(), restored);
    assert.equal((await namesInDatabase()).length, kept);
  });

  test('leaves no view behind after four, and a drop that was killed is done by the next', async () => {
    await using world = await restoreKeeping();
    for (let n = 0; n < 4; n++) await undo(world);
    let saves = 0;
    const journal: RestoreOptions['journal'] = { load: () => world.journal.load(), save: async (plan) => {
      await world.journal.save(plan);
      if (saves++ === 0) throw new LeafvaultError('CATALOG_LEASE_LOST', 'of the test');
    } };
    await assert.rejects(dropKept({ ...world.options, journal }));
    assert.deepEqual(await dropKept(world.options), []);
    assert.deepEqual((await namesInDatabase()).filter((name) => name.startsWith('__lv_')), []);
    assert.equal(await client.db('__leafvault').collection('plans').countDocuments(), 0);
  });

  test('is refused with every reason, and changes nothing, when somebody changed what it would put back or replace', async () => {
    await using world = await restoreKeeping();
    const [old] = (await namesInDatabase()).filter((name) => name.includes('.old'));
    await client.db('shop').dropCollection(old ?? '');
    await client.db('shop').dropCollection('gone');
    await client.db('shop').collection('gone').insertOne({ made: 'since' });
    const before = await contentOfServer(server.adminUri);
    await assert.rejects(undo(world), (error: Error & { code: string; details: { reasons: string[] } }) => {
      assert.equal(error.code, 'RESTORE_UNDO_REFUSED');
      assert.match(error.details.reasons.join('\n'), /the old collection of shop\.\w+ is gone[^]*shop\.gone is no longer the collection that was restored/);
      return true;
    });
    assert.deepEqual(await contentOfServer(server.adminUri), before);
  });

  test('that was done before is not taken back by another one that wants the same side', async () => {
    await using world = await restoreKeeping();
    await undoRestore({ ...world.options, undoId: newId(), wanted: 'old' });
    const names = await namesInDatabase();
    // As behind a rescue: the journal is gone, the target's copy of the plan is there.
    const journal = memoryJournal();
    const again = await undoRestore({ ...world.options, journal, undoId: newId(), wanted: 'old' });
    assert.deepEqual([await liveContent(), await namesInDatabase()], [damaged, names]);
    assert.deepEqual([...again.putBack].sort(), ['shop.big', 'shop.later', 'shop.orders', 'shop.own']);
    assert.deepEqual([journal.saved.at(-1)?.['kind'], journal.saved.at(-1)?.['state']], ['undo', 'finished'], 'from now on the journal knows');
    await undoRestore({ ...world.options, journal, undoId: newId(), wanted: 'new' });
    assert.deepEqual(await liveContent(), restored);
  });

  test('of a restore that put a view in the place of a collection is told of before anything is written, refused, and works once the view is dropped', async () => {
    const db = client.db('shop');
    await db.collection('lost').drop().catch(() => undefined);
    await db.collection('lost').insertOne({ was: 'a collection' });
    const told: string[] = [];
    await using world = await restoreWorld(repository, root, uri, { oldCollections: 'keep', onWarnings: async (warnings) => {
      told.push(...warnings);
      assert.equal(await client.db('__leafvault').collection('plans').countDocuments(), 0);
    } });
    await restoreSnapshot(world.options);
    assert.deepEqual(told.filter((words) => words.includes('undo')), ['shop.lost becomes a view where a collection is; before an undo puts that back, the view has to be dropped']);
    await assert.rejects(undo(world), /shop\.lost is a view now; drop it first/);
    await db.collection('lost').drop();
    await undo(world);
    assert.deepEqual(await db.collection('lost').distinct('was'), ['a collection']);
  });

  test('is refused when nothing was kept', async () => {
    await using world = await restoreWorld(repository, root, uri, { oldCollections: 'drop' });
    await restoreSnapshot(world.options);
    await assert.rejects(undo(world), /its old collections were not kept/);
  });

  test('is refused once what was kept is dropped; writes that came in between stay kept', async () => {
    await using world = await restoreKeeping({ onPhase: async (phase) => {
      if (phase === 'swap:new:shop.orders') await client.db('shop').collection('orders').insertOne({ came: 'in between' });
    } });
    const still = await dropKept(world.options);
    assert.equal(still.length, 1);
    assert.equal(await client.db('shop').collection((still[0] ?? '').slice('shop.'.length)).countDocuments({ came: 'in between' }), 1);
    assert.deepEqual((await namesInDatabase()).filter((name) => name.startsWith('__lv_')).map((name) => `shop.${name}`), still);
    await assert.rejects(undo(world), /its old collections were not kept/);
    assert.deepEqual(await dropKept(world.options), still);
  });

  test('leaves a collection alone that somebody gave the name of one that was kept', async () => {
    await using world = await restoreKeeping();
    const [old = ''] = (await namesInDatabase()).filter((name) => name.includes('.old'));
    await client.db('shop').dropCollection(old);
    await client.db('shop').collection(old).insertOne({ whose: 'not ours' });
    assert.deepEqual(await dropKept(world.options), []);
    assert.deepEqual((await namesInDatabase()).filter((name) => name.startsWith('__lv_')), [old]);
    assert.equal(await client.db('shop').collection(old).countDocuments({ whose: 'not ours' }), 1);
  });

  test('says what stays as the restore left it: time series, users and roles', async () => {
    const db = client.db('shop');
    await db.createCollection('weather', { timeseries: { timeField: 't' } });
    await db.collection('weather').insertOne({ t: new Date(0), made: 'before the snapshot' });
    const whole = await buildSnapshot(server.adminUri, { repository, usersAndRoles: true });
    await db.collection('weather').insertOne({ t: new Date(), made: 'after the snapshot' });
    await using world = await restoreWorld(repository, whole, uri, { oldCollections: 'keep', timeSeries: 'replace', usersAndRoles: true });
    await restoreSnapshot(world.options);
    const { warnings } = await undo(world);
    assert.deepEqual(warnings, ["the time series shop.weather stays as the restore left it: time series can't be swapped", 'users and roles that the restore merged stay']);
    assert.deepEqual((await db.collection('weather').find().toArray()).map(({ made }) => String(made)), ['before the snapshot']);
    assert.deepEqual((await undo(world)).warnings, [], 'what an undo leaves is nothing new');
  });

  const undo = (world: RestoreWorld, undoId = newId()): ReturnType<typeof undoRestore> => undoRestore({ ...world.options, undoId });

  async function dyingIn(phase: string, changes: Partial<RestoreOptions>): Promise<RestoreWorld> {
    const world = await restoreWorld(repository, root, uri, changes);
    await interrupted(phase, restoreSnapshot, world.options);
    return world;
  }

  async function restoreKeeping(changes: Partial<RestoreOptions> = {}): Promise<RestoreWorld> {
    const world = await restoreWorld(repository, root, uri, { oldCollections: 'keep', ...changes });
    await restoreSnapshot(world.options);
    restored = await liveContent();
    assert.notDeepEqual(restored, damaged);
    return world;
  }

  /** Without what is kept. */
  async function liveContent(): Promise<Record<string, string>> {
    return Object.fromEntries(Object.entries(await contentOfServer(server.adminUri)).filter(([name]) => !name.startsWith('shop.__lv_')));
  }

  async function namesInDatabase(): Promise<string[]> {
    return (await client.db('shop').listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name).sort();
  }
});
