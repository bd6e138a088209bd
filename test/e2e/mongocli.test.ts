// What mongocli sends to Ops Manager, request by request, to a running Leafvault over a real mongod: each command of the reference with
// its headers and its body, and what it reads of the answers.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { MongoClient } from 'mongodb';
import { goClient, type GoClient } from '../support/go-client.ts';
import { CLUSTER, KEY, PROJECT, settingsFor, startSource, type Source } from '../support/installation.ts';
import { leafvaultFolder, startLeafvault, type LeafvaultFolder, type LeafvaultProcess } from '../support/leafvault.ts';
import { freePort, startReplicaSet, type ReplicaSet } from '../support/mongod.ts';
import { PATIENCE_MS } from '../support/patience.ts';
import { contentOfServer } from '../support/restore-world.ts';

const COPY = { name: 'copy', id: '5f0000000000000000000005' };
const ROOT = '/api/public/v1.0';
const GROUP = `${ROOT}/groups/${PROJECT.id}`;
const SOURCE = `${GROUP}/clusters/${CLUSTER.id}`;
const CONFIG = `${GROUP}/backupConfigs/${CLUSTER.id}`;
/** The newer version sends it with every list, the older one never. */
const PAGE = '?itemsPerPage=100&pageNum=1';

describe('mongocli', { timeout: 900_000 }, () => {
  let source: Source;
  let copy: ReplicaSet;
  let folder: LeafvaultFolder;
  let leafvault: LeafvaultProcess;
  let cli: GoClient;
  let snapshotId: string;

  before(async () => {
    [source, copy, folder] = await Promise.all([startSource(500), startReplicaSet({ name: 'copy' }), leafvaultFolder()]);
    await source.client.db('shop').collection<{ _id: number }>('carts').insertMany([{ _id: 1 }, { _id: 2 }]);
    await source.client.db('logs').collection<{ _id: number }>('lines').insertOne({ _id: 1 });
    leafvault = await startLeafvault({ folder, port: await freePort(), settings: settings() });
    cli = goClient(leafvault.origin, 'mongocli/2.0.7 (linux;amd64;ops-manager)', KEY);
  });
  after(async () => {
    await leafvault?.stop();
    await Promise.all([source?.[Symbol.asyncDispose](), copy?.stop()]);
    await folder?.remove();
  });

  function settings(): Record<string, unknown> {
    const base = settingsFor(source.uri, {}, { schedule: 'none' });
    const [organization] = base['organizations'] as [{ readonly projects: readonly [{ readonly clusters: readonly unknown[] }] }];
    return { ...base, organizations: [{ ...organization, projects: [{ ...organization.projects[0], clusters: [...organization.projects[0].clusters, { ...COPY, uri: copy.uri, schedule: 'none' }] }] }] };
  }

  async function ok(method: 'GET' | 'POST' | 'PATCH', target: string, body?: unknown): Promise<Record<string, unknown>> {
    const { status, json, headers } = await cli.call(method, target, body);
    assert.equal(status, 200, `${method} ${target}: ${JSON.stringify(json)}`);
    assert.match(headers.get('x-mongodb-service-version') ?? '', /^gitHash=[0-9a-f]{40}; versionString=/);
    return json;
  }
  const resultsOf = (json: Record<string, unknown>): readonly Record<string, unknown>[] => json['results'] as readonly Record<string, unknown>[];

  test('probes the version before it knows a key', async () => {
    const { status, headers } = await fetch(`${leafvault.origin}/api/private/unauth/version`, { headers: { accept: 'text/plain' } });
    assert.equal(status, 200);
    assert.match(headers.get('x-mongodb-service-version') ?? '', /versionString=/);
  });

  test('iam projects list, with and without an organization; clusters list, plain and with -o json', async () => {
    const [project] = resultsOf(await ok('GET', `${ROOT}/groups${PAGE}`));
    assert.equal(project?.['id'], PROJECT.id);
    assert.equal(resultsOf(await ok('GET', `${ROOT}/orgs/${String(project?.['orgId'])}/groups${PAGE}`)).length, 1);
    assert.deepEqual(resultsOf(await ok('GET', `${GROUP}/clusters`)).map(({ clusterName }) => clusterName), ['copy', 'orders']);
    const automation = await ok('GET', `${GROUP}/automationConfig`);
    const names = (automation['replicaSets'] as { readonly _id: string; readonly members: readonly { readonly host: string }[] }[]).flatMap(({ members }) => members.map(({ host }) => host));
    assert.deepEqual(names.map((each) => /:\d+$/.test(each)), [true, true], JSON.stringify(automation));
  });

  test('backups config list, describe and update: filtered, started', async () => {
    assert.deepEqual(resultsOf(await ok('GET', `${GROUP}/backupConfigs${PAGE}`)).map(({ statusName }) => statusName), ['INACTIVE', 'INACTIVE']);
    const place = { groupId: PROJECT.id, clusterId: CLUSTER.id };
    assert.deepEqual((await ok('PATCH', CONFIG, { ...place, excludedNamespaces: ['logs', 'shop.carts'] }))['excludedNamespaces'], ['logs', 'shop.carts']);
    assert.equal((await ok('PATCH', CONFIG, { ...place, statusName: 'STARTED' }))['statusName'], 'STARTED');
    assert.equal((await ok('GET', CONFIG))['statusName'], 'STARTED');
    const again = await cli.call('PATCH', CONFIG, { ...place, statusName: 'STARTED' });
    assert.deepEqual([again.status, again.json['errorCode']], [409, 'CANNOT_START_BACKUP_INVALID_STATE']);
  });

  test('backups snapshots schedule describe and update of both versions', async () => {
    const schedule = `${CONFIG}/snapshotSchedule`;
    const before = await ok('GET', schedule);
    const zeros = { pointInTimeWindowHours: 0, referenceHourOfDay: 0, referenceMinuteOfHour: 0 };
    const tiers = { dailySnapshotRetentionDays: 0, weeklySnapshotRetentionWeeks: 0, monthlySnapshotRetentionMonths: 0 };
    const changed = await ok('PATCH', schedule, { clusterId: CLUSTER.id, groupId: PROJECT.id, snapshotIntervalHours: 12, ...tiers, ...zeros });
    assert.deepEqual([changed['snapshotIntervalHours'], changed['dailySnapshotRetentionDays'], changed['monthlySnapshotRetentionMonths']], [12, before['dailySnapshotRetentionDays'], before['monthlySnapshotRetentionMonths']]);
    assert.equal((await ok('PATCH', schedule, { clusterId: CLUSTER.id, groupId: PROJECT.id, snapshotIntervalHours: 8, ...zeros }))['snapshotIntervalHours'], 8);
  });

  test('backups snapshots list: one on demand holds what the filter leaves', async () => {
    const made = await ok('POST', `${SOURCE}/snapshots/onDemandSnapshot?retentionDays=2`);
    assert.deepEqual(Object.keys(made).sort(), ['clusterName', 'description', 'id', 'timestamp']);
    const snapshot = await cli.until(`${SOURCE}/snapshots${PAGE}`, (json) => resultsOf(json).find(({ id }) => id === made['id']) ?? null);
    assert.deepEqual(snapshot['namespaceFilterList'], { filterList: ['logs', 'shop.carts'], filterType: 'blacklist' });
    assert.equal((await ok('GET', `${SOURCE}/snapshots`))['totalCount'], 1, 'the older version sends no query');
    snapshotId = String(snapshot['id']);
    assert.equal((await ok('PATCH', `${SOURCE}/snapshots/${snapshotId}`, { doNotDelete: true }))['doNotDelete'], true);
    assert.equal((await ok('PATCH', `${SOURCE}/snapshots/${snapshotId}`, { expires: new Date(Date.now() + 172_800_000).toISOString() }))['doNotDelete'], true);
    assert.equal((await ok('PATCH', `${SOURCE}/snapshots/${snapshotId}`, { doNotDelete: false }))['doNotDelete'], false);
  });

  test('backups checkpoints list is empty', async () => {
    assert.equal((await ok('GET', `${SOURCE}/checkpoints${PAGE}`))['totalCount'], 0);
  });

  test('backups restores start HTTP: fetched by both addresses, hashed, then used up', async () => {
    const started = await ok('POST', `${SOURCE}/restoreJobs`, { snapshotId, delivery: { methodName: 'HTTP', maxDownloads: 2, expirationHours: 1 } });
    const id = String(resultsOf(started)[0]?.['id']);
    const ready = await cli.until(`${SOURCE}/restoreJobs/${id}`, (job) => ((job['delivery'] as Record<string, unknown>)['statusName'] === 'READY' ? job : null));
    assert.deepEqual([ready['statusName'], ready['hashes']], ['FINISHED', []]);
    const { url, urlV2, authHeader, authBearer, authValue } = ready['delivery'] as Record<string, string>;
    assert.match(String(urlV2), new RegExp(`/backup/restore/v3/pull/${id}/[^/]+\\.tar\\.gz$`));
    for (const headers of [{}, { authorization: 'Bearer wrong' }, { authorization: `Bearer ${'A'.repeat(43)}` }]) assert.equal((await fetch(String(urlV2), { headers })).status, 404);
    const first = Buffer.from(await (await fetch(String(url))).arrayBuffer());
    const [hash] = await cli.until(`${SOURCE}/restoreJobs/${id}`, (job) => ((job['hashes'] as unknown[]).length > 0 ? (job['hashes'] as [Record<string, string>]) : null));
    assert.deepEqual([hash['typeName'], hash['hash'], hash['fileName']], ['SHA1', createHash('sha1').update(first).digest('hex'), String(url).split('/').at(-1)]);
    const second = await fetch(String(urlV2), { headers: { [String(authHeader)]: `${authBearer} ${authValue}` } });
    assert.equal(second.status, 200);
    const archive = Buffer.from(await second.arrayBuffer());
    assert.equal(createHash('sha1').update(archive).digest('hex'), hash['hash']);
    const [job] = resultsOf(await cli.until(`${SOURCE}/restoreJobs${PAGE}`, (json) => ((resultsOf(json)[0]?.['delivery'] as Record<string, unknown>)['statusName'] === 'MAX_DOWNLOADS_EXCEEDED' ? json : null)));
    assert.deepEqual([job?.['statusName'], typeof (job?.['timestamp'] as Record<string, unknown>)['date']], ['FINISHED', 'string'], 'what its table shows');
    assert.equal((await fetch(String(url))).status, 410);
    const into = join(folder.path, 'archive');
    await mkdir(into);
    await writeFile(join(into, 'a.tar.gz'), archive);
    await promisify(execFile)('tar', ['xzf', 'a.tar.gz'], { cwd: into });
    const files = (await readdir(into, { recursive: true })).filter((name) => name.endsWith('.bson'));
    assert.deepEqual([files.some((name) => name.endsWith('shop/orders.bson')), files.some((name) => /logs|carts/.test(name))], [true, false], files.join(' '));
  });

  test('backups restores start AUTOMATED_RESTORE: what was left out stays on the target as it is', async () => {
    await using target = new MongoClient(copy.uri);
    await target.db('logs').collection<{ _id: number }>('lines').insertOne({ _id: 7 });
    await target.db('shop').collection<{ _id: number }>('carts').insertOne({ _id: 9 });
    await target.db('shop').collection<{ _id: number }>('stale').insertOne({ _id: 1 });
    const started = await ok('POST', `${SOURCE}/restoreJobs`, { snapshotId, delivery: { methodName: 'AUTOMATED_RESTORE', targetClusterId: COPY.id, targetGroupId: PROJECT.id } });
    const [job] = resultsOf(started);
    assert.deepEqual([(job?.['delivery'] as Record<string, unknown>)['methodName'], (job?.['delivery'] as Record<string, unknown>)['targetClusterId']], ['HTTP', COPY.id]);
    const ended = await cli.until(`${SOURCE}/restoreJobs/${String(job?.['id'])}`, (json) => (json['statusName'] === 'IN_PROGRESS' ? null : json));
    assert.equal(ended['statusName'], 'FINISHED', JSON.stringify(ended));
    const content = Object.keys(await contentOfServer(copy.uri)).filter((name) => !name.includes('.__lv_')).sort();
    assert.deepEqual(content, ['logs.lines', 'shop.carts', 'shop.orders'], 'what the snapshot would have held and lacks is moved aside, what the filter left out is not');
    assert.deepEqual(await target.db('shop').collection<{ _id: number }>('carts').find().toArray(), [{ _id: 9 }]);
    assert.equal(await target.db('shop').collection('orders').countDocuments(), 500);
  });

  test('backups restores start by a time: refused with what can be restored, and by its missing checkpoint', async () => {
    const delivery = { methodName: 'AUTOMATED_RESTORE', targetClusterId: COPY.id, targetGroupId: PROJECT.id };
    for (const [point, status, code] of [
      [{ pointInTimeUTCMillis: Date.now() - 60_000 }, 409, 'NO_CHECKPOINT_FOR_PIT_RESTORE'],
      [{ oplogTs: String(Math.floor(Date.now() / 1000) - 60), oplogInc: 1 }, 409, 'NO_CHECKPOINT_FOR_PIT_RESTORE'],
      [{}, 400, 'MISSING_ONE_OF_ATTRIBUTES'],
    ] as const) {
      const { status: told, json } = await cli.call('POST', `${SOURCE}/restoreJobs`, { ...point, delivery });
      assert.deepEqual([told, json['errorCode']], [status, code], JSON.stringify(json));
    }
  });

  test('backups restores start AUTOMATED_RESTORE by an entry of the oplog, once nothing is left out any more', async () => {
    assert.deepEqual((await ok('PATCH', CONFIG, { groupId: PROJECT.id, clusterId: CLUSTER.id, excludedNamespaces: [] }))['excludedNamespaces'], []);
    const isFollowed = async (): Promise<boolean> => ((await cli.call('POST', `${SOURCE}/restoreJobs/restorableTimeRanges`)).json as unknown as readonly unknown[]).length > 0;
    for (const end = performance.now() + PATIENCE_MS; !(await isFollowed()); await delay(100)) assert.ok(performance.now() < end, 'no time can be restored');
    await source.client.db('shop').collection<{ _id: number }>('carts').insertOne({ _id: 3 });
    const { operationTime } = (await source.client.db('admin').command({ hello: 1 })) as { readonly operationTime: { readonly t: number; readonly i: number } };
    await source.client.db('shop').collection<{ _id: number }>('carts').deleteMany({});
    const point = { oplogTs: String(operationTime.t), oplogInc: operationTime.i };
    const [job] = resultsOf(await ok('POST', `${SOURCE}/restoreJobs`, { ...point, delivery: { methodName: 'AUTOMATED_RESTORE', targetClusterId: COPY.id, targetGroupId: PROJECT.id } }));
    assert.deepEqual([job?.['pointInTime'], (job?.['timestamp'] as Record<string, unknown>)['increment']], [true, operationTime.i]);
    const ended = await cli.until(`${SOURCE}/restoreJobs/${String(job?.['id'])}`, (json) => (json['statusName'] === 'IN_PROGRESS' ? null : json));
    assert.equal(ended['statusName'], 'FINISHED', JSON.stringify(ended));
    await using target = new MongoClient(copy.uri);
    assert.deepEqual((await target.db('shop').collection<{ _id: number }>('carts').find().sort({ _id: 1 }).toArray()).map(({ _id }) => _id), [1, 2, 3]);
    assert.deepEqual(await target.db('logs').collection<{ _id: number }>('lines').find().toArray(), [{ _id: 1 }]);
  });

  test('backups config update STOPPED, then TERMINATING: nothing is left', async () => {
    const place = { groupId: PROJECT.id, clusterId: CLUSTER.id };
    assert.equal((await ok('PATCH', CONFIG, { ...place, statusName: 'STOPPED' }))['statusName'], 'STOPPED');
    assert.equal((await ok('PATCH', CONFIG, { ...place, statusName: 'TERMINATING' }))['statusName'], 'INACTIVE');
    assert.equal((await ok('GET', `${SOURCE}/snapshots?completed=all`))['totalCount'], 0);
    const { status, json } = await cli.call('POST', `${SOURCE}/restoreJobs`, { snapshotId, delivery: { methodName: 'HTTP' } });
    assert.deepEqual([status, json['errorCode']], [409, 'CANNOT_START_RESTORE_JOB_FOR_DELETED_CLUSTER_SNAPSHOT']);
  });
});
