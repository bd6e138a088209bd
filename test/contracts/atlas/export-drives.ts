// What is inside of a snapshot, collections that are restored from it, exports of it, and a compliance policy in a group of its own.
import type { Drive, World } from './drives.ts';
import { isIn } from './over.ts';

const NEWEST = '2025-03-12';
const CLUSTER = ({ params }: World): string => `/groups/${params['groupId']}/clusters/${params['clusterName']}`;
const inGuardedGroup = ({ params }: World): Readonly<Record<string, string>> => ({ groupId: params['guardedGroupId'] ?? '' });
const bucket = (name: string) => ({ params }: World, version: string) => ({ bucketName: `${name}-${version}`, cloudProvider: 'AWS', iamRoleId: params['exportTarget'] });

export const EXPORT_DRIVES: readonly Drive[] = [
  { id: 'listGroupClusterBackupSnapshotDatabases' },
  { id: 'getGroupClusterBackupSnapshotDatabase' },
  { id: 'listGroupClusterBackupSnapshotDatabaseCollections' },
  { id: 'getGroupClusterBackupSnapshotDatabaseCollection' },
  {
    id: 'createGroupClusterCollectionRestoreJob', keep: { jobId: 'id' },
    body: ({ params }) => ({
      snapshotId: params['snapshotId'], targetGroupId: params['groupId'], targetClusterName: params['clusterName'], writeStrategy: 'CREATE_NEW', indexStrategy: 'ALL',
      collections: [{ sourceNamespace: params['sourceNamespace'] }], collectionSuffix: '_contract',
    }),
    then: (world) => world.settled(`${CLUSTER(world)}/collectionRestoreJobs/${world.params['jobId']}`, isIn('SUCCESSFUL', 'FAILED'), NEWEST),
  },
  { id: 'listGroupClusterCollectionRestoreJobs' },
  { id: 'getGroupClusterCollectionRestoreJob' },
  { id: 'listGroupClusterCollectionRestoreJobCollections' },
  { id: 'getGroupClusterCollectionRestoreJobCollection' },

  { id: 'createGroupBackupExportBucket', everyVersion: true, body: bucket('contract-first'), keep: { exportBucketId: '_id' } },
  { id: 'updateGroupBackupExportBucket', body: () => ({ requirePrivateNetworking: false }) },
  { id: 'deleteGroupBackupExportBucket' },
  { id: 'createGroupBackupExportBucket', body: bucket('contract-second'), keep: { exportBucketId: '_id' } },
  { id: 'listGroupBackupExportBuckets' },
  { id: 'getGroupBackupExportBucket' },
  {
    id: 'createGroupClusterBackupExport', body: ({ params }) => ({ snapshotId: params['snapshotId'], exportBucketId: params['exportBucketId'], customData: [{ key: 'by', value: 'contract' }] }), keep: { exportId: 'id' },
    then: (world) => world.settled(`${CLUSTER(world)}/backup/exports/${world.params['exportId']}`, isIn('Successful', 'Failed')),
  },
  { id: 'getGroupClusterBackupExport' },
  { id: 'listGroupClusterBackupExports' },

  { id: 'createGroup', body: ({ params }) => ({ name: 'guarded', orgId: params['orgId'] }), keep: { guardedGroupId: 'id' } },
  {
    id: 'updateGroupBackupCompliancePolicy', everyVersion: true, params: inGuardedGroup,
    body: () => ({
      authorizedEmail: 'a@example.org', authorizedUserFirstName: 'A', authorizedUserLastName: 'B', onDemandPolicyItem: { frequencyType: 'ondemand', frequencyInterval: 0, retentionUnit: 'days', retentionValue: 3 },
      scheduledPolicyItems: [{ frequencyType: 'daily', frequencyInterval: 1, retentionUnit: 'days', retentionValue: 7 }],
    }),
  },
  { id: 'getGroupBackupCompliancePolicy', params: inGuardedGroup },
  { id: 'disableGroupBackupCompliancePolicy', params: inGuardedGroup, refused: { status: 400, errorCode: 'BACKUP_COMPLIANCE_POLICY_SETTINGS_INVALID' } },
];
