// What each door orders is done to the end by a real worker: a download that loads elsewhere, restores onto the same
// cluster and another one, a standalone server.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { BSON, MongoClient } from 'mongodb';
import { TOP_FOLDER } from '../../src/engine/archive/index.ts';
import { BACKUP, call, CLUSTER, PROJECT, settingsFor, startSource, takeSnapshot, until, type Source } from '../support/installation.ts';
import { leafvaultFolder, startLeafvault, type LeafvaultFolder, type LeafvaultProcess } from '../support/leafvault.ts';
import { insertDecoded, loadDump, readDump } from '../support/load-dump.ts';
import { findMongorestore } from '../support/mongorestore.ts';
import { freePort, startReplicaSet, startStandalone, type MongoServer, type ReplicaSet } from '../support/mongod.ts';
import { contentOfServer } from '../support/restore-world.ts';

const COPY = { name: 'copy', id: '5f0000000000000000000005' };
const ALONE = { name: 'alone', id: '5f0000000000000000000006' };
const ATLAS = `/api/atlas/v2/groups/${PROJECT.id}/clusters`;
const mongorestore = await findMongorestore();
const OPS_MANAGER = `/api/public/v1.0/groups/${PROJECT.id}/clusters`;

describe('what is ordered at a door', { timeout: 900_000 }, () => {
  let source: Source;
  let copy: ReplicaSet;
  let alone: MongoServer;
  let folder: LeafvaultFolder;
  let leafvault: LeafvaultProcess;
  let snapshotId: string;
  let original: Record<string, string>;

  before(async () => {
    [source, copy, alone, folder] = await Promise.all([startSource(2_000), startReplicaSet({ name: 'copy' }), startStandalone(), leafvaultFolder()]);
    await fill(source.client);
    original = await contentOfServer(source.mongo.adminUri, { ordered: true });
    leafvault = await startLeafvault({ folder, port: await freePort(), settings: settings() });
    snapshotId = String((await takeSnapshot(leafvault.origin)).id);
  });

  after(async () => {
    await leafvault?.stop();
    await Promise.all([source?.[Symbol.asyncDispose](), copy?.stop(), alone?.stop()]);
    await folder?.remove();
  });

  test('at Atlas v1.0: the archive at its URL holds every file, and loads into an empty server with the driver alone', async () => {
    const { status, body } = await call(leafvault.origin, 'POST', `/api/atlas/v1.0/groups/${PROJECT.id}/clusters/${CLUSTER.name}/backup/tenant/download`, { snapshotId, targetDeploymentItemName: CLUSTER.name });
    assert.equal(status, 200);
    const archive = await fetch(String(body.snapshotUrl));
    assert.equal(archive.status, 200);
    const into = join(folder.path, 'download');
    await mkdir(into);
    await writeFile(join(into, 'a.tar.gz'), Buffer.from(await archive.arrayBuffer()));
    await promisify(execFile)('tar', ['xzf', 'a.tar.gz'], { cwd: into });
    const files = await readDump(join(into, TOP_FOLDER));
    assert.deepEqual(files.filter(({ db }) => db !== 'admin').map(({ db, name }) => `${db}.${name}`).sort(), Object.keys(original).sort());

    await using empty = await startStandalone();
    assert.deepEqual(await contentOfServer(empty.uri), {});
    await using client = new MongoClient(empty.uri);
    await loadDump(client, files, insertDecoded);
    assert.deepEqual(await contentOfServer(empty.uri, { ordered: true }), original);
  });

  test('at Atlas v1.0: mongorestore --dir loads the archive as it is', { skip: typeof mongorestore === 'string' ? mongorestore : false }, async () => {
    assert.ok(typeof mongorestore !== 'string');
    await using empty = await startStandalone();
    const told = await mongorestore.load(empty.uri, join(folder.path, 'download', TOP_FOLDER));
    assert.match(told, /0 document\(s\) failed to restore/);
    assert.deepEqual(await contentOfServer(empty.uri, { ordered: true }), original);
  });

  test('at Ops Manager: AUTOMATED_RESTORE brings a snapshot to another cluster', async () => {
    assert.deepEqual(await contentOfServer(copy.uri), {});
    const { status, body } = await call(leafvault.origin, 'POST', `${OPS_MANAGER}/${CLUSTER.id}/restoreJobs`, {
      delivery: { methodName: 'AUTOMATED_RESTORE', targetGroupId: PROJECT.id, targetClusterId: COPY.id }, snapshotId,
    });
    assert.equal(status, 200, JSON.stringify(body));
    const [job] = body.results as Record<string, unknown>[];
    const ended = await until(() => call(leafvault.origin, 'GET', `${OPS_MANAGER}/${CLUSTER.id}/restoreJobs/${String(job?.id)}`), (each) => (each.statusName === 'IN_PROGRESS' ? null : each));
    assert.equal(ended.statusName, 'FINISHED', await leafvault.log());
    assert.deepEqual(await contentOfServer(copy.uri, { ordered: true }), original);
  });

  for (const [door, order, read, isOver] of [
    ['tenant/restore', { targetDeploymentItemName: COPY.name, targetProjectId: PROJECT.id }, 'tenant/restores', ({ status }: Record<string, unknown>) => status === 'COMPLETED'],
    ['restoreJobs', { deliveryType: 'automated', targetClusterName: COPY.name, targetGroupId: PROJECT.id }, 'restoreJobs', ({ finishedAt, failed }: Record<string, unknown>) => finishedAt !== undefined && failed === false],
  ] as const) {
    test(`at Atlas v2: ${door} brings a snapshot to another cluster, over what is there`, async () => {
      await using client = new MongoClient(copy.uri);
      await client.db('shop').collection('orders').deleteMany({});
      await client.db('shop').collection('strangers').insertOne({});
      await client.db('crm').dropDatabase();
      const { status, body } = await call(leafvault.origin, 'POST', `${BACKUP}/${door}`, { ...order, snapshotId });
      assert.equal(status, 200, JSON.stringify(body));
      await until(() => call(leafvault.origin, 'GET', `${BACKUP}/${read}/${String(body.id)}`), (job) => (isOver(job) ? job : null));
      assert.deepEqual(live(await contentOfServer(copy.uri, { ordered: true })), original);
      assert.deepEqual(await contentOfServer(source.mongo.adminUri, { ordered: true }), original, 'the source is as it was');
    });
  }

  test('at Atlas v2: tenant/restore brings a snapshot back to its own cluster', async () => {
    const shop = source.client.db('shop');
    await shop.collection('orders').updateMany({}, { $set: { text: 'damaged' } });
    await shop.dropCollection('customers');
    const { status, body } = await call(leafvault.origin, 'POST', `${BACKUP}/tenant/restore`, { snapshotId, targetDeploymentItemName: CLUSTER.name });
    assert.equal(status, 200, JSON.stringify(body));
    const job = await until(() => call(leafvault.origin, 'GET', `${BACKUP}/tenant/restores/${String(body.id)}`), (each) => (['COMPLETED', 'FAILED'].includes(String(each.status)) ? each : null));
    assert.equal(job.status, 'COMPLETED', await leafvault.log());
    assert.deepEqual(live(await contentOfServer(source.mongo.adminUri, { ordered: true })), original);
  });

  test('for a standalone server: its snapshot is marked as no point in time, and brings it back', async () => {
    await using client = new MongoClient(alone.uri);
    const letters = client.db('post').collection('letters');
    await letters.insertMany(Array.from({ length: 500 }, (_, n) => ({ n })));
    await letters.createIndex({ n: 1 });
    const before = await contentOfServer(alone.uri, { ordered: true });
    const backup = `${ATLAS}/${ALONE.name}/backup`;
    const { status, body } = await call(leafvault.origin, 'POST', `${backup}/snapshots`, { description: 'test', retentionInDays: 1 });
    assert.equal(status, 200, JSON.stringify(body));
    const snapshot = await until(() => call(leafvault.origin, 'GET', `${backup}/snapshots/${String(body.id)}`), (each) => (['completed', 'failed'].includes(String(each.status)) ? each : null));
    assert.equal(snapshot.status, 'completed', await leafvault.log());
    const marked = async (cluster: string, id: string): Promise<unknown> => (await call(leafvault.origin, 'GET', `${OPS_MANAGER}/${cluster}/snapshots/${id}`)).body.isPossiblyInconsistent;
    assert.deepEqual([await marked(ALONE.id, String(snapshot.id)), await marked(CLUSTER.id, snapshotId)], [true, false]);

    await letters.drop();
    const restore = await call(leafvault.origin, 'POST', `${backup}/restoreJobs`, { deliveryType: 'automated', snapshotId: snapshot.id, targetGroupId: PROJECT.id, targetClusterName: ALONE.name });
    assert.equal(restore.status, 200, JSON.stringify(restore.body));
    const job = await until(() => call(leafvault.origin, 'GET', `${backup}/restoreJobs/${String(restore.body.id)}`), (each) => (each.finishedAt !== undefined || each.failed === true ? each : null));
    assert.equal(job.failed, false, await leafvault.log());
    assert.deepEqual(live(await contentOfServer(alone.uri, { ordered: true })), before);
  });

  /** The source, and beside it a cluster to restore onto and one of a single server. */
  function settings(): unknown {
    const { organizations: [organization], ...rest } = settingsFor(source.uri) as { readonly organizations: readonly Record<string, unknown>[] };
    const clusters = [{ ...CLUSTER, uri: source.uri }, { ...COPY, uri: copy.uri }, { ...ALONE, uri: alone.uri }];
    return { ...rest, restore: { timeSeries: 'replace' }, organizations: [{ ...organization, projects: [{ ...PROJECT, clusters }] }] };
  }
});

