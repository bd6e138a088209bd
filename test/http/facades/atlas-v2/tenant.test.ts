import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { startFacades, type FacadeServer } from '../../../support/facade-server.ts';
import { ORDERS_ID, SHOP_ID } from '../../../support/memory-services.ts';
import { keyPaths, pageExample } from '../../../support/page-keys.ts';

const CLUSTER = `/groups/${SHOP_ID}/clusters/orders`;
const TENANT = `${CLUSTER}/backup/tenant`;

describe('the shared tier of Atlas v2', () => {
  let facade: FacadeServer;
  let snapshotId: string;

  before(async () => { facade = await startFacades(); });
  beforeEach(async () => {
    snapshotId = String((await facade.atlas(`${CLUSTER}/backup/snapshots`, { method: 'POST', body: {} })).json['id']);
    facade.completeSnapshot(snapshotId);
  });
  after(() => facade.close());

  const restore = async () => (await facade.atlas(`${TENANT}/restore`, { method: 'POST', body: { snapshotId, targetDeploymentItemName: 'copy', targetProjectId: SHOP_ID } })).json;
  const read = async (id: unknown) => (await facade.atlas(`${TENANT}/restores/${String(id)}`)).json;
  const jobOf = (id: unknown): string => facade.restores.get(String(id))?.jobId ?? '';

  test('starts a restore and follows it in the words of the page', async () => {
    const started = await restore();
    assert.deepEqual(started, {
      clusterName: 'orders',
      deliveryType: 'RESTORE',
      expirationDate: '2026-03-01T18:00:00Z',
      id: started['id'],
      links: [{ href: `http://leafvault.test/api/atlas/v2${TENANT}/restores/${String(started['id'])}`, rel: 'self' }],
      projectId: SHOP_ID,
      restoreScheduledDate: '2026-03-01T12:00:00Z',
      snapshotFinishedDate: '2026-03-01T12:00:00Z',
      snapshotId,
      status: 'PENDING',
      targetDeploymentItemName: 'copy',
      targetProjectId: SHOP_ID,
    });
    facade.startJob(jobOf(started['id']), 'load');
    assert.equal((await read(started['id']))['status'], 'RUNNING');
    facade.endJob(jobOf(started['id']), 'completed');
    const done = await read(started['id']);
    assert.equal(done['status'], 'COMPLETED');
    assert.equal(done['restoreFinishedDate'], '2026-03-01T12:00:00Z');
  });

  for (const end of ['failed', 'cancelled'] as const) {
    test(`shows a ${end} restore as FAILED`, async () => {
      const { id } = await restore();
      facade.endJob(jobOf(id), end);
      assert.equal((await read(id))['status'], 'FAILED');
    });
  }

  test('shows every name of the page over a download and a restore', async () => {
    const file = await facade.atlas(`${TENANT}/download`, { method: 'POST', body: { snapshotId, targetDeploymentItemName: 'copy' } });
    const shown = await read(file.json['id']);
    assert.deepEqual(keyPaths(shown).sort(), keyPaths(pageExample('atlas-v2-get-tenant-restore.response')).sort());
    assert.equal(shown['deliveryType'], 'DOWNLOAD');
    assert.equal(shown['status'], 'COMPLETED');
  });

  test('keeps the target that a download named, in every form of the tier', async () => {
    const body = { snapshotId, targetDeploymentItemName: "Ana's copy (2)".replaceAll(' ', '_'), targetProjectId: '5f00000000000000000000ff' };
    const told = ({ targetDeploymentItemName, targetProjectId, deliveryType }: Readonly<Record<string, unknown>>): unknown => ({ targetDeploymentItemName, targetProjectId, deliveryType });
    const wanted = { targetDeploymentItemName: body.targetDeploymentItemName, targetProjectId: body.targetProjectId, deliveryType: 'DOWNLOAD' };
    const made = (await facade.atlas(`${TENANT}/download`, { method: 'POST', body })).json;
    assert.deepEqual(told(made), wanted);
    assert.deepEqual(told(await read(made['id'])), wanted);
    const listed = (await facade.atlas(`${TENANT}/restores`)).json['results'] as Record<string, unknown>[];
    assert.deepEqual(listed.filter(({ id }) => id === made['id']).map(told), [wanted]);
    assert.deepEqual(told((await facade.ask(`/api/atlas/v1.0${TENANT}/restores/${String(made['id'])}`)).json), wanted);
    const { targetProjectId: _, ...atHome } = body;
    assert.equal((await read((await facade.atlas(`${TENANT}/download`, { method: 'POST', body: atHome })).json['id']))['targetProjectId'], SHOP_ID, 'the own project unless another is named');
  });

  for (const name of ['', 'x'.repeat(65), 'a\u0000b', 'a/b', 7]) {
    test(`refuses ${JSON.stringify(String(name).slice(0, 5))} of ${String(name).length} characters as the target of a download`, async () => {
      const { status, json } = await facade.atlas(`${TENANT}/download`, { method: 'POST', body: { snapshotId, targetDeploymentItemName: name } });
      assert.equal(status, 400);
      assert.match(String(json['errorCode']), /^INVALID_(?:JSON_)?ATTRIBUTE$/);
    });
  }

  test('tells the address of a download to who could have asked for it, in every form', async () => {
    const id = String((await facade.atlas(`/groups/${SHOP_ID}/flexClusters/orders/backup/download`, { method: 'POST', body: { snapshotId }, version: '2024-11-13' })).json['id']);
    const views = [
      `/api/atlas/v2${TENANT}/restores/${id}`, `/api/atlas/v2${TENANT}/restores`, `/api/atlas/v2/groups/${SHOP_ID}/flexClusters/orders/backup/restoreJobs/${id}`,
      `/api/atlas/v2${CLUSTER}/restoreJobs/${id}`, `/api/atlas/v2${CLUSTER}/restoreJobs`,
      `/api/public/v1.0/groups/${SHOP_ID}/clusters/${ORDERS_ID}/restoreJobs/${id}`, `/api/public/v1.0/groups/${SHOP_ID}/clusters/${ORDERS_ID}/restoreJobs`,
    ];
    for (const [role, isTold] of [['GROUP_READ_ONLY', false], ['GROUP_BACKUP_CREATOR', false], ['GROUP_BACKUP_EXPORT_OPERATOR', true], ['GROUP_BACKUP_RECOVERY_OPERATOR', true], ['GROUP_BACKUP_MANAGER', true]] as const) {
      const authorization = `Bearer ${await facade.grant(role, [{ role, projectId: SHOP_ID }])}`;
      for (const url of views) {
        const { status, text } = await facade.ask(url, { headers: { authorization, accept: 'application/vnd.atlas.2024-11-13+json' } });
        assert.deepEqual([status, text.includes(id), text.includes(`/backup/restore/v2/pull/${id}/`)], [200, true, isTold], `${role} ${url} ${text}`);
        // Ops Manager's other way to the same archive.
        assert.equal(/authValue|v3\/pull/.test(text), isTold && url.startsWith('/api/public'), `${role} ${url} ${text}`);
      }
    }
  });

  test('restores into the own project unless another is named', async () => {
    const { json } = await facade.atlas(`${TENANT}/restore`, { method: 'POST', body: { snapshotId, targetDeploymentItemName: 'copy' } });
    assert.equal(json['targetProjectId'], SHOP_ID);
  });

  test('reads a restore that another door made', async () => {
    const { json } = await facade.atlas(`${CLUSTER}/backup/restoreJobs`, { method: 'POST', body: { deliveryType: 'automated', snapshotId, targetClusterName: 'copy', targetGroupId: SHOP_ID } });
    assert.equal((await read(json['id']))['status'], 'PENDING');
  });

  test('lists all restores and snapshots at once', async () => {
    await restore();
    const restores = (await facade.atlas(`${TENANT}/restores`)).json;
    assert.equal((restores['results'] as unknown[]).length, restores['totalCount']);
    const snapshots = (await facade.atlas(`${TENANT}/snapshots`)).json;
    assert.equal((snapshots['results'] as unknown[]).length, snapshots['totalCount']);
    assert.deepEqual((snapshots['links'] as unknown[]).length, 1);
  });

  test('shows a snapshot in the form of the tier', async () => {
    const { json } = await facade.atlas(`${TENANT}/snapshots/${snapshotId}`);
    assert.deepEqual(json, {
      expiration: '2026-03-08T12:00:00Z',
      finishTime: '2026-03-01T12:00:00Z',
      id: snapshotId,
      links: [{ href: `http://leafvault.test/api/atlas/v2${TENANT}/snapshots/${snapshotId}`, rel: 'self' }],
      mongoDBVersion: '6.0.5',
      scheduledTime: '2026-03-01T12:00:00Z',
      startTime: '2026-03-01T12:00:00Z',
      status: 'COMPLETED',
    });
  });

  test('goes on past the sunset and says so in the headers, on errors too', async () => {
    for (const path of [`${TENANT}/snapshots`, `${TENANT}/snapshots/${'0'.repeat(24)}`]) {
      const { headers } = await facade.atlas(path);
      assert.equal(headers['sunset'], 'Thu, 22 Jan 2026 00:00:00 GMT');
      assert.equal(headers['deprecation'], 'Wed, 13 Nov 2024 00:00:00 GMT');
    }
  });

  for (const [path, errorCode] of [[`snapshots/${'0'.repeat(24)}`, 'TENANT_SNAPSHOT_NOT_FOUND'], [`restores/${'0'.repeat(24)}`, 'TENANT_RESTORE_NOT_FOUND'], ['snapshots/xyz', 'INVALID_SNAPSHOT_ID'], ['restores/xyz', 'INVALID_JOB_ID']] as const) {
    test(`answers ${path} with ${errorCode}`, async () => {
      const { status, json } = await facade.atlas(`${TENANT}/${path}`);
      assert.deepEqual([status, json['errorCode']], [404, errorCode]);
    });
  }

  for (const [what, body, errorCode] of [
    ['no snapshot', { targetDeploymentItemName: 'copy' }, 'MISSING_ATTRIBUTE'],
    ['no target', { snapshotId: '0'.repeat(24) }, 'MISSING_ATTRIBUTE'],
    ['a number for the target', { snapshotId: '0'.repeat(24), targetDeploymentItemName: 5 }, 'INVALID_JSON_ATTRIBUTE'],
    ['a malformed project', { snapshotId: '0'.repeat(24), targetDeploymentItemName: 'copy', targetProjectId: 'x' }, 'INVALID_ATTRIBUTE'],
  ] as const) {
    for (const operation of ['restore', 'download']) {
      test(`refuses a ${operation} with ${what}`, async () => {
        const { status, json } = await facade.atlas(`${TENANT}/${operation}`, { method: 'POST', body });
        assert.deepEqual([status, json['errorCode']], [400, errorCode]);
      });
    }
  }
});
