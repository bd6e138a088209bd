// Programmatic API keys of an organization, and of a group.
import type { Answer } from '../../answer.ts';
import type { ProjectCall } from '../../mms-routes.ts';
import { readBody, readListBody } from '../../read-body.ts';
import { readId } from '../../read-id.ts';
import { placeOf, type PlacedCall } from './place.ts';
import { presentApiKey } from './present.ts';
import { assignmentItem, createApiKeyBody, updateApiKeyBody } from './schemas.ts';

const kind = 'apiKey' as const;
/** In one request. */
export const MOST_ASSIGNMENTS = 100;

export async function listApiKeys(call: PlacedCall): Promise<Answer> {
  const page = call.page();
  const { items, totalCount } = await call.services.administration.credentials.list(kind, placeOf(call), page);
  return { kind: 'list', page, totalCount, results: items.map((each) => presentApiKey(each, call.root)) };
}

export async function getApiKey(call: PlacedCall): Promise<Answer> {
  return { kind: 'one', body: presentApiKey(await call.services.administration.credentials.get(atKey(call)), call.root) };
}

/** The one answer that holds the private key. */
export async function createApiKey(call: PlacedCall): Promise<Answer> {
  const { desc, roles } = readBody(createApiKeyBody, call.body);
  const { credential, secret } = await call.services.administration.credentials.create({ kind, place: placeOf(call), description: desc, roles, principal: call.principal });
  return { kind: 'one', body: presentApiKey(credential, call.root, secret) };
}

export async function updateApiKey(call: PlacedCall): Promise<Answer> {
  const { desc, roles } = readBody(updateApiKeyBody, call.body);
  return { kind: 'one', body: presentApiKey(await call.services.administration.credentials.change({ ...atKey(call), description: desc, roles, principal: call.principal }), call.root) };
}

/** From a group it is only taken out. */
export async function deleteApiKey(call: PlacedCall): Promise<Answer> {
  await call.services.administration.credentials.delete({ ...atKey(call), principal: call.principal });
  return { kind: 'none' };
}

export async function assignApiKey(call: ProjectCall): Promise<Answer> {
  const { reference } = atKey(call);
  const roles = readListBody(assignmentItem, call.body, { least: 1, most: MOST_ASSIGNMENTS }).flatMap((each) => each.roles);
  return { kind: 'one', body: presentApiKey(await call.services.administration.credentials.assign({ kind, project: call.project, reference, roles, principal: call.principal }), call.root) };
}

/** The key of the path. @throws ID_MALFORMED */
export function atKey(call: PlacedCall): { readonly kind: 'apiKey'; readonly place: ReturnType<typeof placeOf>; readonly reference: string } {
  return { kind, place: placeOf(call), reference: readId('apiKey', call.params['apiUserId']) };
}
