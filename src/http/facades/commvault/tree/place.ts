// Where things stand in Commvault's tree, with its integers: client = project, instance = cluster, one backup set for each, subclients.
import type { FastifyRequest } from 'fastify';
import type { Cluster, Project } from '../../../../domain/records.ts';
import type { Principal } from '../../../../domain/roles.ts';
import { isLeafvaultError, LeafvaultError } from '../../../../foundation/errors.ts';
import type { Services, Subclient } from '../../../../services/contracts.ts';

export const APPLICATION_ID = 134;
export const APP_NAME = 'Cloud Apps';
export const BACKUPSET_NAME = 'defaultBackupSet';

export interface Instance { readonly project: Project; readonly cluster: Cluster }

export interface Place extends Instance {
  readonly clientId: number;
  readonly instanceId: number;
  readonly backupsetId: number;
}

export type Kind = 'client' | 'instance' | 'backup set' | 'subclient' | 'schedule';

/** What of the tree a request means; a number that is not told leaves everything in. */
export interface TreeFilter {
  readonly clientId: number | null;
  readonly applicationId: number | null;
  readonly instanceId: number | null;
  readonly backupsetId: number | null;
  readonly subclientId: number | null;
}

const NAMES: Readonly<Record<keyof TreeFilter, readonly string[]>> = {
  clientId: ['clientid'],
  applicationId: ['applicationid', 'apptypeid'],
  instanceId: ['instanceid'],
  backupsetId: ['backupsetid'],
  subclientId: ['subclientid'],
};

/** Names of parameters come in any case, some behind a path: `association/entity/clientId`. 0 and less stand for "not told". @throws QUERY_INVALID */
export function readTreeFilter({ query }: Pick<FastifyRequest, 'query'>): TreeFilter {
  const given = new Map(Object.entries((query ?? {}) as Record<string, unknown>).map(([name, value]) => [(name.split('/').at(-1) ?? name).toLowerCase(), value]));
  const read = (field: keyof TreeFilter): number | null => {
    const value = NAMES[field].map((name) => given.get(name)).find((each) => each !== undefined && each !== '');
    if (value === undefined) return null;
    if (typeof value !== 'string' || !/^-?\d{1,15}$/.test(value)) throw new LeafvaultError('QUERY_INVALID', `Reading the query failed: ${field} must be a whole number`, { details: { name: field } });
    return Number(value) > 0 ? Number(value) : null;
  };
  return { clientId: read('clientId'), applicationId: read('applicationId'), instanceId: read('instanceId'), backupsetId: read('backupsetId'), subclientId: read('subclientId') };
}

export async function placeOf({ numbers }: Pick<Services, 'numbers'>, { project, cluster }: Instance): Promise<Place> {
  return {
    project,
    cluster,
    clientId: await numbers.numberOf('project', project.id),
    instanceId: await numbers.numberOf('cluster', cluster.id),
    backupsetId: await numbers.numberOf('backupset', cluster.id),
  };
}

/** Those that the principal may see and the filter leaves in. An unknown number, and another agent than ours, leaves nothing. */
export async function placesOf(services: Services, principal: Principal, { clientId, applicationId, instanceId, backupsetId }: TreeFilter): Promise<readonly Place[]> {
  if (applicationId !== null && applicationId !== APPLICATION_ID) return [];
  const idOf = async (kind: 'project' | 'cluster' | 'backupset', number: number | null): Promise<string | null> => (number === null ? null : (await services.numbers.idOf(kind, number)) ?? 'nobody');
  const [projectId, clusterId, setOf] = await Promise.all([idOf('project', clientId), idOf('cluster', instanceId), idOf('backupset', backupsetId)]);
  const visible = await services.inventory.visibleClusters(principal);
  const fits = (wanted: string | null, id: string): boolean => wanted === null || wanted === id;
  const chosen = visible.filter(({ project, cluster }) => fits(projectId, project.id) && fits(clusterId, cluster.id) && fits(setOf, cluster.id));
  const places: Place[] = [];
  for (const instance of chosen) places.push(await placeOf(services, instance));
  return places;
}

/** @throws ENTITY_UNKNOWN where the number is nobody's, or of what the principal may not see */
export async function instanceByNumber(services: Services, principal: Principal, kind: 'cluster' | 'backupset', number: number): Promise<Place> {
  const clusterId = await services.numbers.idOf(kind, number);
  const visible = await services.inventory.visibleClusters(principal);
  const instance = visible.find(({ cluster }) => cluster.id === clusterId);
  if (instance === undefined) throw notFound(kind === 'cluster' ? 'instance' : 'backup set', String(number));
  return placeOf(services, instance);
}

/** @throws ENTITY_UNKNOWN */
export async function subclientByNumber(services: Services, principal: Principal, number: number): Promise<{ readonly place: Place; readonly subclient: Subclient }> {
  const id = await services.numbers.idOf('subclient', number);
  const subclient = id === null ? null : await services.subclients.get(id).catch((error: unknown) => {
    // Deleted: its number stays known.
    if (isLeafvaultError(error, 'SUBCLIENT_NOT_FOUND')) return null;
    throw error;
  });
  const visible = subclient === null ? [] : await services.inventory.visibleClusters(principal);
  const instance = visible.find(({ cluster }) => cluster.id === subclient?.clusterId);
  if (subclient === null || instance === undefined) throw notFound('subclient', String(number));
  return { place: await placeOf(services, instance), subclient };
}

/** @throws ENTITY_UNKNOWN for what can't be a number */
export function numberIn({ params }: Pick<FastifyRequest, 'params'>, kind: Kind): number {
  const { number = '' } = params as { readonly number?: string };
  if (/^[1-9]\d{0,14}$/.test(number)) return Number(number);
  throw notFound(kind, number);
}

export function notFound(kind: Kind, name: string): LeafvaultError {
  return new LeafvaultError('ENTITY_UNKNOWN', `Reading the tree failed: no ${kind} ${name} is visible`, { details: { kind, name } });
}
