// What was changed in an organization or a group, and by whom: the audit in Atlas's form.
import { orgRolesOf } from '../../../../domain/roles.ts';
import { LeafvaultError } from '../../../../foundation/errors.ts';
import type { ChangeEvent, ChangeFilter } from '../../../../services/administration-contracts.ts';
import type { Answer } from '../../answer.ts';
import { everyParameter, parameter } from '../../read-query.ts';
import { readId } from '../../read-id.ts';
import { isoSeconds } from '../../time-text.ts';
import type { Call } from '../../mms-routes.ts';
import { placeOf, type PlacedCall } from '../credentials/place.ts';
import { actionsOf, eventTypeOf } from './event-types.ts';

export async function listEvents(call: PlacedCall): Promise<Answer> {
  const page = call.page();
  const { items, totalCount } = await call.services.administration.events.list({ ...whereOf(call), ...filterOf(call.query) }, page);
  return { kind: 'list', page, totalCount, results: items.map((each) => presentEvent(each, call)) };
}

export async function getEvent(call: PlacedCall): Promise<Answer> {
  const id = readId('event', call.params['eventId']);
  return { kind: 'one', body: presentEvent(await call.services.administration.events.get(whereOf(call), id), call) };
}

/** Who may not read all projects of the organization is told of those that he holds a role in, and of what belongs to none. */
function whereOf(call: PlacedCall): Pick<ChangeFilter, 'orgId' | 'projectId' | 'inProjects'> {
  const { orgId, projectId } = placeOf(call);
  if (projectId !== null) return { orgId, projectId };
  if (orgRolesOf(call.principal, orgId).has('ORG_READ_ONLY')) return { orgId };
  return { orgId, inProjects: call.principal.grants.flatMap((grant) => grant.projectId ?? []) };
}

function filterOf(query: unknown): Omit<ChangeFilter, 'orgId' | 'projectId' | 'inProjects'> {
  // A list that ignored it would mislead.
  if (parameter(query, 'clusterNames') !== undefined) throw new LeafvaultError('QUERY_INVALID', 'Reading events failed: they are not looked for by cluster', { details: { name: 'clusterNames', value: '' } });
  const [types, except] = [everyParameter(query, 'eventType'), everyParameter(query, 'excludedEventType')];
  return {
    ...(types === undefined ? {} : { actions: actionsOf(types) }),
    ...(except === undefined ? {} : { exceptActions: actionsOf(except) }),
    from: timeOf(query, 'minDate'), to: timeOf(query, 'maxDate'),
  };
}

function timeOf(query: unknown, name: string): Date | undefined {
  const text = parameter(query, name);
  if (text === undefined) return undefined;
  const time = new Date(text);
  if (/^\d{4}-\d{2}-\d{2}/.test(text) && !Number.isNaN(time.getTime())) return time;
  throw new LeafvaultError('QUERY_INVALID', `Reading events failed: ${name} is no time of the form 2026-01-01T00:00:00Z`, { details: { name, value: text } });
}

/** Of an API key the id and public key, of a service account its client id in the same place, of a user his name. */
function presentEvent(event: ChangeEvent, { root }: Pick<Call, 'root'>): object {
  const { id, at, principalKind, principalId, principalName, projectId, orgId, address } = event;
  const isUser = principalKind === 'user';
  return {
    apiKeyId: isUser ? undefined : (principalId ?? undefined),
    clusterName: event.clusterName ?? undefined,
    created: isoSeconds(at),
    // A client that reads nothing else must not take it for done.
    eventTypeName: `${eventTypeOf(event.action)}${event.outcomeUnknown ? '_OUTCOME_UNKNOWN' : ''}`,
    groupId: projectId ?? undefined,
    id,
    isGlobalAdmin: false,
    links: [{ href: projectId === null ? `${root}/orgs/${orgId ?? ''}/events/${id}` : `${root}/groups/${projectId}/events/${id}`, rel: 'self' }],
    orgId: orgId ?? undefined,
    publicKey: isUser ? undefined : (principalName ?? undefined),
    remoteAddress: address,
    userId: isUser ? (principalId ?? undefined) : undefined,
    username: isUser ? (principalName ?? undefined) : undefined,
  };
}
