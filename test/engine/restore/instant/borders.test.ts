import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { BSON, type Document } from 'mongodb';
import type { ClusterTime } from '../../../../src/domain/cluster-time.ts';
import type { RestoreOptions, RestoreResult, RestoreSnapshot, SnapshotBody } from '../../../../src/engine/contracts.ts';
import { restoreSnapshot } from '../../../../src/engine/restore/index.ts';
import { isLeafvaultError } from '../../../../src/foundation/errors.ts';
import type { SnapshotRoot } from '../../../../src/repository/repository.ts';
import { sliceName } from '../../../../src/repository/format/names.ts';
import { createMemoryStorage, type Storage } from '../../../../src/storage/index.ts';
import { takeSnapshot } from '../../../support/capture.ts';
import { keepOplog } from '../../../support/kept-oplog.ts';
import { copyToMemory, openTestRepository } from '../../../support/repository-fixture.ts';
import { restoreWorld, type RestoreWorld } from '../../../support/restore-world.ts';
import { INTO_COPY, startSmallSource, type SmallSource } from './small-source.ts';

type Options = Parameters<RestoreSnapshot>[0];

let storage: Storage;
let small: SmallSource;
const orders = (): ReturnType<typeof collection> => collection('orders');
const collection = (name: string) => small.client.db('shop').collection<Document>(name);

before(async () => {
  storage = createMemoryStorage();
  small = await startSmallSource(storage, async (client) => {
    await client.db('shop').collection<Document>('orders').insertMany(Array.from({ length: 500 }, (_, n) => ({ _id: n as never, n, text: 'x'.repeat(100) })));
    await client.db('shop').collection('orders').createIndex({ n: 1 });
    await client.db('shop').collection('stock').insertOne({ _id: 1 as never, left: 10 });
    await client.db('shop').collection('old').insertMany([{ a: 1 }, { a: 2 }]);
    await client.db('shop').createCollection('log', { capped: true, size: 4096, max: 5 });
    await client.db('shop').collection('log').insertMany([1, 2, 3, 4].map((n) => ({ _id: n as never })));
  });
});

after(() => small?.[Symbol.asyncDispose]());
beforeEach(() => small.client.db('copy').dropDatabase());

async function world(border: ClusterTime, changes: Partial<RestoreOptions> = {}, root: SnapshotRoot = small.root): Promise<RestoreWorld> {
  return restoreWorld(small.repository, root, small.server.uri, { selection: INTO_COPY, instant: small.oplog.instant(border), ...changes });
}

async function restoreTo(border: ClusterTime, changes: Partial<RestoreOptions> = {}): Promise<RestoreResult> {
  await using w = await world(border, changes);
  return await restoreSnapshot(w.options);
}

/** A restore that must be refused before anything is written. */
async function refusal(options: Partial<Options>, border: ClusterTime, root = small.root): Promise<string> {
  await using w = await world(border, options, root);
  const phases: string[] = [];
  const error = await restoreSnapshot({ ...w.options, onPhase: async (phase) => void phases.push(phase) }).then(() => assert.fail('the restore succeeded'), (reason: unknown) => reason);
  assert.ok(isLeafvaultError(error), String(error));
  assert.deepEqual([phases, w.journal.saved], [['preflight'], []]);
  assert.equal(await small.client.db('__leafvault').collection('plans').countDocuments(), 0);
  assert.deepEqual(await small.client.db('copy').listCollections().toArray(), []);
  return error.code;
}

function entriesOf(raw: Buffer): Buffer[] {
  const entries: Buffer[] = [];
  for (let at = 0; at < raw.length; at += raw.readInt32LE(at)) entries.push(raw.subarray(at, at + raw.readInt32LE(at)));
  return entries;
}

/** The position of the newest entry that writes to a collection. */
async function lastEntryOf(namespace: string): Promise<ClusterTime> {
  const [entry] = await small.client.db('local').collection('oplog.rs').find({ ns: namespace }).sort({ $natural: -1 }).limit(1).toArray();
  const { t, i } = entry!['ts'] as BSON.Timestamp;
  return { t, i };
}

