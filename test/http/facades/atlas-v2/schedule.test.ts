// The backup schedule at the doors of Atlas, over the service itself.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { policyIdOf } from '../../../../src/domain/schedule.ts';
import { checkAgainst, checkError } from '../../../support/check-schema.ts';
import { startFacades, type FacadeServer } from '../../../support/facade-server.ts';
import { ORDERS_ID, SHOP_ID } from '../../../support/memory-services.ts';

const SCHEDULE = `/groups/${SHOP_ID}/clusters/orders/backup/schedule`;
const ITEM = { frequencyType: 'daily', frequencyInterval: 1, retentionUnit: 'days', retentionValue: 7 } as const;
const WEEKLY = { frequencyType: 'weekly', frequencyInterval: 6, retentionUnit: 'weeks', retentionValue: 4 } as const;
const POLICY = policyIdOf(ORDERS_ID);
const NOBODY = '0'.repeat(24);
const VERSIONS = ['2023-01-01', '2024-08-05'] as const;

interface Told { readonly policies: readonly [{ readonly id: string; readonly policyItems: readonly { readonly id: string }[] }] }

describe('the schedule of Atlas v2', () => {
  let facade: FacadeServer;
  before(async () => { facade = await startFacades(); });
  after(() => facade.close());

  const patch = (body: unknown, version: string = '2024-08-05') => facade.atlas(SCHEDULE, { method: 'PATCH', body, version });
  const itemsOf = (json: object): Told['policies'][0]['policyItems'] => (json as Told).policies[0].policyItems;

  for (const version of VERSIONS) {
    test(`fits its schema of ${version} in every answer, and is marked`, async () => {
      const read = await facade.atlas(SCHEDULE, { version });
      assert.deepEqual(checkAgainst('getGroupClusterBackupSchedule', version, read.json), []);
      assert.deepEqual([read.headers['deprecation'], read.headers['sunset']], version === '2023-01-01' ? ['Mon, 5 Aug 2024 00:00:00 GMT', 'Thu, 1 Jul 2027 00:00:00 GMT'] : [undefined, undefined]);
      const changed = await patch({ policies: [{ id: POLICY, policyItems: [ITEM, WEEKLY] }], extraRetentionSettings: [{ frequencyType: 'ON_DEMAND', retentionDays: 3 }], referenceHourOfDay: 3, referenceMinuteOfHour: 45, restoreWindowDays: 4, updateSnapshots: true }, version);
      assert.equal(changed.status, 200, changed.text);
      assert.deepEqual(checkAgainst('updateGroupClusterBackupSchedule', version, changed.json), []);
      assert.deepEqual([changed.json['nextSnapshot'], changed.json['referenceHourOfDay'], changed.json['referenceMinuteOfHour'], changed.json['restoreWindowDays']], ['2026-03-02T03:45:00Z', 3, 45, 4]);
      assert.deepEqual(changed.json['extraRetentionSettings'], [{ frequencyType: 'ON_DEMAND', retentionDays: 3 }]);
      assert.equal(changed.json['updateSnapshots'], undefined, 'written only');
      assert.equal('autoCopySettingsEnabled' in changed.json, version === '2024-08-05');
      const gone = await facade.atlas(SCHEDULE, { method: 'DELETE', version });
      assert.equal(gone.status, 200);
      assert.deepEqual(checkAgainst('deleteGroupClusterBackupSchedule', version, gone.json), []);
      assert.deepEqual([gone.json['policies'], gone.json['nextSnapshot']], [[{ id: POLICY, policyItems: [] }], undefined]);
    });
  }

  test('of a cluster that never had one is a policy without items, as Terraform needs it', async () => {
    const { json } = await facade.atlas(`/groups/${SHOP_ID}/clusters/copy/backup/schedule`, { version: '2024-08-05' });
    assert.deepEqual(itemsOf(json), []);
    assert.equal((json as unknown as Told).policies.length, 1);
  });

  test('gives new items ids, keeps those that are sent back, and what is not sent', async () => {
    const first = await patch({ policies: [{ policyItems: [ITEM] }], referenceHourOfDay: 5, clusterName: 'orders' });
    const [daily] = itemsOf(first.json);
    assert.match(String(daily?.id), /^[0-9a-f]{24}$/);
    const second = await patch({ policies: [{ id: POLICY, policyItems: [{ ...ITEM, id: daily?.id, retentionValue: 9 }, WEEKLY] }], useOrgAndGroupNamesInExportPrefix: true });
    assert.deepEqual([itemsOf(second.json)[0]?.id, itemsOf(second.json).length, second.json['referenceHourOfDay'], second.json['useOrgAndGroupNamesInExportPrefix']], [daily?.id, 2, 5, true]);
    const third = await patch({ restoreWindowDays: 2, deleteCopiedBackups: [], copySettings: [], autoExportEnabled: false });
    assert.deepEqual([itemsOf(third.json), third.json['useOrgAndGroupNamesInExportPrefix']], [itemsOf(second.json), true]);
    assert.deepEqual((await patch((await facade.atlas(SCHEDULE, { version: '2024-08-05' })).json)).json, third.json, 'what was read can be sent back');
    assert.equal((await patch({ copyPolicyItemsEnabled: true })).json['useOrgAndGroupNamesInExportPrefix'], true, 'the one is not forgotten for the other');
  });

  test('takes an interval of 24 hours back where another door gave it', async () => {
    const cluster = await facade.services.inventory.clusterByName(SHOP_ID, 'copy');
    const principal = { kind: 'apiKey', id: NOBODY, name: 'abcdefgh', orgId: NOBODY, grants: [] } as const;
    const given = { ...ITEM, frequencyType: 'hourly', frequencyInterval: 24 } as const;
    await facade.services.schedules.change({ cluster, principal, change: { items: [given] } });
    const path = `/groups/${SHOP_ID}/clusters/copy/backup/schedule`;
    const { json } = await facade.atlas(path, { version: '2024-08-05' });
    const answer = await facade.atlas(path, { method: 'PATCH', body: json, version: '2024-08-05' });
    assert.deepEqual([answer.status, answer.json], [200, json]);
    await facade.services.schedules.change({ cluster, principal, change: { items: [] } });
  });

  const policy = (...policyItems: readonly object[]): object => ({ policies: [{ policyItems }] });
  for (const [what, body, errorCode, status = 400] of [
    ['no policy', { policies: [] }, 'INVALID_NUM_OF_POLICIES'],
    ['two policies', { policies: [{ policyItems: [ITEM] }, { policyItems: [ITEM] }] }, 'INVALID_NUM_OF_POLICIES'],
    ['a policy without items', policy(), 'INVALID_NUM_OF_POLICY_ITEMS'],
    ['a policy of another id', { policies: [{ id: NOBODY, policyItems: [ITEM] }] }, 'INVALID_POLICY_ID'],
    ['an unknown item', policy({ ...ITEM, id: NOBODY }), 'INVALID_POLICY_ITEM_ID'],
    ['an item without retention', policy({ ...ITEM, retentionValue: undefined }), 'MISSING_POLICY_ITEM_PARAMETERS'],
    ['an interval of three hours', policy({ ...ITEM, frequencyType: 'hourly', frequencyInterval: 3 }), 'INVALID_BACKUP_POLICY'],
    ['an interval of 24 hours', policy({ ...ITEM, frequencyType: 'hourly', frequencyInterval: 24 }), 'INVALID_BACKUP_POLICY'],
    ['a 29th of each month', policy({ ...WEEKLY, frequencyType: 'monthly', frequencyInterval: 29, retentionUnit: 'months' }), 'INVALID_BACKUP_POLICY'],
    ['a retention of nothing', policy({ ...ITEM, retentionValue: 0 }), 'BACKUP_SNAPSHOT_RETENTION_VALUE_INVALID'],
    ['a weekly item that is kept shorter', policy({ ...ITEM, retentionValue: 90 }, WEEKLY), 'INVALID_BACKUP_POLICY'],
    ['an unknown frequency', policy({ ...ITEM, frequencyType: 'fortnightly' }), 'INVALID_ENUM_VALUE'],
    ['an item of another policy', policy({ ...ITEM, frequencyType: 'ondemand' }), 'INVALID_SNAPSHOT_SCHEDULE'],
    ['a wrong type', policy({ ...ITEM, retentionValue: 'seven' }), 'INVALID_JSON_ATTRIBUTE'],
    ['hour 24', { referenceHourOfDay: 24 }, 'INVALID_REFERENCE_HOUR_OF_DAY'],
    ['minute 60', { referenceMinuteOfHour: 60 }, 'INVALID_REFERENCE_MINUTE_OF_HOUR'],
    ['a window of no days', { restoreWindowDays: 0 }, 'INVALID_RESTORE_WINDOW'],
    ['a misspelt attribute', { updateSnapshot: true }, 'INVALID_ATTRIBUTE'],
    ['exports to no bucket', { autoExportEnabled: true }, 'INVALID_BACKUP_POLICY'],
    ['a bucket', { export: { exportBucketId: NOBODY, frequencyType: 'monthly' } }, 'EXPORT_BUCKET_NOT_FOUND', 404],
    ['copies by region', { copySettings: [{ zoneId: NOBODY, regionName: 'US_EAST_1' }] }, 'INVALID_SNAPSHOT_SCHEDULE'],
  ] as const) {
    test(`refuses ${what} with ${errorCode}, and changes nothing`, async () => {
      const was = (await facade.atlas(SCHEDULE, { version: '2024-08-05' })).json;
      const answer = await patch(body);
      assert.deepEqual([answer.status, answer.json['errorCode']], [status, errorCode], answer.text);
      assert.deepEqual(checkError(answer.json), []);
      assert.ok(!String(answer.json['detail']).includes('%s'));
      assert.deepEqual((await facade.atlas(SCHEDULE, { version: '2024-08-05' })).json, was);
    });
  }

  test('knows zones from 2024-08-05 on, replication specs before', async () => {
    assert.equal((await patch({ autoCopySettingsEnabled: false }, '2023-01-01')).status, 400);
    assert.equal((await patch({ autoCopySettingsEnabled: false })).status, 200);
    const deleteCopiedBackups = [{ cloudProvider: 'AWS', regionName: 'US_EAST_1', replicationSpecId: NOBODY }];
    assert.equal((await patch({ deleteCopiedBackups }, '2023-01-01')).status, 200);
    assert.equal((await patch({ deleteCopiedBackups })).status, 400);
  });

  test('is the same at v1.0, and every change is in the audit', async () => {
    const path = `/api/atlas/v1.0${SCHEDULE}`;
    const { status, json } = await facade.ask(path, { method: 'PATCH', body: policy(WEEKLY) });
    assert.equal(status, 200);
    assert.deepEqual(itemsOf((await facade.ask(path)).json), itemsOf(json));
    assert.equal(facade.audit.at(-1)?.action, 'atlas-v1 PATCH /groups/:groupId/clusters/:clusterName/backup/schedule');
    assert.equal((await facade.ask(path, { method: 'DELETE' })).status, 200);
  });
});
