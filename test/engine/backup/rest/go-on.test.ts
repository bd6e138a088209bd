// A capture that rested goes on where it was: what it had read is not read again, and what comes out is one instant all the same.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { MongoClient, type Document, type Timestamp } from 'mongodb';
import type { CaptureRest } from '../../../../src/engine/contracts.ts';
import type { Progress } from '../../../../src/foundation/progress.ts';
import { BACKUP_ROLE } from '../../../../src/engine/mongo/index.ts';
import type { Repository } from '../../../../src/repository/index.ts';
import { createMemoryStorage, type Storage } from '../../../../src/storage/index.ts';
import { captureUntilRest, pauseFor, readBack, takeSnapshot, type CapturedInTest, type CaptureInTest, type LogLine } from '../../../support/capture.ts';
import { HOLDABLE, slowCommands } from '../../../support/hold-commands.ts';
import { until } from '../../../support/job-rows.ts';
import { startReplicaSet, type ReplicaSet } from '../../../support/mongod.ts';
import { SOON_MS } from '../../../support/patience.ts';
import { openTestRepository } from '../../../support/repository-fixture.ts';
import { compareWithOracle, readOracle } from '../oracle.ts';

const BIG = 12_000;
const SMALL = 3_000;
const selection = { databases: ['rest'], collections: [] };

