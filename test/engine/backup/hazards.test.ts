// What can happen to an oplog while a capture follows it: transactions that were begun before it, entries that are gone, operations that
// nobody knows, builds of indexes that fail. Two members, so that a majority can end in the middle of things; failpoints hold the servers there.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { MongoClient, type ClientSession, type Document } from 'mongodb';
import { compareClusterTimes, type ClusterTime } from '../../../src/domain/cluster-time.ts';
import type { Repository } from '../../../src/repository/index.ts';
import { createMemoryStorage } from '../../../src/storage/index.ts';
import { readBack, takeSnapshot, type CapturedInTest, type LogLine } from '../../support/capture.ts';
import { startReplicaSet, type ReplicaSet } from '../../support/mongod.ts';
import { PATIENCE_MS } from '../../support/patience.ts';
import { openTestRepository } from '../../support/repository-fixture.ts';
import { compareWithOracle, readOracle } from './oracle.ts';

let servers: ReplicaSet;
let client: MongoClient;
let primary: MongoClient;
/** Read by every capture here. */
let secondary: MongoClient;
let repository: Repository;

before(async () => {
  servers = await startReplicaSet({ members: 2, parameters: { enableTestCommands: 1, minSnapshotHistoryWindowInSeconds: 600 } });
  client = await MongoClient.connect(servers.uri, { writeConcern: { w: 'majority' } });
  const index = await servers.primary();
  [primary, secondary] = [await MongoClient.connect(servers.memberUri(index)), await MongoClient.connect(servers.memberUri(1 - index))];
  repository = await openTestRepository(createMemoryStorage(), { packBytes: 4 * 1024 * 1024 });
});

after(async () => {
  await Promise.all([client, primary, secondary].map((each) => each?.close(true)));
  await repository?.close();
  await servers?.stop();
});

function selectionOf(db: string): { databases: string[]; collections: string[] } {
  return { databases: [db], collections: [] };
}

async function assertExact(db: string, { root, body }: CapturedInTest): Promise<void> {
  assert.deepEqual(compareWithOracle(await readBack(repository, root), await readOracle(primary, [db], body.pointInTime!)), []);
}

/** Holds a server at a place of its code while `work` runs. */
async function held<T>(member: MongoClient, { failPoint, data = {} }: { failPoint: string; data?: Document }, work: () => Promise<T>): Promise<T> {
  const admin = member.db('admin');
  await admin.command({ configureFailPoint: failPoint, mode: 'alwaysOn', data });
  try {
    return await work();
  } finally {
    await admin.command({ configureFailPoint: failPoint, mode: 'off' });
  }
}

async function poll<T>(what: string, read: () => Promise<T | false | null | undefined>): Promise<T> {
  for (const deadline = performance.now() + PATIENCE_MS; performance.now() < deadline; await delay(20)) {
    const found = await read();
    if (found !== false && found !== null && found !== undefined) return found;
  }
  throw new Error(`Waited too long for ${what}`);
}

/** The last entry that the secondary knows a majority to hold. */
async function committed(): Promise<ClusterTime> {
  const { optimes } = await secondary.db('admin').command({ replSetGetStatus: 1 });
  const { ts } = optimes.lastCommittedOpTime;
  return { t: ts.t, i: ts.i };
}

async function newestOf(member: MongoClient): Promise<{ readonly time: ClusterTime; readonly entry: Document }> {
  const entry = (await member.db('local').collection('oplog.rs').find({}, { projection: { ts: 1, o: { partialTxn: 1, prepare: 1 } } }).sort({ $natural: -1 }).limit(1).next())!;
  return { time: { t: entry.ts.t, i: entry.ts.i }, entry };
}

async function caughtUp(): Promise<void> {
  const { time } = await newestOf(primary);
  await poll('the majority to hold everything', async () => compareClusterTimes(await committed(), time) >= 0);
}

/** More than 16 MB in one transaction, the small changes first: they stand in its first entry, the last one ends with `_id: 'last'`. */
async function writeLarge(db: string, session: ClientSession): Promise<void> {
  const large = client.db(db).collection<Document>('large');
  await large.updateMany({ n: { $lt: 20 } }, { $set: { by: 'the transaction' } }, { session });
  await large.deleteMany({ n: { $gte: 90 } }, { session });
  for (let n = 0; n < 17; n += 1) await large.insertOne({ _id: (n === 16 ? 'last' : `large ${n}`) as never, pad: Buffer.alloc(1_000_000, n) }, { session });
}

async function fill(db: string, name: string, count: number): Promise<void> {
  await client.db(db).collection<Document>(name).insertMany(Array.from({ length: count }, (_, n) => ({ _id: n as never, n })));
}

