// From which addresses API keys and service accounts may be used.
import { requireOrgRole } from '../../../authorize.ts';
import { LeafvaultError } from '../../../../foundation/errors.ts';
import type { Credential } from '../../../../services/administration-contracts.ts';
import type { Answer } from '../../answer.ts';
import type { OrganizationCall } from '../../mms-routes.ts';
import { readListBody } from '../../read-body.ts';
import { cutPage } from '../../../../domain/cut-page.ts';
import { atKey } from './api-keys.ts';
import type { PlacedCall } from './place.ts';
import { presentAccessEntry } from './present.ts';
import { accessListItem } from './schemas.ts';
import { atAccount } from './service-accounts.ts';

/** In one request. */
export const MOST_ENTRIES = 200;

export async function listKeyEntries(call: OrganizationCall): Promise<Answer> {
  return listed(call, await call.services.administration.credentials.get(atKey(call)), linkOf(call));
}

export async function getKeyEntry(call: OrganizationCall): Promise<Answer> {
  const { accessList } = await call.services.administration.credentials.get(atKey(call));
  const wanted = presentAccessEntry(call.params['ipAddress'] ?? '').cidrBlock;
  const found = accessList.map(presentAccessEntry).find(({ cidrBlock }) => cidrBlock === wanted);
  if (found === undefined) throw new LeafvaultError('ACCESS_ENTRY_NOT_FOUND', `Reading an access list failed: ${wanted} is not in it`, { details: { entry: call.params['ipAddress'] } });
  return { kind: 'one', body: { ...found, links: [linkOf(call)(found)] } };
}

export async function addKeyEntries(call: OrganizationCall): Promise<Answer> {
  requireOwnerOrSelf(call);
  return listed(call, await call.services.administration.credentials.allow({ ...atKey(call), entries: entriesOf(call.body), principal: call.principal }), linkOf(call));
}

export async function removeKeyEntry(call: OrganizationCall): Promise<Answer> {
  requireOwnerOrSelf(call);
  await call.services.administration.credentials.disallow({ ...atKey(call), entry: call.params['ipAddress'] ?? '', principal: call.principal, address: call.address });
  return { kind: 'none' };
}

export async function listAccountEntries(call: PlacedCall): Promise<Answer> {
  return listed(call, await call.services.administration.credentials.get(atAccount(call)));
}

export async function addAccountEntries(call: PlacedCall): Promise<Answer> {
  return listed(call, await call.services.administration.credentials.allow({ ...atAccount(call), entries: entriesOf(call.body), principal: call.principal }));
}

export async function removeAccountEntry(call: PlacedCall): Promise<Answer> {
  await call.services.administration.credentials.disallow({ ...atAccount(call), entry: call.params['ipAddress'] ?? '', principal: call.principal, address: call.address });
  return { kind: 'none' };
}

/** The specification names no role; the vendor's docs let the key itself do it, too. */
function requireOwnerOrSelf(call: OrganizationCall): void {
  if (call.principal.kind === 'apiKey' && call.principal.id === call.params['apiUserId']) return;
  requireOrgRole(call.principal, call.organization.id, ['ORG_OWNER']);
}

type Entry = ReturnType<typeof presentAccessEntry>;

function listed(call: PlacedCall, { accessList }: Credential, link?: (entry: Entry) => object): Answer {
  const page = call.page();
  const { items, totalCount } = cutPage(accessList.map(presentAccessEntry), page);
  return { kind: 'list', page, totalCount, results: items.map((entry) => ({ ...entry, ...(link === undefined ? {} : { links: [link(entry)] }) })) };
}

function linkOf(call: OrganizationCall): (entry: Entry) => object {
  return ({ ipAddress, cidrBlock }) => ({
    rel: 'self', href: `${call.root}/orgs/${call.organization.id}/apiKeys/${call.params['apiUserId'] ?? ''}/accessList/${encodeURIComponent(ipAddress ?? cidrBlock)}`,
  });
}

/** @throws ATTRIBUTE_MISSING, ATTRIBUTE_INVALID where an entry has neither form, or two that differ */
function entriesOf(body: unknown): readonly string[] {
  return readListBody(accessListItem, body, { least: 1, most: MOST_ENTRIES }).map(({ ipAddress, cidrBlock }) => {
    const entry = cidrBlock ?? ipAddress;
    if (entry === undefined) throw new LeafvaultError('ATTRIBUTE_MISSING', 'Reading an access list failed: an entry has neither ipAddress nor cidrBlock', { details: { name: 'ipAddress' } });
    if (ipAddress !== undefined && cidrBlock !== undefined && presentAccessEntry(ipAddress).cidrBlock !== cidrBlock) {
      throw new LeafvaultError('ATTRIBUTE_INVALID', 'Reading an access list failed: ipAddress and cidrBlock of an entry differ', { details: { name: 'cidrBlock' } });
    }
    return ipAddress ?? entry;
  });
}
