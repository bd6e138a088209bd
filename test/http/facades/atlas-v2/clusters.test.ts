// Groups and clusters made by API, before a real MongoDB: what is kept was tried, and what is deleted takes with it what the API says.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { OUTCOME } from '../../../support/catalog-rows.ts';
import { checkAgainst } from '../../../support/check-schema.ts';
import { openAtlasWorld, ORG, OWNER, SHOP, type AtlasWorld, type Said } from '../../../support/atlas-world.ts';
import { freePort, startReplicaSet, type ReplicaSet } from '../../../support/mongod.ts';
import { completeJob } from '../../../support/services-world.ts';

let world: AtlasWorld;
let mongo: ReplicaSet;
let uri: string;
before(async () => {
  [world, mongo] = await Promise.all([openAtlasWorld(), startReplicaSet({ auth: true })]);
  uri = await mongo.createUser({ user: 'leafvault', password: 's3cret/word', roles: ['backup'] });
});
after(async () => {
  await mongo?.stop();
  await world?.close();
});

const codeOf = ({ status, json }: Said): string => `${status} ${String(json['errorCode'] ?? '')}`.trim();
const resultsOf = ({ json }: Said): Record<string, unknown>[] => json['results'] as Record<string, unknown>[];
const CLUSTERS = `/groups/${SHOP}/clusters`;
/** What the Terraform provider sends of hardware. */
const HARDWARE = { clusterType: 'REPLICASET', replicationSpecs: [{ regionConfigs: [{ providerName: 'AWS', regionName: 'US_EAST_1', priority: 7, electableSpecs: { instanceSize: 'M10', nodeCount: 3 } }] }] };

function register(name: string, more: Record<string, unknown> = {}, version = '2024-08-05'): Promise<Said> {
  return world.say(OWNER, 'POST', CLUSTERS, { body: { name, ...HARDWARE, leafvaultConnectionString: uri, ...more }, version });
}

/** A snapshot that is whole, as a worker would leave it. */
async function wholeSnapshot(name: string): Promise<string> {
  const taken = await world.say(OWNER, 'POST', `${CLUSTERS}/${name}/backup/snapshots`, { body: { retentionInDays: 3 } });
  assert.equal(taken.status, 200, taken.text);
  const id = String(taken.json['id']);
  await world.catalog.snapshots.complete(id, { ...OUTCOME, expiresAt: new Date(Date.now() + 3 * 86_400_000) });
  await completeJob(world.catalog, (await world.catalog.snapshots.get(id))?.jobId ?? '');
  return id;
}

