// Subclients made, changed and deleted, and their backup. Answers are lists where the SDK reads lists.
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Services, Subclient, SubclientContent } from '../../../../services/contracts.ts';
import { LeafvaultError } from '../../../../foundation/errors.ts';
import { principalOf } from '../../../facade.ts';
import { readBody } from '../../../wire/read-body.ts';
import { unsupported } from '../errors.ts';
import { requireChange, resolveInstance } from '../resolve-entity.ts';
import { subclientBody } from '../schemas.ts';
import { parseContent } from './content.ts';
import { numberIn, placeOf, subclientByNumber, type Place } from './place.ts';
import { subclientEntity } from './present-tree.ts';

/** Whoever may change the schedule of a cluster. */
const MAY_CHANGE = ['GROUP_BACKUP_MANAGER'] as const;

type Body = z.infer<typeof subclientBody>;

export async function createSubclient(services: Services, request: FastifyRequest): Promise<object> {
  const { subClientProperties } = readBody(subclientBody, request.body);
  const { subClientEntity = {}, commonProperties, cloudDbContent } = subClientProperties;
  refuseDisabled(subClientProperties);
  const instance = await resolveInstance(services, subClientEntity, { request, anyOf: MAY_CHANGE });
  if (!subClientEntity.subclientName) throw new LeafvaultError('SUBCLIENT_MISSING', 'Creating a subclient failed: it has no name');
  const content = cloudDbContent === undefined ? { databases: [], collections: [] } : parseContent(cloudDbContent);
  const made = await services.subclients.create({ ...content, cluster: instance.cluster, name: subClientEntity.subclientName, description: commonProperties?.description });
  return { response: { errorCode: 0, errorString: '', warningCode: 0, warningMessage: '', entity: await entityOf(services, await placeOf(services, instance), made) } };
}

export async function changeSubclient(services: Services, request: FastifyRequest): Promise<object> {
  const { subClientProperties, newName } = readBody(subclientBody, request.body);
  refuseDisabled(subClientProperties);
  const { place, subclient } = await changeable(services, request);
  const { cloudDbContent, commonProperties } = subClientProperties;
  const content = cloudDbContent?.children === undefined ? undefined : combined(subclient, parseContent(cloudDbContent), subClientProperties.contentOperationType);
  const changed = await services.subclients.change(subclient, { content, name: newName, description: commonProperties?.description });
  return { response: [{ errorCode: 0, errorString: '', entity: await entityOf(services, place, changed) }] };
}

export async function deleteSubclient(services: Services, request: FastifyRequest): Promise<object> {
  const { subclient } = await changeable(services, request);
  await services.subclients.remove(subclient);
  return { response: [{ errorCode: 0, errorString: '' }] };
}

async function changeable(services: Services, request: FastifyRequest): Promise<{ readonly place: Place; readonly subclient: Subclient }> {
  const found = await subclientByNumber(services, principalOf(request), numberIn(request, 'subclient'));
  await requireChange(services, request, found.place, MAY_CHANGE);
  return found;
}

async function entityOf({ numbers }: Services, place: Place, { id, name }: Subclient): Promise<object> {
  return subclientEntity(place, { subclientId: await numbers.numberOf('subclient', id), subclientName: name });
}

/** Overwrite, add, delete: in words or numbers; what is not told overwrites. */
function combined(old: SubclientContent, given: SubclientContent, operation: Body['subClientProperties']['contentOperationType']): SubclientContent {
  const how = String(operation ?? 'overwrite').toLowerCase();
  if (['1', 'overwrite'].includes(how)) return given;
  if (['2', 'add'].includes(how)) return { databases: [...old.databases, ...given.databases], collections: [...old.collections, ...given.collections] };
  if (['3', 'delete'].includes(how)) {
    return { databases: old.databases.filter((name) => !given.databases.includes(name)), collections: old.collections.filter((name) => !given.collections.includes(name)) };
  }
  throw new LeafvaultError('ENUM_UNKNOWN', `Reading the body failed: contentOperationType ${how} is not known`, { details: { name: `contentOperationType [${how}]` } });
}

/** To take the order and go on backing up would be a false answer. */
function refuseDisabled({ commonProperties }: Body['subClientProperties']): void {
  if (commonProperties?.enableBackup === false) throw unsupported('A subclient whose backup is disabled');
}
