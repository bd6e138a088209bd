import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { MongoClient, type Document } from 'mongodb';
import { BACKUP_ROLE } from '../../../src/engine/mongo/index.ts';
import type { Repository } from '../../../src/repository/index.ts';
import { createMemoryStorage } from '../../../src/storage/index.ts';
import { readBack, takeSnapshot } from '../../support/capture.ts';
import { startStandalone, type MongoServer } from '../../support/mongod.ts';
import { SOON_MS } from '../../support/patience.ts';
import { openTestRepository } from '../../support/repository-fixture.ts';

let server: MongoServer;
let client: MongoClient;
let repository: Repository;
let uri: string;

before(async () => {
  server = await startStandalone({ auth: true });
  await server.createRole(BACKUP_ROLE);
  uri = await server.createUser({ user: 'backup', password: 'x', roles: ['leafvaultBackup'] });
  client = await MongoClient.connect(server.adminUri);
  repository = await openTestRepository(createMemoryStorage());
});

after(async () => {
  await client?.close(true);
  await repository?.close();
  await server?.stop();
});

describe('a capture of a standalone server', () => {
  it('holds its documents and says that it is not one instant', async () => {
    const db = client.db('alone');
    await db.collection<Document>('a').insertMany(Array.from({ length: 2_000 }, (_, n) => ({ _id: n as never, pad: 'x'.repeat(100) })));
    await db.collection('a').createIndex({ pad: 1 });
    await db.collection('going').insertOne({ n: 1 });
    await db.createCollection('view', { viewOn: 'a', pipeline: [] });
    await db.createCollection('series', { timeseries: { timeField: 't' } });
    await db.collection('series').insertOne({ t: new Date() });
    const { root, body } = await takeSnapshot({ uri, repository, onPhase: async (phase) => { if (phase === 'listed') await db.dropCollection('going'); } });
    assert.deepEqual([body.consistency, body.pointInTime, body.beganAt, body.source.topology, body.source.replicaSetName], ['fuzzy', null, null, 'standalone', null]);
    const entries = await readBack(repository, root);
    assert.deepEqual([...entries.keys()].filter((name) => name.startsWith('alone')).sort(), ['alone.a', 'alone.series', 'alone.view']);
    assert.equal(entries.get('alone.a')!.documents.length, 2_000);
    assert.equal(entries.get('alone.a')!.body.documents, 2_000);
    assert.ok(entries.has('admin.system.users'));
  });

  it('is cancelled within two seconds', async () => {
    const cancel = new AbortController();
    const began = performance.now();
    const onPhase = async (phase: string): Promise<void> => { if (phase === 'listed') cancel.abort(new Error('nobody wants it')); };
    await assert.rejects(takeSnapshot({ uri, repository, signal: cancel.signal, onPhase }), /nobody wants it/);
    assert.ok(performance.now() - began < SOON_MS);
  });
});
