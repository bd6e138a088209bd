// Following real oplogs: nothing is missing, nothing comes twice, and what can't be continued says why.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { MongoClient, type Document } from 'mongodb';
import { compareClusterTimes, type ClusterTime } from '../../../src/domain/cluster-time.ts';
import { BACKUP_ROLE, createRawReader, readAll, toTimestamp } from '../../../src/engine/mongo/index.ts';
import { parseOplogEntry } from '../../../src/engine/backup/oplog/oplog-entry.ts';
import { tailOplog, type TailOptions, type TailPosition } from '../../../src/engine/oplog/tail-oplog.ts';
import type { OplogSlice } from '../../../src/engine/oplog/slice-cutter.ts';
import { systemClock } from '../../../src/foundation/clock.ts';
import { isLeafvaultError, type LeafvaultError } from '../../../src/foundation/errors.ts';
import { createLogger } from '../../../src/foundation/logger.ts';
import { startReplicaSet, startStandalone, type ReplicaSet } from '../../support/mongod.ts';

interface Running {
  readonly slices: OplogSlice[];
  readonly begun: Promise<TailPosition>;
  /** Everything up to this time was handed on. */
  reach(time: ClusterTime): Promise<void>;
  /** What ended it. */
  readonly ended: Promise<LeafvaultError>;
  stop(): Promise<void>;
}

function run(uri: string, changes: Partial<TailOptions> = {}): Running {
  const stop = new AbortController();
  const slices: OplogSlice[] = [];
  const begun = Promise.withResolvers<TailPosition>();
  const ended = tailOplog({
    uri, from: null, signal: stop.signal, clock: systemClock, log: createLogger('silent'), limits: { bytes: 64 * 1024, ms: 100 },
    ...changes,
    onBegin: async (position) => begun.resolve(position),
    onSlice: async (slice) => {
      await changes.onSlice?.(slice);
      slices.push(slice);
    },
  }).catch((error: unknown) => error as LeafvaultError);
  void ended.then((error) => begun.reject(error));
  begun.promise.catch(() => undefined);
  return {
    slices, begun: begun.promise, ended,
    async reach(time) {
      let over: LeafvaultError | null = null;
      void ended.then((error) => { over = error; });
      while (slices.length === 0 || compareClusterTimes(slices.at(-1)!.to, time) < 0) {
        if (over !== null) throw over as Error;
        await delay(20);
      }
    },
    async stop() {
      stop.abort(new Error('the test is over'));
      await ended;
    },
  };
}

/** Writes with majority; the time of the write. */
async function mark(client: MongoClient): Promise<ClusterTime> {
  for (;;) {
    try {
      const { operationTime } = await client.db('marks').command({ insert: 'm', documents: [{}], writeConcern: { w: 'majority' } });
      return { t: operationTime.t, i: operationTime.i };
    } catch {
      await delay(50);
    }
  }
}

async function oplogOf(uri: string, after: ClusterTime, until: ClusterTime): Promise<Buffer[]> {
  const client = await MongoClient.connect(uri);
  try {
    const found: Buffer[] = [];
    for await (const raw of readAll(await createRawReader(client), 'local', { find: 'oplog.rs', filter: { ts: { $gt: toTimestamp(after), $lte: toTimestamp(until) } }, readConcern: { level: 'majority' } })) found.push(Buffer.from(raw));
    return found;
  } finally {
    await client.close();
  }
}

function assertContiguous(slices: readonly OplogSlice[], from: ClusterTime): void {
  let at = from;
  for (const slice of slices) {
    assert.deepEqual(slice.from, at);
    assert.equal(slice.entries, slice.raw.length);
    for (const raw of slice.raw) {
      const { time } = parseOplogEntry(raw);
      assert.ok(compareClusterTimes(time, at) > 0);
      at = time;
    }
    assert.deepEqual(slice.to, at);
  }
}