describe('a capture whose T0 lies inside of a transaction', { timeout: 900_000 }, () => {
  it('holds all of it when its last entry comes before T1', async () => {
    await fill('parts', 'large', 100);
    let commit: Promise<unknown> = Promise.resolve();
    let first: ClusterTime | null = null;
    const release = Promise.withResolvers<void>();
    // The secondary gets the first entry only, and so does the majority.
    const holding = held(secondary, { failPoint: 'stopReplProducerOnDocument', data: { document: { 'applyOps.o._id': 'last' } } }, async () => {
      const session = client.startSession();
      session.startTransaction({ writeConcern: { w: 'majority' } });
      await client.db('parts').createCollection('born', { session });
      await client.db('parts').collection<Document>('born').insertOne({ _id: 'in the first entry' as never }, { session });
      await writeLarge('parts', session);
      commit = session.commitTransaction().finally(() => session.endSession());
      first = await poll('the first entry to be all that a majority holds', async () => {
        const { time, entry } = await newestOf(secondary);
        return entry.o.partialTxn === true && compareClusterTimes(await committed(), time) === 0 && time;
      });
      await release.promise;
    });
    try {
      await poll('the first entry', async () => first);
      const taken = await takeSnapshot({ uri: servers.uri, repository, selection: selectionOf('parts'), onPhase: async (phase) => {
        if (phase !== 'scanned') return;
        release.resolve();
        await holding;
        await commit;
        await caughtUp();
      } });
      assert.deepEqual(taken.body.beganAt, first);
      await assertExact('parts', taken);
      const entries = await readBack(repository, taken.root);
      assert.deepEqual([entries.get('parts.large')!.documents.length, entries.get('parts.large')!.scanned, entries.get('parts.born')!.documents.length], [107, 100, 1]);
    } finally {
      release.resolve();
      await holding;
    }
  });

  // A plain replica set prepares transactions for its own tests only; the members of a shard do it all the time.
  for (const end of ['commitTransaction', 'abortTransaction'] as const) {
    it(`is right about one that was prepared before T0, after ${end}`, async () => {
      const db = `prepared_${end}`;
      await fill(db, 'large', 100);
      const session = client.startSession();
      session.startTransaction();
      await writeLarge(db, session);
      const { prepareTimestamp } = await client.db('admin').command({ prepareTransaction: 1 }, { session });
      await caughtUp();
      const parts = await primary.db('local').collection('oplog.rs').countDocuments({ 'lsid.id': session.id!['id'], txnNumber: session.serverSession['txnNumber'] });
      assert.ok(parts >= 2, 'several entries before T0');
      let conflicts = 0;
      let ending: Promise<unknown> = Promise.resolve();
      const taken = await takeSnapshot({ uri: servers.uri, repository, selection: selectionOf(db), onPhase: async (phase) => {
        if (phase !== 'listed') return;
        // A scan waits at what is prepared: it has begun, and with it the collection's touched ids count.
        ending = (async () => {
          await poll('the scan to wait', async () => {
            const [found] = await secondary.db('admin').aggregate([{ $currentOp: { allUsers: true } }, { $match: { ns: `${db}.large`, prepareReadConflicts: { $gt: 0 } } }]).toArray();
            conflicts = Number(found?.['prepareReadConflicts'] ?? 0);
            return conflicts > 0;
          });
          // As where another shard prepared later: what is committed becomes visible behind T0 and the begin of the scan.
          const { operationTime: commitTimestamp } = await client.db('other').command({ insert: 'c', documents: [{}] });
          await client.db('admin').command({ [end]: 1, ...(end === 'commitTransaction' ? { commitTimestamp } : {}) }, { session });
        })();
      } });
      await ending;
      await session.endSession();
      assert.ok(compareClusterTimes(taken.body.beganAt!, { t: prepareTimestamp.t, i: prepareTimestamp.i }) >= 0 && conflicts > 0);
      await assertExact(db, taken);
      assert.equal((await readBack(repository, taken.root)).get(`${db}.large`)!.documents.length, end === 'commitTransaction' ? 107 : 100);
    });
  }
});