describe('a capture that rested', { timeout: 900_000 }, () => {
  let servers: ReplicaSet;
  let client: MongoClient;
  let storage: Storage;
  let repository: Repository;
  let uri: string;

  before(async () => {
    servers = await startReplicaSet({ members: 3, auth: true, parameters: { minSnapshotHistoryWindowInSeconds: 600, ...HOLDABLE } });
    await servers.createRole(BACKUP_ROLE);
    uri = await servers.createUser({ user: 'backup', password: 'x', roles: ['leafvaultBackup'] });
    // By all three: what a member fetches from another one counts among the documents that were given out.
    client = await MongoClient.connect(servers.adminUri, { writeConcern: { w: 3 }, heartbeatFrequencyMS: 500 });
  });
  after(async () => {
    await client?.close(true);
    await servers?.stop();
  });
  beforeEach(async () => {
    await repository?.close();
    storage = createMemoryStorage();
    repository = await openTestRepository(storage, { packBytes: 1024 * 1024 });
    await client.db('rest').dropDatabase();
    await client.db('rest').createCollection('log', { capped: true, size: 1024 * 1024 });
    await client.db('rest').collection<Document>('log').insertMany(documents(50));
    await client.db('rest').collection<Document>('big').insertMany(documents(BIG));
    for (const name of ['one', 'two', 'three']) await client.db('rest').collection<Document>(name).insertMany(documents(SMALL));
  });

  const documents = (count: number): Document[] => Array.from({ length: count }, (_, n) => ({ _id: n, n, pad: `${n} `.repeat(60) }));
  const limits = { bytesPerSecond: 4_000_000 };
  const uuidOf = async (name: string): Promise<string> => {
    const [found] = await client.db('rest').listCollections({ name }).toArray() as { info?: { uuid?: { buffer: Uint8Array } } }[];
    return Buffer.from(found?.info?.uuid?.buffer ?? []).toString('hex');
  };
  /** Documents that each member has given out, to whomever. */
  const returned = async (): Promise<number> => {
    let sum = 0;
    for (const [index] of servers.members.entries()) {
      const member = await MongoClient.connect(servers.memberUri(index));
      sum += Number((await member.db('admin').command({ serverStatus: 1 })).metrics.document.returned);
      await member.close(true);
    }
    return sum;
  };

  /** Until the capture was shown what is there by now: its second question to a member's oplog comes behind the answer to its first. */
  const isFollowed = async (): Promise<void> => {
    const { operationTime } = await servers.admin({ ping: 1 });
    const members = await Promise.all(servers.members.map((_, index) => MongoClient.connect(servers.memberUri(index))));
    const asked = members.map(async (member) => {
      const admin = (command: Document): Promise<Document> => member.db('admin').command(command);
      await until('a majority to be known', async () => ((await admin({ replSetGetStatus: 1 }))['optimes'].lastCommittedOpTime.ts as Timestamp).greaterThanOrEqual(operationTime as Timestamp));
      const { entered, release } = await slowCommands({ admin }, ['getMore'], 1, { namespace: 'local.oplog.rs', appName: 'leafvault' });
      await entered(2).finally(release);
    });
    await Promise.any(asked);
    for (const member of members) await member.close(true);
    await Promise.allSettled(asked);
  };

  /** Rests once the small collections are read and the big one is in the middle. */
  async function restInTheMiddle(options: Partial<CaptureInTest> = {}): Promise<CaptureRest> {
    const big = await uuidOf('big');
    const { pause, now } = pauseFor();
    let scanned = 0;
    let documentsOfBig = 0;
    const onLog = (line: LogLine): void => {
      if (line.msg === 'scanned') scanned += 1;
      if (line.msg === 'scanning' && line.uuid === big) documentsOfBig = Number(line.documents);
      if (scanned >= 3 && documentsOfBig > BIG / 2 && documentsOfBig < BIG) now();
      options.onLog?.(line);
    };
    const kept = await captureUntilRest({ uri, repository, selection, limits, ...options, onLog, pause });
    assert.ok(kept !== null);
    return kept;
  }

  /** Goes on, with what was said on the way. */
  async function goOn(kept: CaptureRest, options: Partial<CaptureInTest> = {}): Promise<CapturedInTest & { readonly lines: readonly LogLine[]; readonly told: readonly Progress[]; readonly anew: readonly string[] }> {
    const lines: LogLine[] = [];
    const told: Progress[] = [];
    const anew: string[] = [];
    const taken = await takeSnapshot({
      uri, repository, selection, goOnFrom: kept.document, ...options,
      onLog: (line) => void lines.push(line), onProgress: (progress) => void told.push({ ...progress }), onAnew: async (reason) => void anew.push(reason),
    });
    return { ...taken, lines, told, anew };
  }

  async function assertInstant({ root, body }: CapturedInTest): Promise<void> {
    const primary = await MongoClient.connect(servers.memberUri(await servers.primary()));
    try {
      const oracle = await readOracle(primary, ['rest'], body.pointInTime!);
      assert.deepEqual(compareWithOracle(await readBack(repository, root), oracle), []);
    } finally {
      await primary.close(true);
    }
    assert.deepEqual((await repository.check({ readData: true })).problems, []);
  }

  /** Documents that were given out while it ran. */
  async function readsOf<T>(run: () => Promise<T>): Promise<[T, number]> {
    const before = await returned();
    const result = await run();
    return [result, (await returned()) - before];
  }
  const whole = BIG + 3 * SMALL + 50;
  /** Of listings, of the oplog, of documents that are read again. */
  const BESIDE = 600;
  const assertReads = (read: number, wanted: number): void => assert.ok(read >= wanted && read < wanted + BESIDE, `${read} documents were read, ${wanted} were to be`);

  it('reads only what it had not read, and begins to count where it was', async () => {
    const kept = await restInTheMiddle();
    assert.ok(kept.collections >= 4 && kept.documents > 3 * SMALL + BIG / 2, JSON.stringify(kept));
    const [taken, read] = await readsOf(() => goOn(kept));
    assertReads(read, whole - kept.documents);
    assert.ok(taken.told.every(({ documentsDone }) => documentsDone >= kept.documents) && taken.told[0]?.documentsTotal === whole, JSON.stringify(taken.told));
    assert.deepEqual(taken.anew, []);
    await assertInstant(taken);
  });

  it('goes on a second and a third time, each from where it was last', async () => {
    let kept = await restInTheMiddle();
    await client.db('rest').collection('one').updateMany({ n: { $lt: 20 } }, { $set: { n: -1 } });
    for (const share of [0.7, 0.85]) {
      const { pause, now } = pauseFor();
      const onLog = (line: LogLine): void => { if (line.msg === 'scanning' && Number(line.documents) > BIG * share) now(); };
      const [next, read] = await readsOf(() => captureUntilRest({ uri, repository, selection, limits: { bytesPerSecond: 1_000_000 }, goOnFrom: kept.document, onLog, pause }));
      assert.ok(next !== null && next.documents > kept.documents && read < next.documents - kept.documents + BESIDE * 2, `${next?.documents} after ${kept.documents}, ${read} read`);
      kept = next;
      await client.db('rest').collection('big').updateMany({ n: { $lt: 20 } }, { $inc: { n: 100_000 } });
    }
    const [taken, read] = await readsOf(() => goOn(kept));
    assertReads(read, whole - kept.documents);
    await assertInstant(taken);
  });

  it('keeps what it has not looked at yet when it rests at once again', async () => {
    const first = await restInTheMiddle();
    const { pause, now } = pauseFor();
    const second = await captureUntilRest({ uri, repository, selection, goOnFrom: first.document, pause, onPhase: async (phase) => { if (phase === 'listed') now(); } });
    // Before the oplog was read nothing new can be said: the rest before stays good.
    const kept = second ?? first;
    assert.deepEqual([kept.collections, kept.documents], [first.collections, first.documents]);
    const [taken, read] = await readsOf(() => goOn(kept));
    assertReads(read, whole - kept.documents);
    await assertInstant(taken);
  });

  it('holds everything that was dropped, renamed, made capped and rewritten meanwhile as it is at the end', async () => {
    const kept = await restInTheMiddle();
    const db = client.db('rest');
    await db.collection('one').drop();
    await db.collection<Document>('one').insertMany(documents(100));
    await db.renameCollection('two', 'one', { dropTarget: true });
    await db.collection<Document>('two').insertOne({ _id: 'another' as never });
    await db.command({ convertToCapped: 'three', size: 512 * 1024 });
    await db.collection('log').insertMany(documents(20).map(({ n, pad }) => ({ n, pad })));
    const big = db.collection<Document>('big');
    // Most of what was read goes, with whatever the tokens name.
    await big.deleteMany({ n: { $gt: 100, $lt: BIG - 200 } });
    await big.insertMany([{ _id: 5_000 as never, again: true }, { _id: -1 as never, born: true }]);
    await big.updateMany({ n: { $lt: 50 } }, { $set: { rewritten: true } });
    await big.createIndex({ again: 1 }, { name: 'again' });
    await db.command({ collMod: 'big', validator: { pad: { $exists: true } }, validationLevel: 'off' });
    await db.createCollection('born', { viewOn: 'big', pipeline: [] });
    const taken = await goOn(kept);
    assert.deepEqual(taken.anew, []);
    await assertInstant(taken);
  });

  it('that was dropped with its database and made again before it was scanned does not count all of it as changed', async () => {
    const db = client.db('rest2');
    await db.dropDatabase();
    await db.collection('old').insertOne({});
    const { pause, now } = pauseFor();
    const selected = { databases: ['rest2'], collections: [] };
    const kept = await captureUntilRest({
      uri, repository, selection: selected, pause,
      onPhase: async (phase) => {
        if (phase === 'scanned') now();
        if (phase !== 'listed') return;
        await db.dropDatabase();
        await db.collection<Document>('born').insertMany(documents(SMALL));
        await isFollowed();
      },
    });
    assert.equal(kept?.documents, SMALL);
    const [taken, read] = await readsOf(() => goOn(kept!, { selection: selected }));
    assert.deepEqual([taken.body.documents, taken.anew], [SMALL, []]);
    assert.equal([...(await readBack(repository, taken.root)).values()][0]?.touched, 0);
    // The oplog with its inserts is read again, the documents are not.
    assertReads(read, SMALL);
  });

  it('begins those in the middle again on another member, and no others', async () => {
    const kept = await restInTheMiddle();
    const index = servers.members.findIndex(({ host }) => host === kept.document['member']);
    assert.ok(index >= 0);
    await servers.kill(index);
    await client.db('rest').collection('one').updateMany({ n: { $lt: 20 } }, { $set: { n: -1 } }, { writeConcern: { w: 1 } });
    const taken = await goOn(kept);
    assert.notEqual(taken.body.source.member, kept.document['member']);
    const scanned = taken.lines.filter(({ msg, documents: read }) => msg === 'scanned' && Number(read) > 50);
    assert.deepEqual(scanned.map(({ documents: read }) => read), [BIG]);
    assert.deepEqual(taken.anew, []);
    await servers.members[index]!.restart();
    await assertInstant(taken);
  });

  it('begins those in the middle again on a member that was restarted meanwhile', async () => {
    const kept = await restInTheMiddle();
    const index = servers.members.findIndex(({ host }) => host === kept.document['member']);
    await servers.kill(index);
    await servers.members[index]!.restart();
    await client.db('rest').collection('two').insertOne({ after: 'the restart' }, { writeConcern: { w: 3 } });
    const taken = await goOn(kept);
    assert.ok(taken.lines.some(({ msg, documents: read }) => msg === 'scanned' && read === BIG));
    assert.equal(taken.lines.filter(({ msg, documents: read }) => msg === 'scanned' && Number(read) >= SMALL).length, 1);
    await assertInstant(taken);
  });

  it('reads those again of which a prune took chunks, and makes the records of the others anew', async () => {
    const { root } = await takeSnapshot({ uri, repository, selection: { databases: [], collections: ['rest.one', 'rest.two'] } });
    const kept = await restInTheMiddle({ previous: root });
    for (let i = 0; i < 3; i += 1) await repository.prune();
    await client.db('rest').collection('one').updateMany({ n: { $lt: 200 } }, { $set: { n: -1 } });
    await client.db('rest').collection('two').deleteMany({ n: { $lt: 200 } });
    const [taken, read] = await readsOf(() => goOn(kept));
    assertReads(read, BIG + SMALL + 50 + 200);
    assert.deepEqual(taken.anew, []);
    await assertInstant(taken);
  });

  it('keeps nothing where there is no time, and says so to nobody', async () => {
    const { pause, now } = pauseFor();
    const onLog = (line: LogLine): void => { if (line.msg === 'scanned') now(); };
    const began = performance.now();
    assert.equal(await captureUntilRest({ uri, repository, selection, limits, onLog, pause, withinMs: 0 }), null);
    assert.ok(performance.now() - began < SOON_MS);
  });

  it('begins anew and says why where it can not be gone on from', async () => {
    const kept = await restInTheMiddle();
    for (const [changes, reason] of [
      [{ replicaSetId: 'f'.repeat(24) }, /another replica set/],
      [{ featureCompatibilityVersion: '5.0' }, /compatibility version/],
      [{ selection: { databases: ['rest', 'more'], collections: [] } }, /what the snapshot takes/],
      [{ version: 2 }, /another version of Leafvault/],
      [{ beganTerm: '77' }, /oplog no longer holds/],
      [{ positionTerm: '77' }, /oplog no longer holds/],
    ] as const) {
      const [taken, read] = await readsOf(() => goOn({ ...kept, document: { ...kept.document, ...changes } }));
      assertReads(read, whole);
      assert.equal(taken.anew.length, 1);
      assert.match(taken.anew[0] ?? '', reason);
      assert.ok(taken.told.some(({ documentsDone }) => documentsDone < kept.documents), 'it counts from the beginning');
      await assertInstant(taken);
    }
  });

  it('begins anew where the compatibility version was changed and changed back', async () => {
    const kept = await restInTheMiddle();
    for (const version of ['5.0', '6.0']) await client.db('admin').command({ setFeatureCompatibilityVersion: version, writeConcern: { w: 3, wtimeout: 30_000 } });
    const taken = await goOn(kept);
    assert.match(taken.anew[0] ?? '', /feature compatibility version is being changed/);
    await assertInstant(taken);
  });
});