describe('registering a cluster', () => {
  test('connects first, and answers with what was found', async () => {
    const made = await register('orders', { tags: [{ key: 'team', value: 'shop' }], terminationProtectionEnabled: true });
    assert.equal(made.status, 201, made.text);
    assert.deepEqual(checkAgainst('createGroupCluster', '2024-08-05', made.json), []);
    assert.deepEqual([made.json['stateName'], made.json['mongoDBVersion'], made.json['tags'], made.json['terminationProtectionEnabled'], made.json['pitEnabled']], ['IDLE', (await mongo.admin({ buildInfo: 1 })).version, [{ key: 'team', value: 'shop' }], true, false]);
    assert.match(String((made.json['connectionStrings'] as Record<string, unknown>)['standard']), new RegExp(`replicaSet=${mongo.name}$`));
    assert.ok(!made.text.includes('s3cret'));
    const schedule = await world.say(OWNER, 'GET', `${CLUSTERS}/orders/backup/schedule`);
    assert.equal(((schedule.json['policies'] as { policyItems: unknown[] }[])[0]?.policyItems ?? []).length, 5, 'it begins with the default schedule');
    assert.equal(codeOf(await register('orders')), '409 DUPLICATE_CLUSTER_NAME');
    assert.equal((await world.say(OWNER, 'POST', CLUSTERS, { body: { name: 'by-header' }, headers: { 'leafvault-connection-string': uri }, version: '2023-01-01' })).status, 201);
    const older = `/api/atlas/v1.5${CLUSTERS}`;
    const sharded = await world.say(OWNER, 'POST', older, { body: { name: 'by-v1-5', ...HARDWARE, leafvaultConnectionString: uri }, headers: { accept: 'application/json' } });
    assert.deepEqual([sharded.status, checkAgainst('createGroupCluster', '2023-02-01', sharded.json), 'mongoURI' in sharded.json], [201, [], false]);
    assert.deepEqual([(await world.say(OWNER, 'GET', `${older}/by-v1-5`, { headers: { accept: '*/*' } })).status, (await world.say(OWNER, 'DELETE', `${older}/by-v1-5`)).status], [200, 202]);
    assert.equal(resultsOf(await world.say(OWNER, 'GET', `/groups/${SHOP}/events`))[0]?.['eventTypeName'], 'CLUSTER_DELETED', 'and the audit has its name');
    const all = await world.say(OWNER, 'GET', '/clusters');
    assert.deepEqual(checkAgainst('listClusterDetails', '2023-01-01', all.json), []);
    assert.deepEqual((resultsOf(all)[0]?.['clusters'] as { name: string }[]).map(({ name }) => name), ['by-header', 'orders']);
  });

  test('names the cause when the server is not there, or refuses the login', async () => {
    const dead = await register('dead', { leafvaultConnectionString: `mongodb://u:pa55@127.0.0.1:${await freePort()}/?serverSelectionTimeoutMS=300` });
    assert.equal(codeOf(dead), '400 CLUSTER_UNREACHABLE');
    assert.match(String(dead.json['detail']), /Connecting to 127\.0\.0\.1:\d+ failed/);
    const refused = await register('refused', { leafvaultConnectionString: uri.replace('s3cret', 'wr0ng') });
    assert.match(String(refused.json['detail']), /Logging in to .* as leafvault failed/);
    for (const { text } of [dead, refused]) assert.ok(!/pa55|wr0ng|s3cret/.test(text), text);
    assert.equal(codeOf(await register('none', { leafvaultConnectionString: 'postgres://x' })), '400 INVALID_CONNECTION_STRING');
    for (const option of ['tlsCAFile=/etc/passwd', 'TLSCertificateKeyFile=/etc/passwd', 'authMechanism=MONGODB-OIDC&authMechanismProperties=ENVIRONMENT:k8s', 'authMechanism=GSSAPI']) {
      const answer = await register('none', { leafvaultConnectionString: `mongodb://127.0.0.1:1/?${option}` });
      assert.equal(codeOf(answer), '400 UNSUPPORTED_CLUSTER_SETTING', option);
    }
    const missing = await world.say(OWNER, 'POST', CLUSTERS, { body: { name: 'missing', ...HARDWARE } });
    assert.deepEqual([codeOf(missing), missing.json['parameters']], ['400 MISSING_ATTRIBUTE', ['leafvaultConnectionString']]);
    assert.deepEqual((await world.catalog.clusters.list(SHOP, { pageNumber: 1, itemsPerPage: 10 })).items.map(({ name }) => name), ['by-header', 'orders']);
  });

  test('names what the account may not do, and keeps no string with which every snapshot would fail', async () => {
    const weak = await mongo.createUser({ user: 'weak', password: 's3cret', roles: [{ role: 'read', db: 'shop' }] });
    const answer = await register('weak', { leafvaultConnectionString: weak });
    assert.equal(codeOf(answer), '400 UNSUPPORTED_CLUSTER_SETTING');
    assert.match(String(answer.json['detail']), /the account may not do what a snapshot needs: listDatabases, .*find on all collections.*, find on local\.oplog\.rs.*leafvaultBackup/);
    const nobody = await register('nobody', { leafvaultConnectionString: mongo.uri });
    assert.match(String(nobody.json['detail']), /names no account/);
    assert.deepEqual((await world.catalog.clusters.list(SHOP, { pageNumber: 1, itemsPerPage: 10 })).items.map(({ name }) => name), ['by-header', 'orders']);
  });

  test('refuses what would not be done', async () => {
    for (const body of [{ paused: true }, { clusterType: 'SHARDED' }]) assert.equal(codeOf(await register('odd', body)), '400 UNSUPPORTED_CLUSTER_SETTING');
    assert.equal(codeOf(await register('odd', { retentionInDays: 3 })), '400 INVALID_ATTRIBUTE');
    assert.equal(codeOf(await register('no/name')), '400 INVALID_ATTRIBUTE');
  });
});

