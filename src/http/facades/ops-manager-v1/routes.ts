// Ops Manager public API v1.0: every path that is answered and who may ask, and the version probe beside it.
import type { Facade } from '../../facade.ts';
import { presentMmsFailure } from '../../wire/mms-failure.ts';
import { mountOperations, serviceVersionHeader, type AnswerMark, type Operation } from '../../wire/mms-routes.ts';
import { OPS_MANAGER_V1_TABLES } from './errors.ts';
import * as handlers from './handlers.ts';

const PREFIX = '/api/public/v1.0';
const CLUSTER = '/groups/:groupId/clusters/:clusterId';
const BACKUP_CONFIG = '/groups/:groupId/backupConfigs/:clusterId';
const MARK: AnswerMark = { contentType: 'application/json', version: '', headers: {} };

export const OPS_MANAGER_V1_OPERATIONS: readonly Operation[] = [
  { method: 'POST', path: `${CLUSTER}/restoreJobs`, roles: ['GROUP_BACKUP_ADMIN'], handle: handlers.createRestoreJob },
  { method: 'POST', path: `${CLUSTER}/restoreJobs/restorableTimeRanges`, roles: ['GROUP_BACKUP_ADMIN'], handle: handlers.listRestorableTimeRanges },
  { method: 'GET', path: `${CLUSTER}/restoreJobs`, roles: ['GROUP_READ_ONLY'], handle: handlers.listRestoreJobs },
  { method: 'GET', path: `${CLUSTER}/restoreJobs/:jobId`, roles: ['GROUP_READ_ONLY'], handle: handlers.getRestoreJob },
  { method: 'GET', path: `${CLUSTER}/snapshots`, roles: ['GROUP_READ_ONLY'], handle: handlers.listSnapshots },
  { method: 'GET', path: `${CLUSTER}/snapshots/:snapshotId`, roles: ['GROUP_READ_ONLY'], handle: handlers.getSnapshot },
  { method: 'PATCH', path: `${CLUSTER}/snapshots/:snapshotId`, roles: ['GROUP_BACKUP_ADMIN'], handle: handlers.updateSnapshot },
  { method: 'DELETE', path: `${CLUSTER}/snapshots/:snapshotId`, roles: ['GROUP_BACKUP_ADMIN'], handle: handlers.deleteSnapshot },
  { method: 'GET', path: `${BACKUP_CONFIG}/snapshotSchedule`, roles: ['GROUP_READ_ONLY'], handle: handlers.getSchedule },
  { method: 'PATCH', path: `${BACKUP_CONFIG}/snapshotSchedule`, roles: ['GROUP_BACKUP_ADMIN'], handle: handlers.updateSchedule },
  { method: 'GET', path: `${CLUSTER}/checkpoints`, roles: ['GROUP_READ_ONLY'], handle: handlers.listCheckpoints },
  { method: 'GET', path: `${CLUSTER}/checkpoints/:checkpointId`, roles: ['GROUP_READ_ONLY'], handle: handlers.getCheckpoint },
  { method: 'GET', path: '/groups/:groupId/clusters', roles: ['GROUP_READ_ONLY'], handle: handlers.listClusters },
  { method: 'GET', path: CLUSTER, roles: ['GROUP_READ_ONLY'], handle: handlers.getCluster },
  { method: 'GET', path: '/groups', roles: null, handle: handlers.listGroups },
  { method: 'GET', path: '/groups/byName/:groupName', roles: null, handle: handlers.getGroupByName },
  { method: 'GET', path: '/groups/:groupId', roles: ['GROUP_READ_ONLY'], handle: handlers.getGroup },
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
