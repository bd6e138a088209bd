// `createtask` and the backup of a subclient: every association is understood, then one job is made for each, or none where one is refused.
import type { FastifyRequest } from 'fastify';
import { isId } from '../../../foundation/ids.ts';
import { LeafvaultError } from '../../../foundation/errors.ts';
import type { InsideTogether as Inside, Services, Subclient } from '../../../services/contracts.ts';
import type { NamespaceList } from '../../../domain/namespace-selection.ts';
import type { Cluster, JobForm, RestoreSelection, Snapshot, TimeSeriesChoice } from '../../../domain/records.ts';
import type { Principal } from '../../../domain/roles.ts';
import { principalOf } from '../../facade.ts';
import { parameterInAnyCase } from '../../wire/read-query.ts';
import { readTimeSeries } from '../../wire/read-time-series.ts';
import { readLevel, type BackupLevel } from './levels.ts';
import { parseCreateTask, type Work } from './parse.ts';
import { disagree, requireChange, resolveInstance, resolveSubclient } from './resolve-entity.ts';
import { snapshotOfJob } from './jobs.ts';
import type { RestoreForm } from './restore-forms.ts';
import { MAY_RESTORE, resolveTarget } from './restore-target.ts';
import { byCluster, prepareSchedule, type Addition } from './schedules/schedules.ts';
import type { Association } from './schemas.ts';
import { numberIn, subclientByNumber, type Instance } from './tree/place.ts';

/** Commvault keeps retention in a plan; a task names none. */
const RETENTION_DAYS = 30;
const MAY_BACK_UP = ['GROUP_BACKUP_CREATOR'] as const;

interface Start {
  /** What the job reads and writes. */
  readonly clusters: readonly Cluster[];
  /** Makes one job, gives its number. `task`: the number of the first job of the task; null: this is it. */
  readonly make: (inside: Inside, task: number | null) => Promise<number>;
}

interface Order<Kind extends Work> {
  readonly work: Kind;
  readonly association: Association;
  readonly timeSeries: TimeSeriesChoice | undefined;
}

export async function createTask(services: Services, request: FastifyRequest): Promise<object> {
  const { associations, work, schedules } = parseCreateTask(request.body);
  if (schedules !== null) {
    const additions: Addition[] = [];
    for (const times of schedules) for (const association of associations) additions.push(await prepareSchedule(services, request, { association, times }));
    const numbers = await services.together((inside) => addAll(additions, inside));
    return { taskId: numbers.get(additions[0] as Addition) };
  }
  const timeSeries = readTimeSeries(request.headers);
  const starts: Start[] = [];
  for (const each of work) {
    for (const association of associations) starts.push(await prepare(services, request, { work: each, association, timeSeries }));
  }
  return runTask(services, starts);
}

/** What the SDK calls for a backup. */
export async function backUpSubclient(services: Services, request: FastifyRequest): Promise<object> {
  const principal = principalOf(request);
  const level = readLevel(parameterInAnyCase(request.query, 'backupLevel'));
  const { place, subclient } = await subclientByNumber(services, principal, numberIn(request, 'subclient'));
  await requireChange(services, request, place, MAY_BACK_UP);
  return runTask(services, [startBackup(services, principal, { cluster: place.cluster, subclient, level })]);
}

async function runTask(services: Services, starts: readonly Start[]): Promise<object> {
  const jobNumbers = await services.together(async (inside) => {
    await inside.hold(starts.flatMap(({ clusters }) => clusters));
    const made: number[] = [];
    for (const { make } of starts) made.push(await make(inside, made[0] ?? null));
    return made;
  });
  return { taskId: await services.numbers.numberOf('task', String(jobNumbers[0])), jobIds: jobNumbers.map(String) };
}

/** Cluster by cluster in one order, so that two tasks never wait for each other; those of one cluster as they were asked for. */
async function addAll(additions: readonly Addition[], inside: Inside): Promise<ReadonlyMap<Addition, number>> {
  const numbers = new Map<Addition, number>();
  for (const addition of additions.toSorted(byCluster)) numbers.set(addition, await addition.add(inside));
  return numbers;
}

function prepare(services: Services, request: FastifyRequest, order: Order<Work>): Promise<Start> {
  return order.work.kind === 'backup'
    ? prepareBackup(services, request, order.association, order.work.level)
    : prepareRestore(services, request, { ...order, work: order.work });
}

async function prepareBackup(services: Services, request: FastifyRequest, association: Association, level: BackupLevel): Promise<Start> {
  const [principal, instance] = [principalOf(request), await resolveInstance(services, association, { request, anyOf: MAY_BACK_UP })];
  return startBackup(services, principal, { cluster: instance.cluster, level, subclient: await resolveSubclient(services, principal, association, instance) });
}

