// Restore drills and what they say of recovery, in our own API.
import { z } from 'zod';
import { DRILL_PLACES } from '../../domain/drill.ts';
import type { Answer } from '../wire/answer.ts';
import type { ProjectCall } from '../wire/mms-routes.ts';
import { readBody } from '../wire/read-body.ts';
import { readId } from '../wire/read-id.ts';
import { clusterOf } from './cluster-of.ts';
import { presentDrill, presentRecovery } from './present-drill.ts';

const order = z.strictObject({ namespaces: z.array(z.string().min(1)).optional(), where: z.enum(DRILL_PLACES).optional() });

/** As other jobs name who asked. */
const requester = ({ principal: { kind, name } }: ProjectCall): string => `${kind} ${name}`;

/** Every cluster of the project, a page at a time. */
export async function listRecovery(call: ProjectCall): Promise<Answer> {
  const page = call.page();
  const { items, totalCount } = await call.services.inventory.clusters(call.project.id, page);
  const results = await Promise.all(items.map(async (cluster) => presentRecovery(cluster, await call.services.drills.recovery(cluster))));
  return { kind: 'list', results, totalCount, page };
}

export async function getRecovery(call: ProjectCall): Promise<Answer> {
  const cluster = await clusterOf(call);
  return { kind: 'one', body: presentRecovery(cluster, await call.services.drills.recovery(cluster)) };
}

export async function listDrills(call: ProjectCall): Promise<Answer> {
  const cluster = await clusterOf(call);
  const page = call.page();
  const { items, totalCount } = await call.services.drills.list(cluster.id, page);
  return { kind: 'list', results: items.map(presentDrill), totalCount, page };
}

export async function askForDrill(call: ProjectCall): Promise<Answer> {
  const cluster = await clusterOf(call);
  const { namespaces, where } = readBody(order, call.body ?? {});
  return { kind: 'one', body: presentDrill(await call.services.drills.ask({ cluster, requestedBy: requester(call), namespaces, place: where })) };
}

export async function getDrill(call: ProjectCall): Promise<Answer> {
  const cluster = await clusterOf(call);
  return { kind: 'one', body: presentDrill(await call.services.drills.get(cluster.id, readId('drill', call.params['drillId']))) };
}

/** Answers the drill, which ends within moments. */
export async function cancelDrill(call: ProjectCall): Promise<Answer> {
  const cluster = await clusterOf(call);
  const id = readId('drill', call.params['drillId']);
  await call.services.drills.cancel({ cluster, id, requestedBy: requester(call) });
  return { kind: 'one', body: presentDrill(await call.services.drills.get(cluster.id, id)) };
}
