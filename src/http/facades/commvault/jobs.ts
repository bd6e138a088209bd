// Jobs as Commvault's clients poll them. A job that the caller may not see does not exist for him.
import type { FastifyRequest } from 'fastify';
import type { Cluster, Job, Snapshot } from '../../../domain/records.ts';
import { projectRolesOf, type Principal } from '../../../domain/roles.ts';
import { isLeafvaultError, LeafvaultError } from '../../../foundation/errors.ts';
import type { Clock } from '../../../foundation/clock.ts';
import type { Services } from '../../../services/contracts.ts';
import { principalOf } from '../../facade.ts';
import { readBody } from '../../wire/read-body.ts';
import { parameterInAnyCase } from '../../wire/read-query.ts';
import { wordsOf } from './errors.ts';
import { parseJobList, parseJobNumber, parseJobsQuery, type JobListRequest } from './parse.ts';
import { jobOfEvent, presentEvent, presentEvents, presentJobDetails, presentJobs, presentJobSummary, presentTaskDetails, type JobPlace, type JobWords, type ShownJob } from './present.ts';
import { jobDetailsBody } from './schemas.ts';
import { placeOf, type Instance } from './tree/place.ts';

/** Newest jobs whose events are told where no job is named. */
const JOBS_OF_EVENTS = 20;

export async function getJob(services: Services, clock: Clock, request: FastifyRequest): Promise<object> {
  return presentJobs([presentJobSummary(await visibleJob(services, principalOf(request), numberIn(request)), clock.now())], 1);
}

/** A job that is not there is told inside the body: the SDK reads the error from a 200. */
export async function getJobDetails(services: Services, request: FastifyRequest): Promise<object> {
  const { jobId } = readBody(jobDetailsBody, request.body);
  return orErrorList(async () => presentJobDetails(await visibleJob(services, principalOf(request), jobId)));
}

/** As for the details. */
export function getTaskDetails(services: Services, request: FastifyRequest): Promise<object> {
  return orErrorList(async () => {
    const shown = await visibleJob(services, principalOf(request), numberIn(request));
    const { job } = shown;
    const restore = job.kind === 'restore' && job.restoreId !== null ? await services.restores.get(job.clusterId, job.restoreId) : null;
    return presentTaskDetails(shown, { taskId: await services.numbers.numberOf('task', String(shown.words.task)), restore });
  });
}

/** Of one job, or of the newest ones that are visible; events of other things are in the audit and the log. */
export async function listEvents(services: Services, request: FastifyRequest): Promise<object> {
  const principal = principalOf(request);
  const number = parameterInAnyCase(request.query, 'jobId');
  if (number !== undefined) return presentEvents([await visibleJob(services, principal, parseJobNumber(number))]);
  const clusterIds = (await services.inventory.visibleClusters(principal)).map(({ cluster }) => cluster.id);
  const { items } = await services.jobs.list({ clusterIds }, { pageNumber: 1, itemsPerPage: JOBS_OF_EVENTS });
  const shown: ShownJob[] = [];
  for (const job of items) shown.push(await visibleJob(services, principal, job.number));
  return presentEvents(shown);
}

/** One of those: its number holds that of its job. @throws ENTITY_UNKNOWN, JOB_NOT_FOUND */
export async function getEvent(services: Services, request: FastifyRequest): Promise<object> {
  const id = numberIn(request);
  return presentEvent([await visibleJob(services, principalOf(request), jobOfEvent(id))], id);
}

/** Those that are not over. */
export function listActiveJobs(services: Services, clock: Clock, request: FastifyRequest): Promise<object> {
  return answerList(services, clock, principalOf(request), { ...parseJobList(request), active: true });
}

export function listJobs(services: Services, clock: Clock, request: FastifyRequest): Promise<object> {
  return answerList(services, clock, principalOf(request), parseJobList(request));
}

/** The list that the SDK asks for. */
export function queryJobs(services: Services, clock: Clock, request: FastifyRequest): Promise<object> {
  return answerList(services, clock, principalOf(request), parseJobsQuery(request.body));
}

