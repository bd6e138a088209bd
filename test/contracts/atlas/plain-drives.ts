// Changes by the doors without versions: each that v1.0 and v1.5 have, asked for there alone, in a group and a cluster of their own.
import type { Drive, World } from './drives.ts';
import { isIn, isOver, isTaken, type Told } from './over.ts';

const ofPlain = (more: Readonly<Record<string, string>> = {}) => ({ params }: World): Readonly<Record<string, string>> => ({
  groupId: params['plainGroupId'] ?? '', clusterName: 'plain', name: 'plain', snapshotId: params['plainSnapshotId'] ?? '',
  ...Object.fromEntries(Object.entries(more).map(([name, from]) => [name, params[from] ?? ''])),
});
const snapshotOf = ({ params }: World): { readonly snapshotId: string | undefined } => ({ snapshotId: params['plainSnapshotId'] });
const intoItself = (world: World) => ({ ...snapshotOf(world), targetClusterName: 'plain', targetGroupId: world.params['plainGroupId'] });
const tenantBody = (world: World) => ({ ...snapshotOf(world), targetDeploymentItemName: 'plain', targetProjectId: world.params['plainGroupId'] });
const at = ({ params }: World, path: string): string => `/groups/${params['plainGroupId']}/clusters/plain/${path}`;
const snapshotIsTaken = (world: World): Promise<Told> => world.settled(at(world, `backup/snapshots/${world.params['plainSnapshotId']}`), isTaken);
const restoreIsOver = (world: World): Promise<Told> => world.settled(at(world, `backup/restoreJobs/${world.params['plainRestoreId']}`), isOver);

const v1 = (id: string, more: Omit<Drive, 'id' | 'door'> = {}): Drive => ({ id, door: 'v1.0', params: ofPlain(), ...more });
const v15 = (id: string, more: Omit<Drive, 'id' | 'door'> = {}): Drive => ({ ...v1(id, more), door: 'v1.5' });

const cluster = (name: string) => ({ params }: World) => ({ name, leafvaultConnectionString: params['connectionString'], backupEnabled: false });
const ofOther = ({ params }: World): Readonly<Record<string, string>> => ({ groupId: params['plainGroupId'] ?? '', clusterName: 'plainer' });

const KEYS: readonly Drive[] = [
  v1('createOrgApiKey', { body: () => ({ desc: 'plain', roles: ['ORG_MEMBER'] }), keep: { plainKeyId: 'id' } }),
  ...([
    ['updateOrgApiKey', { desc: 'plain, read only', roles: ['ORG_READ_ONLY'] }],
    ['createOrgApiKeyAccessListEntry', [{ ipAddress: '192.0.2.1' }]],
    ['deleteOrgApiKeyAccessListEntry', undefined],
    ['addGroupApiKey', [{ roles: ['GROUP_READ_ONLY'] }]],
    ['updateGroupApiKeyRoles', { roles: ['GROUP_BACKUP_MANAGER'] }],
    ['removeGroupApiKey', undefined],
    ['deleteOrgApiKey', undefined],
  ] as const).map(([id, body]) => v1(id, { params: (world) => ({ ...ofPlain({ apiUserId: 'plainKeyId' })(world), ipAddress: '192.0.2.1' }), ...(body === undefined ? {} : { body: () => body }) })),
  v1('createGroupApiKey', { body: () => ({ desc: 'plain', roles: ['GROUP_READ_ONLY'] }) }),
];