describe('the border of a restore', { timeout: 900_000 }, () => {
  test('is exact to one operation: the entry at it counts, the next one does not', async () => {
    await orders().updateOne({ _id: 7 as never }, { $set: { n: 'first' } });
    const first = await lastEntryOf('shop.orders');
    await orders().updateOne({ _id: 7 as never }, { $set: { n: 'second' } });
    await small.here();
    await restoreTo(first);
    assert.equal((await small.client.db('copy').collection<Document>('orders').findOne({ _id: 7 as never }))?.['n'], 'first');
    await restoreTo({ t: first.t, i: first.i - 1 });
    assert.equal((await small.client.db('copy').collection<Document>('orders').findOne({ _id: 7 as never }))?.['n'], 7);
  });

  test('one before a drop brings the collection back, also when its name was taken again', async () => {
    const held = await small.documents('shop', 'orders');
    await orders().drop();
    const [entry] = await small.client.db('local').collection('oplog.rs').find({ 'o.drop': 'orders' }).sort({ $natural: -1 }).limit(1).toArray();
    await orders().insertOne({ made: 'afterwards' });
    await small.here();
    const { t, i } = entry!['ts'] as BSON.Timestamp;
    await restoreTo({ t, i: i - 1 });
    assert.deepEqual(await small.documents('copy', 'orders'), held);
    assert.deepEqual((await small.client.db('copy').collection('orders').indexes()).map(({ name }) => name), ['_id_', 'n_1']);
    await restoreTo(await small.here());
    assert.equal(await small.client.db('copy').collection('orders').countDocuments({ made: 'afterwards' }), 1);
    assert.equal(await small.client.db('copy').collection('orders').countDocuments(), 1);
  });

  test('at the instant of the base gives the base', async () => {
    const { pointInTime } = small.root.body as unknown as SnapshotBody;
    await restoreTo(pointInTime!);
    assert.equal(await small.client.db('copy').collection('orders').countDocuments(), 500);
  });

  test('at the instant of the base gives the base, also where the chain has no slice yet', async () => {
    const { pointInTime } = small.root.body as unknown as SnapshotBody;
    const none: Options['instant'] = { ...small.oplog.instant(pointInTime!), slices: async function* () {} };
    await restoreTo(pointInTime!, { instant: none });
    assert.equal(await small.client.db('copy').collection('orders').countDocuments(), 500);
    await small.client.db('copy').dropDatabase();
    const next = { t: pointInTime!.t, i: pointInTime!.i + 1 };
    assert.equal(await refusal({ instant: { ...none, border: next } }, next), 'RESTORE_INSTANT_OUTSIDE');
  });

  test('within the overflow of a capped collection gives what a server can hold', async () => {
    await collection('log').insertMany([5, 6, 7, 8].map((n) => ({ _id: n as never })));
    const entries = await small.client.db('local').collection('oplog.rs').find({ ns: 'shop.log', op: { $in: ['i', 'd'] } }).toArray();
    await small.here();
    assert.ok(entries.some(({ op }) => op === 'd'));
    for (const { ts } of entries.slice(-5)) {
      await restoreTo({ t: ts.t, i: ts.i }, { selection: { databases: [], collections: ['shop.log'], renames: [{ from: 'shop', to: 'copy' }] } });
      assert.ok(await small.client.db('copy').collection('log').countDocuments() <= 5);
    }
    assert.deepEqual((await small.client.db('copy').collection('log').find().toArray()).map(({ _id }) => _id as unknown), [4, 5, 6, 7, 8]);
  });
});

describe('operations as large as a server takes them', { timeout: 900_000 }, () => {
  test('are replayed byte for byte', async () => {
    const largest = 16 * 1024 * 1024;
    const pad = Buffer.alloc(largest - BSON.calculateObjectSize({ _id: 1, pad: Buffer.alloc(0) }), 7);
    await collection('large').insertOne({ _id: 1 as never, pad });
    await collection('large').insertOne({ _id: 2 as never, n: 1 });
    await collection('large').replaceOne({ _id: 2 as never }, { pad });
    const border = await small.here();
    const { collections } = await restoreTo(border, { selection: { databases: [], collections: ['shop.large'], renames: [{ from: 'shop', to: 'copy' }] } });
    assert.deepEqual(collections.map(({ bytes }) => bytes), [2 * largest]);
    await collection('large').drop();
  });
});

describe('what is chosen for a restore to an instant', { timeout: 900_000 }, () => {
  test('are names at that instant', async () => {
    await collection('old').rename('new');
    await collection('new').insertOne({ a: 3 });
    const after = await small.here();
    const { collections } = await restoreTo(after, { selection: { databases: [], collections: ['shop.new'], renames: [{ from: 'shop.new', to: 'copy.there' }] } });
    assert.deepEqual(collections.map(({ from, to, documents }) => [from, to, documents]), [['shop.new', 'copy.there', 3]]);
    await using w = await world(after, { selection: { databases: [], collections: ['shop.old'], renames: [{ from: 'shop', to: 'copy' }] } });
    await assert.rejects(restoreSnapshot(w.options), /shop\.old was not there at that instant/);
  });

  test('is told of transactions that touched other collections too, before anything is written', async () => {
    await small.client.withSession((session) => session.withTransaction(async () => {
      await collection('stock').updateOne({ _id: 1 as never }, { $inc: { left: -1 } }, { session });
      await collection('new').insertOne({ sold: 1 }, { session });
    }));
    const border = await small.here();
    const selection = { databases: [], collections: ['shop.stock'], renames: [{ from: 'shop', to: 'copy' }] };
    await using w = await world(border, { selection });
    const { warnings } = await restoreSnapshot({ ...w.options, onPhase: async (phase) => {
      if (phase === 'load') assert.match(String((w.journal.saved[0]?.['warnings'] as string[])[0]), /transaction/);
    } });
    assert.equal(warnings?.length, 1);
    assert.match(warnings?.[0] ?? '', /^a transaction of \d+:\d+ changed shop\.stock, which is restored, and shop\.new, which is not/);
    assert.deepEqual(await small.documents('copy', 'stock'), [{ _id: 1, left: 9 }]);
    assert.deepEqual((await restoreTo(border)).warnings, []);
  });
});