describe('a capture whose oplog disturbs it', { timeout: 900_000 }, () => {
  it('fails by name at an operation that nobody knows, each time it comes', async () => {
    await client.db('unknown').createCollection('ring', { capped: true, size: 4_096 });
    const lines: LogLine[] = [];
    let met = 0;
    const taken = takeSnapshot({ uri: servers.uri, repository, selection: selectionOf('unknown'), onLog: (line) => void lines.push(line), onPhase: async (phase) => {
      if (phase !== 'listed') return;
      met += 1;
      // A command of the server's own tests that goes through the oplog.
      await client.db('unknown').command({ emptycapped: 'ring' });
    } });
    await assert.rejects(taken, { code: 'CAPTURE_OPERATION_UNKNOWN', message: /"emptycapped" on unknown/ });
    assert.equal(met, 3);
    assert.equal(lines.filter(({ msg, reason }) => msg === 'the capture begins again' && /emptycapped/.test(String(reason))).length, 2);
  });

  for (const begins of ['before T0', 'while it scans']) {
    it(`leaves out a unique index whose build began ${begins} and failed at duplicates that appeared`, async () => {
      const db = begins === 'before T0' ? 'early_build' : 'late_build';
      await fill(db, 'docs', 100);
      await client.db(db).collection('docs').createIndex({ kept: 1 });
      let building: Promise<unknown> = Promise.resolve();
      const build = async (): Promise<void> => {
        building = assert.rejects(client.db(db).collection('docs').createIndex({ n: 1 }, { unique: true, name: 'unique_n' }), { code: 11_000 });
        await poll('the build on both members', async () => (await Promise.all([primary, secondary].map((member) => isBuilding(member, db)))).every(Boolean));
      };
      const taken = await held(primary, { failPoint: 'hangAfterStartingIndexBuild' }, async () => {
        if (begins === 'before T0') await build();
        return takeSnapshot({ uri: servers.uri, repository, selection: selectionOf(db), onPhase: async (phase) => {
          if (phase !== 'listed') return;
          if (begins !== 'before T0') await build();
          await client.db(db).collection<Document>('docs').insertMany([{ _id: 'a' as never, n: 7 }, { _id: 'b' as never, n: 7 }]);
          await primary.db('admin').command({ configureFailPoint: 'hangAfterStartingIndexBuild', mode: 'off' });
          await building;
          await caughtUp();
        } });
      });
      const logged = await primary.db('local').collection('oplog.rs').find({ ns: `${db}.$cmd` }).toArray();
      assert.deepEqual(logged.map(({ o }) => Object.keys(o)[0]).filter((name) => name?.endsWith('IndexBuild')).slice(-2), ['startIndexBuild', 'abortIndexBuild']);
      await assertExact(db, taken);
      const [entry] = (await readBack(repository, taken.root)).values();
      assert.deepEqual([entry!.documents.length, (await primary.db(db).collection('docs').indexes()).map(({ name }) => name)], [102, ['_id_', 'kept_1']]);
    });
  }

  async function isBuilding(member: MongoClient, db: string): Promise<boolean> {
    return (await member.db(db).command({ listIndexes: 'docs', includeBuildUUIDs: true })).cursor.firstBatch.some((index: Document) => index['buildUUID'] !== undefined);
  }
});

describe('a capture of a member whose oplog is too small', { timeout: 900_000 }, () => {
  it('begins again when entries behind T0 are gone before they were read', async () => {
    // A server cuts its oplog behind checkpoints only.
    await using small = await startReplicaSet({ oplogSizeMB: 2, checkpointSeconds: 1, parameters: { enableTestCommands: 1, minSnapshotHistoryWindowInSeconds: 600 } });
    await using writer = await MongoClient.connect(small.uri, { writeConcern: { w: 'majority' } });
    const oplog = writer.db('local').collection('oplog.rs');
    const edge = async (direction: 1 | -1): Promise<ClusterTime> => {
      // Not by `find`, which is what the capture is held at.
      const { ts } = (await oplog.aggregate([{ $limit: 1 }], { hint: { $natural: direction } }).next())!;
      return { t: ts.t, i: ts.i };
    };
    await writer.db('small').collection<Document>('docs').insertMany(Array.from({ length: 100 }, (_, n) => ({ _id: n as never, n })));
    const reading = { failCommands: ['find'], namespace: 'local.oplog.rs', blockConnection: true, blockTimeMS: 600_000 };
    const lines: LogLine[] = [];
    const begun: ClusterTime[] = [];
    const taken = await takeSnapshot({ uri: small.uri, repository, selection: selectionOf('small'), onLog: (line) => void lines.push(line), onPhase: async (phase) => {
      if (phase === 'connected') await small.admin({ configureFailPoint: 'failCommand', mode: begun.length === 0 ? { times: 1 } : 'off', data: reading });
      if (phase !== 'listed') return;
      begun.push(await edge(-1));
      if (begun.length > 1) return;
      await writer.db('small').collection('docs').updateMany({ n: { $lt: 50 } }, { $set: { seen: 'by the second attempt alone' } });
      const stuck = await poll('the reading of the oplog', async () => (await writer.db('admin').aggregate([{ $currentOp: {} }, { $match: { 'command.find': 'oplog.rs', 'command.tailable': true } }]).toArray())[0]);
      while (compareClusterTimes(await edge(1), begun[0]!) <= 0) {
        await writer.db('filler').collection('c').insertMany(Array.from({ length: 20 }, () => ({ pad: 'x'.repeat(100_000) })));
      }
      await small.admin({ killOp: 1, op: stuck['opid'] });
    } });
    assert.match(String(lines.find(({ msg }) => msg === 'the capture begins again')?.reason), /Following the oplog failed: its entry at .* is gone/);
    assert.equal(begun.length, 2);
    assert.deepEqual(compareWithOracle(await readBack(repository, taken.root), await readOracle(writer, ['small'], taken.body.pointInTime!)), []);
  });
});