describe('following the oplog of three members, with authorization on and the role leafvaultBackup alone', { timeout: 900_000 }, () => {
  let servers: ReplicaSet;
  let client: MongoClient;
  let uri: string;

  before(async () => {
    servers = await startReplicaSet({ members: 3, auth: true });
    await servers.createRole(BACKUP_ROLE);
    uri = await servers.createUser({ user: 'backup', password: 'x', roles: ['leafvaultBackup'] });
    client = await MongoClient.connect(servers.adminUri, { heartbeatFrequencyMS: 500 });
  });

  after(async () => {
    await client?.close(true);
    await servers?.stop();
  });

  const primaryUri = async (): Promise<string> => servers.memberUri(await servers.primary());

  it('hands on every entry once, byte for byte, through elections and ended sessions', async () => {
    const tail = run(uri);
    const { time: from } = await tail.begun;
    let writing = true;
    const writers = [0, 1, 2].map(async (writer) => {
      for (let n = 0; writing; n += 1) await client.db('shop').collection<Document>(`c${writer}`).updateOne({ _id: (n % 50) as never }, { $inc: { n: 1 }, $set: { pad: 'x'.repeat(n % 900) } }, { upsert: true }).catch(() => delay(20));
    });
    // Each is handed on before the next thing happens: however quick the servers are, what follows is of another slice.
    await tail.reach(await mark(client));
    await servers.stepDown();
    await tail.reach(await mark(client));
    await client.db('admin').command({ killAllSessions: [{ user: 'backup', db: 'admin' }] }).catch(() => undefined);
    await tail.reach(await mark(client));
    await servers.stepDown();
    writing = false;
    await Promise.all(writers);
    const until = await mark(client);
    await tail.reach(until);
    await tail.stop();
    assertContiguous(tail.slices, from);
    assert.ok(tail.slices.length > 3, 'several slices');
    const handedOn = tail.slices.flatMap(({ raw }) => raw);
    const expected = await oplogOf(await primaryUri(), from, tail.slices.at(-1)!.to);
    assert.ok(Buffer.concat(expected).equals(Buffer.concat(handedOn)), `${expected.length} entries in the oplog, ${handedOn.length} handed on`);
  });

  it('goes on where an earlier one stopped, without a gap', async () => {
    const first = run(uri);
    const { time: from, replicaSetId } = await first.begun;
    assert.match(replicaSetId ?? '', /^[0-9a-f]{24}$/);
    await first.reach(await mark(client));
    await first.stop();
    await mark(client);
    const last = first.slices.at(-1)!;
    const second = run(uri, { from: { time: last.to, digest: last.digest, replicaSetId } });
    await second.reach(await mark(client));
    await second.stop();
    assertContiguous([...first.slices, ...second.slices], from);
  });

  it('closes a slice by size, and when asked', async () => {
    let asked = false;
    const tail = run(uri, { limits: { bytes: 100_000, ms: 3_600_000 }, cutNow: () => asked });
    await tail.begun;
    for (let n = 0; n < 30; n += 1) await client.db('shop').collection('large').insertOne({ pad: 'x'.repeat(10_000) });
    await tail.reach({ t: 0, i: 0 });
    assert.ok(tail.slices.every(({ bytes }) => bytes > 80_000 && bytes <= 100_000));
    asked = true;
    await tail.reach(await mark(client));
    assert.ok(tail.slices.at(-1)!.bytes < 100_000);
    await tail.stop();
  });

  it('reads nothing more while a slice is being stored', async () => {
    const stored = Promise.withResolvers<void>();
    let calls = 0;
    const tail = run(uri, { onSlice: async () => { calls += 1; await stored.promise; } });
    await tail.begun;
    await mark(client);
    while (calls === 0) await delay(20);
    await mark(client);
    const until = await mark(client);
    assert.equal(calls, 1);
    stored.resolve();
    await tail.reach(until);
    await tail.stop();
  });

  it('leaves a member that gets nothing new any more, though it answers', async () => {
    let member = '';
    const tail = run(uri, { staleMs: 1_000, statusMs: 0, onStatus: (status) => { member = status.member; } });
    const { time: from } = await tail.begun;
    await tail.reach(await mark(client));
    const stuck = member;
    // Applies nothing of what it gets until it is unlocked.
    await using locked = await MongoClient.connect(servers.memberUri(servers.members.findIndex(({ host }) => host === stuck)));
    await locked.db('admin').command({ fsync: 1, lock: true });
    try {
      await tail.reach(await mark(client));
    } finally {
      await locked.db('admin').command({ fsyncUnlock: 1 });
    }
    await tail.stop();
    assert.notEqual(member, stuck);
    assertContiguous(tail.slices, from);
  });

  it('tells its position, and how far back the oplog reaches', async () => {
    const told = Promise.withResolvers<Parameters<NonNullable<TailOptions['onStatus']>>[0]>();
    const tail = run(uri, { statusMs: 0, onStatus: (status) => { if (status.position.t > 0) told.resolve(status); } });
    await tail.begun;
    const { oldest, newest, position, member } = await told.promise;
    assert.ok(compareClusterTimes(oldest, position) < 0 && compareClusterTimes(position, newest) <= 0);
    assert.ok(servers.members.some(({ host }) => host === member));
    await tail.stop();
  });

  const position = async (): Promise<TailPosition> => {
    const tail = run(uri);
    const { replicaSetId } = await tail.begun;
    await tail.reach(await mark(client));
    await tail.stop();
    const { to: time, digest } = tail.slices.at(-1)!;
    return { time, digest, replicaSetId };
  };

  it('ends when another entry stands where it stopped', async () => {
    const from = { ...(await position()), digest: '0'.repeat(64) };
    await mark(client);
    await assertEnded(run(uri, { from }), 'OPLOG_DIVERGED');
  });

  it('ends when the entry where it stopped is gone', async () => {
    const { time, ...rest } = await position();
    await mark(client);
    await assertEnded(run(uri, { from: { ...rest, time: { t: time.t, i: time.i + 1_000_000 } } }), 'OPLOG_DIVERGED');
  });

  it('ends at the oplog of another replica set', async () => {
    await assertEnded(run(uri, { from: { ...(await position()), replicaSetId: '0'.repeat(24) } }), 'REPLICA_SET_CHANGED');
  });

  it('ends before a change of the feature compatibility version, with everything before it handed on', async () => {
    const tail = run(uri, { limits: { bytes: 1e9, ms: 3_600_000 } });
    const { time: from } = await tail.begun;
    const last = await mark(client);
    await client.db('admin').command({ setFeatureCompatibilityVersion: '5.0' });
    await client.db('admin').command({ setFeatureCompatibilityVersion: '6.0' });
    await assertEnded(tail, 'FCV_CHANGED');
    assertContiguous(tail.slices, from);
    assert.ok(compareClusterTimes(tail.slices.at(-1)!.to, last) >= 0);
  });
});

