// Atlas Admin API v1.0: the download of a shared-tier snapshot, and the calls around it that old clients still make.
// Plain JSON without versions; resources look as they do in v2 (src/http/wire/atlas/<resource>/present.ts).
import type { Facade } from '../../facade.ts';
import * as compliance from '../../wire/atlas/compliance/handlers.ts';
import * as exports from '../../wire/atlas/exports/handlers.ts';
import * as legacy from '../../wire/atlas/legacy/handlers.ts';
import { limitRate } from '../../wire/atlas/limit-rate.ts';
import * as restoreJobs from '../../wire/atlas/restore-jobs/handlers.ts';
import * as schedule from '../../wire/atlas/schedule/handlers.ts';
import * as serverless from '../../wire/atlas/serverless/handlers.ts';
import * as snapshots from '../../wire/atlas/snapshots/handlers.ts';
import * as tenant from '../../wire/atlas/tenant/handlers.ts';
import { presentMmsFailure } from '../../wire/mms-failure.ts';
import { mountOperations, type AnswerMark, type Operation } from '../../wire/mms-routes.ts';
import { ADMINISTRATION_OPERATIONS } from './administration-operations.ts';
import { ATLAS_V1_TABLES } from './errors.ts';

const PREFIX = '/api/atlas/v1.0';
const CLUSTER = '/groups/:groupId/clusters/:clusterName';
const SERVERLESS_INSTANCE = '/groups/:groupId/serverless/:clusterName';

/** Clusters have their oldest form here. */
const MARK: AnswerMark = { contentType: 'application/json', version: '2023-01-01', headers: {} };

