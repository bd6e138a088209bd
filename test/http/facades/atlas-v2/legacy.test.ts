// Atlas's legacy backup: the same snapshots, restores and schedule in the form of Ops Manager.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { defaultSchedule } from '../../../../src/domain/schedule.ts';
import { startFacades, type FacadeServer } from '../../../support/facade-server.ts';
import { COPY_ID, ORDERS_ID, SHOP_ID } from '../../../support/memory-services.ts';

const CLUSTER = `/groups/${SHOP_ID}/clusters/orders`;
const OPS_MANAGER = `/api/public/v1.0/groups/${SHOP_ID}`;

describe('legacy snapshots and restore jobs', () => {
  let facade: FacadeServer;
  before(async () => { facade = await startFacades(); });
  after(() => facade.close());

  const take = async (): Promise<string> => String((await facade.atlas(`${CLUSTER}/backup/snapshots`, { method: 'POST', body: {} })).json['id']);

  test('are those of every other door, under the same ids, at v1.0 too', async () => {
    const id = await take();
    assert.deepEqual((await facade.atlas(`${CLUSTER}/snapshots`)).json['results'], [], 'only complete ones unless told');
    assert.equal((await facade.atlas(`${CLUSTER}/snapshots?completed=false`)).json['totalCount'], 1);
    facade.completeSnapshot(id);
    const { json } = await facade.atlas(`${CLUSTER}/snapshots/${id}`);
    assert.deepEqual([json['id'], json['complete'], json['clusterId'], 'missingShards' in json], [id, true, ORDERS_ID, false]);
    assert.equal((json['links'] as { href: string }[])[0]?.href, `http://leafvault.test/api/atlas/v2${CLUSTER}/snapshots/${id}`);
    assert.deepEqual((await facade.ask(`/api/atlas/v1.0${CLUSTER}/snapshots/${id}`)).json['created'], json['created']);
    const { links: _, isPossiblyInconsistent: _1, missingShards: _2, namespaceFilterList: _3, ...there } = (await facade.ask(`${OPS_MANAGER}/clusters/${ORDERS_ID}/snapshots/${id}`)).json as Record<string, unknown>;
    const { links: _4, ...here } = json as Record<string, unknown>;
    assert.deepEqual(here, there);
  });

  test('are kept for good, for a time, and deleted', async () => {
    const id = await take();
    facade.completeSnapshot(id);
    const patch = (body: unknown) => facade.atlas(`${CLUSTER}/snapshots/${id}`, { method: 'PATCH', body });
    assert.equal((await patch({ doNotDelete: true })).json['doNotDelete'], true);
    assert.equal((await patch({ expires: '2026-05-01T00:00:00Z' })).json['expires'], '2026-05-01T00:00:00Z');
    assert.equal((await patch({ doNotDelete: true, expires: '2026-05-01T00:00:00Z' })).json['errorCode'], 'INVALID_ATTRIBUTE');
    const { doNotDelete: _, ...sentBack } = (await facade.atlas(`${CLUSTER}/snapshots/${id}`)).json as Record<string, unknown>;
    assert.equal((await patch(sentBack)).status, 200, 'what was read can be sent back');
    assert.equal((await facade.atlas(`${CLUSTER}/snapshots/${id}`, { method: 'DELETE' })).status, 204);
    assert.equal((await facade.atlas(`${CLUSTER}/snapshots/${id}`)).json['errorCode'], 'SNAPSHOT_NOT_FOUND');
  });

  test('are restored and downloaded by a list of one job, with a target by id or by name', async () => {
    const id = await take();
    facade.completeSnapshot(id);
    const post = (body: unknown) => facade.atlas(`${CLUSTER}/restoreJobs`, { method: 'POST', body });
    const download = await post({ snapshotId: id, delivery: { methodName: 'HTTP', expirationHours: 2, maxDownloads: 3 } });
    const [job] = download.json['results'] as { id: string; statusName: string; delivery: object }[];
    assert.deepEqual([download.json['totalCount'], job?.statusName, job?.delivery], [1, 'IN_PROGRESS', { expirationHours: 2, maxDownloads: 3, methodName: 'HTTP', statusName: 'NOT_STARTED' }]);
    for (const target of [{ targetClusterId: COPY_ID }, { targetClusterName: 'copy' }]) {
      const { json, text } = await post({ snapshotId: id, delivery: { methodName: 'AUTOMATED_RESTORE', targetGroupId: SHOP_ID, ...target } });
      assert.equal((json['results'] as { delivery: { targetClusterId: string } }[] | undefined)?.[0]?.delivery.targetClusterId, COPY_ID, text);
    }
    assert.equal((await facade.atlas(`${CLUSTER}/restoreJobs`)).json['totalCount'], 3);
    assert.equal((await facade.atlas(`${CLUSTER}/restoreJobs?batchId=${'0'.repeat(24)}`)).json['totalCount'], 0, 'only shards come in batches');
    assert.equal((await facade.atlas(`${CLUSTER}/restoreJobs/${job?.id}`)).json['id'], job?.id);
    assert.equal((await facade.atlas(`${CLUSTER}/backup/restoreJobs/${job?.id}`)).json['deliveryType'], 'download', 'and at the door of today');
  });

  for (const [what, body, errorCode] of [
    ['nothing to restore from', { delivery: { methodName: 'HTTP' } }, 'MISSING_ONE_OF_ATTRIBUTES'],
    ['two things to restore from', { snapshotId: '0'.repeat(24), oplogTs: '1', oplogInc: 1, delivery: { methodName: 'HTTP' } }, 'INVALID_ATTRIBUTE'],
    ['a method that is not offered', { snapshotId: '0'.repeat(24), delivery: { methodName: 'SCP' } }, 'UNSUPPORTED_DELIVERY_METHOD'],
    ['no target', { snapshotId: '0'.repeat(24), delivery: { methodName: 'AUTOMATED_RESTORE' } }, 'MISSING_ATTRIBUTE'],
  ] as const) {
    test(`refuse a restore job with ${what} by ${errorCode}`, async () => {
      const { status, json } = await facade.atlas(`${CLUSTER}/restoreJobs`, { method: 'POST', body });
      assert.deepEqual([status, json['errorCode']], [400, errorCode]);
    });
  }

  test('have no checkpoints, as only sharded clusters do', async () => {
    assert.deepEqual((await facade.atlas(`${CLUSTER}/backupCheckpoints`)).json['results'], []);
    assert.equal((await facade.atlas(`${CLUSTER}/backupCheckpoints/${'0'.repeat(24)}`)).json['errorCode'], 'CHECKPOINT_NOT_FOUND');
    assert.equal((await facade.atlas(`${CLUSTER}/backupCheckpoints/x`)).json['errorCode'], 'INVALID_CHECKPOINT_ID');
  });
});