/** One of each kind of collection and of each type that the driver brings back as it was. */
async function fill(client: MongoClient): Promise<void> {
  const shop = client.db('shop');
  await shop.createCollection('customers', { collation: { locale: 'de', strength: 1 }, validator: { name: { $exists: true } } });
  await shop.collection('customers').insertMany(Array.from({ length: 300 }, (_, n) => ({ name: `customer ${n}`, home: { type: 'Point', coordinates: [n / 10, n / 20] } })));
  await shop.collection('customers').createIndexes([{ key: { name: 1 }, unique: true }, { key: { home: '2dsphere' } }, { key: { seen: 1 }, expireAfterSeconds: 86_400, sparse: true, collation: { locale: 'simple' } }]);
  await shop.createCollection('events', { capped: true, size: 100_000 });
  await shop.collection('events').insertMany(Array.from({ length: 50 }, (_, n) => ({ _id: (50 - n) as never })));
  await shop.createCollection('sensors', { timeseries: { timeField: 'at', metaField: 'room' } });
  await shop.collection('sensors').insertMany(Array.from({ length: 200 }, (_, n) => ({ at: new Date(n * 60_000), room: n % 3, celsius: n / 10 })));
  await shop.createCollection('open', { viewOn: 'orders', pipeline: [{ $match: { text: /order 1/ } }] });
  await client.db('crm').collection('every type').insertOne({
    double: new BSON.Double(1), int: new BSON.Int32(1), long: BSON.Long.fromNumber(1), decimal: BSON.Decimal128.fromString('1.000'), date: new Date(-1), nothing: null,
    binary: new BSON.Binary(Buffer.from('x'), 0x80), uuid: new BSON.UUID(), pattern: /a/i, code: new BSON.Code('f'), stamp: new BSON.Timestamp({ t: 1, i: 2 }), least: new BSON.MinKey(), most: new BSON.MaxKey(), list: [1, [true]],
  });
}

/** Without what is kept for an undo. */
function live(content: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(content).filter(([name]) => !name.includes('.__lv_')));
}
