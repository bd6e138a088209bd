// Bases that are taken beside changes of the catalog: every instant behind them has to be restorable. Above all those whose instant lies within a
// command of several oplog entries: `$out`, convertToCapped and renames across databases fill a collection of the server's own that takes its name afterwards.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { MongoClient, type Db, type Document } from 'mongodb';
import { compareClusterTimes, type ClusterTime } from '../../../../src/domain/cluster-time.ts';
import type { RestoreOptions } from '../../../../src/engine/contracts.ts';
import { restoreSnapshot } from '../../../../src/engine/restore/index.ts';
import type { Repository } from '../../../../src/repository/repository.ts';
import { createMemoryStorage } from '../../../../src/storage/index.ts';
import { takeSnapshot, type CapturedInTest } from '../../../support/capture.ts';
import { keepOplog, type KeptOplog } from '../../../support/kept-oplog.ts';
import { startReplicaSet, type ReplicaSet } from '../../../support/mongod.ts';
import { PARKABLE, parkBefore, reached, type Parked } from '../../../support/park-secondary.ts';
import { openTestRepository } from '../../../support/repository-fixture.ts';
import { restoreWorld } from '../../../support/restore-world.ts';
import { compareOracles, readOracle, type OracleCollection } from '../../backup/oracle.ts';
import { openOplogSource, type OplogSource } from '../../replay/oplog-source.ts';

type Held = ReadonlyMap<string, OracleCollection>;

const DATABASES = ['shop', 'other'];
const N = 40;
/** The primary answers at once: the secondary is held. */
const ALONE = { writeConcern: { w: 1 } };
const COMMANDS = {
  $out: (shop: Db) => shop.collection('orders').aggregate([{ $set: { copied: true } }, { $out: 'target' }], ALONE).toArray(),
  convertToCapped: (shop: Db) => shop.command({ convertToCapped: 'target', size: 100_000, ...ALONE }),
  'a rename across databases': () => client.db('admin').command({ renameCollection: 'shop.target', to: 'other.target', ...ALONE }),
} as const;
type Command = keyof typeof COMMANDS;
/** The entry with which the server's own collection takes its name. */
const RENAME = { renameCollection: { $regex: '\\.tmp' } };

let from: ReplicaSet;
let to: ReplicaSet;
let client: MongoClient;
let secondary: MongoClient;
let target: MongoClient;
let repository: Repository;
let oplog: KeptOplog;
let source: OplogSource;

before(async () => {
  [from, to] = await Promise.all([startReplicaSet({ members: 2, parameters: { ...PARKABLE, minSnapshotHistoryWindowInSeconds: 600 } }), startReplicaSet()]);
  client = new MongoClient(from.memberUri(0));
  secondary = new MongoClient(from.memberUri(1));
  target = new MongoClient(to.uri);
  repository = await openTestRepository(createMemoryStorage());
  source = await openOplogSource(client);
  oplog = await keepOplog(from.memberUri(0), repository);
});

after(async () => {
  await oplog?.stop();
  for (const each of [client, secondary, target]) await each?.close();
  await repository?.close();
  await Promise.all([from?.stop(), to?.stop()]);
});

/** @returns what the source holds */
async function prepare(): Promise<Held> {
  for (const name of DATABASES) await client.db(name).dropDatabase();
  for (const name of ['orders', 'target']) {
    await client.db('shop').collection<Document>(name).insertMany(Array.from({ length: N }, (_, n) => ({ _id: n as never, n, of: name })));
    await client.db('shop').collection(name).createIndex({ n: 1 });
  }
  await client.db('shop').createCollection('view0', { viewOn: 'orders', pipeline: [] });
  await client.db('other').collection('kept').insertOne({ a: 1 });
  return held();
}

async function held(): Promise<Held> {
  return readOracle(client, DATABASES, await source.now());
}

function snapshot(phases: Readonly<Record<string, () => Promise<unknown>>> = {}): Promise<CapturedInTest> {
  return takeSnapshot({ uri: from.memberUri(1), repository, selection: { databases: DATABASES, collections: [] }, onPhase: async (phase) => void (await phases[phase]?.()) });
}

const park = (command: Command): Promise<Parked> => parkBefore(client, secondary, RENAME, () => COMMANDS[command](client.db('shop')));

/** What a target holds after a restore, compared with what it should hold. */
async function assertRestores({ root }: CapturedInTest, border: ClusterTime | null, wanted: Held): Promise<void> {
  for (const name of DATABASES) await target.db(name).dropDatabase();
  const changes: Partial<RestoreOptions> = border === null ? {} : { instant: oplog.instant(border) };
  await using world = await restoreWorld(repository, root, to.uri, changes);
  await restoreSnapshot(world.options);
  const found = await readOracle(target, DATABASES, await (await openOplogSource(target)).now());
  // A rename across databases has no mark for its collection: it is one like any other.
  assert.deepEqual(compareOracles(new Map([...found].filter(([name]) => !name.includes('.renameCollection'))), wanted), []);
}

