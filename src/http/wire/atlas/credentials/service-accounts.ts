// OAuth service accounts of an organization, and of a group; their secrets.
import { LeafvaultError } from '../../../../foundation/errors.ts';
import type { Answer } from '../../answer.ts';
import type { OrganizationCall } from '../../mms-routes.ts';
import { readBody } from '../../read-body.ts';
import { cutPage } from '../../../../domain/cut-page.ts';
import { placeOf, type PlacedCall } from './place.ts';
import { presentSecret, presentServiceAccount } from './present.ts';
import { createServiceAccountBody, inviteBody, secretBody, updateServiceAccountBody } from './schemas.ts';

const kind = 'serviceAccount' as const;
const INVITE = ':invite';

export async function listServiceAccounts(call: PlacedCall): Promise<Answer> {
  const page = call.page();
  const place = placeOf(call);
  const { items, totalCount } = await call.services.administration.credentials.list(kind, place, page);
  return { kind: 'list', page, totalCount, results: items.map((each) => presentServiceAccount(each, place)) };
}

export async function getServiceAccount(call: PlacedCall): Promise<Answer> {
  return { kind: 'one', body: presentServiceAccount(await call.services.administration.credentials.get(atAccount(call)), placeOf(call)) };
}

/** The one answer that holds the first secret. */
export async function createServiceAccount(call: PlacedCall): Promise<Answer> {
  const { secretExpiresAfterHours, ...words } = readBody(createServiceAccountBody, call.body);
  const place = placeOf(call);
  const { credential, secret } = await call.services.administration.credentials.create({ kind, place, ...words, secretHours: secretExpiresAfterHours, principal: call.principal });
  return { kind: 'one', status: 201, body: presentServiceAccount(credential, place, secret) };
}

export async function updateServiceAccount(call: PlacedCall): Promise<Answer> {
  const { name, description, roles } = readBody(updateServiceAccountBody, call.body);
  const changed = await call.services.administration.credentials.change({ ...atAccount(call), name, description, roles, principal: call.principal });
  return { kind: 'one', body: presentServiceAccount(changed, placeOf(call)) };
}

/** From a group it is only taken out. */
export async function deleteServiceAccount(call: PlacedCall): Promise<Answer> {
  await call.services.administration.credentials.delete({ ...atAccount(call), principal: call.principal });
  return { kind: 'none' };
}

/** The groups in which it holds a role. */
export async function listServiceAccountGroups(call: PlacedCall): Promise<Answer> {
  const page = call.page();
  const { grants } = await call.services.administration.credentials.get(atAccount(call));
  const roles = Map.groupBy(grants.filter(({ projectId }) => projectId !== undefined), ({ projectId }) => projectId);
  const { items, totalCount } = cutPage([...roles], page);
  return { kind: 'list', page, totalCount, results: items.map(([groupId, held]) => ({ groupId, roles: held.map(({ role }) => role) })) };
}

/** Into a group, with roles there. */
export async function inviteServiceAccount(call: OrganizationCall): Promise<Answer> {
  const named = call.params['clientId:invite'] ?? '';
  if (!named.endsWith(INVITE)) throw new LeafvaultError('OPERATION_UNKNOWN', `Nothing is done by POST to a service account but ${INVITE}`);
  const project = await call.services.inventory.project(call.params['groupId'] ?? '');
  const { roles } = readBody(inviteBody, call.body);
  const account = await call.services.administration.credentials.assign({ kind, project, reference: named.slice(0, -INVITE.length), roles, principal: call.principal });
  return { kind: 'one', body: presentServiceAccount(account, { orgId: project.orgId, projectId: project.id }) };
}

/** The one answer that holds this secret. */
export async function createServiceAccountSecret(call: PlacedCall): Promise<Answer> {
  const { secretExpiresAfterHours } = readBody(secretBody, call.body);
  const { secret, value } = await call.services.administration.credentials.addSecret({ ...atAccount(call), hours: secretExpiresAfterHours, principal: call.principal });
  return { kind: 'one', status: 201, body: presentSecret(secret, value) };
}

export async function deleteServiceAccountSecret(call: PlacedCall): Promise<Answer> {
  await call.services.administration.credentials.deleteSecret({ ...atAccount(call), secretId: call.params['secretId'] ?? '', principal: call.principal });
  return { kind: 'none' };
}

/** The account of the path. */
export function atAccount(call: PlacedCall): { readonly kind: 'serviceAccount'; readonly place: ReturnType<typeof placeOf>; readonly reference: string } {
  return { kind, place: placeOf(call), reference: call.params['clientId'] ?? '' };
}