export const ATLAS_V1_OPERATIONS: readonly Operation[] = [
  { method: 'POST', path: `${CLUSTER}/backup/tenant/download`, roles: ['GROUP_OWNER'], handle: tenant.downloadTenantSnapshot },
  { method: 'POST', path: `${CLUSTER}/backup/tenant/restore`, roles: ['GROUP_OWNER'], handle: tenant.createTenantRestore },
  { method: 'GET', path: `${CLUSTER}/backup/tenant/restores`, roles: ['GROUP_READ_ONLY'], handle: tenant.listTenantRestores },
  { method: 'GET', path: `${CLUSTER}/backup/tenant/restores/:restoreId`, roles: ['GROUP_READ_ONLY'], handle: tenant.getTenantRestore },
  { method: 'GET', path: `${CLUSTER}/backup/tenant/snapshots`, roles: ['GROUP_READ_ONLY'], handle: tenant.listTenantSnapshots },
  { method: 'GET', path: `${CLUSTER}/backup/tenant/snapshots/:snapshotId`, roles: ['GROUP_READ_ONLY'], handle: tenant.getTenantSnapshot },

  { method: 'POST', path: `${CLUSTER}/backup/snapshots`, roles: ['GROUP_BACKUP_CREATOR'], handle: snapshots.takeSnapshot },
  { method: 'GET', path: `${CLUSTER}/backup/snapshots`, roles: ['GROUP_READ_ONLY'], handle: snapshots.listSnapshots },
  { method: 'GET', path: `${CLUSTER}/backup/snapshots/:snapshotId`, roles: ['GROUP_READ_ONLY'], handle: snapshots.getSnapshot },
  { method: 'PATCH', path: `${CLUSTER}/backup/snapshots/:snapshotId`, roles: ['GROUP_BACKUP_MANAGER'], handle: snapshots.updateSnapshot },
  { method: 'DELETE', path: `${CLUSTER}/backup/snapshots/:snapshotId`, roles: ['GROUP_BACKUP_MANAGER'], handle: snapshots.deleteSnapshot },

  { method: 'GET', path: `${CLUSTER}/backup/schedule`, roles: ['GROUP_READ_ONLY'], handle: schedule.getSchedule },
  { method: 'PATCH', path: `${CLUSTER}/backup/schedule`, roles: ['GROUP_BACKUP_MANAGER'], handle: schedule.updateSchedule },
  { method: 'DELETE', path: `${CLUSTER}/backup/schedule`, roles: ['GROUP_BACKUP_MANAGER'], handle: schedule.deleteSchedule },

  { method: 'GET', path: '/groups/:groupId/backupCompliancePolicy', roles: ['GROUP_OWNER'], handle: compliance.getPolicy },
  { method: 'PUT', path: '/groups/:groupId/backupCompliancePolicy', roles: ['GROUP_OWNER'], handle: compliance.putPolicy },
  { method: 'DELETE', path: '/groups/:groupId/backupCompliancePolicy', roles: ['GROUP_OWNER'], handle: compliance.deletePolicy },

  { method: 'POST', path: '/groups/:groupId/backup/exportBuckets', roles: ['GROUP_BACKUP_MANAGER'], handle: exports.createBucket },
  { method: 'GET', path: '/groups/:groupId/backup/exportBuckets', roles: ['GROUP_READ_ONLY'], handle: exports.listBuckets },
  { method: 'GET', path: '/groups/:groupId/backup/exportBuckets/:exportBucketId', roles: ['GROUP_READ_ONLY'], handle: exports.getBucket },
  { method: 'DELETE', path: '/groups/:groupId/backup/exportBuckets/:exportBucketId', roles: ['GROUP_BACKUP_MANAGER'], handle: exports.deleteBucket },
  { method: 'POST', path: `${CLUSTER}/backup/exports`, roles: ['GROUP_BACKUP_EXPORT_OPERATOR'], handle: exports.createExport },
  { method: 'GET', path: `${CLUSTER}/backup/exports`, roles: ['GROUP_BACKUP_MANAGER'], handle: exports.listExports },
  { method: 'GET', path: `${CLUSTER}/backup/exports/:exportId`, roles: ['GROUP_BACKUP_MANAGER'], handle: exports.getExport },

  { method: 'POST', path: `${CLUSTER}/backup/restoreJobs`, roles: ['GROUP_BACKUP_EXPORT_OPERATOR', 'GROUP_BACKUP_RECOVERY_OPERATOR'], handle: restoreJobs.createRestoreJob },
  { method: 'GET', path: `${CLUSTER}/backup/restoreJobs`, roles: ['GROUP_BACKUP_MANAGER'], handle: restoreJobs.listRestoreJobs },
  { method: 'GET', path: `${CLUSTER}/backup/restoreJobs/:restoreJobId`, roles: ['GROUP_BACKUP_MANAGER'], handle: restoreJobs.getRestoreJob },
  { method: 'DELETE', path: `${CLUSTER}/backup/restoreJobs/:restoreJobId`, roles: ['GROUP_BACKUP_EXPORT_OPERATOR', 'GROUP_BACKUP_RECOVERY_OPERATOR'], handle: restoreJobs.cancelRestoreJob },

  { method: 'GET', path: `${CLUSTER}/backupCheckpoints`, roles: ['GROUP_READ_ONLY'], handle: legacy.listCheckpoints },
  { method: 'GET', path: `${CLUSTER}/backupCheckpoints/:checkpointId`, roles: ['GROUP_READ_ONLY'], handle: legacy.getCheckpoint },
  { method: 'GET', path: `${CLUSTER}/restoreJobs`, roles: ['GROUP_READ_ONLY'], handle: legacy.listLegacyRestoreJobs },
  { method: 'POST', path: `${CLUSTER}/restoreJobs`, roles: ['GROUP_OWNER'], handle: legacy.createLegacyRestoreJob },
  { method: 'GET', path: `${CLUSTER}/restoreJobs/:jobId`, roles: ['GROUP_READ_ONLY'], handle: legacy.getLegacyRestoreJob },
  { method: 'GET', path: `${CLUSTER}/snapshotSchedule`, roles: ['GROUP_READ_ONLY'], handle: legacy.getLegacySchedule },
  { method: 'PATCH', path: `${CLUSTER}/snapshotSchedule`, roles: ['GROUP_OWNER'], handle: legacy.updateLegacySchedule },
  { method: 'GET', path: `${CLUSTER}/snapshots`, roles: ['GROUP_READ_ONLY'], handle: legacy.listLegacySnapshots },
  { method: 'GET', path: `${CLUSTER}/snapshots/:snapshotId`, roles: ['GROUP_READ_ONLY'], handle: legacy.getLegacySnapshot },
  { method: 'PATCH', path: `${CLUSTER}/snapshots/:snapshotId`, roles: ['GROUP_OWNER'], handle: legacy.updateLegacySnapshot },
  { method: 'DELETE', path: `${CLUSTER}/snapshots/:snapshotId`, roles: ['GROUP_OWNER'], handle: legacy.deleteLegacySnapshot },

  { method: 'GET', path: '/groups/:groupId/serverless', roles: ['GROUP_READ_ONLY'], handle: serverless.listInstances },
  { method: 'GET', path: SERVERLESS_INSTANCE, roles: ['GROUP_READ_ONLY'], handle: serverless.refuseInstance },
  { method: 'GET', path: `${SERVERLESS_INSTANCE}/backup/snapshots`, roles: ['GROUP_READ_ONLY'], handle: serverless.listServerlessSnapshots },
  { method: 'GET', path: `${SERVERLESS_INSTANCE}/backup/snapshots/:snapshotId`, roles: ['GROUP_READ_ONLY'], handle: serverless.getServerlessSnapshot },
  { method: 'GET', path: `${SERVERLESS_INSTANCE}/backup/restoreJobs`, roles: ['GROUP_OWNER'], handle: serverless.listServerlessRestoreJobs },
  { method: 'POST', path: `${SERVERLESS_INSTANCE}/backup/restoreJobs`, roles: ['GROUP_OWNER'], handle: serverless.createServerlessRestoreJob },
  { method: 'GET', path: `${SERVERLESS_INSTANCE}/backup/restoreJobs/:restoreJobId`, roles: ['GROUP_OWNER'], handle: serverless.getServerlessRestoreJob },

  ...ADMINISTRATION_OPERATIONS,
];

export const atlasV1: Facade = {
  name: 'atlas-v1',
  prefix: PREFIX,
  schemes: ['digest', 'bearer'],
  accessList: 'always',
  acceptsJson: (contentType) => contentType === 'application/json',
  register(app, context) {
    limitRate(app, context);
    mountOperations(app, context, { prefix: PREFIX, mark: () => MARK }, ATLAS_V1_OPERATIONS);
  },
  presentFailure: (failure, request) => presentMmsFailure(failure, request, ATLAS_V1_TABLES),
};
