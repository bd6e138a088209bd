// Jobs as Commvault's clients poll them. A job that the caller may not see does not exist for him.
import type { FastifyRequest } from 'fastify';
import type { Job } from '../../../domain/records.ts';
import { projectRolesOf, type Principal } from '../../../domain/roles.ts';
import { isLeafvaultError, LeafvaultError } from '../../../foundation/errors.ts';
import type { Clock } from '../../../foundation/clock.ts';
import type { Services } from '../../../services/contracts.ts';
import { requireProjectRole } from '../../authorize.ts';
import { principalOf } from '../../facade.ts';
import { readBody } from '../../wire/read-body.ts';
import { wordsOf } from './errors.ts';
import { isWithin, parseJobList, parseJobNumber } from './parse.ts';
import { presentJobDetails, presentJobs, presentJobSummary, presentSnapshotItem, type JobPlace } from './present.ts';
import type { Instance } from './resolve-entity.ts';
import { browseBody, jobDetailsBody } from './schemas.ts';

export async function getJob(services: Services, clock: Clock, request: FastifyRequest): Promise<object> {
  const { job, place } = await visibleJob(services, principalOf(request), parseJobNumber(numberIn(request)));
  return presentJobs([presentJobSummary(job, place, clock.now())], 1);
}

/** A job that is not there is told inside the body: the SDK reads the error from a 200. */
export async function getJobDetails(services: Services, request: FastifyRequest): Promise<object> {
  const { jobId } = readBody(jobDetailsBody, request.body);
  try {
    const { job, place } = await visibleJob(services, principalOf(request), jobId);
    return presentJobDetails(job, place);
  } catch (error) {
    if (!isLeafvaultError(error, 'JOB_NOT_FOUND')) throw error;
    const { errorCode, errorMessage } = wordsOf(error);
    return { error: { errList: [{ errorCode, errLogMessage: errorMessage }] } };
  }
}

export async function listJobs(services: Services, clock: Clock, request: FastifyRequest): Promise<object> {
  const asked = parseJobList(request);
  const projectIds = await Promise.all(asked.clientIds.map((number) => services.numbers.idOf('project', number)));
  const visible = await services.inventory.visibleClusters(principalOf(request));
  const chosen = visible.filter(({ project }) => projectIds.length === 0 || projectIds.includes(project.id));
  const filter = { clusterIds: chosen.map(({ cluster }) => cluster.id), kinds: asked.kinds, active: asked.active };
  const { items, totalCount } = await window((page) => services.jobs.list(filter, page), asked);
  const shown = items.filter((job) => isWithin(job, asked.finishedWithinSeconds, clock.now()));
  const places = new Map<string, JobPlace>();
  // Numbers cost a query each: only for clusters of jobs that are shown.
  for (const instance of chosen.filter(({ cluster }) => shown.some(({ clusterId }) => clusterId === cluster.id))) {
    places.set(instance.cluster.id, await placeOf(services, instance));
  }
  const summaries = shown.flatMap((job) => {
    const place = places.get(job.clusterId);
    return place === undefined ? [] : [presentJobSummary(job, place, clock.now())];
  });
  return presentJobs(summaries, totalCount);
}

/** `kill` cancels; what cannot be done is told inside the body, as the SDK reads it. */
export async function actOnJob(services: Services, request: FastifyRequest): Promise<object> {
  const principal = principalOf(request);
  const { action = '' } = request.params as { action?: string };
  const { job, place } = await visibleJob(services, principal, parseJobNumber(numberIn(request)));
  const anyOf = job.kind === 'snapshot' ? ['GROUP_BACKUP_CREATOR'] as const : ['GROUP_BACKUP_RECOVERY_OPERATOR'] as const;
  await requireProjectRole(services, { principal, projectId: place.project.id, anyOf });
  try {
    if (action !== 'kill') throw new LeafvaultError('TASK_UNSUPPORTED', `Acting on job ${job.number} failed: ${action} is not offered`, { details: { what: `The action ${action}` } });
    await services.jobs.cancel(job.id, principal);
    return { errorCode: 0, errorMessage: '' };
  } catch (error) {
    if (!isLeafvaultError(error, 'TASK_UNSUPPORTED') && !isLeafvaultError(error, 'JOB_NOT_CANCELLABLE')) throw error;
    const { errorCode, errorMessage } = wordsOf(error);
    return { errors: [{ errList: [{ errorCode, errLogMessage: errorMessage }] }] };
  }
}

/** Whole snapshots of one instance: what a restore may name. */
export async function browseSnapshots(services: Services, request: FastifyRequest): Promise<object> {
  const { entity } = readBody(browseBody, request.body);
  const clusterId = await services.numbers.idOf('cluster', entity.instanceId);
  const visible = await services.inventory.visibleClusters(principalOf(request));
  const instance = visible.find(({ cluster }) => cluster.id === clusterId);
  if (instance === undefined) throw new LeafvaultError('CLUSTER_NOT_FOUND', `Browsing instance ${entity.instanceId} failed: it is not visible`, { details: { id: entity.instanceId } });
  const place = await placeOf(services, instance);
  const { items } = await services.snapshots.list(instance.cluster.id, { pageNumber: 1, itemsPerPage: 500 }, { completedOnly: true });
  return { snapList: items.map((each) => presentSnapshotItem(each, place)) };
}

async function visibleJob(services: Services, principal: Principal, number: number): Promise<{ readonly job: Job; readonly place: JobPlace }> {
  const job = await services.jobs.byNumber(number);
  const project = await services.inventory.project(job.projectId);
  if (!projectRolesOf(principal, project).has('GROUP_READ_ONLY')) {
    throw new LeafvaultError('JOB_NOT_FOUND', `Reading job ${number} failed: it is not visible`, { details: { number } });
  }
  const cluster = await services.inventory.clusterById(project.id, job.clusterId);
  return { job, place: await placeOf(services, { project, cluster }) };
}

async function placeOf(services: Services, { project, cluster }: Instance): Promise<JobPlace> {
  return {
    project,
    cluster,
    clientId: await services.numbers.numberOf('project', project.id),
    instanceId: await services.numbers.numberOf('cluster', cluster.id),
    backupsetId: await services.numbers.numberOf('backupset', cluster.id),
  };
}

/** Any offset out of pages of one size: two neighbours cover it. */
async function window<T>(
  read: (page: { readonly pageNumber: number; readonly itemsPerPage: number }) => Promise<{ readonly items: readonly T[]; readonly totalCount: number }>,
  { offset, limit }: { readonly offset: number; readonly limit: number },
): Promise<{ readonly items: readonly T[]; readonly totalCount: number }> {
  const pageNumber = Math.floor(offset / limit) + 1;
  const first = await read({ pageNumber, itemsPerPage: limit });
  const skip = offset % limit;
  if (skip === 0) return first;
  const second = await read({ pageNumber: pageNumber + 1, itemsPerPage: limit });
  return { items: [...first.items, ...second.items].slice(skip, skip + limit), totalCount: first.totalCount };
}

function numberIn(request: FastifyRequest): string | undefined {
  return (request.params as { number?: string }).number;
}
