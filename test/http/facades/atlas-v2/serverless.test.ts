// The serverless and flex views: what is answered for every cluster, and the codes by which clients go on to the dedicated endpoints.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startFacades, type FacadeServer } from '../../../support/facade-server.ts';
import { SHOP_ID } from '../../../support/memory-services.ts';

const CLUSTER = `/groups/${SHOP_ID}/clusters/orders`;
const SERVERLESS = `/groups/${SHOP_ID}/serverless`;
const FLEX = `/groups/${SHOP_ID}/flexClusters/orders`;
const FLEX_VERSION = '2024-11-13';

describe('the serverless view', () => {
  let facade: FacadeServer;
  let snapshotId: string;
  before(async () => {
    facade = await startFacades();
    snapshotId = String((await facade.atlas(`${CLUSTER}/backup/snapshots`, { method: 'POST', body: {} })).json['id']);
    facade.completeSnapshot(snapshotId);
  });
  after(() => facade.close());

  test('lists no instance, and tells a cluster from one', async () => {
    assert.deepEqual((await facade.atlas(SERVERLESS)).json['results'], []);
    const { status, json } = await facade.atlas(`${SERVERLESS}/orders`);
    assert.deepEqual([status, json['errorCode']], [400, 'CANNOT_USE_CLUSTER_IN_SERVERLESS_INSTANCE_API']);
    assert.equal((await facade.atlas(`${SERVERLESS}/none`)).json['errorCode'], 'CLUSTER_NOT_FOUND');
  });

  test('answers the snapshots and restore jobs of every cluster, marked with the sunset', async () => {
    const listed = await facade.atlas(`${SERVERLESS}/orders/backup/snapshots`);
    assert.equal(listed.headers['sunset'], 'Thu, 22 Jan 2026 00:00:00 GMT');
    assert.deepEqual((listed.json['results'] as Record<string, unknown>[]).map(({ id, serverlessInstanceName }) => [id, serverlessInstanceName]), [[snapshotId, 'orders']]);
    assert.equal((await facade.atlas(`${SERVERLESS}/orders/backup/snapshots/${snapshotId}`)).json['status'], 'completed');
    const body = { snapshotId, deliveryType: 'automated', targetClusterName: 'copy', targetGroupId: SHOP_ID };
    const made = await facade.atlas(`${SERVERLESS}/orders/backup/restoreJobs`, { method: 'POST', body });
    assert.deepEqual([made.status, made.json['targetClusterName'], 'components' in made.json], [200, 'copy', false], made.text);
    assert.equal((await facade.atlas(`${SERVERLESS}/orders/backup/restoreJobs/${String(made.json['id'])}`)).json['id'], made.json['id']);
    assert.equal((await facade.atlas(`${CLUSTER}/backup/restoreJobs/${String(made.json['id'])}`)).status, 200, 'and at the dedicated endpoint');
    assert.equal((await facade.ask(`/api/atlas/v1.0${SERVERLESS}/orders/backup/restoreJobs`)).json['totalCount'], 1);
  });

  test('asks for a target whatever the delivery is', async () => {
    const { json } = await facade.atlas(`${SERVERLESS}/orders/backup/restoreJobs`, { method: 'POST', body: { snapshotId, deliveryType: 'download' } });
    assert.equal(json['errorCode'], 'MISSING_ATTRIBUTE');
    const named = await facade.atlas(`${SERVERLESS}/orders/backup/restoreJobs`, { method: 'POST', body: { snapshotId, deliveryType: 'download', targetClusterName: 'x', targetGroupId: SHOP_ID } });
    assert.deepEqual([named.status, named.json['deliveryType'], named.json['targetClusterName']], [200, 'download', 'orders']);
  });
});

describe('the flex view', () => {
  let facade: FacadeServer;
  let snapshotId: string;
  before(async () => {
    facade = await startFacades();
    snapshotId = String((await facade.atlas(`${CLUSTER}/backup/snapshots`, { method: 'POST', body: {} })).json['id']);
    facade.completeSnapshot(snapshotId);
  });
  after(() => facade.close());

  const flex = (path: string, body?: unknown) => facade.atlas(`${FLEX}${path}`, { version: FLEX_VERSION, ...(body === undefined ? {} : { method: 'POST', body }) });

  test('gives the Atlas CLI the address of a snapshot at once, as its download needs it', async () => {
    const { status, json } = await flex('/backup/download', { snapshotId });
    assert.deepEqual([status, json['deliveryType'], json['status'], json['instanceName'], 'links' in json], [200, 'DOWNLOAD', 'COMPLETED', 'orders', false]);
    assert.match(String(json['snapshotUrl']), /^http:\/\/leafvault\.test\/backup\/restore\//);
  });

  test('does a restore that is asked for in its form and reads it again, but no other', async () => {
    const made = await flex('/backup/restoreJobs', { snapshotId, targetDeploymentItemName: 'copy', instanceName: 'orders', targetProjectId: SHOP_ID });
    assert.deepEqual([made.status, made.json['status'], made.json['targetDeploymentItemName']], [200, 'PENDING', 'copy'], made.text);
    const read = async (id: unknown) => (await flex(`/backup/restoreJobs/${String(id)}`)).json;
    facade.endJob(facade.restores.get(String(made.json['id']))?.jobId ?? '', 'completed');
    assert.equal((await read(made.json['id']))['status'], 'COMPLETED');
    const other = await facade.atlas(`${CLUSTER}/backup/restoreJobs`, { method: 'POST', body: { deliveryType: 'download', snapshotId } });
    for (const id of [other.json['id'], '0'.repeat(24), 'x']) assert.equal((await read(id))['errorCode'], 'CANNOT_USE_NON_FLEX_CLUSTER_IN_FLEX_API', String(id));
    assert.equal((await flex('/backup/restoreJobs')).json['errorCode'], 'CANNOT_USE_NON_FLEX_CLUSTER_IN_FLEX_API', 'the CLI has to go on');
    assert.equal((await facade.atlas(`${CLUSTER}/backup/restoreJobs/${String(made.json['id'])}`)).status, 200, 'and at the dedicated endpoint');
  });
});

describe('a shared tier with very many snapshots', () => {
  test('tells the newest 500 and reaches the others by page', async () => {
    const facade = await startFacades();
    for (let n = 0; n < 501; n += 1) await facade.services.snapshots.create({ cluster: await facade.services.inventory.clusterByName(SHOP_ID, 'orders'), description: null, retentionDays: 1, principal: { kind: 'apiKey', id: '', name: 'k', orgId: '', grants: [] } });
    const list = async (query: string) => (await facade.atlas(`${CLUSTER}/backup/tenant/snapshots${query}`)).json as { results: unknown[]; totalCount: number; links: { rel: string }[] };
    const whole = await list('');
    assert.deepEqual([whole.results.length, whole.totalCount, whole.links.map(({ rel }) => rel)], [500, 501, ['self', 'next']]);
    assert.equal((await list('?itemsPerPage=500&pageNum=2')).results.length, 1);
    await facade.close();
  });
});