describe('following an oplog that is too small', { timeout: 900_000 }, () => {
  it('ends when the oplog has rolled over what was not read', async () => {
    await using server = await startReplicaSet({ oplogSizeMB: 2, checkpointSeconds: 1 });
    const client = await MongoClient.connect(server.uri);
    try {
      const tail = run(server.uri);
      const { replicaSetId } = await tail.begun;
      await tail.reach(await mark(client));
      await tail.stop();
      const { to, digest } = tail.slices.at(-1)!;
      const oldest = async (): Promise<number> => (await client.db('local').collection('oplog.rs').find().sort({ $natural: 1 }).limit(1).next())?.ts.t as number;
      while ((await oldest()) <= to.t) await client.db('shop').collection('c').insertMany(Array.from({ length: 40 }, () => ({ pad: 'x'.repeat(100_000) })));
      await assertEnded(run(server.uri, { from: { time: to, digest, replicaSetId } }), 'OPLOG_ROLLED_OVER');
    } finally {
      await client.close();
    }
  });
});

describe('following an operation that nobody knows', { timeout: 900_000 }, () => {
  it('ends at it, with everything before it handed on', async () => {
    await using server = await startReplicaSet({ parameters: { enableTestCommands: 1 } });
    const client = await MongoClient.connect(server.uri);
    try {
      await client.db('shop').createCollection('capped', { capped: true, size: 4_096 });
      const tail = run(server.uri, { limits: { bytes: 1e9, ms: 3_600_000 } });
      const { time: from } = await tail.begun;
      const last = await mark(client);
      // A command of the server's own tests that goes through the oplog.
      await client.db('shop').command({ emptycapped: 'capped' });
      await mark(client);
      await assertEnded(tail, 'OPERATION_UNKNOWN');
      assert.match((await tail.ended).message, /emptycapped/);
      assertContiguous(tail.slices, from);
      assert.deepEqual(tail.slices.at(-1)!.to, last);
    } finally {
      await client.close();
    }
  });
});

describe('following a standalone', () => {
  it('is refused by name', async () => {
    await using server = await startStandalone();
    const error = await run(server.uri).ended;
    assert.ok(isLeafvaultError(error, 'SOURCE_READ_FAILED'), String(error));
    assert.match(error.message, /no member of a replica set/);
  });
});

async function assertEnded(tail: Running, reason: string): Promise<void> {
  const error = await tail.ended;
  assert.ok(isLeafvaultError(error, 'OPLOG_CHAIN_ENDED'), String(error));
  assert.equal(error.details['reason'], reason, error.message);
}
