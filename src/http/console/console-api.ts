// Our own API, for the console and for scripts. Mounted like the APIs of the field, with the same credentials and roles.
import { STATUS_CODES } from 'node:http';
import type { Cluster, Job, Restore } from '../../domain/records.ts';
import { LeafvaultError } from '../../foundation/errors.ts';
import { requireProjectRole, rolesToChange } from '../authorize.ts';
import type { Facade, Failure, FailureAnswer } from '../facade.ts';
import { mountOperations, type AnswerMark, type Operation, type ProjectCall } from '../wire/mms-routes.ts';
import { readId } from '../wire/read-id.ts';
import type { Answer } from '../wire/answer.ts';
import { getCluster, listClusters } from './cluster-calls.ts';
import { clusterOf } from './cluster-of.ts';
import { CONSOLE_STATUS } from './errors.ts';
import { cancelExport } from './export-calls.ts';
import { askForDrill, cancelDrill, getDrill, getRecovery, listDrills, listRecovery } from './drill-calls.ts';
import { getUpkeep } from './repository-calls.ts';
import { presentJob, presentRestore } from './present-restore.ts';
import { readAbandon, readRestore, readUndo } from './read-restore.ts';
import { keepSnapshot, letGoOfSnapshot, listSnapshots } from './snapshot-calls.ts';
import { previewSchedule } from './schedule-calls.ts';
import { getOperation, getTimeline, listOperations } from './timeline-calls.ts';
import { presentContinuous } from './present-continuous.ts';

const PREFIX = '/api/leafvault/v1';
const MARK: AnswerMark = { contentType: 'application/json', version: '', headers: {} };

const DRILLS = '/groups/:groupId/clusters/:clusterId/drills';
const SNAPSHOTS = '/groups/:groupId/clusters/:clusterId/snapshots';
const RESTORE = '/groups/:groupId/clusters/:clusterId/restores/:restoreId';

/** Which of them counts says the kind of the job. */
const CHANGERS = ['GROUP_BACKUP_CREATOR', 'GROUP_BACKUP_RECOVERY_OPERATOR', 'GROUP_BACKUP_EXPORT_OPERATOR'] as const;