async function answerList(services: Services, clock: Clock, principal: Principal, asked: JobListRequest): Promise<object> {
  const projectIds = await Promise.all(asked.clientIds.map((number) => services.numbers.idOf('project', number)));
  const idOf = async (kind: 'cluster' | 'backupset', number: number | null): Promise<string | null> => (number === null ? null : (await services.numbers.idOf(kind, number)) ?? 'nobody');
  const wanted = [await idOf('cluster', asked.instanceId), await idOf('backupset', asked.backupsetId)];
  const visible = await services.inventory.visibleClusters(principal);
  const chosen = visible.filter(({ project, cluster }) => (projectIds.length === 0 || projectIds.includes(project.id)) && wanted.every((id) => id === null || id === cluster.id));
  const filter = {
    clusterIds: chosen.map(({ cluster }) => cluster.id),
    ...(asked.kinds === undefined ? {} : { kinds: asked.kinds }),
    ...(asked.active === undefined ? {} : { active: asked.active }),
    ...(asked.subclientId === null ? {} : { subclientId: (await services.numbers.idOf('subclient', asked.subclientId)) ?? '' }),
    ...(asked.finishedWithinSeconds === null ? {} : { endedAfter: new Date(clock.now().getTime() - asked.finishedWithinSeconds * 1000) }),
  };
  const { items, totalCount } = await window((page) => services.jobs.list(filter, page), asked);
  const places = new Map<string, JobPlace>();
  const summaries: object[] = [];
  for (const job of items) {
    const instance = chosen.find(({ cluster }) => cluster.id === job.clusterId);
    if (instance === undefined) continue;
    // Numbers cost a query each: only for clusters of jobs that are shown.
    const place = places.get(job.clusterId) ?? await jobPlaceOf(services, instance);
    places.set(job.clusterId, place);
    summaries.push(presentJobSummary({ job, place, words: await wordsFor(services, job, place) }, clock.now()));
  }
  return presentJobs(summaries, totalCount);
}

/** @throws JOB_NOT_FOUND */
export async function visibleJob(services: Services, principal: Principal, number: number): Promise<ShownJob> {
  const job = await services.jobs.byNumber(number);
  const project = await services.inventory.project(job.projectId);
  if (!projectRolesOf(principal, project).has('GROUP_READ_ONLY')) {
    throw new LeafvaultError('JOB_NOT_FOUND', `Reading job ${number} failed: it is not visible`, { details: { number } });
  }
  const cluster = await services.inventory.clusterById(project.id, job.clusterId);
  const place = await jobPlaceOf(services, { project, cluster });
  return { job, place, words: await wordsFor(services, job, place) };
}

/** What a backup of this cluster made. @throws JOB_NOT_FOUND, SNAPSHOT_NOT_FOUND */
export async function snapshotOfJob(services: Services, principal: Principal, cluster: Cluster, number: number): Promise<Snapshot> {
  const { job } = await visibleJob(services, principal, number);
  return services.snapshots.get(cluster.id, job.kind === 'snapshot' && job.snapshotId !== null ? job.snapshotId : `of job ${number}`);
}

async function jobPlaceOf(services: Services, instance: Instance): Promise<JobPlace> {
  const { id } = await services.subclients.resolve(instance.cluster.id, 'default');
  return { ...(await placeOf(services, instance)), defaultSubclientId: await services.numbers.numberOf('subclient', id) };
}

/** Jobs of other doors have no form: they are of everything. */
async function wordsFor({ numbers }: Services, { number, form }: Job, { defaultSubclientId }: JobPlace): Promise<JobWords> {
  const { subclientId, subclientName, level, task } = form ?? {};
  const subclient = typeof subclientId === 'string' && typeof subclientName === 'string'
    ? { subclientId: await numbers.numberOf('subclient', subclientId), subclientName }
    : { subclientId: defaultSubclientId, subclientName: 'default' };
  return { subclient, level: typeof level === 'string' ? level : null, task: typeof task === 'number' ? task : number };
}

async function orErrorList(answer: () => Promise<object>): Promise<object> {
  try {
    return await answer();
  } catch (error) {
    if (!isLeafvaultError(error, 'JOB_NOT_FOUND')) throw error;
    const { errorCode, errorMessage } = wordsOf(error);
    return { error: { errList: [{ errorCode, errLogMessage: errorMessage, errorMessage }] } };
  }
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

export function numberIn(request: FastifyRequest): number {
  return parseJobNumber((request.params as { number?: string }).number);
}
