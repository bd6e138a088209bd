// Every operation of Atlas that is answered, who may ask, and the dates of its versions. What a resource looks like is the same at all doors
// of Atlas and stands in src/http/wire/atlas/<resource>/present.ts.
import * as collectionRestores from '../collection-restores/handlers.ts';
import * as compliance from '../compliance/handlers.ts';
import * as exports from '../exports/handlers.ts';
import * as flex from '../flex/handlers.ts';
import * as inventory from '../inventory/handlers.ts';
import * as legacy from '../legacy/handlers.ts';
import * as restoreJobs from '../restore-jobs/handlers.ts';
import * as schedule from '../schedule/handlers.ts';
import * as serverless from '../serverless/handlers.ts';
import * as contents from '../snapshot-contents/handlers.ts';
import * as snapshots from '../snapshots/handlers.ts';
import * as tenant from '../tenant/handlers.ts';
import { ADMINISTRATION_OPERATIONS } from './administration.ts';
import {
  CLOUD_BACKUP, COLLECTION_RESTORES, COMPLIANCE, COMPLIANCE_REMOVAL, EXPORT_BUCKET_CHANGE, EXPORT_BUCKETS, FLEX, SCHEDULE, SERVERLESS, SERVERLESS_BACKUP, TENANT, type VersionedOperation,
} from './versions.ts';

const CLUSTER = '/groups/:groupId/clusters/:clusterName';
const SERVERLESS_INSTANCE = '/groups/:groupId/serverless/:clusterName';
const FLEX_CLUSTER = '/groups/:groupId/flexClusters/:clusterName';

/** Views of the same snapshots, restores and schedule in forms that the vendor retires. */
const LEGACY_AND_SERVERLESS: readonly VersionedOperation[] = [
  { method: 'GET', path: `${CLUSTER}/backupCheckpoints`, roles: ['GROUP_READ_ONLY'], versions: CLOUD_BACKUP, handle: legacy.listCheckpoints },
  { method: 'GET', path: `${CLUSTER}/backupCheckpoints/:checkpointId`, roles: ['GROUP_READ_ONLY'], versions: CLOUD_BACKUP, handle: legacy.getCheckpoint },
  { method: 'GET', path: `${CLUSTER}/restoreJobs`, roles: ['GROUP_READ_ONLY'], versions: CLOUD_BACKUP, handle: legacy.listLegacyRestoreJobs },
  { method: 'POST', path: `${CLUSTER}/restoreJobs`, roles: ['GROUP_OWNER'], versions: CLOUD_BACKUP, handle: legacy.createLegacyRestoreJob },
  { method: 'GET', path: `${CLUSTER}/restoreJobs/:jobId`, roles: ['GROUP_READ_ONLY'], versions: CLOUD_BACKUP, handle: legacy.getLegacyRestoreJob },
  { method: 'GET', path: `${CLUSTER}/snapshotSchedule`, roles: ['GROUP_READ_ONLY'], versions: CLOUD_BACKUP, handle: legacy.getLegacySchedule },
  { method: 'PATCH', path: `${CLUSTER}/snapshotSchedule`, roles: ['GROUP_OWNER'], versions: CLOUD_BACKUP, handle: legacy.updateLegacySchedule },
  { method: 'GET', path: `${CLUSTER}/snapshots`, roles: ['GROUP_READ_ONLY'], versions: CLOUD_BACKUP, handle: legacy.listLegacySnapshots },
  { method: 'GET', path: `${CLUSTER}/snapshots/:snapshotId`, roles: ['GROUP_READ_ONLY'], versions: CLOUD_BACKUP, handle: legacy.getLegacySnapshot },
  { method: 'PATCH', path: `${CLUSTER}/snapshots/:snapshotId`, roles: ['GROUP_OWNER'], versions: CLOUD_BACKUP, handle: legacy.updateLegacySnapshot },
  { method: 'DELETE', path: `${CLUSTER}/snapshots/:snapshotId`, roles: ['GROUP_OWNER'], versions: CLOUD_BACKUP, handle: legacy.deleteLegacySnapshot },

  { method: 'GET', path: '/groups/:groupId/serverless', roles: ['GROUP_READ_ONLY'], versions: SERVERLESS, handle: serverless.listInstances },
  { method: 'GET', path: SERVERLESS_INSTANCE, roles: ['GROUP_READ_ONLY'], versions: SERVERLESS, handle: serverless.refuseInstance },
  { method: 'GET', path: `${SERVERLESS_INSTANCE}/backup/snapshots`, roles: ['GROUP_READ_ONLY'], versions: SERVERLESS_BACKUP, handle: serverless.listServerlessSnapshots },
  { method: 'GET', path: `${SERVERLESS_INSTANCE}/backup/snapshots/:snapshotId`, roles: ['GROUP_READ_ONLY'], versions: SERVERLESS_BACKUP, handle: serverless.getServerlessSnapshot },
  { method: 'GET', path: `${SERVERLESS_INSTANCE}/backup/restoreJobs`, roles: ['GROUP_OWNER'], versions: SERVERLESS_BACKUP, handle: serverless.listServerlessRestoreJobs },
  { method: 'POST', path: `${SERVERLESS_INSTANCE}/backup/restoreJobs`, roles: ['GROUP_OWNER'], versions: SERVERLESS_BACKUP, handle: serverless.createServerlessRestoreJob },
  { method: 'GET', path: `${SERVERLESS_INSTANCE}/backup/restoreJobs/:restoreJobId`, roles: ['GROUP_OWNER'], versions: SERVERLESS_BACKUP, handle: serverless.getServerlessRestoreJob },
];

