import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { digestAnswer, nonceOf } from '../../../support/digest-client.ts';
import { startFacades, type Asked, type FacadeServer } from '../../../support/facade-server.ts';
import { ORDERS_ID, ORG_ID, OTHER_ID, SHOP_ID } from '../../../support/memory-services.ts';

const ROOT = '/api/public/v1.0';
const CLUSTER = `${ROOT}/groups/${SHOP_ID}/clusters/${ORDERS_ID}`;
const NOBODY = '0'.repeat(24);

describe('reads of Ops Manager', () => {
  let facade: FacadeServer;
  let whole: string;
  let running: string;

  before(async () => {
    facade = await startFacades();
    const take = async (): Promise<string> => String((await facade.atlas(`/groups/${SHOP_ID}/clusters/orders/backup/snapshots`, { method: 'POST', body: { retentionInDays: 3 } })).json['id']);
    whole = await take();
    facade.completeSnapshot(whole);
    running = await take();
  });
  after(() => facade.close());

  const ids = async (query: string): Promise<string[]> => ((await facade.ask(`${CLUSTER}/snapshots${query}`)).json['results'] as { id: string }[]).map(({ id }) => id);

  test('show a snapshot with every field', async () => {
    const { json } = await facade.ask(`${CLUSTER}/snapshots/${whole}`);
    assert.deepEqual(json, {
      clusterId: ORDERS_ID,
      clusterName: 'orders',
      complete: true,
      created: { date: '2026-03-01T12:00:00Z', increment: 7 },
      doNotDelete: false,
      expires: '2026-03-04T12:00:00Z',
      groupId: SHOP_ID,
      id: whole,
      isPossiblyInconsistent: false,
      lastOplogAppliedTimestamp: { date: '2026-03-01T12:00:00Z', increment: 7 },
      links: [
        { href: `http://leafvault.test${CLUSTER}/snapshots/${whole}`, rel: 'self' },
        { href: `http://leafvault.test${CLUSTER}`, rel: 'http://mms.mongodb.com/cluster' },
        { href: `http://leafvault.test${ROOT}/groups/${SHOP_ID}`, rel: 'http://mms.mongodb.com/group' },
      ],
      missingShards: [],
      namespaceFilterList: { filterList: [], filterType: 'blacklist' },
      parts: [{
        clusterId: ORDERS_ID, compressionSetting: 'GZIP', dataSizeBytes: 1_000_000, encryptionEnabled: false, fileSizeBytes: 250_000, mongodVersion: '6.0.5',
        replicaSetName: 'rs0', storageSizeBytes: 250_000, typeName: 'REPLICA_SET',
      }],
    });
  });

  test('list whole snapshots unless told otherwise', async () => {
    assert.deepEqual(await ids(''), [whole]);
    assert.deepEqual(await ids('?completed=true'), [whole]);
    assert.deepEqual(await ids('?completed=false'), [running]);
    assert.deepEqual(await ids('?completed=all&itemsPerPage=100&pageNum=1'), [running, whole]);
  });

  test('show a snapshot that may be inconsistent as such', async () => {
    const snapshot = facade.snapshots.get(whole);
    assert.ok(snapshot);
    facade.snapshots.set(whole, { ...snapshot, consistency: 'fuzzy', pointInTime: null });
    const { json } = await facade.ask(`${CLUSTER}/snapshots/${whole}`);
    facade.snapshots.set(whole, snapshot);
    assert.equal(json['isPossiblyInconsistent'], true);
    assert.ok(!('lastOplogAppliedTimestamp' in json));
    assert.deepEqual(json['created'], { date: '2026-03-01T12:00:00Z', increment: 0 });
  });

  test('change an expiry, keep a snapshot for good, and take that back', async () => {
    const change = async (body: unknown) => (await facade.ask(`${CLUSTER}/snapshots/${whole}`, { method: 'PATCH', body })).json;
    assert.equal((await change({ expires: '2026-04-01T00:00:00Z' }))['expires'], '2026-04-01T00:00:00Z');
    assert.equal((await change({ doNotDelete: true }))['doNotDelete'], true);
    const back = await change({ doNotDelete: false });
    assert.deepEqual([back['doNotDelete'], back['expires']], [false, '2026-04-01T00:00:00Z']);
    assert.equal((await change({ doNotDelete: true, expires: '2026-04-01T00:00:00Z' }))['errorCode'], 'INVALID_ATTRIBUTE');
    assert.equal((await change({}))['errorCode'], 'MISSING_ONE_OF_ATTRIBUTES');
    assert.equal((await change({ doNotDelete: 'yes' }))['errorCode'], 'INVALID_JSON_ATTRIBUTE');
  });

  test('leave the expiry of what was never kept for good alone, and give back the one that was once far away instead', async () => {
    const change = async (body: unknown) => (await facade.ask(`${CLUSTER}/snapshots/${whole}`, { method: 'PATCH', body })).json;
    assert.equal((await change({ expires: '2027-01-01T00:00:00Z' }))['expires'], '2027-01-01T00:00:00Z');
    const told = await change({ doNotDelete: false });
    assert.deepEqual([told['doNotDelete'], told['expires']], [false, '2027-01-01T00:00:00Z']);
    const snapshot = facade.snapshots.get(whole);
    assert.ok(snapshot?.capturedAt);
    facade.snapshots.set(whole, { ...snapshot, expiresAt: new Date(snapshot.capturedAt.getTime() + 36_500 * 86_400_000) });
    assert.equal((await facade.ask(`${CLUSTER}/snapshots/${whole}`)).json['doNotDelete'], true);
    const back = await change({ doNotDelete: false });
    assert.deepEqual([back['doNotDelete'], back['expires']], [false, '2026-03-04T12:00:00Z']);
  });

  test('change nothing of a snapshot that has expired, as long as nothing keeps it', async () => {
    const snapshot = facade.snapshots.get(whole);
    assert.ok(snapshot);
    const expired = { ...snapshot, expiresAt: facade.clock.now() };
    facade.snapshots.set(whole, expired);
    for (const body of [{ doNotDelete: true }, { doNotDelete: false }, { expires: '2027-01-01T00:00:00Z' }]) {
      const { status, json } = await facade.ask(`${CLUSTER}/snapshots/${whole}`, { method: 'PATCH', body });
      assert.deepEqual([status, json['errorCode'], json['detail']], [403, 'CANNOT_MODIFY_SNAPSHOT', `Cannot modify snapshot ${whole}: it has expired.`]);
    }
    facade.snapshots.set(whole, { ...expired, pin: { by: 'somebody', reason: null, at: '2026-03-01T12:00:00Z' } });
    assert.equal((await facade.ask(`${CLUSTER}/snapshots/${whole}`, { method: 'PATCH', body: { doNotDelete: false } })).status, 200);
    facade.snapshots.set(whole, snapshot);
  });

  test('change nothing of a snapshot that is not complete', async () => {
    for (const body of [{ doNotDelete: true }, { expires: '2027-01-01T00:00:00Z' }]) {
      const { status, json } = await facade.ask(`${CLUSTER}/snapshots/${running}`, { method: 'PATCH', body });
      assert.deepEqual([status, json['errorCode']], [403, 'CANNOT_MODIFY_SNAPSHOT']);
    }
  });

  test('find a group by its name', async () => {
    for (const path of [`${ROOT}/groups/byName/shop`, '/api/atlas/v1.0/groups/byName/shop']) assert.equal((await facade.ask(path)).json['id'], SHOP_ID);
    assert.equal((await facade.atlas('/groups/byName/shop')).json['id'], SHOP_ID);
    const { status, json } = await facade.ask(`${ROOT}/groups/byName/none`);
    assert.deepEqual([status, json['errorCode'], json['detail']], [404, 'GROUP_NAME_NOT_FOUND', 'No group with name "none" exists.']);
  });

  test('delete by an expiry in the past and by DELETE', async () => {
    const take = async (): Promise<string> => String((await facade.atlas(`/groups/${SHOP_ID}/clusters/orders/backup/snapshots`, { method: 'POST', body: {} })).json['id']);
    const first = await take();
    assert.equal((await facade.ask(`${CLUSTER}/snapshots/${first}`, { method: 'PATCH', body: { expires: '2020-01-01T00:00:00Z' } })).status, 200);
    assert.equal((await facade.ask(`${CLUSTER}/snapshots/${first}`)).json['errorCode'], 'SNAPSHOT_NOT_FOUND');
    assert.equal((await facade.ask(`${CLUSTER}/snapshots/${await take()}`, { method: 'DELETE' })).status, 204);
  });

  test('show clusters and groups', async () => {
    const { json: cluster } = await facade.ask(CLUSTER);
    assert.deepEqual([cluster['id'], cluster['clusterName'], cluster['typeName'], cluster['replicaSetName']], [ORDERS_ID, 'orders', 'REPLICA_SET', 'rs0']);
    assert.equal((await facade.ask(`${ROOT}/groups/${SHOP_ID}/clusters`)).json['totalCount'], 2);
    const { json: group } = await facade.ask(`${ROOT}/groups/${SHOP_ID}`);
    assert.deepEqual([group['name'], group['orgId'], group['replicaSetCount']], ['shop', ORG_ID, 2]);
    assert.deepEqual(group['hostCounts'], { arbiter: 0, config: 0, master: 0, mongos: 0, primary: 2, secondary: 3, slave: 0 });
    for (const path of ['/groups', `/orgs/${ORG_ID}/groups`]) {
      assert.deepEqual(((await facade.ask(`${ROOT}${path}`)).json['results'] as { name: string }[]).map(({ name }) => name), ['shop', 'other']);
    }
  });

  test('have no checkpoints', async () => {
    assert.deepEqual((await facade.ask(`${CLUSTER}/checkpoints`)).json['results'], []);
    assert.equal((await facade.ask(`${CLUSTER}/checkpoints/${NOBODY}`)).json['errorCode'], 'CHECKPOINT_NOT_FOUND');
  });

  test('name the version to anyone', async () => {
    const { status, headers } = await facade.ask('/api/private/unauth/version', { headers: { authorization: '' } });
    assert.equal(status, 200);
    assert.match(String(headers['content-type']), /^text\/plain/);
    assert.equal(headers['x-mongodb-service-version'], `gitHash=${'a'.repeat(40)}; versionString=0.1.0`);
  });

  const cases: readonly (readonly [string, string, Asked, number, string])[] = [
    ['a malformed group', '/groups/xyz', {}, 404, 'INVALID_GROUP_ID'],
    ['a group that is not there', `/groups/${NOBODY}`, {}, 401, 'NOT_IN_GROUP'],
    ['a malformed cluster', `/groups/${SHOP_ID}/clusters/orders`, {}, 404, 'INVALID_CLUSTER_ID'],
    ['an unknown cluster', `/groups/${SHOP_ID}/clusters/${NOBODY}/snapshots`, {}, 404, 'CLUSTER_NOT_FOUND'],
    ['a cluster of another group', `/groups/${OTHER_ID}/clusters/${ORDERS_ID}`, {}, 404, 'CLUSTER_NOT_FOUND'],
    ['a malformed snapshot', `/groups/${SHOP_ID}/clusters/${ORDERS_ID}/snapshots/xyz`, {}, 404, 'INVALID_SNAPSHOT_ID'],
    ['an unknown snapshot', `/groups/${SHOP_ID}/clusters/${ORDERS_ID}/snapshots/${NOBODY}`, {}, 404, 'SNAPSHOT_NOT_FOUND'],
    ['a malformed job', `/groups/${SHOP_ID}/clusters/${ORDERS_ID}/restoreJobs/xyz`, {}, 404, 'INVALID_JOB_ID'],
    ['an unknown job', `/groups/${SHOP_ID}/clusters/${ORDERS_ID}/restoreJobs/${NOBODY}`, {}, 404, 'RESTORE_JOB_NOT_FOUND'],
    ['a malformed checkpoint', `/groups/${SHOP_ID}/clusters/${ORDERS_ID}/checkpoints/xyz`, {}, 404, 'INVALID_CHECKPOINT_ID'],
    ['an unknown organization', `/orgs/${NOBODY}/groups`, {}, 404, 'ORG_NOT_FOUND'],
    ['page 0', '/groups?pageNum=0', {}, 400, 'INVALID_QUERY_PARAMETER'],
    ['a page of 501', `/groups/${SHOP_ID}/clusters/${ORDERS_ID}/snapshots?itemsPerPage=501`, {}, 400, 'INVALID_QUERY_PARAMETER'],
    ['an unknown choice', `/groups/${SHOP_ID}/clusters/${ORDERS_ID}/snapshots?completed=maybe`, {}, 400, 'INVALID_QUERY_PARAMETER'],
    ['an unknown path', '/nothing', {}, 404, 'RESOURCE_NOT_FOUND'],
    ['broken JSON', `/groups/${SHOP_ID}/clusters/${ORDERS_ID}/restoreJobs`, { method: 'POST', body: '{', headers: { 'content-type': 'application/json' } }, 400, 'INVALID_JSON'],
    ['XML', `/groups/${SHOP_ID}/clusters/${ORDERS_ID}/restoreJobs`, { method: 'POST', body: '<a/>', headers: { 'content-type': 'application/xml' } }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['a body over 1 MiB', `/groups/${SHOP_ID}/clusters/${ORDERS_ID}/restoreJobs`, { method: 'POST', body: `"${'x'.repeat(1_048_576)}"`, headers: { 'content-type': 'application/json' } }, 413, 'PAYLOAD_TOO_LARGE'],
    ['no credentials', '/groups', { headers: { authorization: '' } }, 401, 'UNEXPECTED_ERROR'],
  ];
  for (const [what, path, asked, status, errorCode] of cases) {
    test(`answer ${what} with ${status} ${errorCode}`, async () => {
      const answer = await facade.ask(`${ROOT}${path}`, asked);
      assert.deepEqual([answer.status, answer.json['error'], answer.json['errorCode']], [status, status, errorCode], answer.text);
      assert.match(String(answer.headers['content-type']), /^application\/json/);
    });
  }

  test('need a role in the group, and its writes more than reading', async () => {
    const reader = { authorization: `Bearer ${await facade.grant('reader', [{ role: 'GROUP_READ_ONLY', projectId: SHOP_ID }])}` };
    assert.equal((await facade.ask(`${CLUSTER}/restoreJobs`, { headers: reader })).status, 200);
    for (const [method, path] of [['POST', 'restoreJobs'], ['DELETE', `snapshots/${whole}`], ['PATCH', `snapshots/${whole}`]] as const) {
      const { status, json } = await facade.ask(`${CLUSTER}/${path}`, { method, headers: reader, ...(method === 'DELETE' ? {} : { body: {} }) });
      assert.deepEqual([status, json['errorCode']], [401, 'USER_UNAUTHORIZED'], method);
    }
    assert.equal((await facade.ask(`${ROOT}/groups/${OTHER_ID}`, { headers: reader })).status, 401);
  });

  test('tell a wrong key that it is none, with a fresh challenge', async () => {
    const nonce = nonceOf(String((await facade.ask(`${ROOT}/groups`, { headers: { authorization: '' } })).headers['www-authenticate']));
    for (const wrong of [{ username: 'nobody' }, { username: 'ownerkey', password: 'wrong' }]) {
      const { status, json, headers } = await facade.ask(`${ROOT}/groups`, { headers: { authorization: digestAnswer(nonce, { ...wrong, uri: `${ROOT}/groups` }) } });
      assert.deepEqual([status, json['errorCode'], json['error']], [401, 'USER_UNAUTHORIZED', 401]);
      assert.match(String(headers['www-authenticate']), /^Digest .*stale=false$/);
    }
  });

  test('know no bearer token', async () => {
    const { statusCode, headers, body } = await facade.server.app.inject({ url: `${ROOT}/groups`, headers: { authorization: `Bearer ${facade.owner}` } });
    assert.equal(statusCode, 401);
    assert.equal((JSON.parse(body) as { readonly errorCode: string }).errorCode, 'UNEXPECTED_ERROR');
    assert.match(String(headers['www-authenticate']), /^Digest /);
  });

  test('hold writes to the access list of the key, not reads', async () => {
    const far = { authorization: `Bearer ${await facade.grant('far', [{ role: 'GROUP_OWNER', projectId: SHOP_ID }], ['203.0.113.9'])}` };
    assert.equal((await facade.ask(`${CLUSTER}/snapshots`, { headers: far })).status, 200);
    const { status, json } = await facade.ask(`${CLUSTER}/restoreJobs`, { method: 'POST', body: {}, headers: far });
    assert.deepEqual([status, json['errorCode']], [403, 'IP_ADDRESS_NOT_ON_ACCESS_LIST']);
  });
});
