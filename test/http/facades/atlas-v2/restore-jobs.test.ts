import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { startFacades, type FacadeServer } from '../../../support/facade-server.ts';
import { ORDERS_ID, SHOP_ID } from '../../../support/memory-services.ts';
import { keyPaths, pageExample } from '../../../support/page-keys.ts';

const CLUSTER = `/groups/${SHOP_ID}/clusters/orders`;
const JOBS = `${CLUSTER}/backup/restoreJobs`;
const URL = `http://leafvault.test/api/atlas/v2${CLUSTER}`;

describe('restore jobs of Atlas v2', () => {
  let facade: FacadeServer;
  let snapshotId: string;

  before(async () => { facade = await startFacades(); });
  beforeEach(async () => {
    const { json } = await facade.atlas(`${CLUSTER}/backup/snapshots`, { method: 'POST', body: {} });
    snapshotId = String(json['id']);
    facade.completeSnapshot(snapshotId);
  });
  after(() => facade.close());

  const start = async (body: Readonly<Record<string, unknown>>) => (await facade.atlas(JOBS, { method: 'POST', body: { snapshotId, ...body } })).json;
  const automated = () => start({ deliveryType: 'automated', targetClusterName: 'copy', targetGroupId: SHOP_ID });
  const download = () => start({ deliveryType: 'download' });
  const read = async (id: unknown) => (await facade.atlas(`${JOBS}/${String(id)}`)).json;
  const jobOf = (id: unknown): string => facade.restores.get(String(id))?.jobId ?? '';

  test('starts an automated one with everything that is recorded from the start', async () => {
    const json = await automated();
    const seconds = facade.snapshots.get(snapshotId)?.pointInTime?.t;
    assert.deepEqual(json, {
      cancelled: false,
      components: [],
      deliveryType: 'automated',
      deliveryUrl: [],
      desiredTimestamp: { date: null, increment: null, time: null },
      expired: false,
      failed: false,
      id: json['id'],
      links: [
        { href: `${URL}/backup/restoreJobs/${String(json['id'])}`, rel: 'self' },
        { href: `${URL}/backup/snapshots/${snapshotId}`, rel: 'https://cloud.mongodb.com/snapshot' },
        { href: URL, rel: 'https://cloud.mongodb.com/cluster' },
        { href: `http://leafvault.test/api/atlas/v2/groups/${SHOP_ID}`, rel: 'https://cloud.mongodb.com/group' },
      ],
      oplogInc: 7,
      oplogTs: seconds,
      pointInTimeUTCSeconds: seconds,
      privateDownloadDeliveryUrls: [],
      snapshotId,
      targetClusterName: 'copy',
      targetDeploymentItemName: 'copy',
      targetGroupId: SHOP_ID,
      timestamp: '2026-03-01T12:00:00Z',
    });
  });

  describe('to a point in time', () => {
    const T1 = 1_772_366_400;
    const pointInTime = (when: Readonly<Record<string, unknown>>) => facade.atlas(JOBS, { method: 'POST', body: { deliveryType: 'pointInTime', targetClusterName: 'copy', targetGroupId: SHOP_ID, ...when } });
    beforeEach(() => { facade.world.window = { chainId: 'c'.repeat(24), from: { t: T1, i: 1 }, to: { t: T1 + 100, i: 9 }, snapshotId }; });
    after(() => { facade.world.window = null; });

    test('by oplog counts that entry too, and is shown with it', async () => {
      const { status, json } = await pointInTime({ oplogTs: T1 + 50, oplogInc: 3 });
      assert.equal(status, 200);
      const shown = await read(json['id']);
      assert.deepEqual([shown['deliveryType'], shown['oplogTs'], shown['oplogInc'], shown['snapshotId']], ['pointInTime', T1 + 50, 3, snapshotId]);
      assert.deepEqual(shown['desiredTimestamp'], { date: '2026-03-01T12:00:50Z', increment: 3, time: T1 + 50 });
      assert.deepEqual(facade.restores.get(String(json['id']))?.instant?.border, { t: T1 + 50, i: 3 });
    });

    test('by seconds counts everything before that second', async () => {
      const { json } = await pointInTime({ pointInTimeUTCSeconds: T1 + 50 });
      assert.deepEqual([json['pointInTimeUTCSeconds'], json['oplogTs'], json['oplogInc']], [T1 + 50, undefined, undefined]);
      assert.deepEqual(json['desiredTimestamp'], { date: '2026-03-01T12:00:50Z', increment: 0, time: T1 + 50 });
      assert.deepEqual(facade.restores.get(String(json['id']))?.instant?.border, { t: T1 + 49, i: 0xffff_ffff });
    });

    test('outside of what is kept is refused with what is nearest', async () => {
      const { status, json } = await pointInTime({ oplogTs: T1 + 100, oplogInc: 10 });
      assert.deepEqual([status, json['errorCode'], json['detail']], [400, 'INVALID_PIT_RESTORE_TIME', `The requested time is not kept yet, try again in a minute. Nearest that can be restored: 2026-03-01T12:01:40Z (oplogTs ${T1 + 100}, oplogInc 9).`]);
    });
  });

  test('is there the moment it was made', async () => {
    const { id } = await automated();
    assert.equal((await read(id))['id'], id);
  });

  test('says finished only when it has succeeded', async () => {
    const { id } = await automated();
    facade.startJob(jobOf(id), 'load');
    assert.ok(!('finishedAt' in await read(id)), 'absent, not null');
    facade.endJob(jobOf(id), 'completed');
    assert.equal((await read(id))['finishedAt'], '2026-03-01T12:00:00Z');
  });

  for (const end of ['failed', 'cancelled'] as const) {
    test(`shows a ${end} one by its flag and never as finished`, async () => {
      const { id } = await automated();
      facade.endJob(jobOf(id), end);
      const json = await read(id);
      assert.deepEqual([json['failed'], json['cancelled'], json['expired']], [end === 'failed', end === 'cancelled', false]);
      assert.ok(!('finishedAt' in json));
    });
  }

  test('gives a download its URL when it is ready, for an hour, and takes it away with its time', async () => {
    const { id } = await download();
    assert.deepEqual((await read(id))['deliveryUrl'], []);
    const prepared = facade.restores.get(String(id))?.download;
    assert.equal(prepared?.expirationHours, 1);
    const ready = { ...prepared, state: 'ready' as const, url: 'http://leafvault.test/x.tar.gz', expiresAt: new Date('2026-03-01T13:00:00Z') };
    facade.changeRestore(String(id), { download: ready });
    facade.endJob(jobOf(id), 'completed');
    const json = await read(id);
    assert.deepEqual(json['deliveryUrl'], ['http://leafvault.test/x.tar.gz']);
    assert.deepEqual(json['components'], [{ downloadUrl: 'http://leafvault.test/x.tar.gz', privateDownloadDeliveryUrls: [], replicaSetName: 'orders' }]);
    assert.equal(json['expiresAt'], '2026-03-01T13:00:00Z');
    assert.ok(!('finishedAt' in json), 'none while the URL lives, as recorded');
    facade.changeRestore(String(id), { download: { ...ready, state: 'expired', url: null } });
    const over = await read(id);
    assert.equal(over['expired'], true);
    assert.deepEqual(over['deliveryUrl'], []);
  });

  test('shows every name of the page over its jobs', async () => {
    const auto = await automated();
    facade.endJob(jobOf(auto['id']), 'completed');
    const file = await download();
    facade.changeRestore(String(file['id']), { download: { ...facade.restores.get(String(file['id']))?.download, state: 'ready', url: 'http://x', expiresAt: new Date('2026-03-01T13:00:00Z') } as never });
    const { json } = await facade.atlas(JOBS);
    // Private endpoints are a thing of clouds: their lists are there, and empty.
    const within = /privateDownloadDeliveryUrls\[\]/;
    const shown = new Set(keyPaths(json));
    assert.deepEqual(keyPaths(pageExample('atlas-v2-list-restore-jobs.response')).filter((path) => !shown.has(path) && !within.test(path)), []);
  });

  test('lists under the source, newest first, with count and links', async () => {
    const { json } = await facade.atlas(`${JOBS}?itemsPerPage=1`);
    const own = [...facade.restores.values()].filter((each) => each.clusterId === ORDERS_ID);
    assert.equal(json['totalCount'], own.length);
    assert.equal((json['results'] as { id: string }[])[0]?.id, own.at(-1)?.id);
    assert.deepEqual((await facade.atlas(`/groups/${SHOP_ID}/clusters/copy/backup/restoreJobs`)).json['results'], []);
  });

  test('cancels a running job with 204', async () => {
    const { id } = await automated();
    facade.startJob(jobOf(id), 'load');
    const answer = await facade.atlas(`${JOBS}/${String(id)}`, { method: 'DELETE' });
    assert.deepEqual([answer.status, answer.text], [204, '']);
    assert.equal((await read(id))['cancelled'], true);
  });

  test('refuses to cancel an automated job that is over', async () => {
    const { id } = await automated();
    facade.endJob(jobOf(id), 'completed');
    const { status, json } = await facade.atlas(`${JOBS}/${String(id)}`, { method: 'DELETE' });
    assert.equal(status, 400);
    assert.equal(json['errorCode'], 'CANNOT_CANCEL_AUTOMATED_RESTORE');
  });

  test('takes the end of a download for granted, whatever became of it: Terraform deletes each', async () => {
    const { id } = await download();
    facade.endJob(jobOf(id), 'failed');
    assert.equal((await facade.atlas(`${JOBS}/${String(id)}`, { method: 'DELETE' })).status, 204);
  });

  const refusals: readonly (readonly [string, Readonly<Record<string, unknown>>, number, string])[] = [
    ['a point in time by seconds', { deliveryType: 'pointInTime', targetClusterName: 'copy', targetGroupId: SHOP_ID, pointInTimeUTCSeconds: 1772366400, snapshotId: undefined }, 409, 'NO_CHECKPOINT_FOR_PIT_RESTORE'],
    ['a point in time by oplog', { deliveryType: 'pointInTime', targetClusterName: 'copy', targetGroupId: SHOP_ID, oplogTs: 1772366400, oplogInc: 1, snapshotId: undefined }, 409, 'NO_CHECKPOINT_FOR_PIT_RESTORE'],
    ['a point in time in no form', { deliveryType: 'pointInTime', targetClusterName: 'copy', targetGroupId: SHOP_ID }, 400, 'INVALID_PIT_RESTORE_TIME'],
    ['a point in time in both forms', { deliveryType: 'pointInTime', targetClusterName: 'copy', targetGroupId: SHOP_ID, oplogTs: 1772366400, oplogInc: 1, pointInTimeUTCSeconds: 1772366400 }, 400, 'INVALID_PIT_RESTORE_TIME'],
    ['half an oplog time', { deliveryType: 'pointInTime', targetClusterName: 'copy', targetGroupId: SHOP_ID, oplogTs: 1772366400 }, 400, 'INVALID_PIT_RESTORE_TIME'],
    ['a time before the vendor knew any', { deliveryType: 'pointInTime', targetClusterName: 'copy', targetGroupId: SHOP_ID, pointInTimeUTCSeconds: 5 }, 400, 'INVALID_ATTRIBUTE'],
    ['an automated one that names a time as well', { deliveryType: 'automated', targetClusterName: 'copy', targetGroupId: SHOP_ID, pointInTimeUTCSeconds: 1_772_366_400 }, 400, 'INVALID_ATTRIBUTE'],
    ['an automated one that names a position as well', { deliveryType: 'automated', targetClusterName: 'copy', targetGroupId: SHOP_ID, oplogTs: 1_772_366_400, oplogInc: 1 }, 400, 'INVALID_ATTRIBUTE'],
    ['a download that names a time as well', { deliveryType: 'download', pointInTimeUTCSeconds: 1_772_366_400 }, 400, 'INVALID_ATTRIBUTE'],
    ['an automated one without a target', { deliveryType: 'automated' }, 400, 'MISSING_ATTRIBUTE'],
    ['an automated one without a snapshot', { deliveryType: 'automated', targetClusterName: 'copy', targetGroupId: SHOP_ID, snapshotId: undefined }, 400, 'MISSING_ATTRIBUTE'],
    ['a download without a snapshot', { deliveryType: 'download', snapshotId: undefined }, 400, 'MISSING_ATTRIBUTE'],
    ['an unknown delivery', { deliveryType: 'post' }, 400, 'INVALID_ENUM_VALUE'],
    ['an unknown snapshot', { deliveryType: 'download', snapshotId: '0'.repeat(24) }, 404, 'SNAPSHOT_NOT_FOUND'],
    ['a malformed snapshot id', { deliveryType: 'download', snapshotId: 'xyz' }, 400, 'INVALID_ATTRIBUTE'],
    ['an unknown target cluster', { deliveryType: 'automated', targetClusterName: 'none', targetGroupId: SHOP_ID }, 404, 'CLUSTER_NOT_FOUND'],
    ['an unknown target group', { deliveryType: 'automated', targetClusterName: 'copy', targetGroupId: '0'.repeat(24) }, 404, 'CLUSTER_NOT_FOUND'],
  ];
  for (const [what, body, status, errorCode] of refusals) {
    test(`refuses ${what} with ${errorCode}`, async () => {
      const answer = await facade.atlas(JOBS, { method: 'POST', body: { snapshotId, ...body } });
      assert.deepEqual([answer.status, answer.json['errorCode'], answer.json['error']], [status, errorCode, status]);
      assert.equal(answer.headers['x-error-code'], errorCode);
    });
  }

  test('refuses a snapshot that is not whole', async () => {
    const { json } = await facade.atlas(`${CLUSTER}/backup/snapshots`, { method: 'POST', body: {} });
    const answer = await facade.atlas(JOBS, { method: 'POST', body: { deliveryType: 'download', snapshotId: json['id'] } });
    assert.deepEqual([answer.status, answer.json['errorCode']], [409, 'CANNOT_START_RESTORE_JOB_FOR_INCOMPLETE_CLUSTER_SNAPSHOT']);
  });

  test('refuses a target project where the key may not restore', async () => {
    const token = await facade.grant('recover', [{ role: 'GROUP_BACKUP_RECOVERY_OPERATOR', projectId: SHOP_ID }, { role: 'GROUP_READ_ONLY', projectId: '5f000000000000000000000a' }]);
    const answer = await facade.atlas(JOBS, {
      method: 'POST', headers: { authorization: `Bearer ${token}` },
      body: { deliveryType: 'automated', snapshotId, targetClusterName: 'vault', targetGroupId: '5f000000000000000000000a' },
    });
    assert.deepEqual([answer.status, answer.json['errorCode']], [403, 'CANNOT_RESTORE_TO_TARGET']);
  });
});