export const CONSOLE_OPERATIONS: readonly Operation[] = [
  { method: 'GET', path: '/groups/:groupId/clusters', roles: ['GROUP_READ_ONLY'], handle: listClusters },
  { method: 'GET', path: '/groups/:groupId/clusters/:clusterId', roles: ['GROUP_READ_ONLY'], handle: getCluster },
  { method: 'GET', path: '/groups/:groupId/clusters/:clusterId/continuous', roles: ['GROUP_READ_ONLY'], handle: getContinuous },
  { method: 'GET', path: '/groups/:groupId/clusters/:clusterId/schedule/preview', roles: ['GROUP_READ_ONLY'], handle: previewSchedule },
  { method: 'GET', path: '/groups/:groupId/clusters/:clusterId/timeline', roles: ['GROUP_READ_ONLY'], handle: getTimeline },
  // They show documents: for who may restore them elsewhere.
  { method: 'GET', path: '/groups/:groupId/clusters/:clusterId/timeline/operations', roles: ['GROUP_BACKUP_RECOVERY_OPERATOR'], handle: listOperations },
  { method: 'GET', path: '/groups/:groupId/clusters/:clusterId/timeline/operations/:position', roles: ['GROUP_BACKUP_RECOVERY_OPERATOR'], handle: getOperation },
  { method: 'POST', path: '/groups/:groupId/clusters/:clusterId/restores', roles: ['GROUP_BACKUP_RECOVERY_OPERATOR'], handle: createRestore },
  { method: 'GET', path: SNAPSHOTS, roles: ['GROUP_READ_ONLY'], handle: listSnapshots },
  { method: 'PUT', path: `${SNAPSHOTS}/:snapshotId/pin`, roles: ['GROUP_BACKUP_MANAGER'], handle: keepSnapshot('pin') },
  { method: 'DELETE', path: `${SNAPSHOTS}/:snapshotId/pin`, roles: ['GROUP_BACKUP_MANAGER'], handle: letGoOfSnapshot('pin') },
  // Who may delete backups must not be the one who may let go of evidence.
  { method: 'PUT', path: `${SNAPSHOTS}/:snapshotId/hold`, roles: ['GROUP_OWNER'], handle: keepSnapshot('hold') },
  { method: 'DELETE', path: `${SNAPSHOTS}/:snapshotId/hold`, roles: ['GROUP_OWNER'], handle: letGoOfSnapshot('hold') },
  { method: 'GET', path: `${RESTORE}`, roles: ['GROUP_BACKUP_MANAGER', 'GROUP_BACKUP_RECOVERY_OPERATOR'], handle: getRestore },
  { method: 'GET', path: '/groups/:groupId/clusters/:clusterId/jobs/:jobId', roles: CHANGERS, handle: getJob },
  { method: 'DELETE', path: '/groups/:groupId/clusters/:clusterId/jobs/:jobId', roles: CHANGERS, handle: cancelJob },
  { method: 'POST', path: '/groups/:groupId/clusters/:clusterId/jobs/:jobId/pause', roles: CHANGERS, handle: pauseJob },
  { method: 'POST', path: '/groups/:groupId/clusters/:clusterId/jobs/:jobId/resume', roles: CHANGERS, handle: resumeJob },
  { method: 'GET', path: '/groups/:groupId/repository', roles: ['GROUP_READ_ONLY'], handle: getUpkeep },
  { method: 'POST', path: `${RESTORE}/undo`, roles: ['GROUP_BACKUP_RECOVERY_OPERATOR'], handle: undoRestore },
  // Nobody cleans up behind it any more.
  { method: 'POST', path: `${RESTORE}/abandon`, roles: ['GROUP_OWNER'], handle: abandonRestore },
  { method: 'GET', path: '/groups/:groupId/recovery', roles: ['GROUP_READ_ONLY'], handle: listRecovery },
  { method: 'GET', path: '/groups/:groupId/clusters/:clusterId/recovery', roles: ['GROUP_READ_ONLY'], handle: getRecovery },
  { method: 'GET', path: DRILLS, roles: ['GROUP_READ_ONLY'], handle: listDrills },
  { method: 'POST', path: DRILLS, roles: ['GROUP_BACKUP_RECOVERY_OPERATOR'], handle: askForDrill },
  { method: 'GET', path: `${DRILLS}/:drillId`, roles: ['GROUP_READ_ONLY'], handle: getDrill },
  { method: 'DELETE', path: `${DRILLS}/:drillId`, roles: ['GROUP_BACKUP_RECOVERY_OPERATOR'], handle: cancelDrill },
  { method: 'DELETE', path: '/groups/:groupId/clusters/:clusterId/exports/:exportId', roles: ['GROUP_BACKUP_EXPORT_OPERATOR'], handle: cancelExport },
  { method: 'DELETE', path: `${RESTORE}/kept`, roles: ['GROUP_BACKUP_RECOVERY_OPERATOR'], handle: letGoOfKept },
];

export const consoleApi: Facade = {
  name: 'leafvault-v1',
  prefix: PREFIX,
  schemes: ['digest', 'bearer', 'authtoken'],
  accessList: 'always',
  acceptsJson: (contentType) => contentType === 'application/json',
  register(app, context) {
    mountOperations(app, context, { prefix: PREFIX, mark: () => MARK }, CONSOLE_OPERATIONS);
  },
  presentFailure: (failure) => presentFailure(failure),
};

/** Into the cluster itself, where no target is named. */
async function createRestore(call: ProjectCall): Promise<Answer> {
  const cluster = await clusterOf(call);
  const { target, ...order } = readRestore(call.body);
  const { projectId, clusterId } = target ?? { projectId: cluster.projectId, clusterId: cluster.id };
  const restore = await call.services.restores.create({ ...order, cluster, principal: call.principal, target: { projectId, cluster: { id: clusterId } } });
  return answerRestore(call, cluster, restore);
}

async function getRestore(call: ProjectCall): Promise<Answer> {
  const cluster = await clusterOf(call);
  return answerRestore(call, cluster, await call.services.restores.get(cluster.id, readId('restoreJob', call.params['restoreId'])));
}

async function answerRestore({ services: { restores, jobs } }: ProjectCall, cluster: Cluster, restore: Restore): Promise<Answer> {
  const [job, outcome, undoableUntil, undone] = await Promise.all([
    jobs.get(restore.jobId), restores.outcome(cluster.id, restore.id), restores.undoableUntil(cluster.id, restore.id), restores.isUndone(cluster.id, restore.id),
  ]);
  return { kind: 'one', body: presentRestore({ restore, job, outcome, undoableUntil, undone }) };
}