/** @throws SUBCLIENT_EMPTY */
function startBackup(services: Services, principal: Principal, { cluster, subclient, level }: { readonly cluster: Cluster; readonly subclient: Subclient; readonly level: BackupLevel }): Start {
  const selection = services.subclients.selectionOf(subclient);
  return { clusters: [cluster], make: async ({ snapshots }, task) => {
    const jobForm = formOf({ subclientId: subclient.id, subclientName: subclient.name, level: level.name }, task);
    const { job } = await snapshots.create({
      cluster, principal, jobForm, description: `Commvault subclient ${subclient.name}`, retentionDays: RETENTION_DAYS, isRetentionAsked: false, ...(selection === undefined ? {} : { selection }),
    });
    return job.number;
  } };
}

function formOf(told: JobForm, task: number | null): JobForm {
  return task === null ? told : { ...told, task };
}

async function prepareRestore(
  services: Services, request: FastifyRequest, { work: { form }, association, timeSeries }: Order<Extract<Work, { kind: 'restore' }>>,
): Promise<Start> {
  const principal = principalOf(request);
  const source = await resolveInstance(services, association, { request, anyOf: MAY_RESTORE });
  const { cluster } = source;
  const from = await beginningOf(services, principal, { instance: source, association, form });
  const target = await resolveTarget(services, request, source, form.target);
  return { clusters: [cluster, target.cluster], make: async ({ restores, jobs }, task) => {
    const restore = await restores.create({
      cluster, principal, selection: form.selection, ...from, timeSeries, jobForm: formOf({}, task), delivery: 'automated', target: { projectId: target.project.id, cluster: { id: target.cluster.id } },
    });
    return (await jobs.get(restore.jobId)).number;
  } };
}

/** An instant has everything of the cluster, so it comes with what the subclient has of that. */
type Beginning = { readonly snapshotId: string } | { readonly instant: { readonly time: Date }; readonly selection: RestoreSelection };

/** @throws SNAPSHOT_NOT_FOUND, JOB_NOT_FOUND, SUBCLIENT_NOT_FOUND, SUBCLIENT_EMPTY, ENTITY_UNKNOWN, IDS_DISAGREE where a subclient is told and the backup, or what is chosen, is of another one */
async function beginningOf(
  services: Services, principal: Principal, { instance, association, form: { from, selection } }: { readonly instance: Instance; readonly association: Association; readonly form: RestoreForm },
): Promise<Beginning> {
  const isTold = Boolean(association.subclientName || association.subclientId);
  // What was asked for as a subclient is never restored as everything.
  const subclient = await resolveSubclient(services, principal, isTold ? association : { ...association, subclientName: 'default' }, instance);
  if ('instant' in from) {
    // Here, where one that is not kept yet can be waited for.
    await services.continuous.findBase(instance.cluster, { time: from.instant });
    return { instant: { time: from.instant }, selection: within(services.subclients.selectionOf(subclient), selection) };
  }
  if ('newestUntil' in from) return { snapshotId: (await newestWithin(services, subclient, from)).id };
  const { id } = 'jobNumber' in from ? await snapshotOfJob(services, principal, instance.cluster, from.jobNumber) : await snapshotNamed(services, instance.cluster, from.snapshotName);
  if (isTold && !(await services.snapshots.isOf(subclient, id))) throw disagree('subclientName');
  return { snapshotId: id };
}

/** @throws SNAPSHOT_NOT_FOUND */
async function newestWithin({ snapshots }: Services, subclient: Subclient, { newestUntil, since }: { readonly newestUntil: Date | null; readonly since: Date | null }): Promise<Snapshot> {
  const newest = await snapshots.newestOf(subclient, newestUntil);
  if (since === null || (newest.capturedAt ?? newest.requestedAt) >= since) return newest;
  throw new LeafvaultError('SNAPSHOT_NOT_FOUND', `Restoring subclient ${subclient.name} failed: no snapshot is so new`, { details: { id: `newest since ${since.toISOString()}`, clusterId: subclient.clusterId } });
}

/** Nothing chosen is all that the subclient has. @throws IDS_DISAGREE */
function within(content: NamespaceList | undefined, chosen: RestoreSelection): RestoreSelection {
  if (content === undefined) return chosen;
  const { databases, collections, renames } = chosen;
  if (databases.length + collections.length === 0) return { ...content, renames };
  const isOfSubclient = (namespace: string): boolean => content.collections.includes(namespace) || content.databases.includes(namespace.split('.', 1)[0] ?? '');
  if (![...databases, ...collections].every(isOfSubclient)) throw disagree('fileOption.sourceItem');
  return chosen;
}

async function snapshotNamed({ snapshots }: Services, cluster: Cluster, name: string): Promise<Snapshot> {
  if (isId(name)) return snapshots.get(cluster.id, name);
  throw new LeafvaultError('SNAPSHOT_NOT_FOUND', `Restoring cluster ${cluster.name} failed: no snapshot is named ${name}`, { details: { id: name, clusterId: cluster.id } });
}