describe('changing a cluster', () => {
  test('takes what is kept here, tries another connection string first, and never another name', async () => {
    const changed = await world.say(OWNER, 'PATCH', `${CLUSTERS}/by-header`, { body: { pitEnabled: true, labels: [{ key: 'a', value: 'b' }] }, version: '2023-02-01' });
    assert.equal(changed.status, 200, changed.text);
    assert.deepEqual(checkAgainst('updateGroupCluster', '2023-02-01', changed.json), []);
    assert.deepEqual([changed.json['pitEnabled'], changed.json['labels']], [true, [{ key: 'a', value: 'b' }]]);
    assert.equal(codeOf(await world.say(OWNER, 'PATCH', `${CLUSTERS}/by-header`, { body: { leafvaultConnectionString: uri.replace('s3cret', 'wr0ng') } })), '400 CLUSTER_UNREACHABLE');
    assert.match(String((await world.say(OWNER, 'PATCH', `${CLUSTERS}/by-header`, { body: { leafvaultConnectionString: mongo.uri } })).json['detail']), /names no account/, 'also of the same servers');
    assert.equal(await world.catalog.clusters.uriOf((await world.catalog.clusters.byName(SHOP, 'by-header'))?.id ?? ''), uri);
    assert.equal(codeOf(await world.say(OWNER, 'PATCH', `${CLUSTERS}/by-header`, { body: { name: 'another' } })), '400 INVALID_ATTRIBUTE');
  });
});