describe('the legacy schedule', () => {
  let facade: FacadeServer;
  before(async () => {
    facade = await startFacades();
    const cluster = await facade.services.inventory.clusterByName(SHOP_ID, 'orders');
    const { items } = defaultSchedule(ORDERS_ID, facade.clock.now(), () => '');
    const principal = { kind: 'apiKey', id: '', name: 'k', orgId: '', grants: [] } as const;
    await facade.services.schedules.change({ cluster, principal, change: { items: items.map(({ id: _, ...item }) => item), restoreWindowDays: 3 } });
  });
  after(() => facade.close());

  const legacy = (body?: unknown) => facade.atlas(`${CLUSTER}/snapshotSchedule`, body === undefined ? {} : { method: 'PATCH', body });
  const opsManager = (body?: unknown) => facade.ask(`${OPS_MANAGER}/backupConfigs/${ORDERS_ID}/snapshotSchedule`, body === undefined ? {} : { method: 'PATCH', body });
  const items = async (): Promise<readonly Record<string, unknown>[]> =>
    ((await facade.atlas(`${CLUSTER}/backup/schedule`, { version: '2024-08-05' })).json['policies'] as [{ policyItems: Record<string, unknown>[] }])[0].policyItems;

  test('is a view of the one schedule, at all three doors', async () => {
    const { json } = await legacy();
    assert.deepEqual([json['snapshotIntervalHours'], json['snapshotRetentionDays'], json['dailySnapshotRetentionDays'], json['weeklySnapshotRetentionWeeks'], json['monthlySnapshotRetentionMonths'], json['pointInTimeWindowHours']], [6, 7, 7, 4, 12, 72]);
    const there = (await opsManager()).json;
    for (const name of ['snapshotIntervalHours', 'snapshotRetentionDays', 'pointInTimeWindowHours', 'clusterId', 'groupId']) assert.equal(there[name], json[name], name);
    assert.equal(there['referenceTimeZoneOffset'], '+0000');
  });

  test('loses nothing that it cannot say when all of it is sent back', async () => {
    const before = await items();
    assert.equal((await legacy((await legacy()).json)).status, 200);
    assert.equal((await opsManager((await opsManager()).json)).status, 200);
    assert.deepEqual(await items(), before);
  });

  test('changes the items that it speaks of, whose ids stay, and no other', async () => {
    const before = await items();
    const changed = await legacy({ snapshotIntervalHours: 12, weeklySnapshotRetentionWeeks: 8, pointInTimeWindowHours: 36, clusterCheckpointIntervalMin: 30 });
    assert.deepEqual([changed.json['pointInTimeWindowHours'], changed.json['clusterCheckpointIntervalMin']], [36, 30], changed.text);
    assert.deepEqual(await items(), before.map((item) => (item['frequencyType'] === 'hourly' ? { ...item, frequencyInterval: 12 } : item['frequencyType'] === 'weekly' ? { ...item, retentionValue: 8 } : item)));
    assert.equal((await facade.atlas(`${CLUSTER}/backup/schedule`, { version: '2024-08-05' })).json['restoreWindowDays'], 2, 'whole days that hold 36 hours');
    await facade.atlas(`${CLUSTER}/backup/schedule`, { method: 'PATCH', version: '2024-08-05', body: { restoreWindowDays: 5 } });
    assert.equal((await legacy()).json['pointInTimeWindowHours'], 120, 'another form has changed the days');
  });

  test('reads a retention of 0 as its door means it: none in Atlas, unchanged for mongocli', async () => {
    const zeros = { dailySnapshotRetentionDays: 0, weeklySnapshotRetentionWeeks: 0, monthlySnapshotRetentionMonths: 0, pointInTimeWindowHours: 0 };
    const before = await items();
    assert.equal((await opsManager({ snapshotIntervalHours: 8, ...zeros, referenceHourOfDay: 4, clusterId: ORDERS_ID, groupId: SHOP_ID })).status, 200);
    assert.deepEqual((await items()).length, before.length);
    assert.equal((await legacy({ dailySnapshotRetentionDays: 0 })).json['dailySnapshotRetentionDays'], 0);
    assert.deepEqual((await items()).map(({ frequencyType }) => frequencyType), ['hourly', 'weekly', 'monthly', 'yearly']);
  });

  for (const [what, body, errorCode] of [
    ['an interval that there is not', { snapshotIntervalHours: 5 }, 'INVALID_BACKUP_POLICY'],
    ['monthly snapshots that outlive yearly ones', { monthlySnapshotRetentionMonths: 36 }, 'INVALID_BACKUP_POLICY'],
    ['the id of another cluster', { clusterId: COPY_ID }, 'INVALID_ATTRIBUTE'],
    ['an unknown attribute', { everyHours: 3 }, 'INVALID_ATTRIBUTE'],
  ] as const) {
    test(`refuses ${what}, and changes nothing`, async () => {
      const before = await items();
      const { status, json } = await legacy(body);
      assert.deepEqual([status, json['errorCode']], [400, errorCode]);
      assert.deepEqual(await items(), before);
    });
  }
});
