// `createtask`: every association is understood before the first job is made, then one job for each.
import type { FastifyRequest } from 'fastify';
import { isId } from '../../../foundation/ids.ts';
import { isLeafvaultError, LeafvaultError } from '../../../foundation/errors.ts';
import type { Services } from '../../../services/contracts.ts';
import type { TimeSeriesChoice } from '../../../domain/records.ts';
import type { Principal } from '../../../domain/roles.ts';
import { principalOf } from '../../facade.ts';
import { readTimeSeries } from '../../wire/read-time-series.ts';
import { parseCreateTask, type Work } from './parse.ts';
import { resolveInstance, resolveSubclient, type Instance } from './resolve-entity.ts';
import type { Association } from './schemas.ts';

/** Commvault keeps retention in a plan; a task names none. */
const RETENTION_DAYS = 30;

/** Makes one job, gives its number. */
type Start = () => Promise<number>;

interface Order<Kind extends Work> {
  readonly work: Kind;
  readonly association: Association;
  readonly timeSeries: TimeSeriesChoice | undefined;
}

export async function createTask(services: Services, request: FastifyRequest): Promise<object> {
  const principal = principalOf(request);
  const { associations, work } = parseCreateTask(request.body);
  const timeSeries = readTimeSeries(request.headers);
  const starts: Start[] = [];
  for (const each of work) {
    for (const association of associations) starts.push(await prepare(services, principal, { work: each, association, timeSeries }));
  }
  const jobNumbers: number[] = [];
  for (const start of starts) jobNumbers.push(await start());
  return { taskId: await services.numbers.numberOf('task', String(jobNumbers[0])), jobIds: jobNumbers.map(String) };
}

function prepare(services: Services, principal: Principal, order: Order<Work>): Promise<Start> {
  return order.work.kind === 'backup'
    ? prepareBackup(services, principal, order.association)
    : prepareRestore(services, principal, { ...order, work: order.work });
}

async function prepareBackup(services: Services, principal: Principal, association: Association): Promise<Start> {
  const { cluster } = await resolveInstance(services, association, { principal, anyOf: ['GROUP_BACKUP_CREATOR'] });
  const { name, databases, collections } = await resolveSubclient(services, association, cluster);
  const selection = databases.length + collections.length === 0 ? {} : { selection: { databases, collections } };
  return async () => {
    const { job } = await services.snapshots.create({ cluster, principal, description: `Commvault subclient ${name}`, retentionDays: RETENTION_DAYS, isRetentionAsked: false, ...selection });
    return job.number;
  };
}

/** The target is named; without a name the instance itself is restored. Its client is the same unless told. */
async function prepareRestore(
  services: Services, principal: Principal, { work, association, timeSeries }: Order<Extract<Work, { kind: 'restore' }>>,
): Promise<Start> {
  const { cluster, project } = await resolveInstance(services, association, { principal, anyOf: ['GROUP_BACKUP_RECOVERY_OPERATOR'] });
  if (!isId(work.snapshotName)) {
    throw new LeafvaultError('SNAPSHOT_NOT_FOUND', `Restoring cluster ${cluster.name} failed: no snapshot is named ${work.snapshotName}`, { details: { id: work.snapshotName, clusterId: cluster.id } });
  }
  const target = await resolveTarget(services, principal, {
    clientName: work.targetClient ?? project.name,
    instanceName: work.targetInstance ?? cluster.name,
    ...(work.targetClient === null ? { clientId: await services.numbers.numberOf('project', project.id) } : {}),
  });
  await services.snapshots.get(cluster.id, work.snapshotName);
  return async () => {
    const restore = await services.restores.create({
      cluster, principal, snapshotId: work.snapshotName, delivery: 'automated', target: { projectId: target.project.id, cluster: { id: target.cluster.id } }, timeSeries,
    });
    return (await services.jobs.get(restore.jobId)).number;
  };
}

/** @throws TARGET_NOT_FOUND where an association would say that there is no subclient */
async function resolveTarget(services: Services, principal: Principal, named: Association): Promise<Instance> {
  try {
    return await resolveInstance(services, named, { principal, anyOf: ['GROUP_BACKUP_RECOVERY_OPERATOR'] });
  } catch (cause) {
    if (!isLeafvaultError(cause, 'ENTITY_NOT_FOUND')) throw cause;
    throw new LeafvaultError('TARGET_NOT_FOUND', `Finding the target of a restore failed: no instance is named ${String(named.instanceName)}`, { cause, details: { name: named.instanceName } });
  }
}
