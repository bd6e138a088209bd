// The backup schedule of one cluster.
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
  const changed = await call.services.schedules.change({ cluster, principal: call.principal, ...parseChangeSchedule(call.body, call.version) });
  return { kind: 'one', body: presentSchedule(changed, cluster, call) };
}

/** All items go, the policy stays; answered with the schedule, as recorded. */
export async function deleteSchedule(call: ProjectCall): Promise<Answer> {
  const cluster = await clusterOf(call);
  const changed = await call.services.schedules.change({ cluster, principal: call.principal, change: { items: [] } });
  return { kind: 'one', body: presentSchedule(changed, cluster, call) };
}
