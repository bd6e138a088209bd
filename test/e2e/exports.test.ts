// A whole installation with a real MongoDB: looks into a snapshot, restores some collections beside, exports everything, is killed on the way.
import assert from 'node:assert/strict';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { CLUSTER, KEY, PROJECT, settingsFor, startSource, takeSnapshot } from '../support/installation.ts';
import { leafvaultFolder, startLeafvault } from '../support/leafvault.ts';
import { freePort } from '../support/mongod.ts';
import { PATIENCE_MS } from '../support/patience.ts';
import { runCurl } from '../support/run-curl.ts';

const COLLECTIONS = 100;
const TARGET = '5f00000000000000000000ee';
const group = `/api/atlas/v2/groups/${PROJECT.id}`;
const cluster = `${group}/clusters/${CLUSTER.name}`;

type Answer = { readonly status: number; readonly body: Record<string, unknown> };

async function ask(origin: string, method: string, path: string, body?: unknown): Promise<Answer> {
  const data = body === undefined ? [] : ['--data', JSON.stringify(body)];
  const answer = await runCurl(['--digest', '--user', `${KEY.publicKey}:${KEY.privateKey}`, '--header', 'Accept: application/vnd.atlas.2025-03-12+json', '--header', 'Content-Type: application/json', '--request', method, ...data, `${origin}${path}`]);
  return { status: answer.status, body: answer.body.trim() === '' ? {} : (JSON.parse(answer.body) as Record<string, unknown>) };
}

async function endOf(origin: string, path: string, over: readonly string[]): Promise<Record<string, unknown>> {
  for (const deadline = performance.now() + PATIENCE_MS; performance.now() < deadline; await delay(50)) {
    const { body } = await ask(origin, 'GET', path);
    if (over.includes(String(body['state']))) return body;
  }
  throw new Error(`${path} did not end`);
}