describe('deleting a cluster', () => {
  test('is refused while it is protected', async () => {
    assert.equal(codeOf(await world.say(OWNER, 'DELETE', `${CLUSTERS}/orders`)), '400 CANNOT_TERMINATE_CLUSTER_WHEN_TERMINATION_PROTECTION_ENABLED');
    assert.equal((await world.say(OWNER, 'PATCH', `${CLUSTERS}/orders`, { body: { terminationProtectionEnabled: false } })).status, 200);
  });

  test('takes its snapshots with it, and what was to come', async () => {
    const id = await wholeSnapshot('by-header');
    const { id: clusterId } = (await world.catalog.clusters.byName(SHOP, 'by-header')) ?? { id: '' };
    const gone = await world.say(OWNER, 'DELETE', `${CLUSTERS}/by-header`);
    assert.deepEqual([gone.status, gone.text], [202, '']);
    assert.equal(codeOf(await world.say(OWNER, 'GET', `${CLUSTERS}/by-header`)), '404 CLUSTER_NOT_FOUND');
    assert.equal(codeOf(await world.say(OWNER, 'GET', `${CLUSTERS}/by-header/backup/snapshots/${id}`)), '404 CLUSTER_NOT_FOUND');
    assert.notEqual((await world.catalog.snapshots.get(id))?.deletedAt, null);
    assert.equal(await world.catalog.clusters.uriOf(clusterId), null);
    assert.deepEqual([(await world.catalog.schedules.get(clusterId))?.schedule.items, (await world.catalog.clusters.get(clusterId))?.continuousBackup], [[], false]);
  });

  test('keeps them when it is asked to: they are read and restored under its name, which is free once they are gone', async () => {
    const id = await wholeSnapshot('orders');
    const waiting = await world.say(OWNER, 'POST', `${CLUSTERS}/orders/backup/snapshots`, { body: {} });
    assert.equal((await world.say(OWNER, 'DELETE', `${CLUSTERS}/orders?retainBackups=true`)).status, 202);
    const kept = await world.say(OWNER, 'GET', `${CLUSTERS}/orders/backup/snapshots`);
    assert.deepEqual(resultsOf(kept).map((each) => each['id']), [id], 'the one that was only asked for is gone');
    assert.equal((await world.catalog.snapshots.get(String(waiting.json['id'])))?.state, 'cancelled');
    assert.equal(codeOf(await world.say(OWNER, 'POST', `${CLUSTERS}/orders/backup/snapshots`, { body: {} })), '404 CLUSTER_NOT_FOUND');
    assert.deepEqual(resultsOf(await world.say(OWNER, 'GET', `${CLUSTERS}?includeDeletedWithRetainedBackups=true`)).map(({ name }) => name), ['orders']);
    assert.equal((await world.say(OWNER, 'GET', CLUSTERS)).json['totalCount'], 0);
    assert.equal((await register('target')).status, 201);
    const restore = await world.say(OWNER, 'POST', `${CLUSTERS}/orders/backup/restoreJobs`, { body: { deliveryType: 'automated', snapshotId: id, targetGroupId: SHOP, targetClusterName: 'target' } });
    assert.equal(restore.status, 200, restore.text);
    assert.equal(codeOf(await world.say(OWNER, 'DELETE', `${CLUSTERS}/target`)), '409 CANNOT_TERMINATE_CLUSTER_WHILE_RESTORING');
    assert.equal((await world.say(OWNER, 'DELETE', `${CLUSTERS}/orders/backup/restoreJobs/${String(restore.json['id'])}`)).status, 204);
    const { id: clusterId } = (await world.catalog.clusters.keptByName(SHOP, 'orders')) ?? { id: '' };
    const opsManager = `/api/public/v1.0/groups/${SHOP}/clusters/${clusterId}`;
    assert.deepEqual(resultsOf(await world.say(OWNER, 'GET', `${opsManager}/snapshots`)).map((each) => each['id']), [id], 'at the door of Ops Manager, by its id');
    assert.equal((await world.say(OWNER, 'GET', `${opsManager}/restoreJobs/${String(restore.json['id'])}`)).status, 200);
    assert.equal(codeOf(await world.say(OWNER, 'GET', opsManager)), '404 CLUSTER_NOT_FOUND');
    assert.equal(codeOf(await register('orders')), '409 DUPLICATE_CLUSTER_NAME');
    assert.equal((await world.say(OWNER, 'DELETE', `${CLUSTERS}/orders/backup/snapshots/${id}`)).status, 204);
    assert.equal((await register('orders')).status, 201);
    assert.deepEqual(resultsOf(await world.say(OWNER, 'GET', `${CLUSTERS}/orders/backup/snapshots`)), [], 'the new one has none');
    for (const name of ['orders', 'target']) assert.equal((await world.say(OWNER, 'DELETE', `${CLUSTERS}/${name}`)).status, 202);
  });
});

