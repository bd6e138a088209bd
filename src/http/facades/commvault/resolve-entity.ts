// Names and integers of an association to the cluster they mean. Names compare in lower case: the SDK sends them so.
// An id of 0 is not told; any other must belong to what the names say.
import type { FastifyRequest } from 'fastify';
import type { Cluster } from '../../../domain/records.ts';
import type { Principal, ProjectRole } from '../../../domain/roles.ts';
import { LeafvaultError } from '../../../foundation/errors.ts';
import type { Numbers, Services, Subclient, Subclients } from '../../../services/contracts.ts';
import { requireProjectRole } from '../../authorize.ts';
import { noteChange, principalOf } from '../../facade.ts';
import type { Association } from './schemas.ts';
import { APPLICATION_ID, BACKUPSET_NAME, placesOf, subclientByNumber, type Instance } from './tree/place.ts';

/** Big data apps: the agent under which the vendor keeps MongoDB; what it asks for is understood, its tree is not shown. */
const BIG_DATA_APPS = 64;

type Lookup = Pick<Services, 'inventory' | 'numbers' | 'subclients'>;

/** Lets those pass who may change something there, and says in the audit where it was. @throws ROLE_MISSING */
export async function requireChange(services: Pick<Services, 'inventory'>, request: FastifyRequest, { project, cluster }: Instance, anyOf: readonly ProjectRole[]): Promise<void> {
  noteChange(request, { projectId: project.id, clusterName: cluster.name });
  await requireProjectRole(services, { principal: principalOf(request), projectId: project.id, anyOf });
}

/** @throws CLIENT_MISSING, INSTANCE_MISSING, ENTITY_NOT_FOUND, ENTITY_AMBIGUOUS, IDS_DISAGREE, ROLE_MISSING */
export async function resolveInstance(
  services: Lookup, association: Association, asking: { readonly request: FastifyRequest; readonly anyOf: readonly ProjectRole[] },
): Promise<Instance> {
  if (!association.clientName && !association.clientId) throw new LeafvaultError('CLIENT_MISSING', 'Reading an association failed: it names no client');
  if (!association.instanceName && !association.instanceId) throw new LeafvaultError('INSTANCE_MISSING', 'Reading an association failed: it names no instance');
  const visible = await services.inventory.visibleClusters(principalOf(asking.request));
  const named = await fitting(services.numbers, visible, association);
  if (named.length > 1) {
    throw new LeafvaultError('ENTITY_AMBIGUOUS', 'Reading an association failed: several instances fit', { details: { clientName: association.clientName, instanceName: association.instanceName } });
  }
  const [instance] = named;
  if (instance === undefined) throw notFound('instance', association.instanceName ?? String(association.instanceId));
  await checkRest(services.numbers, association, instance);
  await requireChange(services, asking.request, instance, asking.anyOf);
  return instance;
}

/** Instances of the names; of those, when there are several, the ones of the ids. A name without its id is disputed by the id. */
async function fitting(numbers: Numbers, visible: readonly Instance[], association: Association): Promise<readonly Instance[]> {
  const clients = visible.filter(({ project }) => isNamed(project.name, association.clientName));
  if (clients.length === 0) throw notFound('client', association.clientName ?? String(association.clientId));
  const instances = clients.filter(({ cluster }) => isNamed(cluster.name, association.instanceName));
  if (instances.length === 0) throw notFound('instance', association.instanceName ?? String(association.instanceId));
  const ofClient = await withNumber(instances, association.clientId, 'clientId', ({ project }) => numbers.numberOf('project', project.id));
  return withNumber(ofClient, association.instanceId, 'instanceId', ({ cluster }) => numbers.numberOf('cluster', cluster.id));
}

async function withNumber(
  instances: readonly Instance[], wanted: number | undefined, name: string, numberOf: (instance: Instance) => Promise<number>,
): Promise<readonly Instance[]> {
  if (!wanted) return instances;
  const numbers = await Promise.all(instances.map(numberOf));
  const kept = instances.filter((_, index) => numbers[index] === wanted);
  if (kept.length === 0) throw disagree(name);
  return kept;
}

async function checkRest(numbers: Numbers, association: Association, { cluster }: Instance): Promise<void> {
  if (association.backupsetName && !isNamed(BACKUPSET_NAME, association.backupsetName)) throw notFound('backup set', association.backupsetName);
  if (association.applicationId && ![APPLICATION_ID, BIG_DATA_APPS].includes(association.applicationId)) throw disagree('applicationId');
  if (association.backupsetId && association.backupsetId !== await numbers.numberOf('backupset', cluster.id)) throw disagree('backupsetId');
}

/** @throws SUBCLIENT_MISSING, SUBCLIENT_NOT_FOUND, IDS_DISAGREE */
export async function resolveSubclient(services: Lookup, association: Association, cluster: Cluster): ReturnType<Subclients['resolve']> {
  if (!association.subclientName) throw new LeafvaultError('SUBCLIENT_MISSING', 'Reading an association failed: it names no subclient');
  const subclient = await services.subclients.resolve(cluster.id, association.subclientName);
  if (association.subclientId && association.subclientId !== await services.numbers.numberOf('subclient', subclient.id)) throw disagree('subclientId');
  return subclient;
}

/** What is browsed, by its numbers or names; without a subclient everything. @throws INSTANCE_MISSING, ENTITY_NOT_FOUND, ENTITY_AMBIGUOUS, IDS_DISAGREE, SUBCLIENT_NOT_FOUND */
export async function resolveBrowsed(services: Services, principal: Principal, entity: Association): Promise<{ readonly instance: Instance; readonly subclient: Subclient }> {
  const { clientName, instanceName, clientId = 0, instanceId = 0, backupsetId = 0, subclientId = 0, subclientName } = entity;
  if (!instanceName && instanceId + backupsetId + subclientId === 0) throw new LeafvaultError('INSTANCE_MISSING', 'Reading what is browsed failed: it names no instance');
  const filter = { clientId: clientId || null, applicationId: null, instanceId: instanceId || null, backupsetId: backupsetId || null, subclientId: null };
  const named = (await placesOf(services, principal, filter)).filter(({ project, cluster }) => isNamed(project.name, clientName) && isNamed(cluster.name, instanceName));
  if (named.length === 0) throw notFound('instance', instanceName ?? String(instanceId || backupsetId));
  if (subclientId > 0) {
    const { place, subclient } = await subclientByNumber(services, principal, subclientId);
    if (!named.some(({ cluster }) => cluster.id === place.cluster.id)) throw disagree('subclientId');
    return { instance: place, subclient };
  }
  const [instance, ...others] = named;
  if (instance === undefined || others.length > 0) throw new LeafvaultError('ENTITY_AMBIGUOUS', 'Reading what is browsed failed: several instances fit', { details: { clientName, instanceName } });
  return { instance, subclient: await services.subclients.resolve(instance.cluster.id, subclientName || 'default') };
}

/** In any case; no name fits all. */
export function isNamed(name: string, asked: string | undefined): boolean {
  return !asked || name.toLowerCase() === asked.toLowerCase();
}

function notFound(kind: string, name: string): LeafvaultError {
  return new LeafvaultError('ENTITY_NOT_FOUND', `Reading an association failed: no ${kind} named ${name} is visible`, { details: { kind, name } });
}

export function disagree(name: string): LeafvaultError {
  return new LeafvaultError('IDS_DISAGREE', `Reading an association failed: ${name} belongs to something else`, { details: { name } });
}
