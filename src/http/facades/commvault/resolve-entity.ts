// Names and integers of an association to the cluster they mean. Names compare in lower case: the SDK sends them so.
// An id of 0 is not told; any other must belong to what the names say.
import type { FastifyRequest } from 'fastify';
import type { Principal, ProjectRole } from '../../../domain/roles.ts';
import { LeafvaultError } from '../../../foundation/errors.ts';
import type { Numbers, Services, Subclient } from '../../../services/contracts.ts';
import { requireProjectRole } from '../../authorize.ts';
import { noteChange, principalOf } from '../../facade.ts';
import type { Association } from './schemas.ts';
import { APPLICATION_ID, BACKUPSET_NAME, subclientByNumber, type Instance } from './tree/place.ts';

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
  const instance = theOnly(await fitting(services.numbers, visible, association), association);
  await requireChange(services, asking.request, instance, asking.anyOf);
  return instance;
}

/** @throws ENTITY_AMBIGUOUS, ENTITY_NOT_FOUND, IDS_DISAGREE */
function theOnly([instance, ...others]: readonly Instance[], { clientName, instanceName, backupsetName, applicationId }: Association): Instance {
  if (instance === undefined || others.length > 0) throw new LeafvaultError('ENTITY_AMBIGUOUS', 'Reading an association failed: several instances fit', { details: { clientName, instanceName } });
  if (backupsetName && !isNamed(BACKUPSET_NAME, backupsetName)) throw notFound('backup set', backupsetName);
  if (applicationId && ![APPLICATION_ID, BIG_DATA_APPS].includes(applicationId)) throw disagree('applicationId');
  return instance;
}

/** Instances of the names; of those, when there are several, the ones of the ids. A name without its id is disputed by the id. */
async function fitting(numbers: Numbers, visible: readonly Instance[], association: Association): Promise<readonly Instance[]> {
  const { clientName, clientId, instanceName, instanceId, backupsetId } = association;
  const clients = visible.filter(({ project }) => isNamed(project.name, clientName));
  if (clients.length === 0) throw notFound('client', clientName ?? String(clientId));
  const instances = clients.filter(({ cluster }) => isNamed(cluster.name, instanceName));
  if (instances.length === 0) throw notFound('instance', instanceName ?? String(instanceId));
  const ofClient = await withNumber(numbers, instances, { kind: 'project', name: 'clientId', what: 'client', number: clientId, isNamed: Boolean(clientName || instanceName) });
  const ofInstance = await withNumber(numbers, ofClient, { kind: 'cluster', name: 'instanceId', what: 'instance', number: instanceId, isNamed: Boolean(instanceName) });
  return withNumber(numbers, ofInstance, { kind: 'backupset', name: 'backupsetId', what: 'backup set', number: backupsetId, isNamed: Boolean(instanceName || instanceId) });
}

interface WantedNumber {
  readonly kind: 'project' | 'cluster' | 'backupset';
  readonly name: string;
  readonly what: string;
  readonly number: number | undefined;
  /** Something else says what is meant: then a number that is none of it is a contradiction. */
  readonly isNamed: boolean;
}

async function withNumber(numbers: Numbers, instances: readonly Instance[], wanted: WantedNumber): Promise<readonly Instance[]> {
  if (!wanted.number) return instances;
  const id = await numbers.idOf(wanted.kind, wanted.number);
  const kept = instances.filter(({ project, cluster }) => (wanted.kind === 'project' ? project.id : cluster.id) === id);
  if (kept.length === 0) throw wanted.isNamed ? disagree(wanted.name) : notFound(wanted.what, String(wanted.number));
  return kept;
}

/** By its name, or by its number alone. @throws SUBCLIENT_MISSING, SUBCLIENT_NOT_FOUND, ENTITY_UNKNOWN, IDS_DISAGREE */
export async function resolveSubclient(services: Services, principal: Principal, association: Association, instance: Instance): Promise<Subclient> {
  const { subclientName, subclientId } = association;
  if (!subclientName && !subclientId) throw new LeafvaultError('SUBCLIENT_MISSING', 'Reading an association failed: it names no subclient');
  if (!subclientName) return (await subclientAmong(services, principal, association, [instance])).subclient;
  const subclient = await services.subclients.resolve(instance.cluster.id, subclientName);
  if (subclientId && subclientId !== await services.numbers.numberOf('subclient', subclient.id)) throw disagree('subclientId');
  return subclient;
}

/** What is browsed, by its numbers or names; without a subclient everything. @throws INSTANCE_MISSING, ENTITY_NOT_FOUND, ENTITY_UNKNOWN, ENTITY_AMBIGUOUS, IDS_DISAGREE, SUBCLIENT_NOT_FOUND */
export async function resolveBrowsed(services: Services, principal: Principal, entity: Association): Promise<{ readonly instance: Instance; readonly subclient: Subclient }> {
  const { instanceName, instanceId = 0, backupsetId = 0, subclientId = 0, subclientName } = entity;
  if (!instanceName && instanceId + backupsetId + subclientId === 0) throw new LeafvaultError('INSTANCE_MISSING', 'Reading what is browsed failed: it names no instance');
  const named = await fitting(services.numbers, await services.inventory.visibleClusters(principal), entity);
  if (subclientId > 0) {
    const { instance, subclient } = await subclientAmong(services, principal, entity, named);
    return { instance: theOnly([instance], entity), subclient };
  }
  const instance = theOnly(named, entity);
  return { instance, subclient: await services.subclients.resolve(instance.cluster.id, subclientName || 'default') };
}

/** @throws ENTITY_UNKNOWN, IDS_DISAGREE where it is of another instance, or has another name than it is told */
async function subclientAmong(services: Services, principal: Principal, { subclientId = 0, subclientName }: Association, instances: readonly Instance[]): Promise<{ readonly instance: Instance; readonly subclient: Subclient }> {
  const { place, subclient } = await subclientByNumber(services, principal, subclientId);
  const instance = instances.find(({ cluster }) => cluster.id === place.cluster.id);
  if (instance === undefined || !isNamed(subclient.name, subclientName)) throw disagree('subclientId');
  return { instance, subclient };
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
