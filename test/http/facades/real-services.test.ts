// The five reference endpoints as people call them: curl over a real socket, on a real catalog and queue.
// No worker runs: the test itself completes snapshots, so that the doors answer from rows in every state.
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import type { Catalog } from '../../../src/catalog/index.ts';
import { systemClock } from '../../../src/foundation/clock.ts';
import { buildServer, downloadsDoor, facades, oauthDoor, type HttpServer } from '../../../src/http/index.ts';
import { openPostgresQueue } from '../../../src/jobs/index.ts';
import { applyDeclared, createServices } from '../../../src/services/index.ts';
import { OUTCOME, type Inventory } from '../../support/catalog-rows.ts';
import { saveBase, saveChain } from '../../support/chain-rows.ts';
import { checkAgainst } from '../../support/check-schema.ts';
import { keyPaths, pageExample } from '../../support/page-keys.ts';
import { silent, startEmbedded, type TestDatabase } from '../../support/postgres.ts';
import { runCurl, type CurlAnswer } from '../../support/run-curl.ts';

const SHOP = '5f0000000000000000000003';
const ORDERS = '5f0000000000000000000004';
const COPY = '5f0000000000000000000005';
const OWNER = 'abcdefgh:00000000-0000-4000-8000-000000000000';
const V2 = 'Accept: application/vnd.atlas.2023-01-01+json';
const JSON_TYPE = 'Content-Type: application/json';

let database: TestDatabase;
let catalog: Catalog;
let server: HttpServer;
let origin: string;
let closeQueue: () => Promise<void>;

before(async () => {
  database = await startEmbedded();
  catalog = await database.open({ clock: systemClock });
  const queue = await openPostgresQueue({ catalog, log: silent });
  closeQueue = () => queue.close();
  const services = createServices({
    catalog, queue, clock: systemClock, secret: Buffer.alloc(32, 9), restoreDefaults: { timeSeries: 'refuse', keepHours: 0 }, baseUrl: () => server.baseUrl(), openArchive: () => Readable.from([Buffer.from('the archive')]),
    timelineReader: { read: () => Promise.reject(new Error('There is no chain')), find: () => Promise.reject(new Error('There is no chain')) },
  });
  await applyDeclared({ catalog, clock: systemClock }, [{
    name: 'Example',
    id: '5f0000000000000000000001',
    apiKeys: [{ publicKey: 'abcdefgh', privateKey: '00000000-0000-4000-8000-000000000000', roles: ['ORG_OWNER'], accessList: ['127.0.0.1/32'] }],
    serviceAccounts: [{ clientId: 'mdb_sa_id_5f0000000000000000000002', clientSecret: 'mdb_sa_sk_example', roles: ['ORG_OWNER'] }],
    users: [{ name: 'admin', password: 'change-me', roles: ['ORG_OWNER'] }],
    projects: [{
      name: 'shop', id: SHOP,
      apiKeys: [
        { publicKey: 'readonly', privateKey: 'read-only', roles: ['GROUP_READ_ONLY'] },
        { publicKey: 'faraway1', privateKey: 'far-away', roles: ['GROUP_OWNER'], accessList: ['203.0.113.0/24'] },
      ],
      clusters: [{ name: 'orders', id: ORDERS, uri: 'mongodb://u:p@127.0.0.1:1/?replicaSet=rs0' }, { name: 'copy', id: COPY, uri: 'mongodb://u:p@127.0.0.1:2/' }],
    }],
  }]);
  server = await buildServer({
    services, facades, plugins: [downloadsDoor(services.downloads), oauthDoor(services)], log: silent, clock: systemClock, publicUrl: null,
    version: { gitHash: 'b'.repeat(40), versionString: '0.1.0' },
  });
  origin = await server.listen({ host: '127.0.0.1', port: 0 });
});
after(async () => {
  await server?.close(0);
  await closeQueue?.();
  await catalog?.close();
  await database?.stop();
});

