// Ops Manager public API v1.0: every path that is answered and who may ask, and the version probe beside it.
import type { Facade } from '../../facade.ts';
import * as clusters from '../../wire/atlas/clusters/handlers.ts';
import { API_KEY_ROUTES } from '../../wire/atlas/credentials/operations.ts';
import * as inventory from '../../wire/atlas/inventory/handlers.ts';
import { presentMmsFailure } from '../../wire/mms-failure.ts';
import { mountOperations, serviceVersionHeader, type AnswerMark, type Operation } from '../../wire/mms-routes.ts';
import { OPS_MANAGER_V1_TABLES } from './errors.ts';
import * as configs from './backup-configs.ts';
import * as handlers from './handlers.ts';
import * as hosts from './hosts.ts';

const PREFIX = '/api/public/v1.0';
const CLUSTER = '/groups/:groupId/clusters/:clusterId';
const BACKUP_CONFIG = '/groups/:groupId/backupConfigs/:clusterId';
const HOSTS = '/groups/:groupId/hosts';
/** Of config servers, which no host is. */
const HOST_BACKUPS = [['GET', 'snapshots'], ['GET', 'snapshots/:snapshotId'], ['DELETE', 'snapshots/:snapshotId'], ['GET', 'restoreJobs'], ['POST', 'restoreJobs'], ['GET', 'restoreJobs/:jobId']] as const;
const MARK: AnswerMark = { contentType: 'application/json', version: '', headers: {} };

export const OPS_MANAGER_V1_OPERATIONS: readonly Operation[] = [
  { method: 'POST', path: `${CLUSTER}/restoreJobs`, roles: ['GROUP_BACKUP_ADMIN'], handle: handlers.createRestoreJob },
  { method: 'POST', path: `${CLUSTER}/restoreJobs/restorableTimeRanges`, roles: ['GROUP_BACKUP_ADMIN'], globalRoles: ['GLOBAL_READ_ONLY'], handle: handlers.listRestorableTimeRanges },
  { method: 'GET', path: `${CLUSTER}/restoreJobs`, roles: ['GROUP_READ_ONLY'], handle: handlers.listRestoreJobs },
  { method: 'GET', path: `${CLUSTER}/restoreJobs/:jobId`, roles: ['GROUP_READ_ONLY'], handle: handlers.getRestoreJob },
  { method: 'GET', path: `${CLUSTER}/snapshots`, roles: ['GROUP_READ_ONLY'], handle: handlers.listSnapshots },
  { method: 'POST', path: `${CLUSTER}/snapshots/onDemandSnapshot`, roles: ['GROUP_BACKUP_ADMIN'], handle: configs.createSnapshotOnDemand },
  { method: 'GET', path: `${CLUSTER}/snapshots/:snapshotId`, roles: ['GROUP_READ_ONLY'], handle: handlers.getSnapshot },
  { method: 'PATCH', path: `${CLUSTER}/snapshots/:snapshotId`, roles: ['GROUP_BACKUP_ADMIN'], handle: handlers.updateSnapshot },
  { method: 'DELETE', path: `${CLUSTER}/snapshots/:snapshotId`, roles: ['GROUP_BACKUP_ADMIN'], handle: handlers.deleteSnapshot },
  { method: 'GET', path: '/groups/:groupId/backupConfigs', roles: ['GROUP_READ_ONLY'], handle: configs.listBackupConfigs },
  { method: 'GET', path: BACKUP_CONFIG, roles: ['GROUP_READ_ONLY'], handle: configs.getBackupConfig },
  { method: 'PATCH', path: BACKUP_CONFIG, roles: ['GROUP_BACKUP_ADMIN'], handle: configs.updateBackupConfig },
  { method: 'GET', path: `${BACKUP_CONFIG}/snapshotSchedule`, roles: ['GROUP_READ_ONLY'], handle: handlers.getSchedule },
  { method: 'PATCH', path: `${BACKUP_CONFIG}/snapshotSchedule`, roles: ['GROUP_BACKUP_ADMIN'], handle: handlers.updateSchedule },
  { method: 'GET', path: `${CLUSTER}/checkpoints`, roles: ['GROUP_READ_ONLY'], handle: handlers.listCheckpoints },
  { method: 'GET', path: `${CLUSTER}/checkpoints/:checkpointId`, roles: ['GROUP_READ_ONLY'], handle: handlers.getCheckpoint },
  { method: 'GET', path: '/groups/:groupId/clusters', roles: ['GROUP_READ_ONLY'], handle: handlers.listClusters },
  { method: 'GET', path: CLUSTER, roles: ['GROUP_READ_ONLY'], handle: handlers.getCluster },
  { method: 'GET', path: '/clusters', roles: null, handle: clusters.listAllClusters },
  { method: 'GET', path: HOSTS, roles: ['GROUP_READ_ONLY'], handle: hosts.listHosts },
  { method: 'GET', path: `${HOSTS}/byName/:hostName`, roles: ['GROUP_READ_ONLY'], handle: hosts.getHostByName },
  { method: 'GET', path: `${HOSTS}/:hostId`, roles: ['GROUP_READ_ONLY'], handle: hosts.getHost },
  ...HOST_BACKUPS.map(([method, path]): Operation => ({ method, path: `${HOSTS}/:hostId/${path}`, roles: [method === 'GET' ? 'GROUP_READ_ONLY' : 'GROUP_BACKUP_ADMIN'], handle: hosts.refuseHost })),
  { method: 'GET', path: '/groups/:groupId/automationConfig', roles: ['GROUP_READ_ONLY'], handle: hosts.getAutomationConfig },
  { method: 'GET', path: '/groups', roles: null, handle: handlers.listGroups },
  { method: 'GET', path: '/groups/byName/:groupName', roles: null, handle: handlers.getGroupByName },
  { method: 'GET', path: '/groups/:groupId', roles: ['GROUP_READ_ONLY'], handle: handlers.getGroup },
  { method: 'GET', path: '/orgs', roles: null, handle: inventory.listOrganizations },
  { method: 'GET', path: '/orgs/:orgId', roles: null, handle: inventory.getOrganization },
  ...API_KEY_ROUTES,
  { method: 'GET', path: '/orgs/:orgId/groups', roles: null, handle: handlers.listOrganizationGroups },
];

export const opsManagerV1: Facade = {
  name: 'ops-manager-v1',
  prefix: PREFIX,
  readingRoutes: [`${CLUSTER}/restoreJobs/restorableTimeRanges`],
  schemes: ['digest'],
  accessList: 'writes',
  acceptsJson: (contentType) => contentType === 'application/json',
  register(app, context) {
    app.addHook('onRequest', async (_request, reply) => { void reply.headers(serviceVersionHeader(context)); });
    mountOperations(app, context, { prefix: PREFIX, mark: () => MARK }, OPS_MANAGER_V1_OPERATIONS);
  },
  presentFailure: (failure, request) => presentMmsFailure(failure, request, OPS_MANAGER_V1_TABLES),
};

/** What clients ask before they know a key: only the header with the version counts. */
export const opsManagerVersion: Facade = {
  name: 'ops-manager-version',
  prefix: '/api/private/unauth',
  schemes: [],
  accessList: 'writes',
  acceptsJson: () => true,
  register(app, context) {
    app.get('/version', { config: { open: true } }, (_request, reply) =>
      reply.headers(serviceVersionHeader(context)).type('text/plain').send(serviceVersionHeader(context)['x-mongodb-service-version']));
  },
  presentFailure: (failure, request) => presentMmsFailure(failure, request, OPS_MANAGER_V1_TABLES),
};
