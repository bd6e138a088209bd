// Schedules as Commvault's clients see them: every item of a cluster's one schedule is a task of its own, of the subclient `default`.
import type { FastifyRequest } from 'fastify';
import type { Cluster } from '../../../../domain/records.ts';
import type { Principal } from '../../../../domain/roles.ts';
import { longestDays, type PolicyItem } from '../../../../domain/retention.ts';
import type { ClusterSchedule, GivenItem, Services } from '../../../../services/contracts.ts';
import { principalOf } from '../../../facade.ts';
import { readBody } from '../../../wire/read-body.ts';
import { unsupported } from '../errors.ts';
import { FULL } from '../levels.ts';
import { commandBody, type Association } from '../schemas.ts';
import { requireChange, resolveInstance, resolveSubclient } from '../resolve-entity.ts';
import { notFound, numberIn, placeOf, placesOf, readTreeFilter, type Place } from '../tree/place.ts';
import { subclientEntity } from '../tree/present-tree.ts';
import { presentPattern, rankOf, type Frequency, type Times } from './pattern.ts';

const MAY_CHANGE = ['GROUP_BACKUP_MANAGER'] as const;
/** Commvault keeps retention in a plan; a task names none. A monthly item has to keep a month. */
const DAYS = 30;
const DAYS_OF_MONTHS = 31;
/** The operation "delete" of the vendor's command. */
const DELETE = 3;

type Inside = Pick<Services, 'schedules' | 'numbers'>;

export interface Addition {
  readonly cluster: Cluster;
  /** Adds its items to the cluster's schedule, gives the number of the first one's task. */
  readonly add: (inside: Inside) => Promise<number>;
}

/** The one order in which several clusters are changed. */
export function byCluster(one: { readonly cluster: Cluster }, other: { readonly cluster: Cluster }): number {
  return one.cluster.id < other.cluster.id ? -1 : Number(one.cluster.id > other.cluster.id);
}

/** @throws TASK_UNSUPPORTED, and as names are resolved */
export async function prepareSchedule(services: Services, request: FastifyRequest, { association, times }: { readonly association: Association; readonly times: Times }): Promise<Addition> {
  const instance = await resolveInstance(services, association, { request, anyOf: MAY_CHANGE });
  const { cluster } = instance;
  const subclient = await resolveSubclient(services, principalOf(request), association, instance);
  if (!subclient.isDefault) throw unsupported(`A schedule of the subclient ${subclient.name}: only everything, which is "default", is backed up by schedule; that`);
  refuseOtherTime(await services.schedules.get(cluster), times);
  return { cluster, add: (inside) => addItems(inside, principalOf(request), cluster, times) };
}

/** @throws TASK_UNSUPPORTED, SCHEDULE_INVALID */
async function addItems({ schedules, numbers }: Inside, principal: Principal, cluster: Cluster, times: Times): Promise<number> {
  const { referenceHour, referenceMinute } = times;
  let known: ReadonlySet<string> = new Set();
  // Of what it finds, inside of the change: another task, or another association of this one, may have made items a moment ago.
  const made = await schedules.change({ cluster, principal, change: (old) => {
    refuseOtherTime(old, times);
    known = new Set(old.items.map(({ id }) => id));
    const items = times.items.reduce<readonly GivenItem[]>((all, frequency) => [...all, { ...frequency, retentionUnit: 'days', retentionValue: daysBetween(all, frequency) }], old.items);
    return { items, referenceHour, referenceMinute };
  } });
  const first = made.items.find(({ id }) => !known.has(id));
  return numbers.numberOf('task', taskOf(first?.id ?? ''));
}

function refuseOtherTime(old: Pick<ClusterSchedule, 'items' | 'referenceHour' | 'referenceMinute'>, { referenceHour, referenceMinute }: Times): void {
  if (old.items.length === 0 || (old.referenceHour === referenceHour && old.referenceMinute === referenceMinute)) return;
  throw unsupported(`Another time of the day than ${clock(old)} UTC, at which all items of this cluster's schedule are due,`);
}

/** As long as a rare item has to be kept beside frequent ones, no longer than a frequent one may beside rare ones. */
function daysBetween(items: readonly GivenItem[], { frequencyType }: Frequency): number {
  const days = (chosen: (rank: number) => boolean): readonly number[] => items.filter((item) => chosen(rankOf(item.frequencyType))).map((item) => longestDays(item));
  const rank = rankOf(frequencyType);
  const wanted = frequencyType === 'monthly' || frequencyType === 'yearly' ? DAYS_OF_MONTHS : DAYS;
  return Math.min(Math.max(wanted, ...days((other) => other < rank)), ...days((other) => other > rank));
}

