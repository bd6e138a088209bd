// Captures of three members, when cursors, documents and members are lost on the way.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { MongoClient, type Document } from 'mongodb';
import { BACKUP_ROLE } from '../../../src/engine/mongo/index.ts';
import type { SnapshotBody } from '../../../src/engine/contracts.ts';
import type { Clock } from '../../../src/foundation/clock.ts';
import type { Repository, SnapshotRoot } from '../../../src/repository/index.ts';
import { createMemoryStorage } from '../../../src/storage/index.ts';
import { readBack, takeSnapshot, type LogLine } from '../../support/capture.ts';
import { HOLDABLE, slowCommands } from '../../support/hold-commands.ts';
import { startReplicaSet, type ReplicaSet } from '../../support/mongod.ts';
import { openTestRepository } from '../../support/repository-fixture.ts';
import { compareWithOracle, readOracle } from './oracle.ts';

let servers: ReplicaSet;
let client: MongoClient;
let repository: Repository;
let uri: string;
const DOCUMENTS = 6_000;
const selection = { databases: ['members'], collections: [] };

before(async () => {
  servers = await startReplicaSet({ members: 3, auth: true, parameters: { ...HOLDABLE, minSnapshotHistoryWindowInSeconds: 600 } });
  await servers.createRole(BACKUP_ROLE);
  uri = await servers.createUser({ user: 'backup', password: 'x', roles: ['leafvaultBackup'] });
  client = await MongoClient.connect(servers.adminUri, { writeConcern: { w: 'majority' }, heartbeatFrequencyMS: 500 });
  repository = await openTestRepository(createMemoryStorage(), { packBytes: 4 * 1024 * 1024 });
  await client.db('members').createCollection('clustered', { clusteredIndex: { key: { _id: 1 }, unique: true } });
  const documents = (): Document[] => Array.from({ length: DOCUMENTS }, (_, n) => ({ _id: n, n, pad: 'x'.repeat(300) }));
  for (const name of ['plain', 'clustered']) await client.db('members').collection(name).insertMany(documents() as never[]);
});

after(async () => {
  await client?.close(true);
  await repository?.close();
  await servers?.stop();
});

async function onMember<T>(host: string, run: (member: MongoClient) => Promise<T>): Promise<T> {
  const member = await MongoClient.connect(servers.memberUri(servers.members.findIndex((each) => each.host === host)));
  try {
    return await run(member);
  } finally {
    await member.close(true);
  }
}

interface HalfWay {
  readonly onLog: (line: LogLine) => void;
  /** Stands still while the work runs, and with it the limit of the rate: the scans wait. */
  readonly clock: Clock;
  readonly done: () => Promise<void>;
  readonly lines: LogLine[];
}

/** Runs `work` once, when each collection was read to more than a quarter; the scans wait for it. */
function onceHalfWay(work: () => Promise<void>): HalfWay {
  const half = new Set<unknown>();
  const lines: LogLine[] = [];
  let done: Promise<void> | undefined;
  let stoppedAt: number | null = null;
  let lost = 0;
  const act = async (): Promise<void> => {
    stoppedAt = performance.now() - lost;
    try {
      await work();
    } finally {
      lost = performance.now() - stoppedAt;
      stoppedAt = null;
    }
  };
  return {
    lines,
    clock: { now: () => new Date(), monotonicMs: () => stoppedAt ?? performance.now() - lost },
    done: async () => done,
    onLog(line) {
      if (line.msg !== 'scanning') lines.push(line);
      else if (Number(line.documents) > DOCUMENTS / 4) half.add(line.uuid);
      if (half.size < 2 || done !== undefined) return;
      done = act();
      done.catch(() => undefined);
    },
  };
}

async function captureAndCompare({ onLog, clock }: HalfWay, previous: SnapshotRoot | null = null): Promise<string> {
  const { root, body } = await takeSnapshot({ uri, repository, selection, limits: { bytesPerSecond: 1_500_000 }, onLog, clock, previous });
  const primary = servers.members[await servers.primary()]!.host;
  const oracle = await onMember(primary, (member) => readOracle(member, ['members'], body.pointInTime!));
  assert.deepEqual(compareWithOracle(await readBack(repository, root), oracle), []);
  return body.source.member;
}

/** Waits until a majority read of every member knows of the deletion. */
async function untilGone(filter: Document): Promise<void> {
  for (const { host } of servers.members) {
    await onMember(host, async (member) => {
      for (const name of ['plain', 'clustered']) {
        while ((await member.db('members').collection(name).find(filter, { readConcern: 'majority', readPreference: 'nearest' }).toArray()).length > 0) await delay(20);
      }
    });
  }
}

/** Ends what the capture's account has open, on every member. */
async function killCursors(): Promise<void> {
  for (const { host } of servers.members) await onMember(host, async (client) => void (await client.db('admin').command({ killAllSessions: [{ user: 'backup', db: 'admin' }] })));
}