const jsonOf = (answer: CurlAnswer): Record<string, unknown> => JSON.parse(answer.body) as Record<string, unknown>;
const digest = (path: string, ...args: string[]): Promise<CurlAnswer> => runCurl(['--digest', '--user', OWNER, '--header', V2, ...args, `${origin}${path}`]);
const post = (path: string, body: unknown, ...args: string[]): Promise<CurlAnswer> => digest(path, '--request', 'POST', '--header', JSON_TYPE, '--data-raw', JSON.stringify(body), ...args);

async function wholeSnapshot(): Promise<string> {
  const taken = await post(`/api/atlas/v2/groups/${SHOP}/clusters/orders/backup/snapshots`, { description: 'by curl', retentionInDays: 30 });
  assert.equal(taken.status, 200, taken.body);
  assert.deepEqual(checkAgainst('takeGroupClusterBackupSnapshots', '2023-01-01', jsonOf(taken)), []);
  const id = String(jsonOf(taken)['id']);
  await catalog.snapshots.complete(id, { ...OUTCOME, expiresAt: new Date(Date.now() + 30 * 86_400_000) });
  return id;
}

describe('the reference endpoints over a real socket', () => {
  test('Atlas v2 lists restore jobs made by curl --digest', async () => {
    const snapshotId = await wholeSnapshot();
    const path = `/api/atlas/v2/groups/${SHOP}/clusters/orders/backup/restoreJobs`;
    const made = await post(path, { deliveryType: 'automated', snapshotId, targetClusterName: 'copy', targetGroupId: SHOP });
    assert.equal(made.status, 200, made.body);
    assert.ok(made.sent.some((line) => /^Authorization: Digest .*qop=auth/.test(line)), 'curl answered with qop');
    const listed = await digest(`${path}?pretty=true&includeCount=true&pageNum=1&itemsPerPage=5`);
    assert.equal(listed.status, 200);
    const [job] = jsonOf(listed)['results'] as Record<string, unknown>[];
    assert.equal(job?.['id'], jsonOf(made)['id']);
    assert.deepEqual([job?.['oplogTs'], job?.['oplogInc'], job?.['timestamp']], [1_700_000_000, 3, '2026-03-01T12:00:00Z']);
    assert.match(listed.body, /^\{\n {2}"links" : \[ \{\n/);
    const cancelled = await digest(`${path}/${String(job?.['id'])}`, '--request', 'DELETE');
    assert.deepEqual([cancelled.status, cancelled.body], [204, '']);
    assert.equal(jsonOf(await digest(`${path}/${String(job?.['id'])}`))['cancelled'], true);
  });

  test('Atlas v2 refuses a description that cannot be kept as it is', async () => {
    const refused = await post(`/api/atlas/v2/groups/${SHOP}/clusters/orders/backup/snapshots`, { description: 'a\0b', retentionInDays: 30 });
    assert.deepEqual([refused.status, jsonOf(refused)], [400, {
      detail: 'Invalid attribute description specified.', error: 400, errorCode: 'INVALID_ATTRIBUTE', parameters: ['description'], reason: 'Bad Request',
    }]);
  });

  test('Atlas v1.0 gives a URL that serves the archive without credentials, and only that URL', async () => {
    const snapshotId = await wholeSnapshot();
    const made = await runCurl(['--digest', '--user', OWNER, '--header', JSON_TYPE, '--data-raw', JSON.stringify({ snapshotId, targetDeploymentItemName: 'laptop', targetProjectId: SHOP }),
      `${origin}/api/atlas/v1.0/groups/${SHOP}/clusters/orders/backup/tenant/download`]);
    assert.equal(made.status, 200, made.body);
    const json = jsonOf(made);
    assert.deepEqual(keyPaths(json).sort(), keyPaths(pageExample('atlas-v1-tenant-download.response')).sort());
    assert.deepEqual([json['deliveryType'], json['status']], ['DOWNLOAD', 'COMPLETED']);
    const lifeMs = Date.parse(String(json['expirationDate'])) - Date.now();
    assert.ok(lifeMs > 3.99 * 3_600_000 && lifeMs <= 4 * 3_600_000, `${lifeMs} ms`);
    const fetched = await runCurl([String(json['snapshotUrl'])]);
    assert.deepEqual([fetched.status, fetched.body], [200, 'the archive']);
    assert.equal((await runCurl([String(json['snapshotUrl']).replace(/\/pull\/(.)/, (_, first: string) => `/pull/${first === '0' ? '1' : '0'}`)])).status, 404);
    const read = await digest(`/api/atlas/v2/groups/${SHOP}/clusters/orders/backup/tenant/restores/${String(json['id'])}`);
    assert.deepEqual(checkAgainst('getGroupClusterBackupTenantRestore', '2023-01-01', jsonOf(read)), []);
    assert.deepEqual({ ...jsonOf(read), links: [] }, { ...json, links: [] }, 'what was told is told again, its target too');
  });

  test('Ops Manager creates restore jobs by snapshot, to a file and to a cluster', async () => {
    const snapshotId = await wholeSnapshot();
    const path = `/api/public/v1.0/groups/${SHOP}/clusters/${ORDERS}/restoreJobs`;
    for (const delivery of [{ methodName: 'HTTP', maxDownloads: 2, expirationHours: 1 }, { methodName: 'AUTOMATED_RESTORE', targetGroupId: SHOP, targetClusterId: COPY }]) {
      const made = await post(path, { snapshotId, delivery });
      assert.equal(made.status, 200, made.body);
      assert.ok(made.got.some((line) => line.startsWith(`x-mongodb-service-version: gitHash=${'b'.repeat(40)}; versionString=`)));
      const [job] = jsonOf(made)['results'] as Record<string, unknown>[];
      assert.deepEqual([job?.['snapshotId'], job?.['statusName'], job?.['timestamp']], [snapshotId, 'IN_PROGRESS', { date: '2023-11-14T22:13:20Z', increment: 3 }]);
      assert.equal(jsonOf(await digest(`${path}/${String(job?.['id'])}`))['id'], job?.['id']);
    }
    assert.equal(jsonOf(await digest(`/api/public/v1.0/groups/${SHOP}/clusters/${ORDERS}/snapshots/${snapshotId}`))['complete'], true);
  });

  test("Commvault logs in, runs the page's task and follows its job", async () => {
    const api = `${origin}/commandcenter/api`;
    const login = await runCurl(['--request', 'POST', '--header', JSON_TYPE, '--data-raw', JSON.stringify({ username: 'admin', password: Buffer.from('change-me').toString('base64') }), `${api}/Login`]);
    const token = String(jsonOf(login)['token']);
    assert.match(token, /^QSDK /);
    const body = pageExample('commvault-createtask.request') as { taskInfo: { associations: Record<string, unknown>[] } };
    Object.assign(body.taskInfo.associations[0] ?? {}, { clientName: 'shop', instanceName: 'orders', subclientName: 'default' });
    const started = await runCurl(['-L', '-X', 'POST', `${api}/createtask`, '-H', JSON_TYPE, '-H', 'Accept: application/json', '-H', `Authtoken: ${token}`, '--data-raw', JSON.stringify(body)]);
    assert.equal(started.status, 200, started.body);
    const { taskId, jobIds } = jsonOf(started) as { taskId: number; jobIds: string[] };
    assert.ok(Number.isInteger(taskId) && /^\d+$/.test(jobIds[0] ?? ''));
    const job = jsonOf(await runCurl(['--header', `Authtoken: ${token}`, `${api}/Job/${jobIds[0]}`])) as { jobs: { jobSummary: Record<string, unknown> }[] };
    assert.deepEqual([job.jobs[0]?.jobSummary['status'], job.jobs[0]?.jobSummary['jobType']], ['Queued', 'Backup']);
    assert.equal((await runCurl(['--request', 'POST', '--header', `Authtoken: ${token}`, '--header', 'Content-type: application/xml', `${api}/Logout`])).status, 200);
    assert.equal((await runCurl(['--header', `Authtoken: ${token}`, `${api}/Job/${jobIds[0]}`])).status, 401);
  });

  describe('a task of Commvault that is refused in part does nothing at all', () => {
    const everything = { pageNumber: 1, itemsPerPage: 500 };
    let token: string;
    before(async () => {
      const login = await runCurl(['--request', 'POST', '--header', JSON_TYPE, '--data-raw', JSON.stringify({ username: 'admin', password: Buffer.from('change-me').toString('base64') }), `${origin}/commandcenter/api/Login`]);
      token = String(jsonOf(login)['token']);
    });
    const ask = (path: string, body: unknown): Promise<CurlAnswer> =>
      runCurl(['--request', 'POST', '--header', JSON_TYPE, '--header', `Authtoken: ${token}`, '--data-raw', JSON.stringify(body), `${origin}/commandcenter/api/${path}`]);
    const task = (associations: readonly object[], subTasks: readonly object[], taskType = 1): Promise<CurlAnswer> =>
      ask('createtask', { taskInfo: { associations: associations.map((each) => ({ clientName: 'shop', subclientName: 'default', ...each })), task: { taskType }, subTasks } });
    const BACKUP = { subTask: { subTaskType: 2, operationType: 2 }, options: { backupOpts: { backupLevel: 1 } } };
    const countJobs = async (): Promise<number> => (await catalog.jobs.list({ clusterIds: [ORDERS, COPY] }, everything)).totalCount;

    test('a restore of two instances, of which one has no window', async () => {
      const t = Math.floor(Date.now() / 1000) - 600;
      const orders = { project: await catalog.projects.get(SHOP), cluster: await catalog.clusters.get(ORDERS) } as unknown as Inventory;
      await saveBase(catalog, orders, { t, i: 1 });
      await saveChain(catalog, orders, { t: t - 10, i: 1 }, { t: t + 60, i: 1 });
      const toInstant = { subTask: { subTaskType: 3, operationType: 1001 }, options: { restoreOptions: {
        browseOption: { timeRange: { toTime: t + 30 } }, destination: { inPlace: true }, fileOption: { sourceItem: ['/'] },
        distributedAppsRestoreOptions: { mongoDBRestoreOptions: { pointInTimeToEndOfBackup: false, latestEndOfBackup: false, isInplaceRestore: true } },
      } } };
      const before = await countJobs();
      const refused = await task([{ instanceName: 'orders' }, { instanceName: 'copy' }], [toInstant]);
      assert.deepEqual([refused.status, await countJobs()], [400, before], refused.body);
      const taken = await task([{ instanceName: 'orders' }, { instanceName: 'orders' }], [toInstant]);
      assert.deepEqual([taken.status, await countJobs()], [200, before + 2], taken.body);
    });

    test('a backup of two subclients, of which the filter leaves one out', async () => {
      const made = await ask('Subclient', { subClientProperties: { subClientEntity: { clientName: 'shop', instanceName: 'copy', backupsetName: 'defaultBackupSet', subclientName: 'sales' }, cloudDbContent: { children: [{ path: '/sales' }] } } });
      assert.equal(made.status, 200, made.body);
      await catalog.clusters.setNamespaceFilter(COPY, { kind: 'excluded', databases: ['sales'], collections: [] });
      const before = await countJobs();
      const refused = await task([{ instanceName: 'orders' }, { instanceName: 'copy', subclientName: 'sales' }], [BACKUP]);
      assert.deepEqual([refused.status, await countJobs()], [400, before], refused.body);
      await catalog.clusters.setNamespaceFilter(COPY, null);
      const taken = await task([{ instanceName: 'orders' }, { instanceName: 'copy', subclientName: 'sales' }], [BACKUP]);
      assert.deepEqual([taken.status, await countJobs()], [200, before + 2], taken.body);
      const [first, second] = await Promise.all((jsonOf(taken)['jobIds'] as string[]).map((number) => catalog.jobs.byNumber(Number(number))));
      assert.deepEqual(second?.form?.['task'], first?.number, 'both are of one task');
    });

    test('a schedule whose second item is like its first', async () => {
      const daily = { ...BACKUP, pattern: { freq_type: 4, active_start_time: 9000 } };
      const items = async (): Promise<number> => (await catalog.schedules.get(COPY))?.schedule.items.length ?? 0;
      assert.equal((await digest(`/api/atlas/v2/groups/${SHOP}/clusters/copy/backup/schedule`, '--request', 'DELETE')).status, 200);
      const refused = await task([{ instanceName: 'copy' }], [daily, daily], 2);
      assert.deepEqual([refused.status, await items()], [400, 0], refused.body);
      const taken = await task([{ instanceName: 'copy' }], [daily], 2);
      assert.deepEqual([taken.status, await items()], [200, 1], taken.body);
    });
  });

  test('a service account reads with a bearer token', async () => {
    const token = await runCurl(['--user', 'mdb_sa_id_5f0000000000000000000002:mdb_sa_sk_example', '--data', 'grant_type=client_credentials', `${origin}/api/oauth/token`]);
    assert.equal(token.status, 200, token.body);
    const bearer = `Authorization: Bearer ${String(jsonOf(token)['access_token'])}`;
    const groups = await runCurl(['--header', bearer, '--header', V2, `${origin}/api/atlas/v2/groups`]);
    assert.deepEqual((jsonOf(groups)['results'] as { name: string; clusterCount: number }[]).map(({ name, clusterCount }) => [name, clusterCount]), [['shop', 2]]);
  });

  test('wrong, missing and distant keys reach nothing', async () => {
    const path = `/api/atlas/v2/groups/${SHOP}/clusters/orders/backup/snapshots`;
    const count = async (): Promise<unknown> => jsonOf(await digest(path))['totalCount'];
    const before = await count();
    for (const [user, status] of [['abcdefgh:wrong', 401], ['nobody00:wrong', 401], ['readonly:read-only', 401], ['faraway1:far-away', 403]] as const) {
      const answer = await runCurl(['--digest', '--user', user, '--request', 'POST', '--header', V2, '--header', JSON_TYPE, '--data-raw', '{}', `${origin}${path}`]);
      assert.equal(answer.status, status, user);
      assert.equal(jsonOf(answer)['error'], status);
    }
    const open = await runCurl(['--request', 'POST', '--header', V2, '--header', JSON_TYPE, '--data-raw', '{}', `${origin}${path}`]);
    assert.equal(open.status, 401);
    assert.ok(open.got.some((line) => /^www-authenticate: Digest realm="MMS Public API", domain="", nonce="[^"]{32}", algorithm=MD5, qop="auth", stale=false$/i.test(line)), open.got.join('\n'));
    assert.equal(await count(), before);
  });

  test('the choice for live time series reaches the job through every door, and a wrong one none', async () => {
    const snapshotId = await wholeSnapshot();
    const login = await runCurl(['--request', 'POST', '--header', JSON_TYPE, '--data-raw', JSON.stringify({ username: 'admin', password: Buffer.from('change-me').toString('base64') }), `${origin}/commandcenter/api/Login`]);
    const task = { taskInfo: { associations: [{ clientName: 'shop', instanceName: 'orders', subclientName: 'default' }], subTasks: [{ subTask: { subTaskType: 3, operationType: 1001 }, options: { restoreOptions: { cloudAppsRestoreOptions: { documentDBRestoreOptions: { restoreSnapshotId: snapshotId } } } } }] } };
    const doors: ((header: string) => Promise<CurlAnswer>)[] = [
      (header) => post(`/api/atlas/v2/groups/${SHOP}/clusters/orders/backup/restoreJobs`, { deliveryType: 'automated', snapshotId, targetClusterName: 'copy', targetGroupId: SHOP }, '--header', header),
      (header) => post(`/api/atlas/v2/groups/${SHOP}/clusters/orders/backup/tenant/restore`, { snapshotId, targetDeploymentItemName: 'copy', targetProjectId: SHOP }, '--header', header),
      (header) => post(`/api/public/v1.0/groups/${SHOP}/clusters/${ORDERS}/restoreJobs`, { snapshotId, delivery: { methodName: 'AUTOMATED_RESTORE', targetGroupId: SHOP, targetClusterId: ORDERS } }, '--header', header),
      (header) => runCurl(['--request', 'POST', '--header', JSON_TYPE, '--header', header, '--header', `Authtoken: ${String(jsonOf(login)['token'])}`, '--data-raw', JSON.stringify(task), `${origin}/commandcenter/api/createtask`]),
    ];
    const newest = async (): Promise<{ readonly total: number; readonly choice: unknown }> => {
      const { items, totalCount } = await catalog.restores.list(ORDERS, { pageNumber: 1, itemsPerPage: 1 });
      const restore = items[0] === undefined ? null : await catalog.restores.get(items[0].id);
      const payload = restore === null ? null : await catalog.jobs.payload(restore.jobId);
      return { total: totalCount, choice: (payload as { readonly timeSeries?: unknown } | null)?.timeSeries };
    };
    for (const door of doors) {
      const { total } = await newest();
      assert.equal((await door('Leafvault-Time-Series: maybe')).status, 400);
      const made = await door('Leafvault-Time-Series: replace');
      assert.equal(made.status, 200, made.body);
      assert.deepEqual(await newest(), { total: total + 1, choice: 'replace' });
    }
  });

  test('a snapshot that was deleted is gone through every door', async () => {
    const id = await wholeSnapshot();
    assert.equal((await digest(`/api/atlas/v2/groups/${SHOP}/clusters/orders/backup/snapshots/${id}`, '--request', 'DELETE')).status, 204);
    const answers = await Promise.all([
      digest(`/api/atlas/v2/groups/${SHOP}/clusters/orders/backup/snapshots/${id}`),
      digest(`/api/atlas/v2/groups/${SHOP}/clusters/orders/backup/tenant/snapshots/${id}`),
      digest(`/api/public/v1.0/groups/${SHOP}/clusters/${ORDERS}/snapshots/${id}`),
      post(`/api/public/v1.0/groups/${SHOP}/clusters/${ORDERS}/restoreJobs`, { snapshotId: id, delivery: { methodName: 'HTTP' } }),
      post(`/api/atlas/v1.0/groups/${SHOP}/clusters/orders/backup/tenant/download`, { snapshotId: id, targetDeploymentItemName: 'x' }),
    ]);
    assert.deepEqual(answers.map((answer) => [answer.status, jsonOf(answer)['errorCode']]), [
      [404, 'SNAPSHOT_NOT_FOUND'], [404, 'TENANT_SNAPSHOT_NOT_FOUND'], [404, 'SNAPSHOT_NOT_FOUND'], [409, 'CANNOT_START_RESTORE_JOB_FOR_DELETED_CLUSTER_SNAPSHOT'], [404, 'TENANT_SNAPSHOT_NOT_FOUND'],
    ]);
  });

  test('a body over 1 MiB is refused in the words of its API', async () => {
    const file = JSON.stringify({ description: 'x'.repeat(1_100_000) });
    const answer = await runCurl(['--digest', '--user', OWNER, '--request', 'POST', '--header', V2, '--header', JSON_TYPE, '--header', 'Expect:', '--data-binary', '@-', `${origin}/api/atlas/v2/groups/${SHOP}/clusters/orders/backup/snapshots`], file);
    assert.deepEqual([answer.status, jsonOf(answer)['errorCode']], [413, 'PAYLOAD_TOO_LARGE']);
  });
});
