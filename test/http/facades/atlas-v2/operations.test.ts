import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ATLAS_V2_OPERATIONS } from '../../../../src/http/facades/atlas-v2/routes.ts';
import { checkAgainst, specOperations } from '../../../support/check-schema.ts';
import { startFacades, type FacadeServer } from '../../../support/facade-server.ts';
import { ORG_ID, SHOP_ID } from '../../../support/memory-services.ts';

const ROLE_NAMES: Readonly<Record<string, string>> = {
  'Project Read Only': 'GROUP_READ_ONLY',
  'Project Owner': 'GROUP_OWNER',
  'Project Backup Manager': 'GROUP_BACKUP_MANAGER',
  'Project Backup Creator': 'GROUP_BACKUP_CREATOR',
  'Project Backup Export Operator': 'GROUP_BACKUP_EXPORT_OPERATOR',
  'Project Backup Recovery Operator': 'GROUP_BACKUP_RECOVERY_OPERATOR',
  'Project Access Manager': 'GROUP_ACCESS_MANAGER',
  'Project Cluster Creator': 'GROUP_CLUSTER_CREATOR',
  'Project Cluster Manager': 'GROUP_CLUSTER_MANAGER',
  'Project Cluster Resilience Tester': 'GROUP_CLUSTER_RESILIENCE_TESTER',
  'Project Replica Set Manager': 'GROUP_REPLICA_SET_MANAGER',
};

/** What clients read around a group that the specification at hand leaves out (and the audit, which the vendor lists there). */
const BEYOND_SPECIFICATION = /^\/(?:groups|orgs)\/:\w+\/(?:events|teams|limits|settings|ipAddresses|managedSlowMs|containers)\b|\/processArgs$/;

const plain = (path: string): string => path.replaceAll(/:[a-zA-Z]+|\{[a-zA-Z]+\}/g, '*');

describe('the table of operations', () => {
  for (const operation of ATLAS_V2_OPERATIONS) {
    if (BEYOND_SPECIFICATION.test(operation.path)) continue;
    const spec = Object.values(specOperations).find((each) => each.method === operation.method && plain(each.path) === plain(operation.path));

    test(`${operation.method} ${operation.path} has the roles and versions of the specification`, () => {
      assert.ok(spec, 'the specification knows it');
      if (operation.roles !== null) assert.deepEqual([...operation.roles].sort(), spec.roles.map((name) => ROLE_NAMES[name]).sort());
      assert.deepEqual(operation.versions.map(({ date }) => date), Object.keys(spec.versions).sort());
      for (const { date, sunset } of operation.versions) assert.equal(sunset, spec.versions[date]?.sunset, `sunset of ${date}`);
    });
  }
});

describe('answers fit the published schema', () => {
  let facade: FacadeServer;
  let snapshotId: string;
  const CLUSTER = `/groups/${SHOP_ID}/clusters/orders`;

  before(async () => {
    facade = await startFacades();
    const taken = await facade.atlas(`${CLUSTER}/backup/snapshots`, { method: 'POST', body: { description: 'nightly', retentionInDays: 2 } });
    assert.deepEqual(checkAgainst('takeGroupClusterBackupSnapshots', '2023-01-01', taken.json), []);
    snapshotId = String(taken.json['id']);
    facade.completeSnapshot(snapshotId);
  });
  after(() => facade.close());

  const check = async (operationId: string, path: string, { version = '2023-01-01', ...asked } = {}): Promise<void> => {
    const answer = await facade.atlas(path, { version, ...asked });
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(checkAgainst(operationId, version, answer.json), []);
  };

  test('organizations and groups', async () => {
    await check('listOrgs', '/orgs');
    await check('getOrg', `/orgs/${ORG_ID}`);
    await check('getOrgGroups', `/orgs/${ORG_ID}/groups`);
    await check('listGroups', '/groups');
    await check('getGroup', `/groups/${SHOP_ID}`);
  });

  test('organizations are looked for by how their names begin', async () => {
    for (const [name, ids] of [['exam', [ORG_ID]], ['xample', []], ['', [ORG_ID]]] as const) {
      const { json } = await facade.atlas(`/orgs?name=${name}`);
      assert.deepEqual([(json['results'] as { id: string }[]).map(({ id }) => id), json['totalCount']], [ids, ids.length], name);
    }
  });

  for (const version of ['2023-01-01', '2023-02-01', '2024-08-05']) {
    test(`clusters of ${version}`, async () => {
      await check('listGroupClusters', `/groups/${SHOP_ID}/clusters`, { version });
      await check('getGroupCluster', CLUSTER, { version });
    });
  }

  test('the status of a cluster, and no flex clusters', async () => {
    await check('getGroupClusterStatus', `${CLUSTER}/status`);
    await check('listGroupFlexClusters', `/groups/${SHOP_ID}/flexClusters`, { version: '2024-11-13' });
  });

  test('snapshots', async () => {
    await check('listGroupClusterBackupSnapshots', `${CLUSTER}/backup/snapshots`);
    await check('getGroupClusterBackupSnapshot', `${CLUSTER}/backup/snapshots/${snapshotId}`);
    await check('listGroupClusterBackupSnapshotShardedClusters', `${CLUSTER}/backup/snapshots/shardedClusters`);
    await check('getGroupClusterBackupSnapshotShardedCluster', `${CLUSTER}/backup/snapshots/shardedCluster/${snapshotId}`);
    const changed = await facade.atlas(`${CLUSTER}/backup/snapshots/${snapshotId}`, { method: 'PATCH', body: { retentionUnit: 'WEEKS', retentionValue: 3 } });
    assert.deepEqual(checkAgainst('updateGroupClusterBackupSnapshot', '2023-01-01', changed.json), []);
  });

  test('restore jobs of each delivery', async () => {
    for (const body of [{ deliveryType: 'automated', snapshotId, targetClusterName: 'copy', targetGroupId: SHOP_ID }, { deliveryType: 'download', snapshotId }]) {
      const made = await facade.atlas(`${CLUSTER}/backup/restoreJobs`, { method: 'POST', body });
      assert.equal(made.status, 200, made.text);
      assert.deepEqual(checkAgainst('createGroupClusterBackupRestoreJob', '2023-01-01', made.json), []);
      await check('getGroupClusterBackupRestoreJob', `${CLUSTER}/backup/restoreJobs/${String(made.json['id'])}`);
    }
    await check('listGroupClusterBackupRestoreJobs', `${CLUSTER}/backup/restoreJobs`);
  });

  test('the shared tier', async () => {
    const body = { snapshotId, targetDeploymentItemName: 'copy', targetProjectId: SHOP_ID };
    const restore = await facade.atlas(`${CLUSTER}/backup/tenant/restore`, { method: 'POST', body });
    assert.deepEqual(checkAgainst('createGroupClusterBackupTenantRestore', '2023-01-01', restore.json), []);
    const download = await facade.atlas(`${CLUSTER}/backup/tenant/download`, { method: 'POST', body });
    assert.deepEqual(checkAgainst('downloadGroupClusterBackupTenant', '2023-01-01', download.json), []);
    await check('getGroupClusterBackupTenantRestore', `${CLUSTER}/backup/tenant/restores/${String(restore.json['id'])}`);
    await check('listGroupClusterBackupTenantRestores', `${CLUSTER}/backup/tenant/restores`);
    await check('getGroupClusterBackupTenantSnapshot', `${CLUSTER}/backup/tenant/snapshots/${snapshotId}`);
    await check('listGroupClusterBackupTenantSnapshots', `${CLUSTER}/backup/tenant/snapshots`);
  });
});