describe('a capture of several members', () => {
  it('reads a secondary, and the same one again', async () => {
    const first = await takeSnapshot({ uri, repository, selection });
    const { member } = first.body.source;
    assert.notEqual(member, servers.members[await servers.primary()]!.host);
    for (const other of servers.members.filter(({ host }) => host !== member)) {
      const root = { ...first.root, body: { ...first.root.body, source: { ...first.body.source, member: other.host } } };
      const again = await takeSnapshot({ uri, repository, selection, previous: root });
      assert.equal(again.body.source.member, other.host);
    }
  });

  it('goes on by its token when cursors are killed', async () => {
    const watched = onceHalfWay(killCursors);
    await captureAndCompare(watched);
    await watched.done();
    const interrupted = watched.lines.filter(({ msg }) => msg === 'a scan was interrupted');
    assert.ok(interrupted.length > 0 && interrupted.every(({ next }) => next === 'on'), JSON.stringify(interrupted));
  });

  it('steps back when the document that a token names is gone', async () => {
    const watched = onceHalfWay(async () => {
      // Most of what was read goes, and with it whatever the newest tokens name; what lies behind is read once.
      for (const name of ['plain', 'clustered']) await client.db('members').collection<Document>(name).deleteMany({ n: { $gt: 30, $lt: DOCUMENTS - 200 } });
      await untilGone({ n: 100 });
      await killCursors();
    });
    await captureAndCompare(watched);
    await watched.done();
    assert.ok(watched.lines.some(({ msg, reason }) => msg === 'a scan was interrupted' && /no longer exists/.test(String(reason))), JSON.stringify(watched.lines));
  });

  it('begins its unfinished collections again on another member when the one is lost', async () => {
    for (const name of ['plain', 'clustered']) {
      await client.db('members').collection<Document>(name).deleteMany({});
      await client.db('members').collection<Document>(name).insertMany(Array.from({ length: DOCUMENTS }, (_, n) => ({ _id: n as never, n, pad: 'y'.repeat(300) })));
    }
    const { root } = await takeSnapshot({ uri, repository, selection });
    const { member } = (root.body as unknown as SnapshotBody).source;
    const lost = servers.members.find(({ host }) => host === member)!;
    const watched = onceHalfWay(async () => {
      await lost.kill();
      await client.db('members').collection('plain').updateMany({ n: { $lt: 500 } }, { $set: { after: 1 } }, { writeConcern: { w: 1 } });
    });
    const other = await captureAndCompare(watched, root);
    await watched.done();
    assert.notEqual(other, member);
    assert.ok(watched.lines.some(({ msg, next }) => msg === 'a scan was interrupted' && next === 'again'));
    await lost.restart();
  });

  it('begins again when the member that it reads rolls back what it had shown', async () => {
    await client.db('members').collection('plain').deleteMany({ n: { $gte: 500 } });
    const old = await servers.primary();
    const others = [0, 1, 2].filter((index) => index !== old);
    const { host } = servers.members[old]!;
    const { root } = await takeSnapshot({ uri, repository, selection });
    const previous = { ...root, body: { ...root.body, source: { ...(root.body as unknown as SnapshotBody).source, member: host } } };
    const lost = { by: 'the old primary alone' };
    const lines: LogLine[] = [];
    const reached: string[] = [];
    // While it lists: a time that it has seen before is one that a majority holds, so it would wait at once.
    let writing: Promise<void> | undefined;
    const writeAlone = (from: Promise<void>): Promise<void> => onMember(host, async (member) => {
      await from;
      do await member.db('members').collection('plain').insertOne({ ...lost }, { writeConcern: { w: 1 } });
      while (!reached.includes('listed'));
    });
    const { root: taken, body } = await takeSnapshot({ uri, repository, selection, previous, onLog: (line) => void lines.push(line), onPhase: async (phase) => {
      reached.push(phase);
      if (reached.filter((each) => each === phase).length > 1) return;
      if (phase === 'connected') {
        // The others apply nothing that they get from now on, and say that they are there.
        for (const index of others) await onMember(servers.members[index]!.host, (member) => member.db('admin').command({ fsync: 1, lock: true }));
        const { entered, release } = await slowCommands(servers, ['listIndexes'], 3_000, { appName: 'leafvault' });
        writing = writeAlone(entered(1)).finally(release);
        writing.catch(() => undefined);
      }
      if (phase !== 'listed') return;
      await writing;
      for (const index of others) await servers.kill(index);
      // Its cursors and connections stay, and nobody gets what it has alone.
      servers.members[old]!.pause();
      for (const index of others) await servers.members[index]!.restart();
      await untilElected(others);
      servers.members[old]!.resume();
      const ofLost = (): Promise<number> => onMember(host, (member) => member.db('members').collection('plain').countDocuments(lost)).catch(() => 1);
      while ((await ofLost()) > 0) await delay(20);
    } });
    assert.match(String(lines.find(({ msg }) => msg === 'the capture begins again')?.reason), /that the member had shown was rolled back/);
    assert.ok(reached.filter((phase) => phase === 'listed').length === 2, reached.join());
    const oracle = await onMember(servers.members[await servers.primary()]!.host, (member) => readOracle(member, ['members'], body.pointInTime!));
    assert.deepEqual(compareWithOracle(await readBack(repository, taken), oracle), []);
    assert.equal(await client.db('members').collection('plain').countDocuments(lost), 0);
  });

  /** One of these members is primary and has written with a majority. */
  async function untilElected(indexes: readonly number[]): Promise<void> {
    for (;;) {
      for (const index of indexes) {
        const done = await onMember(servers.members[index]!.host, async (member) => {
          await member.db('members').collection('plain').updateMany({ n: { $lt: 100 } }, { $set: { by: 'the next primary' } }, { writeConcern: { w: 'majority', wtimeoutMS: 5_000 } });
          return true;
        }).catch(() => false);
        if (done) return;
      }
      await delay(50);
    }
  }
});