export const ATLAS_OPERATIONS: readonly VersionedOperation[] = [
  ...ADMINISTRATION_OPERATIONS,

  { method: 'POST', path: `${CLUSTER}/backup/snapshots`, roles: ['GROUP_BACKUP_CREATOR'], versions: CLOUD_BACKUP, handle: snapshots.takeSnapshot },
  { method: 'GET', path: `${CLUSTER}/backup/snapshots`, roles: ['GROUP_READ_ONLY'], versions: CLOUD_BACKUP, handle: snapshots.listSnapshots },
  { method: 'GET', path: `${CLUSTER}/backup/snapshots/:snapshotId`, roles: ['GROUP_READ_ONLY'], versions: CLOUD_BACKUP, handle: snapshots.getSnapshot },
  { method: 'PATCH', path: `${CLUSTER}/backup/snapshots/:snapshotId`, roles: ['GROUP_BACKUP_MANAGER'], versions: CLOUD_BACKUP, handle: snapshots.updateSnapshot },
  { method: 'DELETE', path: `${CLUSTER}/backup/snapshots/:snapshotId`, roles: ['GROUP_BACKUP_MANAGER'], versions: CLOUD_BACKUP, handle: snapshots.deleteSnapshot },
  { method: 'GET', path: `${CLUSTER}/backup/snapshots/shardedClusters`, roles: ['GROUP_READ_ONLY'], versions: CLOUD_BACKUP, handle: snapshots.listShardedSnapshots },
  { method: 'GET', path: `${CLUSTER}/backup/snapshots/shardedCluster/:snapshotId`, roles: ['GROUP_READ_ONLY'], versions: CLOUD_BACKUP, handle: snapshots.getShardedSnapshot },
  { method: 'DELETE', path: `${CLUSTER}/backup/snapshots/shardedCluster/:snapshotId`, roles: ['GROUP_BACKUP_MANAGER'], versions: CLOUD_BACKUP, handle: snapshots.deleteSnapshot },

  { method: 'GET', path: `${CLUSTER}/backup/schedule`, roles: ['GROUP_READ_ONLY'], versions: SCHEDULE, handle: schedule.getSchedule },
  { method: 'PATCH', path: `${CLUSTER}/backup/schedule`, roles: ['GROUP_BACKUP_MANAGER'], versions: SCHEDULE, handle: schedule.updateSchedule },
  { method: 'DELETE', path: `${CLUSTER}/backup/schedule`, roles: ['GROUP_BACKUP_MANAGER'], versions: SCHEDULE, handle: schedule.deleteSchedule },

  { method: 'GET', path: '/groups/:groupId/backupCompliancePolicy', roles: ['GROUP_OWNER'], versions: COMPLIANCE, handle: compliance.getPolicy },
  { method: 'PUT', path: '/groups/:groupId/backupCompliancePolicy', roles: ['GROUP_OWNER'], versions: COMPLIANCE, handle: compliance.putPolicy },
  { method: 'DELETE', path: '/groups/:groupId/backupCompliancePolicy', roles: ['GROUP_OWNER'], versions: COMPLIANCE_REMOVAL, handle: compliance.deletePolicy },

  { method: 'POST', path: '/groups/:groupId/backup/exportBuckets', roles: ['GROUP_BACKUP_MANAGER'], versions: EXPORT_BUCKETS, handle: exports.createBucket },
  { method: 'GET', path: '/groups/:groupId/backup/exportBuckets', roles: ['GROUP_READ_ONLY'], versions: EXPORT_BUCKETS, handle: exports.listBuckets },
  { method: 'GET', path: '/groups/:groupId/backup/exportBuckets/:exportBucketId', roles: ['GROUP_READ_ONLY'], versions: EXPORT_BUCKETS, handle: exports.getBucket },
  { method: 'DELETE', path: '/groups/:groupId/backup/exportBuckets/:exportBucketId', roles: ['GROUP_BACKUP_MANAGER'], versions: CLOUD_BACKUP, handle: exports.deleteBucket },
  { method: 'POST', path: `${CLUSTER}/backup/exports`, roles: ['GROUP_BACKUP_EXPORT_OPERATOR'], versions: CLOUD_BACKUP, handle: exports.createExport },
  { method: 'GET', path: `${CLUSTER}/backup/exports`, roles: ['GROUP_BACKUP_MANAGER'], versions: CLOUD_BACKUP, handle: exports.listExports },
  { method: 'GET', path: `${CLUSTER}/backup/exports/:exportId`, roles: ['GROUP_BACKUP_MANAGER'], versions: CLOUD_BACKUP, handle: exports.getExport },
  { method: 'PATCH', path: '/groups/:groupId/backup/exportBuckets/:exportBucketId', roles: ['GROUP_BACKUP_MANAGER'], versions: EXPORT_BUCKET_CHANGE, handle: exports.updateBucket },

  { method: 'GET', path: `${CLUSTER}/backup/snapshots/:snapshotId/databases`, roles: ['GROUP_BACKUP_MANAGER'], versions: COLLECTION_RESTORES, handle: contents.listDatabases },
  { method: 'GET', path: `${CLUSTER}/backup/snapshots/:snapshotId/databases/:databaseName`, roles: ['GROUP_BACKUP_MANAGER'], versions: COLLECTION_RESTORES, handle: contents.getDatabase },
  { method: 'GET', path: `${CLUSTER}/backup/snapshots/:snapshotId/databases/:databaseName/collections`, roles: ['GROUP_BACKUP_MANAGER'], versions: COLLECTION_RESTORES, handle: contents.listCollections },
  { method: 'GET', path: `${CLUSTER}/backup/snapshots/:snapshotId/databases/:databaseName/collections/:collectionName`, roles: ['GROUP_BACKUP_MANAGER'], versions: COLLECTION_RESTORES, handle: contents.getCollection },
  { method: 'POST', path: `${CLUSTER}/collectionRestoreJobs`, roles: ['GROUP_BACKUP_RECOVERY_OPERATOR'], versions: COLLECTION_RESTORES, handle: collectionRestores.createCollectionRestore },
  { method: 'GET', path: `${CLUSTER}/collectionRestoreJobs`, roles: ['GROUP_BACKUP_MANAGER'], versions: COLLECTION_RESTORES, handle: collectionRestores.listCollectionRestores },
  { method: 'GET', path: `${CLUSTER}/collectionRestoreJobs/:jobId`, roles: ['GROUP_BACKUP_MANAGER'], versions: COLLECTION_RESTORES, handle: collectionRestores.getCollectionRestore },
  { method: 'GET', path: `${CLUSTER}/collectionRestoreJobs/:jobId/collections`, roles: ['GROUP_BACKUP_MANAGER'], versions: COLLECTION_RESTORES, handle: collectionRestores.listRestoredCollections },
  { method: 'GET', path: `${CLUSTER}/collectionRestoreJobs/:jobId/collections/:sourceNamespace`, roles: ['GROUP_BACKUP_MANAGER'], versions: COLLECTION_RESTORES, handle: collectionRestores.getRestoredCollection },

  { method: 'POST', path: `${CLUSTER}/backup/restoreJobs`, roles: ['GROUP_BACKUP_EXPORT_OPERATOR', 'GROUP_BACKUP_RECOVERY_OPERATOR'], versions: CLOUD_BACKUP, handle: restoreJobs.createRestoreJob },
  { method: 'GET', path: `${CLUSTER}/backup/restoreJobs`, roles: ['GROUP_BACKUP_MANAGER'], versions: CLOUD_BACKUP, handle: restoreJobs.listRestoreJobs },
  { method: 'GET', path: `${CLUSTER}/backup/restoreJobs/:restoreJobId`, roles: ['GROUP_BACKUP_MANAGER'], versions: CLOUD_BACKUP, handle: restoreJobs.getRestoreJob },
  { method: 'DELETE', path: `${CLUSTER}/backup/restoreJobs/:restoreJobId`, roles: ['GROUP_BACKUP_EXPORT_OPERATOR', 'GROUP_BACKUP_RECOVERY_OPERATOR'], versions: CLOUD_BACKUP, handle: restoreJobs.cancelRestoreJob },

  { method: 'POST', path: `${CLUSTER}/backup/tenant/download`, roles: ['GROUP_OWNER'], versions: TENANT, handle: tenant.downloadTenantSnapshot },
  { method: 'POST', path: `${CLUSTER}/backup/tenant/restore`, roles: ['GROUP_OWNER'], versions: TENANT, handle: tenant.createTenantRestore },
  { method: 'GET', path: `${CLUSTER}/backup/tenant/restores`, roles: ['GROUP_READ_ONLY'], versions: TENANT, handle: tenant.listTenantRestores },
  { method: 'GET', path: `${CLUSTER}/backup/tenant/restores/:restoreId`, roles: ['GROUP_READ_ONLY'], versions: TENANT, handle: tenant.getTenantRestore },
  { method: 'GET', path: `${CLUSTER}/backup/tenant/snapshots`, roles: ['GROUP_READ_ONLY'], versions: TENANT, handle: tenant.listTenantSnapshots },
  { method: 'GET', path: `${CLUSTER}/backup/tenant/snapshots/:snapshotId`, roles: ['GROUP_READ_ONLY'], versions: TENANT, handle: tenant.getTenantSnapshot },

  { method: 'GET', path: '/groups/:groupId/flexClusters', roles: ['GROUP_READ_ONLY'], versions: FLEX, handle: inventory.listFlexClusters },
  { method: 'GET', path: FLEX_CLUSTER, roles: ['GROUP_READ_ONLY'], versions: FLEX, handle: inventory.refuseFlex },
  { method: 'GET', path: `${FLEX_CLUSTER}/backup/snapshots`, roles: ['GROUP_READ_ONLY'], versions: FLEX, handle: inventory.refuseFlex },
  { method: 'GET', path: `${FLEX_CLUSTER}/backup/snapshots/:snapshotId`, roles: ['GROUP_READ_ONLY'], versions: FLEX, handle: inventory.refuseFlex },
  { method: 'GET', path: `${FLEX_CLUSTER}/backup/restoreJobs`, roles: ['GROUP_READ_ONLY'], versions: FLEX, handle: inventory.refuseFlex },
  { method: 'POST', path: `${FLEX_CLUSTER}/backup/restoreJobs`, roles: ['GROUP_BACKUP_RECOVERY_OPERATOR'], versions: FLEX, handle: flex.createFlexRestoreJob },
  { method: 'GET', path: `${FLEX_CLUSTER}/backup/restoreJobs/:restoreJobId`, roles: ['GROUP_READ_ONLY'], versions: FLEX, handle: flex.getFlexRestoreJob },
  { method: 'POST', path: `${FLEX_CLUSTER}/backup/download`, roles: ['GROUP_BACKUP_EXPORT_OPERATOR'], versions: FLEX, handle: flex.downloadFlexSnapshot },

  ...LEGACY_AND_SERVERLESS,
];
