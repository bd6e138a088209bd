// A capture that rested goes on where it was: what it had read is not read again, and what comes out is one instant all the same.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { MongoClient, type Document } from 'mongodb';
import type { CaptureRest } from '../../../../src/engine/contracts.ts';
import type { Progress } from '../../../../src/foundation/progress.ts';
import { BACKUP_ROLE } from '../../../../src/engine/mongo/index.ts';
import type { Repository } from '../../../../src/repository/index.ts';
import { createMemoryStorage, type Storage } from '../../../../src/storage/index.ts';
import { captureUntilRest, pauseFor, readBack, takeSnapshot, type CapturedInTest, type CaptureInTest, type LogLine } from '../../../support/capture.ts';
import { startReplicaSet, type ReplicaSet } from '../../../support/mongod.ts';
import { openTestRepository } from '../../../support/repository-fixture.ts';
import { compareWithOracle, readOracle } from '../oracle.ts';

const BIG = 12_000;
const SMALL = 3_000;
const selection = { databases: ['rest'], collections: [] };

describe('a capture that rested', { timeout: 300_000 }, () => {
  let servers: ReplicaSet;
  let client: MongoClient;
  let storage: Storage;
  let repository: Repository;
  let uri: string;

  before(async () => {
    servers = await startReplicaSet({ members: 3, auth: true, parameters: { minSnapshotHistoryWindowInSeconds: 600 } });
    await servers.createRole(BACKUP_ROLE);
    uri = await servers.createUser({ user: 'backup', password: 'x', roles: ['leafvaultBackup'] });
    client = await MongoClient.connect(servers.adminUri, { writeConcern: { w: 'majority' }, heartbeatFrequencyMS: 500 });
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

  it('reads only what it had not read, and begins to count where it was', async () => {
    const kept = await restInTheMiddle();
    assert.ok(kept.collections >= 4 && kept.documents > 3 * SMALL + BIG / 2, JSON.stringify(kept));
    const before = await returned();
    const taken = await goOn(kept);
    const read = (await returned()) - before;
    const left = BIG + 3 * SMALL + 50 - kept.documents;
    assert.ok(read >= left && read < left + 500, `${read} documents were read, ${left} were left`);
    assert.ok(taken.told.every(({ documentsDone }) => documentsDone >= kept.documents) && taken.told[0]?.documentsTotal === BIG + 3 * SMALL + 50, JSON.stringify(taken.told));
    assert.deepEqual(taken.anew, []);
    await assertInstant(taken);
  });
});