/** Writes to what came of the command, and restores the end. */
async function assertEnd(base: CapturedInTest): Promise<void> {
  for (const name of DATABASES) await client.db(name).collection<Document>('target').updateOne({ _id: 3 as never }, { $inc: { n: 1_000 } });
  const end = await source.now();
  await oplog.reach(end);
  await assertRestores(base, end, await readOracle(client, DATABASES, end));
}

describe('a base that is taken within a command of several entries', { timeout: 900_000 }, () => {
  for (const command of Object.keys(COMMANDS) as Command[]) {
    test(`${command}, begun before it and ended after it, restores every instant behind it`, async () => {
      const wanted = await prepare();
      const parked = await park(command);
      const base = await snapshot().finally(() => parked.release());
      assert.deepEqual(base.body.pointInTime, parked.before);
      await oplog.reach(parked.at);
      await assertRestores(base, parked.before, wanted);
      await assertEnd(base);
    });
  }

  for (const command of ['$out', 'convertToCapped'] as const) {
    test(`${command}, begun while it is captured and ended after it, restores every instant behind it`, async () => {
      const wanted = await prepare();
      let parked: Parked | undefined;
      const base = await snapshot({ scanned: async () => { parked = await park(command); } }).finally(() => parked?.release());
      assert.ok(compareClusterTimes(base.body.beganAt!, parked!.before) < 0);
      assert.deepEqual(base.body.pointInTime, parked!.before);
      await assertEnd(base);
      // What the server had for a while is kept beside, for the instants behind it: it is no part of the snapshot.
      await assertRestores(base, null, wanted);
      assert.equal(base.body.collections, [...wanted.values()].filter(({ type }) => type !== 'view').length);
    });
  }

  test('$out, begun before it and ended while it is captured, restores every instant behind it', async () => {
    await prepare();
    const parked = await park('$out');
    const base = await snapshot({ listed: () => parked.release() }).finally(() => parked.release());
    assert.deepEqual(base.body.beganAt, parked.before);
    await assertEnd(base);
  });
});

/** Every kind of change that leaves `orders` and `target` there. */
async function changeAll(n: number): Promise<void> {
  const [shop, other] = [client.db('shop'), client.db('other')];
  await other.dropDatabase();
  await other.collection('kept').insertOne({ after: n });
  await shop.dropCollection('orders');
  await shop.createCollection('orders', { collation: { locale: 'de' } });
  await shop.collection('orders').insertMany([{ again: n }, { again: n + 1 }]);
  await shop.collection('new').insertOne({ n });
  await shop.renameCollection('new', 'target', { dropTarget: true });
  await shop.collection('target').createIndex({ n: -1 });
  await shop.command({ collMod: 'target', validator: { n: { $exists: true } }, validationLevel: 'moderate' });
  await shop.collection('orders').createIndex({ again: 1 });
  await shop.collection('orders').createIndex({ wrong: 1 }, { unique: true }).catch(() => undefined);
  await shop.dropCollection(`view${n - 1}`);
  await shop.createCollection(`view${n}`, { viewOn: 'target', pipeline: [] });
  await shop.collection('orders').aggregate([{ $out: 'copied' }]).toArray();
  await shop.command({ convertToCapped: 'copied', size: 100_000 });
  await client.db('admin').command({ renameCollection: 'shop.copied', to: `other.capped${n}` });
  await reached(secondary, await source.now());
}

describe('a base that is taken beside changes of the catalog', { timeout: 900_000 }, () => {
  test('is what was there when they had all been made, and restores what comes behind', async () => {
    await prepare();
    let wanted: Held = new Map();
    const base = await snapshot({
      listed: () => changeAll(1),
      scanned: async () => {
        await changeAll(2);
        wanted = await held();
        await reached(secondary, await source.now());
      },
    });
    await changeAll(3);
    await oplog.reach(base.body.pointInTime!);
    await assertRestores(base, base.body.pointInTime, wanted);
    await assertEnd(base);
  });

  test('has no index whose build had not ended, and gets those whose build ends well behind it', async () => {
    await prepare();
    const build = (mode: string): Promise<Document> => client.db('admin').command({ configureFailPoint: 'hangAfterStartingIndexBuild', mode });
    const target = client.db('shop').collection<Document>('target');
    await target.insertMany([{ _id: -1 as never, n: -1, same: 1 }, { _id: -2 as never, n: -2, same: 1 }]);
    const wanted = await held();
    await build('alwaysOn');
    const builds = ['n', 'same'].map((key) => target.createIndex({ [key]: -1 }, { unique: true }).then(() => true, () => false));
    while (((await secondary.db('shop').command({ listIndexes: 'target', includeBuildUUIDs: true })).cursor.firstBatch as Document[]).length < 4) await reached(secondary, await source.now());
    const open = await snapshot();
    const ended = await snapshot({ listed: async () => {
      await build('off');
      assert.deepEqual(await Promise.all(builds), [true, false]);
      await reached(secondary, await source.now());
    } });
    const { pointInTime } = open.body;
    await oplog.reach(pointInTime!);
    await assertRestores(open, pointInTime, wanted);
    await assertEnd(open);
    await assertEnd(ended);
    assert.deepEqual((await target.indexes()).map(({ name }) => name), ['_id_', 'n_1', 'n_-1']);
  });
});