test('a snapshot is looked into, restored beside, and exported to a folder although the worker is killed on the way', async () => {
  await using source = await startSource(2_000);
  const many = source.client.db('many');
  for (let n = 0; n < COLLECTIONS; n += 1) await many.collection(`c${String(n).padStart(3, '0')}`).insertOne({ _id: n as never, text: 'x'.repeat(200) });
  await using folder = await leafvaultFolder();
  const settings = settingsFor(source.uri, { exportTargets: [{ name: TARGET, folder: './exports' }] });
  const port = await freePort();
  let leafvault = await startLeafvault({ folder, port, settings });
  const { origin } = leafvault;
  const snapshot = await takeSnapshot(origin);
  assert.equal(snapshot['status'], 'completed', await leafvault.log());
  const contents = `${cluster}/backup/snapshots/${String(snapshot['id'])}/databases`;

  const databases = await ask(origin, 'GET', contents);
  assert.deepEqual(databases.body['results'], [{ name: 'many' }, { name: 'shop' }], JSON.stringify(databases));
  const page = await ask(origin, 'GET', `${contents}/many/collections?pageNum=2&itemsPerPage=60`);
  assert.deepEqual([page.body['totalCount'], (page.body['results'] as unknown[]).length], [COLLECTIONS, 40]);
  assert.deepEqual((await ask(origin, 'GET', `${contents}/shop/collections/orders`)).body, { name: 'orders' });
  for (const missing of ['nowhere', 'shop/collections/nothing']) assert.equal((await ask(origin, 'GET', `${contents}/${missing}`)).status, 404);

  const order = {
    snapshotId: snapshot['id'], targetGroupId: PROJECT.id, targetClusterName: CLUSTER.name, writeStrategy: 'CREATE_NEW', indexStrategy: 'ALL',
    collections: [{ sourceNamespace: 'shop.orders', targetNamespace: 'shop.recovered' }, { sourceNamespace: 'many.c007' }], collectionSuffix: '_copy',
  };
  const made = await ask(origin, 'POST', `${cluster}/collectionRestoreJobs`, order);
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const restored = await endOf(origin, `${cluster}/collectionRestoreJobs/${String(made.body['id'])}`, ['SUCCESSFUL', 'FAILED']);
  assert.deepEqual([restored['state'], restored['restoredDocuments'], restored['totalDocuments'], restored['indexStatus']], ['SUCCESSFUL', 2_001, 2_001, { failedCollectionCount: 0, state: 'SUCCESSFUL' }], JSON.stringify(restored));
  assert.deepEqual([await source.client.db('shop').collection('recovered_copy').countDocuments(), await many.collection('c007_copy').countDocuments()], [2_000, 1]);
  assert.deepEqual((await source.client.db('shop').collection('recovered_copy').indexes()).map(({ name }) => name), ['_id_', 'by text']);
  const rows = await ask(origin, 'GET', `${cluster}/collectionRestoreJobs/${String(made.body['id'])}/collections?state=SUCCESSFUL`);
  assert.deepEqual((rows.body['results'] as Record<string, unknown>[]).map((row) => [row['sourceNamespace'], row['targetNamespace'], row['effectiveTargetNamespace'], row['restoredDocuments']]), [
    ['many.c007', 'many.c007', 'many.c007_copy', 1], ['shop.orders', 'shop.recovered', 'shop.recovered_copy', 2_000],
  ]);
  assert.equal((await ask(origin, 'GET', `${cluster}/collectionRestoreJobs/${String(made.body['id'])}/collections/shop.orders`)).body['state'], 'SUCCESSFUL');

  const again = await ask(origin, 'POST', `${cluster}/collectionRestoreJobs`, order);
  const refused = await endOf(origin, `${cluster}/collectionRestoreJobs/${String(again.body['id'])}`, ['SUCCESSFUL', 'FAILED']);
  assert.match(String(refused['errorMessage']), /shop\.recovered_copy is there already/);
  await source.client.db('shop').collection('recovered_copy').deleteMany({});
  const over = await ask(origin, 'POST', `${cluster}/collectionRestoreJobs`, { ...order, writeStrategy: 'OVERWRITE_EXISTING' });
  assert.equal((await endOf(origin, `${cluster}/collectionRestoreJobs/${String(over.body['id'])}`, ['SUCCESSFUL', 'FAILED']))['state'], 'SUCCESSFUL');
  assert.equal(await source.client.db('shop').collection('recovered_copy').countDocuments(), 2_000);
  assert.equal((await ask(origin, 'GET', `${cluster}/collectionRestoreJobs`)).body['totalCount'], 3);

  const own = `/api/leafvault/v1/groups/${PROJECT.id}/clusters/${CLUSTER.id}`;
  const undo = await ask(origin, 'POST', `${own}/restores/${String(over.body['id'])}/undo`);
  assert.equal(undo.status, 200, JSON.stringify(undo.body));
  await endOf(origin, `${own}/jobs/${String(undo.body['id'])}`, ['completed']);
  assert.equal(await source.client.db('shop').collection('recovered_copy').countDocuments(), 0);
  const undone = (await ask(origin, 'GET', `${cluster}/collectionRestoreJobs/${String(over.body['id'])}`)).body;
  assert.deepEqual([undone['state'], undone['restoredDocuments'], undone['totalDocuments']], ['SUCCESSFUL', 2_001, 2_001], 'what it restored is told after it was taken back');

  const bucket = await ask(origin, 'POST', `${group}/backup/exportBuckets`, { bucketName: 'acme', cloudProvider: 'AWS', iamRoleId: TARGET });
  assert.equal(bucket.status, 200, JSON.stringify(bucket.body));
  // The first collections are there, and most are not. Nothing holds an export: one that was over before the kill is followed by another.
  let asked: Answer;
  let place: string;
  let done: string[];
  for (;;) {
    asked = await ask(origin, 'POST', `${cluster}/backup/exports`, { snapshotId: snapshot['id'], exportBucketId: bucket.body['_id'] });
    place = join(folder.path, 'exports', 'acme', ...String(asked.body['prefix']).split('/'));
    for (done = []; done.length < 3; done = await doneIn(place));
    await leafvault.kill();
    if (await stat(join(place, '.complete')).catch(() => null) === null) break;
    leafvault = await startLeafvault({ folder, port });
  }
  const name = await partName(place, done[0]!);
  const first = await stat(join(place, 'many', done[0]!, `${name}.0.json.gz`));
  leafvault = await startLeafvault({ folder, port });
  const exported = await endOf(origin, `${cluster}/backup/exports/${String(asked.body['id'])}`, ['Successful', 'Failed', 'Cancelled']);
  assert.deepEqual([exported['state'], exported['exportStatus']], ['Successful', { exportedCollections: COLLECTIONS + 1, totalCollections: COLLECTIONS + 1 }], JSON.stringify(exported));
  const complete = JSON.parse(await readFile(join(place, '.complete'), 'utf8')) as Record<string, unknown>;
  assert.deepEqual([complete['groupId'], complete['clusterName'], complete['totalFiles']], [PROJECT.id, CLUSTER.name, COLLECTIONS + 1]);
  assert.equal((await stat(join(place, 'many', done[0]!, `${name}.0.json.gz`))).mtimeMs, first.mtimeMs, 'what was done was left as it was');
  assert.equal((await readdir(join(place, 'many'))).length, COLLECTIONS);
  for (const each of await readdir(join(place, 'many'))) {
    const text = gunzipSync(await readFile(join(place, 'many', each, `${name}.0.json.gz`))).toString();
    assert.equal(text, `{"_id":{"$numberInt":"${Number(each.slice(1))}"},"text":"${'x'.repeat(200)}"}\n`);
  }
  const lines = gunzipSync(await readFile(join(place, 'shop', 'orders', `${name}.0.json.gz`))).toString().split('\n');
  assert.equal(lines.length - 1, 2_000);
  assert.equal(await leafvault.stop(), 0);
});

/** Collections whose metadata, the last of their files, is there. */
async function doneIn(place: string): Promise<string[]> {
  const names = await readdir(join(place, 'many')).catch(() => [] as string[]);
  const isDone = await Promise.all(names.map((name) => stat(join(place, 'many', name, 'metadata.json')).then(() => true, () => false)));
  return names.filter((_, at) => isDone[at]);
}

async function partName(place: string, collection: string): Promise<string> {
  const [part = ''] = (await readdir(join(place, 'many', collection))).filter((name) => name.endsWith('.json.gz'));
  return part.slice(0, -'.0.json.gz'.length);
}
