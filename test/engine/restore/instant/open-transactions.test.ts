// Transactions of a real server that are open at an edge: parts before the base's T0, at its T1, before the border, and the end behind it.
// They count at their last entry, whole or not at all.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { MongoClient, type Binary, type ClientSession, type Document, type Timestamp } from 'mongodb';
import { compareClusterTimes, type ClusterTime } from '../../../../src/domain/cluster-time.ts';
import { restoreSnapshot } from '../../../../src/engine/restore/index.ts';
import type { Repository } from '../../../../src/repository/repository.ts';
import { createMemoryStorage } from '../../../../src/storage/index.ts';
import { takeSnapshot, type CapturedInTest } from '../../../support/capture.ts';
import { keepOplog, type KeptOplog } from '../../../support/kept-oplog.ts';
import { startReplicaSet, type ReplicaSet } from '../../../support/mongod.ts';
import { PARKABLE, parkBefore, reached, type Parked } from '../../../support/park-secondary.ts';
import { openTestRepository } from '../../../support/repository-fixture.ts';
import { restoreWorld } from '../../../support/restore-world.ts';
import { openOplogSource, type OplogSource } from '../../replay/oplog-source.ts';

/** Of `shop.accounts`: `_id` to balance. */
type Balances = Readonly<Record<string, number>>;

/** Three of them make more than an entry holds. */
const LARGE = 6_000_000;
let set: ReplicaSet;
let client: MongoClient;
let secondary: MongoClient;
let repository: Repository;
let oplog: KeptOplog;
let source: OplogSource;
const accounts = () => client.db('shop').collection<Document>('accounts');

before(async () => {
  set = await startReplicaSet({ members: 2, oplogSizeMB: 990, parameters: { ...PARKABLE, maxNumberOfTransactionOperationsInSingleOplogEntry: 2, minSnapshotHistoryWindowInSeconds: 600 } });
  client = new MongoClient(set.memberUri(0));
  secondary = new MongoClient(set.memberUri(1));
  repository = await openTestRepository(createMemoryStorage());
  source = await openOplogSource(client);
  oplog = await keepOplog(set.memberUri(0), repository);
});

after(async () => {
  await oplog?.stop();
  await client?.close();
  await secondary?.close();
  await repository?.close();
  await set?.stop();
});

async function prepare(): Promise<void> {
  await client.db('shop').dropDatabase();
  await accounts().insertMany([{ _id: 'giver' as never, balance: 100 }, { _id: 'taker' as never, balance: 0 }, { _id: 'other' as never, balance: 1 }]);
  await reached(secondary, await source.now());
}

function snapshot(phases: Readonly<Record<string, () => Promise<unknown>>> = {}): Promise<CapturedInTest> {
  return takeSnapshot({ uri: set.memberUri(1), repository, selection: { databases: ['shop'], collections: [] }, onPhase: async (phase) => void (await phases[phase]?.()) });
}

/** Its changes are in the first and the last of three entries. */
async function transfer(session: ClientSession, bytes: number): Promise<void> {
  await accounts().updateOne({ _id: 'giver' as never }, { $inc: { balance: -30 } }, { session });
  for (let n = 0; n < 3; n += 1) await accounts().insertOne({ _id: `pad ${n}` as never, balance: n, pad: Buffer.alloc(bytes, n) }, { session });
  await accounts().deleteOne({ _id: 'other' as never }, { session });
  await accounts().updateOne({ _id: 'taker' as never }, { $inc: { balance: 30 } }, { session });
}

const BEFORE: Balances = { giver: 100, taker: 0, other: 1 };
const AFTER: Balances = { giver: 70, taker: 30, 'pad 0': 0, 'pad 1': 1, 'pad 2': 2 };

/** The secondary, and with it the majority, waits before the last entry. */
function parkTransfer(bytes: number): Promise<Parked> {
  return parkBefore(client, secondary, { count: { $exists: true } }, () => client.withSession((session) => session.withTransaction(() => transfer(session, bytes), { writeConcern: { w: 1 } })));
}

async function assertRestores({ root }: CapturedInTest, border: ClusterTime | null, wanted: Balances): Promise<void> {
  await client.db('copy').dropDatabase();
  if (border !== null) await oplog.reach(border);
  await using world = await restoreWorld(repository, root, set.uri, {
    selection: { databases: ['shop'], collections: [], renames: [{ from: 'shop', to: 'copy' }] }, ...(border === null ? {} : { instant: oplog.instant(border) }),
  });
  await restoreSnapshot(world.options);
  const found = await client.db('copy').collection<Document>('accounts').find().project<{ _id: string; balance: number; pad: Binary }>({}).toArray();
  assert.deepEqual(Object.fromEntries(found.map(({ _id, balance }) => [_id, balance])), wanted);
  assert.ok(found.every(({ _id, balance, pad }) => !_id.startsWith('pad') || pad.buffer.every((byte) => byte === balance)));
}

describe('a transaction of several entries', { timeout: 900_000 }, () => {
  test('that is open at a border counts there not at all, and at its last entry whole', async () => {
    await prepare();
    const early = await snapshot();
    const parked = await parkTransfer(LARGE);
    const open = await snapshot().finally(() => parked.release());
    // T0 and T1 lie behind a part of it.
    assert.deepEqual([open.body.beganAt, open.body.pointInTime], [parked.before, parked.before]);
    assert.equal((await source.entries(early.body.pointInTime!)).filter(({ raw }) => raw.includes('partialTxn')).length, 2);
    await assertRestores(early, parked.before, BEFORE);
    for (const base of [early, open]) await assertRestores(base, parked.at, AFTER);
  });

  test('that began before a base and ends while it is captured is in it whole', async () => {
    await prepare();
    const parked = await parkTransfer(10);
    const base = await snapshot({ scanned: () => parked.release() }).finally(() => parked.release());
    assert.deepEqual(base.body.beganAt, parked.before);
    assert.ok(compareClusterTimes(base.body.pointInTime!, parked.at) >= 0);
    await assertRestores(base, null, AFTER);
  });
});

describe('a prepared transaction', { timeout: 900_000 }, () => {
  test('counts when it commits, whatever was written meanwhile', async () => {
    await prepare();
    const base = await snapshot();
    await using session = client.startSession();
    session.startTransaction({ writeConcern: { w: 'majority' } });
    await accounts().updateOne({ _id: 'giver' as never }, { $inc: { balance: -30 } }, { session });
    await accounts().insertOne({ _id: 'made' as never, balance: 5 }, { session });
    const { prepareTimestamp } = await client.db('admin').command({ prepareTransaction: 1, writeConcern: { w: 'majority' } }, { session });
    await accounts().updateOne({ _id: 'taker' as never }, { $inc: { balance: 7 } });
    const meanwhile = await source.now();
    await client.db('admin').command({ commitTransaction: 1, commitTimestamp: prepareTimestamp, writeConcern: { w: 'majority' } }, { session });
    const [commit] = await client.db('local').collection('oplog.rs').find({ 'o.commitTransaction': 1 }).sort({ $natural: -1 }).limit(1).toArray();
    const { t, i } = commit!['ts'] as Timestamp;
    await source.now();
    await assertRestores(base, meanwhile, { giver: 100, taker: 7, other: 1 });
    await assertRestores(base, { t, i: i - 1 }, { giver: 100, taker: 7, other: 1 });
    await assertRestores(base, { t, i }, { giver: 70, taker: 7, other: 1, made: 5 });
  });
});
