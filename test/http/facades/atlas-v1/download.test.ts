import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { startFacades, type Asked, type FacadeServer } from '../../../support/facade-server.ts';
import { SHOP_ID } from '../../../support/memory-services.ts';
import { keyPaths, pageExample } from '../../../support/page-keys.ts';

const CLUSTER = `/api/atlas/v1.0/groups/${SHOP_ID}/clusters/orders`;
const DOWNLOAD = `${CLUSTER}/backup/tenant/download`;

describe('the download of Atlas v1.0', () => {
  let facade: FacadeServer;
  let snapshotId: string;

  before(async () => { facade = await startFacades(); });
  beforeEach(async () => {
    snapshotId = String((await facade.ask(`${CLUSTER}/backup/snapshots`, { method: 'POST', body: {} })).json['id']);
    facade.completeSnapshot(snapshotId);
  });
  after(() => facade.close());

  const order = (asked: Asked = {}) => facade.ask(DOWNLOAD, { method: 'POST', ...asked, body: asked.body ?? { snapshotId, targetDeploymentItemName: 'anything', targetProjectId: SHOP_ID } });

  test('answers every name of the page with a URL at once, for four hours', async () => {
    const { status, json, headers } = await order();
    assert.equal(status, 200);
    assert.match(String(headers['content-type']), /^application\/json/);
    assert.deepEqual(keyPaths(json).sort(), keyPaths(pageExample('atlas-v1-tenant-download.response')).sort());
    assert.deepEqual({ ...json, id: '', links: [], snapshotUrl: '' }, {
      clusterName: 'orders',
      deliveryType: 'DOWNLOAD',
      expirationDate: '2026-03-01T16:00:00Z',
      id: '',
      links: [],
      projectId: SHOP_ID,
      restoreFinishedDate: '2026-03-01T12:00:00Z',
      restoreScheduledDate: '2026-03-01T12:00:00Z',
      snapshotFinishedDate: '2026-03-01T12:00:00Z',
      snapshotId,
      snapshotUrl: '',
      status: 'COMPLETED',
      targetDeploymentItemName: 'anything',
      targetProjectId: SHOP_ID,
    });
    assert.match(String(json['snapshotUrl']), /^http:\/\/leafvault\.test\//);
    assert.deepEqual(json['links'], [{ href: `http://leafvault.test/api/atlas/v1.0/groups/${SHOP_ID}/clusters/orders/backup/tenant/restores/${String(json['id'])}`, rel: 'self' }]);
  });

  test('takes the form of the page with real names', async () => {
    assert.deepEqual(Object.keys(pageExample('atlas-v1-tenant-download.request')), ['snapshotId', 'targetDeploymentItemName', 'targetProjectId']);
    assert.equal((await order({ body: { ...pageExample('atlas-v1-tenant-download.request'), snapshotId } })).status, 200);
  });

  test('asks for no limit on how often the archive is fetched', async () => {
    const { json } = await order();
    assert.equal(facade.restores.get(String(json['id']))?.download?.maxDownloads, null);
  });

  test('can be read again by either version of Atlas', async () => {
    const { json } = await order();
    for (const answer of [await facade.ask(`${CLUSTER}/backup/tenant/restores/${String(json['id'])}`), await facade.atlas(`/groups/${SHOP_ID}/clusters/orders/backup/tenant/restores/${String(json['id'])}`)]) {
      assert.deepEqual([answer.json['deliveryType'], answer.json['snapshotUrl']], ['DOWNLOAD', json['snapshotUrl']]);
    }
  });

  test('is for owners', async () => {
    const token = await facade.grant('manager', [{ role: 'GROUP_BACKUP_MANAGER', projectId: SHOP_ID }]);
    const { status, json } = await order({ headers: { authorization: `Bearer ${token}` } });
    assert.deepEqual([status, json['errorCode']], [401, 'USER_UNAUTHORIZED']);
  });

  const ITEM = { targetDeploymentItemName: 'x' };
  const errors: readonly (readonly [string, Asked, number, string])[] = [
    ['a body without a snapshot', { body: ITEM }, 400, 'MISSING_ATTRIBUTE'],
    ['a body without a target', { body: { snapshotId: '0'.repeat(24) } }, 400, 'MISSING_ATTRIBUTE'],
    ['a number for the snapshot', { body: { ...ITEM, snapshotId: 5 } }, 400, 'INVALID_JSON_ATTRIBUTE'],
    ['null for the snapshot', { body: { ...ITEM, snapshotId: null } }, 400, 'MISSING_ATTRIBUTE'],
    ['a list for the target', { body: { snapshotId: '0'.repeat(24), targetDeploymentItemName: ['x'] } }, 400, 'INVALID_JSON_ATTRIBUTE'],
    ['a number for the project', { body: { ...ITEM, snapshotId: '0'.repeat(24), targetProjectId: 5 } }, 400, 'INVALID_JSON_ATTRIBUTE'],
    ['a list for an object', { body: [] }, 400, 'INVALID_JSON'],
    ['a misspelt attribute', { body: { ...ITEM, snapshotid: '0'.repeat(24) } }, 400, 'INVALID_ATTRIBUTE'],
    ['a body over 1 MiB', { body: { snapshotId: '0'.repeat(24), targetDeploymentItemName: 'x'.repeat(1_048_577) } }, 413, 'PAYLOAD_TOO_LARGE'],
    ['no body', { body: '' }, 400, 'MISSING_ATTRIBUTE'],
    ['an unknown snapshot', { body: { snapshotId: '0'.repeat(24), targetDeploymentItemName: 'x' } }, 404, 'TENANT_SNAPSHOT_NOT_FOUND'],
    ['a malformed snapshot', { body: { snapshotId: 'x', targetDeploymentItemName: 'x' } }, 400, 'INVALID_ATTRIBUTE'],
    ['the versioned type', { body: '{}', headers: { 'content-type': 'application/vnd.atlas.2023-01-01+json' } }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['broken JSON', { body: '{', headers: { 'content-type': 'application/json' } }, 400, 'MALFORMED_JSON'],
    ['no credentials', { headers: { authorization: '' } }, 401, 'UNEXPECTED_ERROR'],
  ];
  for (const [what, asked, status, errorCode] of errors) {
    test(`answers ${what} with ${status} ${errorCode}`, async () => {
      const before = facade.restores.size;
      const answer = await order(asked);
      assert.deepEqual([answer.status, answer.json['error'], answer.json['errorCode'], typeof answer.json['detail'], typeof answer.json['reason']], [status, status, errorCode, 'string', 'string']);
      assert.equal(facade.restores.size, before, 'nothing was made');
    });
  }

  test('refuses a snapshot that is not whole', async () => {
    const { json } = await facade.ask(`${CLUSTER}/backup/snapshots`, { method: 'POST', body: {} });
    assert.equal((await order({ body: { snapshotId: json['id'], targetDeploymentItemName: 'x' } })).status, 409);
  });

  test('needs no version in Accept', async () => {
    for (const accept of ['application/json', '*/*', 'text/html']) assert.equal((await order({ headers: { accept } })).status, 200);
  });

  test('stands beside the calls that old clients make', async () => {
    for (const path of ['/groups', `/groups/${SHOP_ID}`, `/groups/${SHOP_ID}/clusters`, `/groups/${SHOP_ID}/clusters/orders`, `/groups/${SHOP_ID}/clusters/orders/backup/snapshots`, `/groups/${SHOP_ID}/clusters/orders/backup/restoreJobs`]) {
      const { status, headers } = await facade.ask(`/api/atlas/v1.0${path}`);
      assert.equal(status, 200, path);
      assert.equal(headers['sunset'], undefined);
    }
    const made = await facade.ask(`${CLUSTER}/backup/restoreJobs`, { method: 'POST', body: { deliveryType: 'automated', snapshotId, targetClusterName: 'copy', targetGroupId: SHOP_ID } });
    assert.equal(made.status, 200);
  });
});
