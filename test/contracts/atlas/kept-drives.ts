// A cluster that was deleted while its snapshots were kept: every view of them answers under its name, as the list of snapshots does.
import type { Drive, World } from './drives.ts';
import { isIn, isOver, isTaken, type Told } from './over.ts';

const ofKept = (more: Readonly<Record<string, string>> = {}) => ({ params }: World): Readonly<Record<string, string>> => ({
  clusterName: 'kept', name: 'kept', snapshotId: params['keptSnapshotId'] ?? '', ...Object.fromEntries(Object.entries(more).map(([name, from]) => [name, params[from] ?? ''])),
});
const snapshotOf = ({ params }: World): { readonly snapshotId: string | undefined } => ({ snapshotId: params['keptSnapshotId'] });
const intoTheOther = (world: World) => ({ ...snapshotOf(world), targetClusterName: world.params['clusterName'], targetGroupId: world.params['groupId'] });
const tenantBody = (world: World) => ({ ...snapshotOf(world), targetDeploymentItemName: world.params['clusterName'], targetProjectId: world.params['groupId'] });
const at = ({ params }: World, path: string): string => `/groups/${params['groupId']}/clusters/kept/${path}`;
const restoreIsOver = (name: string) => (world: World): Promise<Told> => world.settled(at(world, `backup/restoreJobs/${world.params[name]}`), isOver);

const drive = (id: string, more: Omit<Drive, 'id'> = {}): Drive => ({ id, params: ofKept(), ...more });

export const KEPT_DRIVES: readonly Drive[] = [
  drive('createGroupCluster', { body: ({ params }) => ({ name: 'kept', leafvaultConnectionString: params['connectionString'], backupEnabled: false }) }),
  drive('takeGroupClusterBackupSnapshots', {
    body: () => ({}), keep: { keptSnapshotId: 'id' },
    then: (world) => world.settled(at(world, `backup/snapshots/${world.params['keptSnapshotId']}`), isTaken),
  }),
  drive('deleteGroupCluster', { query: 'retainBackups=true' }),
  drive('takeGroupClusterBackupSnapshots', { body: () => ({}), refused: { status: 404, errorCode: 'CLUSTER_NOT_FOUND' } }),

  drive('listGroupClusterBackupSnapshots'),
  drive('getGroupClusterBackupSnapshot'),
  drive('listGroupClusterBackupSnapshotDatabases'),
  drive('getGroupClusterBackupSnapshotDatabase'),
  drive('listGroupClusterBackupSnapshotDatabaseCollections'),
  drive('getGroupClusterBackupSnapshotDatabaseCollection'),
  drive('createGroupClusterCollectionRestoreJob', {
    keep: { keptJobId: 'id' },
    body: (world) => ({ ...intoTheOther(world), writeStrategy: 'CREATE_NEW', indexStrategy: 'ALL', collections: [{ sourceNamespace: world.params['sourceNamespace'] }], collectionSuffix: '_kept' }),
    then: (world) => world.settled(at(world, `collectionRestoreJobs/${world.params['keptJobId']}`), isIn('SUCCESSFUL', 'FAILED'), '2025-03-12'),
  }),
  drive('listGroupClusterCollectionRestoreJobs'),
  drive('getGroupClusterCollectionRestoreJob', { params: ofKept({ jobId: 'keptJobId' }) }),
  drive('listGroupClusterCollectionRestoreJobCollections', { params: ofKept({ jobId: 'keptJobId' }) }),
  drive('getGroupClusterCollectionRestoreJobCollection', { params: ofKept({ jobId: 'keptJobId' }) }),
  drive('createGroupClusterBackupExport', {
    body: (world) => ({ ...snapshotOf(world), exportBucketId: world.params['exportBucketId'] }), keep: { keptExportId: 'id' },
    then: (world) => world.settled(at(world, `backup/exports/${world.params['keptExportId']}`), isIn('Successful', 'Failed')),
  }),
  drive('listGroupClusterBackupExports'),
  drive('getGroupClusterBackupExport', { params: ofKept({ exportId: 'keptExportId' }) }),

  drive('downloadGroupClusterBackupTenant', { body: tenantBody, keep: { keptRestoreId: 'id' } }),
  drive('createGroupClusterBackupTenantRestore', { body: tenantBody, keep: { keptRestoreId: 'id' }, then: restoreIsOver('keptRestoreId') }),
  drive('getGroupClusterBackupTenantRestore', { params: ofKept({ restoreId: 'keptRestoreId' }) }),
  drive('listGroupClusterBackupTenantRestores'),
  drive('listGroupClusterBackupTenantSnapshots'),
  drive('getGroupClusterBackupTenantSnapshot'),
  drive('listGroupFlexClusterBackupSnapshots', { refused: { status: 400, errorCode: 'CANNOT_USE_NON_FLEX_CLUSTER_IN_FLEX_API' } }),
  drive('downloadGroupFlexClusterBackup', { body: snapshotOf }),
  drive('createGroupFlexClusterBackupRestoreJob', { body: tenantBody, keep: { keptRestoreId: 'id' }, then: restoreIsOver('keptRestoreId') }),
  drive('getGroupFlexClusterBackupRestoreJob', { params: ofKept({ restoreJobId: 'keptRestoreId' }) }),
  drive('listGroupServerlessBackupSnapshots'),
  drive('getGroupServerlessBackupSnapshot'),
  drive('createGroupServerlessBackupRestoreJob', { body: (world) => ({ deliveryType: 'download', ...intoTheOther(world) }), keep: { keptRestoreId: 'id' }, then: restoreIsOver('keptRestoreId') }),
  drive('getGroupServerlessBackupRestoreJob', { params: ofKept({ restoreJobId: 'keptRestoreId' }) }),
  drive('listGroupServerlessBackupRestoreJobs'),
  drive('createGroupClusterRestoreJob', { body: (world) => ({ ...snapshotOf(world), delivery: { methodName: 'HTTP' } }), keep: { keptJobId: 'results.id' }, then: restoreIsOver('keptJobId') }),
  drive('getGroupClusterRestoreJob', { params: ofKept({ jobId: 'keptJobId' }) }),
  drive('listGroupClusterRestoreJobs'),
  drive('listGroupClusterBackupCheckpoints'),
  drive('listGroupClusterSnapshots'),
  drive('getGroupClusterSnapshot'),
  drive('updateGroupClusterSnapshot', { body: () => ({ doNotDelete: false }) }),
  drive('deleteGroupClusterSnapshot'),
  drive('listGroupClusterSnapshots', { refused: { status: 404, errorCode: 'CLUSTER_NOT_FOUND' } }),
];