describe('groups', () => {
  test('are made, named, and deleted once nothing is in them', async () => {
    const made = await world.say(OWNER, 'POST', '/groups', { body: { name: 'new one'.replace(' ', '-'), orgId: ORG, tags: [{ key: 'a', value: 'b' }] } });
    assert.deepEqual([made.status, checkAgainst('createGroup', '2023-01-01', made.json), made.json['tags']], [200, [], [{ key: 'a', value: 'b' }]]);
    const id = String(made.json['id']);
    assert.equal(codeOf(await world.say(OWNER, 'POST', '/groups', { body: { name: 'new-one', orgId: ORG } })), '409 GROUP_ALREADY_EXISTS');
    const renamed = await world.say(OWNER, 'PATCH', `/groups/${id}`, { body: { name: 'renamed' } });
    assert.deepEqual([renamed.json['name'], checkAgainst('updateGroup', '2023-01-01', renamed.json)], ['renamed', []]);
    assert.equal((await world.say(OWNER, 'POST', `/groups/${id}/clusters`, { body: { name: 'one', leafvaultConnectionString: uri } })).status, 201);
    assert.equal(codeOf(await world.say(OWNER, 'DELETE', `/groups/${id}`)), '409 CANNOT_CLOSE_GROUP_ACTIVE_ATLAS_CLUSTERS');
    const key = await world.say(OWNER, 'POST', `/groups/${id}/apiKeys`, { body: { desc: 'x', roles: ['GROUP_OWNER'] } });
    assert.equal((await world.say(OWNER, 'DELETE', `/groups/${id}/clusters/one`)).status, 202);
    assert.equal((await world.say(OWNER, 'DELETE', `/groups/${id}`)).status, 204);
    assert.equal(codeOf(await world.say(OWNER, 'GET', `/groups/${id}`)), '404 GROUP_NOT_FOUND');
    assert.equal(codeOf(await world.say(OWNER, 'GET', '/groups/byName/renamed')), '404 GROUP_NAME_NOT_FOUND');
    const holder = { publicKey: String(key.json['publicKey']), privateKey: String(key.json['privateKey']) };
    assert.deepEqual(resultsOf(await world.say(holder, 'GET', '/groups')), []);
  });

  test('belong to who made them, when he may not do everything in the organization', async () => {
    const { json } = await world.say(OWNER, 'POST', `/orgs/${ORG}/apiKeys`, { body: { desc: 'x', roles: ['ORG_GROUP_CREATOR'] } });
    const creator = { publicKey: String(json['publicKey']), privateKey: String(json['privateKey']) };
    const made = await world.say(creator, 'POST', '/groups', { body: { name: 'his', orgId: ORG } });
    assert.equal(made.status, 200, made.text);
    assert.equal((await world.say(creator, 'PATCH', `/groups/${String(made.json['id'])}`, { body: { name: 'his-own' } })).status, 200);
    assert.equal(codeOf(await world.say(creator, 'GET', `/groups/${SHOP}`)), '401 USER_UNAUTHORIZED');
    assert.equal(codeOf(await world.say(creator, 'POST', '/groups', { body: { name: 'x', orgId: 'e'.repeat(24) } })), '401 USER_UNAUTHORIZED');
    assert.equal(codeOf(await world.say(OWNER, 'POST', '/groups', { body: { name: 'y', orgId: ORG, tags: 3 } })), '400 INVALID_JSON_ATTRIBUTE');
    assert.equal(codeOf(await world.say(OWNER, 'POST', '/groups?projectOwnerId=abc', { body: { name: 'y', orgId: ORG } })), '404 USER_NOT_FOUND');
  });

  test('tell what there is around them', async () => {
    assert.equal((await register('around')).status, 201);
    const read = async (path: string): Promise<unknown> => (await world.say(OWNER, 'GET', `/groups/${SHOP}${path}`)).json;
    const [host = ''] = new URL(uri.replace('mongodb', 'http')).hostname.split(',');
    assert.deepEqual(await read('/ipAddresses'), { groupId: SHOP, services: { clusters: [{ clusterName: 'around', inbound: [host], outbound: [] }] } });
    assert.deepEqual([await read('/limits'), await read('/managedSlowMs'), await read('/clusters/around/processArgs'), await read('/clusters/around/status')], [[], false, {}, { changeStatus: 'APPLIED' }]);
    assert.equal(Object.values((await read('/settings')) as object).filter((value) => value === false).length, 6);
    for (const path of ['/teams', '/containers?providerName=AWS', '/clusters/provider/regions']) assert.deepEqual(((await read(path)) as { results: unknown }).results, []);
    const limits = await world.say(OWNER, 'GET', '/rateLimits', { version: '2025-03-12' });
    assert.deepEqual(checkAgainst('listRateLimits', '2025-03-12', limits.json), []);
    assert.deepEqual(checkAgainst('getRateLimit', '2025-03-12', (await world.say(OWNER, 'GET', '/rateLimits/all', { version: '2025-03-12' })).json), []);
  });
});
