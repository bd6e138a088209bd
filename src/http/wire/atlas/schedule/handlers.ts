// The backup schedule of one cluster.
import type { Cluster } from '../../../../domain/records.ts';
import { broken } from '../../../../domain/schedule.ts';
import type { GivenItem } from '../../../../services/contracts.ts';
import type { Answer } from '../../answer.ts';
import type { ProjectCall } from '../../mms-routes.ts';
import { clusterOf } from '../inventory/handlers.ts';
import { parseChangeSchedule } from './parse.ts';
import { presentSchedule } from './present.ts';

export async function getSchedule(call: ProjectCall): Promise<Answer> {
  const cluster = await clusterOf(call);
  return { kind: 'one', body: presentSchedule(await call.services.schedules.get(cluster), cluster, call) };
}

export async function updateSchedule(call: ProjectCall): Promise<Answer> {
  const cluster = await clusterOf(call);
  const parsed = parseChangeSchedule(call.body, call.version);
  if (parsed.change.items?.some(isBeyondAtlas) === true) await requireThere(call, cluster);
  const changed = await call.services.schedules.change({ cluster, principal: call.principal, ...parsed });
  return { kind: 'one', body: presentSchedule(changed, cluster, call) };
}

/** All items go and the export with them, so that its bucket is free; the policy stays. Answered with the schedule, as recorded. */
export async function deleteSchedule(call: ProjectCall): Promise<Answer> {
  const cluster = await clusterOf(call);
  const changed = await call.services.schedules.change({ cluster, principal: call.principal, change: { items: [], export: null } });
  return { kind: 'one', body: presentSchedule(changed, cluster, call) };
}

/** Every 24 hours, which only Ops Manager has. */
function isBeyondAtlas({ frequencyType, frequencyInterval }: Pick<GivenItem, 'frequencyType' | 'frequencyInterval'>): boolean {
  return frequencyType === 'hourly' && frequencyInterval === 24;
}

/** What was read can be sent back. @throws SCHEDULE_INVALID: the schedule never had it */
async function requireThere({ services }: ProjectCall, cluster: Cluster): Promise<void> {
  const { items } = await services.schedules.get(cluster);
  if (!items.some(isBeyondAtlas)) throw broken('interval', 'the interval of an hourly item is one of 1, 2, 4, 6, 8, 12', 24);
}