async function getJob(call: ProjectCall): Promise<Answer> {
  return { kind: 'one', body: presentJob(await jobOf(call)) };
}

/** Answers the job: over where it had not begun, else it ends within moments. */
function cancelJob(call: ProjectCall): Promise<Answer> {
  return changeJob(call, (id) => call.services.jobs.cancel(id, call.principal));
}

/** Answers the job: it rests where nobody works on it, else its worker gives it back within moments. */
function pauseJob(call: ProjectCall): Promise<Answer> {
  return changeJob(call, (id) => call.services.jobs.pause(id));
}

function resumeJob(call: ProjectCall): Promise<Answer> {
  return changeJob(call, (id) => call.services.jobs.resume(id));
}

async function changeJob(call: ProjectCall, change: (id: string) => Promise<void>): Promise<Answer> {
  const { id, kind } = await jobOf(call);
  await requireProjectRole(call.services, { principal: call.principal, projectId: call.project.id, anyOf: rolesToChange(kind) });
  await change(id);
  return { kind: 'one', body: presentJob(await call.services.jobs.get(id)) };
}

async function jobOf(call: ProjectCall): Promise<Job> {
  const cluster = await clusterOf(call);
  const job = await call.services.jobs.get(readId('job', call.params['jobId']));
  if (job.clusterId === cluster.id) return job;
  throw new LeafvaultError('JOB_NOT_FOUND', `Reading job ${job.id} failed: it is none of cluster ${cluster.name}`, { details: { id: job.id } });
}

/** Answers the job that does it. */
async function undoRestore(call: ProjectCall): Promise<Answer> {
  const cluster = await clusterOf(call);
  const job = await call.services.restores.undo({ cluster, id: readId('restoreJob', call.params['restoreId']), principal: call.principal, ...readUndo(call.body) });
  return { kind: 'one', body: presentJob(job) };
}

/** Answers the restore. */
async function abandonRestore(call: ProjectCall): Promise<Answer> {
  const cluster = await clusterOf(call);
  const id = readId('restoreJob', call.params['restoreId']);
  readAbandon(call.body);
  await call.services.restores.abandon({ cluster, id, principal: call.principal });
  return answerRestore(call, cluster, await call.services.restores.get(cluster.id, id));
}

/** Answers the job that drops it. */
async function letGoOfKept(call: ProjectCall): Promise<Answer> {
  const cluster = await clusterOf(call);
  const job = await call.services.restores.letGo({ cluster, id: readId('restoreJob', call.params['restoreId']), principal: call.principal });
  return { kind: 'one', body: presentJob(job) };
}

async function getContinuous(call: ProjectCall): Promise<Answer> {
  const cluster = await clusterOf(call);
  return { kind: 'one', body: presentContinuous(await call.services.continuous.status(cluster)) };
}

function presentFailure(failure: Failure): FailureAnswer {
  switch (failure.kind) {
    case 'unauthenticated': return answer(401, 'UNAUTHENTICATED', 'Send the credentials of an API key, a service account or a session');
    case 'addressRefused': return answer(403, 'ADDRESS_REFUSED', `The access list of this credential does not hold ${failure.address}`);
    case 'routeNotFound': return answer(404, 'ROUTE_NOT_FOUND', 'Nothing is served at this path');
    case 'bodyTooLarge': return answer(413, 'BODY_TOO_LARGE', `The body has more than ${failure.limitBytes} bytes`);
    case 'bodyNotJson': return answer(400, 'BODY_NOT_JSON', failure.detail);
    case 'contentTypeRefused': return answer(415, 'CONTENT_TYPE_REFUSED', `Send application/json, not ${failure.contentType}`);
    case 'badRequest': return answer(400, 'BAD_REQUEST', failure.detail);
    case 'internal': return answer(500, 'INTERNAL', `Unexpected failure, see request ${failure.requestId} in the log`);
    case 'error': {
      const { code, message, details, hint, retryable } = failure.error;
      const status = CONSOLE_STATUS[code];
      // What is not meant for a door is not told; the log has it.
      if (status === undefined) return retryable ? answer(503, 'UNAVAILABLE', 'Not available now; ask again soon') : answer(500, 'INTERNAL', 'Unexpected failure, see the log');
      return answer(status, code, message, { details, ...(hint === undefined ? {} : { hint }) });
    }
  }
}

function answer(status: number, code: string, message: string, more: object = {}): FailureAnswer {
  return { status, body: { error: status, reason: STATUS_CODES[status], code, message, ...more } };
}