describe('a restore to an instant is refused before anything is written', { timeout: 900_000 }, () => {
  test('when the chain has a gap, or does not reach the instant, or begins behind the base', async () => {
    const border = await small.here();
    const late = await keepOplog(small.server.memberUri(0), small.repository);
    await small.source.now();
    const end = await small.source.now();
    await late.reach(end);
    assert.equal(await refusal({ instant: late.instant(end) }, end), 'RESTORE_INSTANT_OUTSIDE');
    await late.stop();
    assert.equal(await refusal({}, { t: border.t + 3600, i: 1 }), 'RESTORE_INSTANT_OUTSIDE');
    const { pointInTime } = small.root.body as unknown as SnapshotBody;
    assert.equal(await refusal({}, { t: pointInTime!.t - 1, i: 1 }), 'RESTORE_INSTANT_OUTSIDE');
    const broken = await openTestRepository(await copyToMemory(storage, (name, bytes) => (name === sliceName(small.oplog.chainId, 2) ? null : bytes)));
    const { slicesOfChain } = await import('../../../../src/engine/index.ts');
    const instant = { ...small.oplog.instant(border), slices: slicesOfChain({ chains: broken.chains, chainId: small.oplog.chainId }) };
    assert.equal(await refusal({ instant }, border), 'REPOSITORY_CHAIN_BROKEN');
    await broken.close();
  });

  test('when slices are left out, and when they come twice', async () => {
    const border = await small.here();
    const real = small.oplog.instant(border);
    for (const [times, code] of [[0, 'REPLAY_WINDOW_BROKEN'], [2, 'REPLAY_WINDOW_BROKEN']] as const) {
      const slices: typeof real.slices = async function* (read) {
        let n = 0;
        for await (const slice of real.slices(read)) {
          n += 1;
          for (let time = 0; time < (n === 2 ? times : 1); time += 1) yield slice;
        }
      };
      assert.equal(await refusal({ instant: { ...real, slices } }, border), code);
    }
  });

  test('when two operations of a slice are swapped, and when one comes twice', async () => {
    await orders().insertMany(Array.from({ length: 10 }, (_, n) => ({ written: n })));
    const border = await small.here();
    const real = small.oplog.instant(border);
    const changes: readonly ((entries: readonly Buffer[]) => readonly Buffer[])[] = [
      ([first, second, ...rest]) => [second!, first!, ...rest],
      ([first, ...rest]) => [first!, first!, ...rest],
    ];
    for (const change of changes) {
      let changed = 0;
      const slices: typeof real.slices = async function* (read) {
        for await (const slice of real.slices(read)) {
          const entries = entriesOf(Buffer.from(slice.raw));
          if (entries.length >= 2) changed += 1;
          yield entries.length >= 2 && changed === 1 ? { ...slice, raw: Buffer.concat(change(entries)) } : slice;
        }
      };
      assert.equal(await refusal({ instant: { ...real, slices } }, border), 'REPLAY_WINDOW_BROKEN');
      assert.ok(changed > 0);
    }
  });

  test('when the base is of another replica set, or not of one instant', async () => {
    const border = await small.here();
    assert.equal(await refusal({ instant: { ...small.oplog.instant(border), replicaSetId: 'another' } }, border), 'RESTORE_BASE_UNSUITABLE');
    const fuzzy = { ...small.root, body: { ...small.root.body, consistency: 'fuzzy' } };
    assert.equal(await refusal({}, border, fuzzy), 'RESTORE_BASE_UNSUITABLE');
  });

  test('when a collection comes into being that the base could not hold', async () => {
    await small.client.db('elsewhere').collection('x').insertMany([{ a: 1 }]);
    const { root } = await takeSnapshot({ uri: small.server.memberUri(0), repository: small.repository, selection: { databases: ['shop'], collections: [] } });
    await small.client.db('shop').collection('stock').updateOne({}, { $inc: { left: 1 } });
    const before = await small.here();
    // Pretends that this base covers everything, so that what it lacks was not there.
    const claims = { ...root, body: { ...root.body, selection: { databases: [], collections: [] } } };
    await small.client.db('elsewhere').collection('x').insertOne({ a: 2 });
    assert.equal(await refusal({}, await small.here(), claims), 'REPLAY_COLLECTION_UNLISTED');
    await using w = await world(before, {}, claims);
    await restoreSnapshot(w.options);
  });
});
