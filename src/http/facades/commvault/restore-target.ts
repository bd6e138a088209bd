// Where a restore goes. Into its source only where nothing else is named and nobody says that it goes elsewhere: a name that was passed over would put
// old data over what is live.
import type { FastifyRequest } from 'fastify';
import { isLeafvaultError, LeafvaultError } from '../../../foundation/errors.ts';
import type { Services } from '../../../services/contracts.ts';
import { principalOf } from '../../facade.ts';
import { unsupported } from './errors.ts';
import { disagree, isNamed, requireChange, resolveInstance } from './resolve-entity.ts';
import type { Association, RestoreOptions } from './schemas.ts';
import type { Instance } from './tree/place.ts';

export const MAY_RESTORE = ['GROUP_BACKUP_RECOVERY_OPERATOR'] as const;

/** Null, and 0 of an id, where nothing is told. */
export interface RestoreTarget {
  readonly inPlace: boolean | null;
  readonly clientName: string | null;
  readonly clientId: number;
  readonly instanceName: string | null;
  readonly instanceId: number;
  /** `host:port` of members of the target. */
  readonly hosts: readonly string[];
}

/** What a form says beside `destination`. */
export interface ToldByForm {
  readonly inPlace: boolean | null;
  readonly instanceName?: string | undefined;
  readonly hosts?: readonly string[];
}

/** @throws TASK_UNSUPPORTED, ATTRIBUTE_MISSING where it goes elsewhere and nothing says where, IDS_DISAGREE */
export function readTarget({ destination = {} }: RestoreOptions, { inPlace, instanceName, hosts = [] }: ToldByForm): RestoreTarget {
  const { destClient, destinationInstance, destPath = [] } = destination;
  if ([destPath].flat().some((each) => each.trim() !== '')) throw unsupported('A restore to a path (destPath)');
  const target = {
    inPlace,
    clientName: agreed('destination.destClient', destinationInstance?.clientName, destClient?.clientName, isNamed),
    clientId: agreed('destination.destClient', destinationInstance?.clientId, destClient?.clientId) ?? 0,
    instanceName: agreed('destination.destinationInstance', instanceName, destinationInstance?.instanceName, isNamed),
    instanceId: destinationInstance?.instanceId ?? 0,
    hosts,
  };
  const isInstanceTold = target.instanceName !== null || target.instanceId > 0;
  if (inPlace === false && !isInstanceTold && hosts.length === 0) throw instanceMissing();
  if (inPlace !== true && !isInstanceTold && hosts.length > 1) throw unsupported('A restore into several shards');
  return target;
}

/**
 * Who may restore into the source was asked before.
 * @throws TARGET_NOT_FOUND where an association would say that there is no subclient; TARGET_AMBIGUOUS, IDS_DISAGREE, ATTRIBUTE_MISSING, TASK_UNSUPPORTED, ROLE_MISSING
 */
export async function resolveTarget(services: Services, request: FastifyRequest, source: Instance, target: RestoreTarget): Promise<Instance> {
  const found = await find(services, request, source, target);
  if (target.inPlace === true && found.cluster.id !== source.cluster.id) throw unsupported('A restore in place into another instance');
  // A host that nobody has says nothing: clients send the names that the agents of the vendor would have.
  if (!target.hosts.some((host) => found.cluster.hosts.includes(host)) && (await withHost(services, request, target.hosts)).length > 0) throw disagree('destShardList.destHostName');
  return found;
}

async function find(services: Services, request: FastifyRequest, source: Instance, { inPlace, clientName, clientId, instanceName, instanceId, hosts: [host] }: RestoreTarget): Promise<Instance> {
  const ownNumber = await services.numbers.numberOf('project', source.project.id);
  const client: Association = clientName === null && clientId === 0 ? { clientName: source.project.name, clientId: ownNumber } : { ...(clientName === null ? {} : { clientName }), clientId };
  if (instanceName === null && instanceId === 0) {
    if (host !== undefined && inPlace !== true) return targetByHost(services, request, host);
    if (!isNamed(source.project.name, client.clientName) || (clientId > 0 && clientId !== ownNumber)) throw instanceMissing();
    return source;
  }
  try {
    return await resolveInstance(services, { ...client, ...(instanceName === null ? {} : { instanceName }), instanceId }, { request, anyOf: MAY_RESTORE });
  } catch (cause) {
    if (!isLeafvaultError(cause, 'ENTITY_NOT_FOUND')) throw cause;
    const name = instanceName ?? String(instanceId);
    throw new LeafvaultError('TARGET_NOT_FOUND', `Finding the target of a restore failed: no instance is named ${name}`, { cause, details: { name } });
  }
}

/** @throws TARGET_NOT_FOUND, TARGET_AMBIGUOUS, ROLE_MISSING */
async function targetByHost(services: Services, request: FastifyRequest, host: string): Promise<Instance> {
  const [found, ...others] = await withHost(services, request, [host]);
  if (found === undefined) throw new LeafvaultError('TARGET_NOT_FOUND', `Finding the target of a restore failed: no instance has the host ${host}`, { details: { name: host } });
  if (others.length > 0) {
    const names = [found, ...others].map(({ project, cluster }) => `${project.name}/${cluster.name}`);
    throw new LeafvaultError('TARGET_AMBIGUOUS', `Finding the target of a restore failed: the host ${host} is that of ${names.join(', ')}`, { details: { host, names } });
  }
  await requireChange(services, request, found, MAY_RESTORE);
  return found;
}

async function withHost({ inventory }: Services, request: FastifyRequest, hosts: readonly string[]): Promise<readonly Instance[]> {
  if (hosts.length === 0) return [];
  return (await inventory.visibleClusters(principalOf(request))).filter(({ cluster }) => cluster.hosts.some((each) => hosts.includes(each)));
}

/** The one that is told, or what both say. @throws IDS_DISAGREE */
function agreed<T extends string | number>(name: string, one: T | undefined, other: T | undefined, isSame: (one: T, other: T) => boolean = (a, b) => a === b): T | null {
  if (one && other && !isSame(one, other)) throw disagree(name);
  return one || other || null;
}

function instanceMissing(): LeafvaultError {
  const name = 'destination.destinationInstance.instanceName';
  return new LeafvaultError('ATTRIBUTE_MISSING', 'Reading the body failed: a restore that goes elsewhere names its instance', { details: { name } });
}
