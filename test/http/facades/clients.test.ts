// What the tools of the field send, call by call, and what they need back to go on.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startFacades, type Asked, type FacadeServer, type Told } from '../../support/facade-server.ts';
import { goAnswer, urllibAnswer, type DigestCredentials } from '../../support/digest-clients.ts';
import { ORDERS_ID, SHOP_ID } from '../../support/memory-services.ts';

const KEY: DigestCredentials = { publicKey: 'ownerkey', privateKey: 'private-of-ownerkey' };
const V2 = '/api/atlas/v2';
const GROUP = `${V2}/groups/${SHOP_ID}`;
const CLUSTER = `${GROUP}/clusters/orders`;
const FLEX = `${GROUP}/flexClusters/orders`;
const PAGE = 'includeCount=true&itemsPerPage=100&pageNum=1';

/** Two requests for each call, as Go's digest makes them: body and all without a key, then with the answer. */
function goClient(facade: FacadeServer, userAgent: string) {
  return async (method: NonNullable<Asked['method']>, target: string, version: string, body?: unknown): Promise<Told> => {
    const type = `application/vnd.atlas.${version}+json`;
    const headers = { accept: type, 'user-agent': userAgent, ...(body === undefined ? {} : { 'content-type': type }) };
    const asked = { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    const challenged = await facade.ask(target, { ...asked, headers: { ...headers, authorization: '' } });
    assert.equal(challenged.status, 401);
    return facade.ask(target, { ...asked, headers: { ...headers, authorization: goAnswer(challenged.headers['www-authenticate'], { method, target }, KEY) } });
  };
}

/** The Go SDK reads an error only from a JSON type, and needs both members. */
function sdkError(told: Told): string {
  assert.match(String(told.headers['content-type']), /^(application|text)\/(vnd\.[^;]+\+)?json/);
  assert.equal(typeof told.json['error'], 'number');
  return String(told.json['errorCode']);
}

describe('the Atlas CLI', () => {
  let facade: FacadeServer;
  before(async () => { facade = await startFacades(); });
  after(() => facade.close());

  const cli = (...call: Parameters<ReturnType<typeof goClient>>) => goClient(facade, 'atlascli/1.46 (linux;amd64;binary)')(...call);
  /** List, describe and watch ask flex first and fall through on this code alone. */
  const probe = async (path: string): Promise<void> => assert.equal(sdkError(await cli('GET', `${FLEX}${path}`, '2024-11-13')), 'CANNOT_USE_NON_FLEX_CLUSTER_IN_FLEX_API');

  test('makes, watches, lists, describes and deletes a snapshot', async () => {
    const made = await cli('POST', `${CLUSTER}/backup/snapshots`, '2023-01-01', { description: 'from the cli', retentionInDays: 1 });
    assert.equal(made.status, 200);
    const id = String(made.json['id']);
    await probe(`/backup/snapshots/${id}`);
    assert.equal((await cli('GET', `${CLUSTER}/backup/snapshots/${id}`, '2023-01-01')).json['status'], 'queued');
    facade.completeSnapshot(id);
    assert.equal((await cli('GET', `${CLUSTER}/backup/snapshots/${id}`, '2023-01-01')).json['status'], 'completed');
    await probe(`/backup/snapshots?${PAGE}`);
    const listed = await cli('GET', `${CLUSTER}/backup/snapshots?${PAGE}`, '2023-01-01');
    const [row] = listed.json['results'] as Record<string, string>[];
    for (const column of ['id', 'snapshotType', 'status', 'createdAt', 'expiresAt']) assert.equal(typeof row?.[column], 'string', column);
    const deleted = await cli('DELETE', `${CLUSTER}/backup/snapshots/${id}`, '2023-01-01');
    assert.deepEqual([deleted.status, deleted.text], [204, '']);
  });

  test('starts and watches restores of both kinds', async () => {
    const { json } = await cli('POST', `${CLUSTER}/backup/snapshots`, '2023-01-01', { retentionInDays: 1 });
    facade.completeSnapshot(String(json['id']));
    assert.equal((await cli('GET', CLUSTER, '2024-08-05')).status, 200, 'it asks for the cluster before it starts');
    for (const body of [{ deliveryType: 'automated', snapshotId: json['id'], targetClusterName: 'copy', targetGroupId: SHOP_ID }, { deliveryType: 'download', snapshotId: json['id'] }]) {
      const started = await cli('POST', `${CLUSTER}/backup/restoreJobs`, '2023-01-01', body);
      assert.equal(started.status, 200, started.text);
      const id = String(started.json['id']);
      await probe(`/backup/restoreJobs/${id}`);
      const watch = async () => (await cli('GET', `${CLUSTER}/backup/restoreJobs/${id}`, '2023-01-01')).json;
      const isOver = (job: Readonly<Record<string, unknown>>): boolean => Boolean(job['expired']) || Boolean(job['cancelled']) || Boolean(job['failed'])
        || job['finishedAt'] !== undefined || (job['deliveryType'] === 'download' && (job['deliveryUrl'] as unknown[]).length > 0);
      assert.equal(isOver(await watch()), false);
      const restore = facade.restores.get(id);
      assert.ok(restore);
      if (restore.download !== null) facade.changeRestore(id, { download: { ...restore.download, state: 'ready', url: 'http://leafvault.test/x', expiresAt: facade.clock.now() } });
      facade.endJob(restore.jobId, 'completed');
      assert.equal(isOver(await watch()), true);
    }
    await probe(`/backup/restoreJobs?${PAGE}`);
    assert.equal(((await cli('GET', `${CLUSTER}/backup/restoreJobs?${PAGE}`, '2023-01-01')).json['results'] as unknown[]).length, 2);
  });

  test('downloads a snapshot by the flex form, whose answer has to hold the address at once', async () => {
    const { json } = await cli('POST', `${CLUSTER}/backup/snapshots`, '2023-01-01', { retentionInDays: 1 });
    facade.completeSnapshot(String(json['id']));
    const download = await cli('POST', `${FLEX}/backup/download`, '2024-11-13', { snapshotId: json['id'] });
    assert.equal(download.status, 200, download.text);
    assert.match(String(download.json['snapshotUrl']), /^http:/);
  });

  test('describes, updates and deletes the schedule, with the old date for two of the three', async () => {
    const described = await cli('GET', `${CLUSTER}/backup/schedule`, '2023-01-01');
    const [policy] = described.json['policies'] as { id: string; policyItems: object[] }[];
    const hourly = { frequencyType: 'hourly', frequencyInterval: 6, retentionUnit: 'days', retentionValue: 2 };
    const updated = await cli('PATCH', `${CLUSTER}/backup/schedule`, '2023-01-01', { clusterName: 'orders', referenceHourOfDay: 5, policies: [{ id: policy?.id, policyItems: [hourly] }] });
    assert.equal(updated.status, 200, updated.text);
    const [{ policyItems: [item] }] = updated.json['policies'] as [{ policyItems: [Record<string, unknown>] }];
    const again = await cli('PATCH', `${CLUSTER}/backup/schedule`, '2023-01-01', { clusterName: 'orders', policies: [{ id: policy?.id, policyItems: [{ ...item, retentionValue: 3 }] }] });
    assert.deepEqual((again.json['policies'] as [{ policyItems: object[] }])[0].policyItems, [{ ...item, retentionValue: 3 }]);
    const deleted = await cli('DELETE', `${CLUSTER}/backup/schedule`, '2024-08-05');
    assert.deepEqual([deleted.status, (deleted.json['policies'] as [{ policyItems: object[] }])[0].policyItems], [200, []], 'it reads the schedule from the answer');
  });

  test('of before the sunset lists, describes and restores by the serverless form', async () => {
    const { json } = await cli('POST', `${CLUSTER}/backup/snapshots`, '2023-01-01', { retentionInDays: 1 });
    facade.completeSnapshot(String(json['id']));
    const backup = `${GROUP}/serverless/orders/backup`;
    for (const path of [`snapshots?${PAGE}`, `snapshots/${String(json['id'])}`, `restoreJobs?${PAGE}`]) assert.equal((await cli('GET', `${backup}/${path}`, '2023-01-01')).status, 200, path);
    const made = await cli('POST', `${backup}/restoreJobs`, '2023-01-01', { deliveryType: 'automated', snapshotId: json['id'], targetClusterName: 'copy', targetGroupId: SHOP_ID });
    assert.equal((await cli('GET', `${backup}/restoreJobs/${String(made.json['id'])}`, '2023-01-01')).json['failed'], false);
  });

  test('lists projects and clusters with the dates that it pins', async () => {
    assert.equal((await cli('GET', `${V2}/groups?${PAGE}`, '2023-01-01')).json['totalCount'], 2);
    const clusters = await cli('GET', `${GROUP}/clusters?includeCount=true&includeDeletedWithRetainedBackups=false&itemsPerPage=100&pageNum=1`, '2023-02-01');
    assert.deepEqual((clusters.json['results'] as { name: string }[]).map(({ name }) => name), ['orders', 'copy']);
  });

  test('reads why it was refused', async () => {
    const refused = await cli('GET', `${GROUP}/clusters/none/backup/snapshots/${'0'.repeat(24)}`, '2023-01-01');
    assert.deepEqual([refused.status, sdkError(refused)], [404, 'CLUSTER_NOT_FOUND']);
    assert.equal(sdkError(await cli('GET', `${GROUP}/flexClusters/none/backup/snapshots`, '2024-11-13')), 'CLUSTER_NOT_FOUND');
  });
});

describe('the Terraform provider', () => {
  let facade: FacadeServer;
  before(async () => { facade = await startFacades(); });
  after(() => facade.close());

  const terraform = (...call: Parameters<ReturnType<typeof goClient>>) => goClient(facade, 'terraform-provider-mongodbatlas/1.41 Terraform/1.9')(...call);

  test('creates, reads and destroys a snapshot and its restore job', async () => {
    assert.equal((await terraform('GET', CLUSTER, '2024-08-05')).json['stateName'], 'IDLE');
    const { json: snapshot } = await terraform('POST', `${CLUSTER}/backup/snapshots`, '2023-01-01', { description: 'tf', retentionInDays: 1 });
    const states = new Set<unknown>();
    const poll = async (): Promise<void> => { states.add((await terraform('GET', `${CLUSTER}/backup/snapshots/${String(snapshot['id'])}`, '2023-01-01')).json['status']); };
    await poll();
    facade.startJob(facade.snapshots.get(String(snapshot['id']))?.jobId ?? '', 'scan');
    await poll();
    facade.completeSnapshot(String(snapshot['id']));
    await poll();
    assert.deepEqual([...states], ['queued', 'inProgress', 'completed'], 'any other word is an error to it');
    assert.equal((await terraform('GET', `${CLUSTER}/backup/snapshots/shardedCluster/${String(snapshot['id'])}`, '2023-01-01')).status, 200);
    const { json: job } = await terraform('POST', `${CLUSTER}/backup/restoreJobs`, '2023-01-01', { deliveryType: 'download', snapshotId: snapshot['id'] });
    assert.equal((await terraform('GET', `${CLUSTER}/backup/restoreJobs/${String(job['id'])}`, '2023-01-01')).status, 200, 'it does not poll');
    assert.equal((await terraform('DELETE', `${CLUSTER}/backup/restoreJobs/${String(job['id'])}`, '2023-01-01')).status, 204);
    assert.equal((await terraform('DELETE', `${CLUSTER}/backup/snapshots/${String(snapshot['id'])}`, '2023-01-01')).status, 204);
    assert.equal((await terraform('GET', `${CLUSTER}/backup/snapshots/${String(snapshot['id'])}`, '2023-01-01')).status, 404, 'which drops it from the state');
  });

  test('creates a schedule by deleting it first, reads it with both dates and destroys it', async () => {
    const path = `${CLUSTER}/backup/schedule`;
    type Policies = readonly [{ readonly id: string; readonly policyItems: readonly { readonly id: string }[] }];
    const policiesOf = ({ json }: Told): Policies => json['policies'] as Policies;
    assert.equal((await terraform('DELETE', path, '2024-08-05')).status, 200);
    const empty = policiesOf(await terraform('GET', path, '2024-08-05'));
    assert.equal(empty.length, 1, 'it reads the first one unguarded');
    const policyItems = [['hourly', 6, 'days', 7], ['daily', 1, 'days', 7], ['weekly', 6, 'weeks', 4]].map(([frequencyType, frequencyInterval, retentionUnit, retentionValue]) => ({ frequencyType, frequencyInterval, retentionUnit, retentionValue }));
    const made = await terraform('PATCH', path, '2024-08-05', { referenceHourOfDay: 3, referenceMinuteOfHour: 45, restoreWindowDays: 4, autoExportEnabled: false, copySettings: [], policies: [{ id: empty[0].id, policyItems }] });
    assert.equal(made.status, 200, made.text);
    assert.deepEqual(policiesOf(await terraform('GET', path, '2023-01-01')), policiesOf(await terraform('GET', path, '2024-08-05')), 'resource and data source');
    const later = await terraform('PATCH', path, '2024-08-05', { policies: [{ id: empty[0].id, policyItems: policiesOf(made)[0].policyItems }] });
    assert.deepEqual(policiesOf(later), policiesOf(made), 'later its items carry their ids');
    assert.equal((await terraform('DELETE', path, '2024-08-05')).status, 200);
  });

  test('lists snapshots and restore jobs for its data sources', async () => {
    for (const path of ['backup/snapshots', 'backup/snapshots?itemsPerPage=5&pageNum=1', 'backup/restoreJobs', 'backup/restoreJobs?itemsPerPage=5&pageNum=1']) {
      const { status, json } = await terraform('GET', `${CLUSTER}/${path}`, '2023-01-01');
      assert.ok(status === 200 && Array.isArray(json['results']), path);
    }
  });

  test('reads a cluster without a crash', async () => {
    for (const version of ['2023-02-01', '2024-08-05']) {
      const { json } = await terraform('GET', CLUSTER, version);
      assert.deepEqual([json['tags'], json['replicationSpecs'], typeof json['connectionStrings']], [[], [], 'object'], version);
    }
  });
});

describe('mongodb-atlas-api-client of npm', () => {
  let facade: FacadeServer;
  before(async () => { facade = await startFacades(); });
  after(() => facade.close());

  test('counts over nonces, and its first count may be any', async () => {
    const target = `/api/atlas/v1.0/groups/${SHOP_ID}/clusters/orders/backup/snapshots`;
    for (const count of [1, 2, 7, 300]) {
      const challenged = await facade.ask(target, { headers: { authorization: '', accept: 'application/json' } });
      const authorization = urllibAnswer(challenged.headers['www-authenticate'], { method: 'GET', target, count }, KEY);
      assert.equal((await facade.ask(target, { headers: { authorization, accept: 'application/json' } })).status, 200, String(count));
      const replayed = await facade.ask(target, { headers: { authorization, accept: 'application/json' } });
      assert.equal(replayed.status, 401, 'each pair once');
      assert.match(String(replayed.headers['www-authenticate']), /stale=true/);
    }
  });

  test('starts a restore job by v1.0 with plain JSON', async () => {
    const { json } = await facade.ask(`/api/atlas/v1.0/groups/${SHOP_ID}/clusters/orders/backup/snapshots`, { method: 'POST', body: { description: 'npm', retentionInDays: 1 } });
    facade.completeSnapshot(String(json['id']));
    const target = `/api/atlas/v1.0/groups/${SHOP_ID}/clusters/orders/backup/restoreJobs`;
    const body = { snapshotId: json['id'], deliveryType: 'automated', targetClusterName: 'copy', targetGroupId: SHOP_ID };
    const challenged = await facade.ask(target, { method: 'POST', body, headers: { authorization: '' } });
    const authorization = urllibAnswer(challenged.headers['www-authenticate'], { method: 'POST', target, count: 9 }, KEY);
    assert.equal((await facade.ask(target, { method: 'POST', body, headers: { authorization } })).status, 200);
    assert.equal(facade.restores.size, 1, 'the request without a key did nothing');
  });
});

describe('the MongoDB MCP server', () => {
  test('asks every resource with one date and a bearer token', async () => {
    const facade = await startFacades();
    for (const path of ['/orgs', '/groups', `/groups/${SHOP_ID}`, `/groups/${SHOP_ID}/clusters`, `/groups/${SHOP_ID}/clusters/orders`, `/groups/${SHOP_ID}/flexClusters`]) {
      assert.equal((await facade.atlas(path, { version: '2025-03-12' })).status, 200, path);
    }
    await facade.close();
  });
});

describe('mongocli', () => {
  let facade: FacadeServer;
  before(async () => { facade = await startFacades(); });
  after(() => facade.close());

  test('lists and restores by Ops Manager, one challenge for each call', async () => {
    const call = async (method: 'GET' | 'POST', target: string, body?: unknown): Promise<Told> => {
      const headers = { accept: 'application/json', 'user-agent': 'mongocli/2.0.7', ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
      const asked = { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
      const challenged = await facade.ask(target, { ...asked, headers: { ...headers, authorization: '' } });
      return facade.ask(target, { ...asked, headers: { ...headers, authorization: goAnswer(challenged.headers['www-authenticate'], { method, target }, KEY) } });
    };
    const root = `/api/public/v1.0/groups/${SHOP_ID}`;
    const { json: made } = await facade.atlas(`/groups/${SHOP_ID}/clusters/orders/backup/snapshots`, { method: 'POST', body: {} });
    facade.completeSnapshot(String(made['id']));
    assert.equal((await call('GET', '/api/public/v1.0/groups?itemsPerPage=100&pageNum=1')).status, 200);
    assert.equal((await call('GET', `${root}/clusters`)).status, 200);
    const { json: snapshots } = await call('GET', `${root}/clusters/${ORDERS_ID}/snapshots?itemsPerPage=100&pageNum=1`);
    assert.equal((snapshots['results'] as { id: string }[])[0]?.id, made['id']);
    const started = await call('POST', `${root}/clusters/${ORDERS_ID}/restoreJobs`, { snapshotId: made['id'], delivery: { methodName: 'HTTP' } });
    assert.ok((started.json['results'] as { id: string }[])[0]?.id, 'it prints the ids in results');
    const { json: jobs } = await call('GET', `${root}/clusters/${ORDERS_ID}/restoreJobs?itemsPerPage=100&pageNum=1`);
    const [row] = jobs['results'] as { timestamp: { date: string }; statusName: string }[];
    assert.deepEqual([row?.timestamp.date, row?.statusName], ['2026-03-01T12:00:00Z', 'IN_PROGRESS']);
    const bug = await call('POST', `${root}/clusters/${ORDERS_ID}/restoreJobs`, { delivery: { methodName: 'AUTOMATED_RESTORE', targetClusterId: ORDERS_ID, targetGroupId: SHOP_ID } });
    assert.equal(bug.json['errorCode'], 'MISSING_ONE_OF_ATTRIBUTES', 'it never sends --checkpointId');
  });
});