export async function listSchedules(services: Services, request: FastifyRequest): Promise<object> {
  const filter = readTreeFilter(request);
  const taskDetail: object[] = [];
  for (const place of await placesOf(services, principalOf(request), filter)) {
    const { id } = await services.subclients.resolve(place.cluster.id, 'default');
    const subclientId = await services.numbers.numberOf('subclient', id);
    if (filter.subclientId !== null && filter.subclientId !== subclientId) continue;
    const schedule = await services.schedules.get(place.cluster);
    for (const item of schedule.items) taskDetail.push(await presentTask(services, place, { schedule, item, subclientId }));
  }
  return taskDetail.length === 0 ? {} : { taskDetail };
}

export async function getSchedule(services: Services, request: FastifyRequest): Promise<object> {
  const number = numberIn(request, 'schedule');
  const { place, schedule, item } = await scheduleByNumber(services, principalOf(request), number);
  const { id } = await services.subclients.resolve(place.cluster.id, 'default');
  return { taskInfo: await presentTask(services, place, { schedule, item, subclientId: await services.numbers.numberOf('subclient', id) }) };
}

/** The vendor's general command, of which the deletion of schedules alone is offered. */
export async function runCommand(services: Services, request: FastifyRequest): Promise<object> {
  const { TMMsg_TaskOperationReq: order } = readBody(commandBody, request.body);
  if (order === undefined || order.opType !== DELETE) throw unsupported('This command');
  const principal = principalOf(request);
  const doomed: Found[] = [];
  for (const { subtaskId } of order.subtaskEntity) doomed.push(await scheduleByNumber(services, principal, subtaskId));
  for (const { place } of doomed) await requireChange(services, request, place, MAY_CHANGE);
  await services.together(async ({ schedules }) => {
    for (const { cluster, item } of doomed.map(({ place, ...found }) => ({ ...found, cluster: place.cluster })).sort(byCluster)) {
      await schedules.change({ cluster, principal, change: ({ items }) => ({ items: items.filter(({ id }) => id !== item.id) }) });
    }
  });
  return { errorCode: 0, errorMessage: '' };
}

interface Found { readonly place: Place; readonly schedule: ClusterSchedule; readonly item: PolicyItem }

/** @throws ENTITY_UNKNOWN */
async function scheduleByNumber(services: Services, principal: Principal, number: number): Promise<Found> {
  const [clusterId, itemId] = ((await services.numbers.idOf('task', number)) ?? '').replace(/^subtask /, '').split(' ');
  const visible = await services.inventory.visibleClusters(principal);
  for (const instance of visible.filter(({ cluster }) => cluster.id === clusterId)) {
    const schedule = await services.schedules.get(instance.cluster);
    const item = schedule.items.find(({ id }) => id === itemId);
    if (item !== undefined) return { place: await placeOf(services, instance), schedule, item };
  }
  throw notFound('schedule', String(number));
}

async function presentTask({ numbers }: Services, place: Place, { schedule, item, subclientId }: { readonly schedule: ClusterSchedule; readonly item: PolicyItem; readonly subclientId: number }): Promise<object> {
  const name = `${item.frequencyType} ${item.frequencyInterval}`;
  const ids = { taskId: await numbers.numberOf('task', taskOf(item.id)), subTaskId: await numbers.numberOf('task', subTaskOf(place.cluster.id, item.id)) };
  return {
    associations: [subclientEntity(place, { subclientId, subclientName: 'default' })],
    task: { taskId: ids.taskId, taskType: 2, taskName: '', description: '', taskFlags: { disabled: false } },
    subTasks: [{
      subTask: { subTaskId: ids.subTaskId, subTaskName: name, subTaskType: 2, operationType: 2 },
      pattern: { ...presentPattern(item, schedule), description: `${name} at ${clock(schedule)} UTC, kept ${item.retentionValue} ${item.retentionUnit}` },
      options: { backupOpts: { backupLevel: FULL.number } },
    }],
  };
}

function clock({ referenceHour, referenceMinute }: Pick<ClusterSchedule, 'referenceHour' | 'referenceMinute'>): string {
  return `${String(referenceHour).padStart(2, '0')}:${String(referenceMinute).padStart(2, '0')}`;
}

function taskOf(itemId: string): string {
  return `schedule ${itemId}`;
}

function subTaskOf(clusterId: string, itemId: string): string {
  return `subtask ${clusterId} ${itemId}`;
}
