// An oplog that no longer reaches back to where a capture rested.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { MongoClient, Timestamp, type Document } from 'mongodb';
import type { ClusterTime } from '../../../../src/domain/cluster-time.ts';
import type { CaptureRest } from '../../../../src/engine/contracts.ts';
import type { Repository } from '../../../../src/repository/index.ts';
import { createMemoryStorage } from '../../../../src/storage/index.ts';
import { captureUntilRest, pauseFor, readBack, takeSnapshot, type CapturedInTest } from '../../../support/capture.ts';
import { startReplicaSet, type ReplicaSet } from '../../../support/mongod.ts';
import { openTestRepository } from '../../../support/repository-fixture.ts';
import { compareWithOracle, readOracle } from '../oracle.ts';

describe('a capture that rested longer than the oplog reaches back', { timeout: 900_000 }, () => {
  let servers: ReplicaSet;
  let client: MongoClient;
  let repository: Repository;
  const selection = { databases: ['rest'], collections: [] };

  before(async () => {
    // A server cuts its oplog behind checkpoints only.
    servers = await startReplicaSet({ oplogSizeMB: 2, checkpointSeconds: 1 });
    client = await MongoClient.connect(servers.uri);
    repository = await openTestRepository(createMemoryStorage(), { packBytes: 1024 * 1024 });
    for (const name of ['one', 'two']) {
      await client.db('rest').collection<Document>(name).insertMany(Array.from({ length: 2_000 }, (_, n) => ({ _id: n as never, n, pad: 'x'.repeat(200) })));
    }
  });
  after(async () => {
    await client?.close(true);
    await repository?.close();
    await servers?.stop();
  });

  async function rest(): Promise<CaptureRest> {
    const { pause, now } = pauseFor();
    const kept = await captureUntilRest({ uri: servers.uri, repository, selection, pause, onPhase: async (phase) => { if (phase === 'scanned') now(); } });
    assert.equal(kept?.collections, 2);
    return kept!;
  }

  async function rollOver(from: ClusterTime): Promise<void> {
    const local = client.db('local').collection('oplog.rs');
    const ts = new Timestamp({ t: from.t, i: from.i });
    while ((await local.countDocuments({ ts })) > 0) {
      for (let i = 0; i < 8; i += 1) await client.db('other').collection<Document>('filler').replaceOne({ _id: i as never }, { pad: 'y'.repeat(512 * 1024), at: Math.random() }, { upsert: true });
      await delay(100);
    }
  }

  async function assertInstant({ root, body }: CapturedInTest): Promise<void> {
    const oracle = await readOracle(client, ['rest'], body.pointInTime!);
    assert.deepEqual(compareWithOracle(await readBack(repository, root), oracle), []);
  }

  it('begins anew, and is right', async () => {
    const kept = await rest();
    await client.db('rest').collection('one').updateMany({ n: { $lt: 100 } }, { $set: { lost: 'from the oplog' } });
    await rollOver(kept.document['beganAt'] as ClusterTime);
    const anew: string[] = [];
    const taken = await takeSnapshot({ uri: servers.uri, repository, selection, goOnFrom: kept.document, onAnew: async (reason) => void anew.push(reason) });
    assert.deepEqual(anew, ['the oplog no longer holds what was written since it began']);
    await assertInstant(taken);
  });
});