const BACKUPS: readonly Drive[] = [
  v1('takeGroupClusterBackupSnapshots', { body: () => ({ retentionInDays: 2 }), keep: { plainSnapshotId: 'id' }, then: snapshotIsTaken }),
  v1('updateGroupClusterBackupSnapshot', { body: () => ({ retentionUnit: 'DAYS', retentionValue: 4 }) }),
  v1('updateGroupClusterBackupSchedule', { body: () => ({ referenceHourOfDay: 4, referenceMinuteOfHour: 30 }) }),
  v1('updateGroupClusterSnapshotSchedule', { body: () => ({ snapshotIntervalHours: 12, dailySnapshotRetentionDays: 7 }) }),
  v1('deleteGroupClusterBackupSchedule'),

  v1('createGroupBackupExportBucket', { body: ({ params }) => ({ bucketName: 'contract-plain', cloudProvider: 'AWS', iamRoleId: params['exportTarget'] }), keep: { plainBucketId: '_id' } }),
  v1('createGroupClusterBackupExport', {
    body: (world) => ({ ...snapshotOf(world), exportBucketId: world.params['plainBucketId'] }), keep: { plainExportId: 'id' },
    then: (world) => world.settled(at(world, `backup/exports/${world.params['plainExportId']}`), isIn('Successful', 'Failed')),
  }),
  v1('deleteGroupBackupExportBucket', { params: ofPlain({ exportBucketId: 'plainBucketId' }) }),

  v1('createGroupClusterBackupRestoreJob', { body: (world) => ({ deliveryType: 'download', ...snapshotOf(world) }), keep: { plainRestoreId: 'id' }, then: restoreIsOver }),
  v1('cancelGroupClusterBackupRestoreJob', { params: ofPlain({ restoreJobId: 'plainRestoreId' }) }),
  v1('createGroupClusterBackupRestoreJob', { body: (world) => ({ deliveryType: 'automated', ...intoItself(world) }), keep: { plainRestoreId: 'id' }, then: restoreIsOver }),
  v1('downloadGroupClusterBackupTenant', { body: tenantBody }),
  v1('createGroupClusterBackupTenantRestore', { body: tenantBody, keep: { plainRestoreId: 'id' }, then: restoreIsOver }),
  v1('createGroupServerlessBackupRestoreJob', { body: (world) => ({ deliveryType: 'download', ...intoItself(world) }), keep: { plainRestoreId: 'id' }, then: restoreIsOver }),
  v1('createGroupClusterRestoreJob', { body: (world) => ({ ...snapshotOf(world), delivery: { methodName: 'HTTP' } }), keep: { plainRestoreId: 'results.id' }, then: restoreIsOver }),

  v1('updateGroupClusterSnapshot', { body: () => ({ doNotDelete: false }) }),
  v1('deleteGroupClusterSnapshot'),
  ...['deleteGroupClusterBackupSnapshot', 'deleteGroupClusterBackupSnapshotShardedCluster'].flatMap((id) => [
    v1('takeGroupClusterBackupSnapshots', { body: () => ({}), keep: { plainSnapshotId: 'id' } }),
    v1(id),
  ]),
];

export const PLAIN_DRIVES: readonly Drive[] = [
  v1('createGroup', { body: ({ params }) => ({ name: 'plain', orgId: params['orgId'] }), keep: { plainGroupId: 'id' } }),
  v1('updateGroup', { body: () => ({ name: 'plain-renamed' }) }),
  v1('createGroupCluster', { body: cluster('plain') }),
  v1('updateGroupCluster', { body: () => ({ tags: [{ key: 'made-by', value: 'contract' }] }) }),
  ...KEYS,
  ...BACKUPS,
  v1('deleteGroupCluster'),
  v15('createGroupCluster', { body: cluster('plainer') }),
  v15('updateGroupCluster', { body: () => ({ tags: [] }), params: ofOther }),
  v15('deleteGroupCluster', { params: ofOther }),
  v1('deleteGroup'),

  // A policy is for good: its group stays.
  v1('updateGroupBackupCompliancePolicy', {
    params: ({ params }) => ({ groupId: params['guardedGroupId'] ?? '' }),
    body: () => ({
      authorizedEmail: 'a@example.org', authorizedUserFirstName: 'A', authorizedUserLastName: 'B', onDemandPolicyItem: { frequencyType: 'ondemand', frequencyInterval: 0, retentionUnit: 'days', retentionValue: 3 },
      scheduledPolicyItems: [{ frequencyType: 'daily', frequencyInterval: 1, retentionUnit: 'days', retentionValue: 7 }],
    }),
  }),
  v1('disableGroupBackupCompliancePolicy', { params: ({ params }) => ({ groupId: params['guardedGroupId'] ?? '' }), refused: { status: 400, errorCode: 'BACKUP_COMPLIANCE_POLICY_SETTINGS_INVALID' } }),
];
