// API keys and service accounts that are made, changed and ended by API. The rule for who may do that to whom lives here:
// nobody gives what he lacks, and an organization keeps an owner.
import type { CatalogStore, CatalogTransaction } from '../catalog/index.ts';
import type { Page, PageOf } from '../domain/records.ts';
import { grantsBeyond, isOrgRole, isProjectRole, type Principal, type RoleGrant } from '../domain/roles.ts';
import type { Clock } from '../foundation/clock.ts';
import { LeafvaultError } from '../foundation/errors.ts';
import { isId } from '../foundation/ids.ts';
import { changeAccessList, entriesIn, withoutEntry } from './access-lists.ts';
import type { Credential, CredentialKind, CredentialPlace, Credentials } from './administration-contracts.ts';
import { createCredentialSecrets, expiryOf } from './credential-secrets.ts';
import { insertCredential } from './new-credentials.ts';
import { nameOf } from './principals.ts';
import { isStorable, keptText } from './storable.ts';

export interface CredentialsOptions {
  readonly catalog: Pick<CatalogStore, 'apiKeys' | 'serviceAccounts' | 'roleGrants' | 'transaction'>;
  readonly clock: Clock;
}

type Rows = Pick<CatalogTransaction, 'apiKeys' | 'serviceAccounts' | 'roleGrants'>;

export function createCredentials({ catalog, clock }: CredentialsOptions): Credentials {
  return {
    list: (kind, place, page) => listCredentials(catalog, kind, place, page),
    get: ({ kind, place, reference }) => findCredential(catalog, kind, place, reference),
    create: ({ kind, place, name, description, roles, secretHours, principal }) => catalog.transaction(async (tx) => {
      const grants = grantsAt(place, roles);
      requireCovered(principal, place.orgId, grants);
      await hold(tx, principal, place.orgId);
      const words = { ...(name === undefined ? {} : { name: keptText('name', name) }), description: keptText('description', description) };
      const { reference, secret } = await insertCredential({ tx, clock }, { kind, orgId: place.orgId, ...words, expiresAt: kind === 'apiKey' ? null : expiryOf(clock, secretHours ?? 0) });
      const { id } = await findCredential(tx, kind, { orgId: place.orgId, projectId: null }, reference);
      await tx.roleGrants.add(kind, id, grants);
      return { credential: await findCredential(tx, kind, place, reference), secret };
    }),
    change: ({ kind, place, reference, name, description, roles, principal }) => catalog.transaction(async (tx) => {
      const credential = await held(tx, { kind, place, reference, principal });
      requireCovered(principal, credential.orgId, place.projectId === null ? credential.grants : grantsIn(credential, place));
      const words = { ...(name === undefined ? {} : { name: keptText('name', name) }), ...(description === undefined ? {} : { description: keptText('description', description) }) };
      await (kind === 'apiKey' ? tx.apiKeys : tx.serviceAccounts).describe(credential.id, words);
      if (roles !== undefined) {
        const grants = grantsAt(place, roles);
        requireCovered(principal, credential.orgId, grants);
        await tx.roleGrants.removeAt(kind, credential.id, place.projectId === null ? { orgId: place.orgId } : { projectId: place.projectId });
        await tx.roleGrants.add(kind, credential.id, grants);
        await keepOwner(tx, place, credential);
      }
      // Without a role in the project it is no more in it: told once, as it is now.
      return findCredential(tx, kind, { orgId: place.orgId, projectId: null }, reference);
    }),
    assign: ({ kind, project, reference, roles, principal }) => catalog.transaction(async (tx) => {
      const place = { orgId: project.orgId, projectId: project.id };
      const grants = grantsAt(place, roles);
      const credential = await held(tx, { kind, place: { orgId: project.orgId, projectId: null }, reference, principal });
      requireCovered(principal, project.orgId, grants);
      await tx.roleGrants.add(kind, credential.id, grants);
      return findCredential(tx, kind, { orgId: project.orgId, projectId: null }, reference);
    }),
    delete: ({ kind, place, reference, principal }) => catalog.transaction(async (tx) => {
      const credential = await held(tx, { kind, place, reference, principal });
      requireCovered(principal, credential.orgId, place.projectId === null ? credential.grants : grantsIn(credential, place));
      if (place.projectId !== null) return tx.roleGrants.removeAt(kind, credential.id, { projectId: place.projectId });
      await tx.roleGrants.remove(kind, credential.id);
      await (kind === 'apiKey' ? tx.apiKeys : tx.serviceAccounts).delete(credential.id);
      return keepOwner(tx, place, credential);
    }),
    allow: ({ kind, place, reference, entries, principal }) => catalog.transaction(async (tx) => {
      const credential = await held(tx, { kind, place, reference, principal });
      requireCovered(principal, credential.orgId, credential.grants);
      await (kind === 'apiKey' ? tx.apiKeys : tx.serviceAccounts).setAccessList(credential.id, changeAccessList(credential.accessList, entries));
      return findCredential(tx, kind, place, reference);
    }),
    disallow: ({ kind, place, reference, entry, principal, address }) => catalog.transaction(async (tx) => {
      const credential = await held(tx, { kind, place, reference, principal });
      requireCovered(principal, credential.orgId, credential.grants);
      await (kind === 'apiKey' ? tx.apiKeys : tx.serviceAccounts).setAccessList(credential.id, withoutEntry(credential.accessList, entry, principal.kind === kind && principal.id === credential.id ? address : null));
    }),
    ...createCredentialSecrets({ catalog, clock, held, requireCovered }),
  };
}

/** As it is, while nobody else changes credentials of the organization. @throws CREDENTIAL_NOT_FOUND, GRANT_TOO_WIDE */
async function held(tx: CatalogTransaction, { kind, place, reference, principal }: { readonly kind: CredentialKind; readonly place: CredentialPlace; readonly reference: string; readonly principal: Principal }): Promise<Credential> {
  await hold(tx, principal, place.orgId);
  return findCredential(tx, kind, place, reference);
}

/** Roles that were taken from the principal while his request ran count for nothing any more. @throws GRANT_TOO_WIDE */
async function hold(tx: CatalogTransaction, principal: Principal, orgId: string): Promise<void> {
  await tx.organizations.hold(orgId);
  const now = await tx.roleGrants.of(principal.kind, principal.id);
  const lost = principal.grants.filter((grant) => !now.some(({ role, orgId: at, projectId }) => role === grant.role && at === grant.orgId && projectId === grant.projectId));
  refuseBeyond(principal, lost);
}

/** @throws CREDENTIAL_NOT_FOUND: also where it belongs elsewhere */
async function findCredential(catalog: Rows, kind: CredentialKind, { orgId, projectId }: CredentialPlace, reference: string): Promise<Credential> {
  const row = await rowOf(catalog, kind, reference);
  const [credential] = row?.orgId === orgId ? await withGrants(catalog, kind, [row]) : [];
  if (credential !== undefined && (projectId === null || credential.grants.some((grant) => grant.projectId === projectId))) return credential;
  throw new LeafvaultError('CREDENTIAL_NOT_FOUND', `Reading the ${kind === 'apiKey' ? 'API key' : 'service account'} ${reference} failed: there is none in ${projectId === null ? `organization ${orgId}` : `project ${projectId}`}`, {
    details: { kind, reference },
  });
}

type Row = Omit<Credential, 'kind' | 'publicName' | 'name' | 'grants' | 'secrets'> & ({ readonly publicKey: string } | { readonly clientId: string; readonly name: string | null });

async function rowOf(catalog: Rows, kind: CredentialKind, reference: string): Promise<Row | null> {
  if (kind === 'apiKey') return isId(reference) ? catalog.apiKeys.get(reference) : null;
  return isStorable(reference) ? catalog.serviceAccounts.byClientId(reference) : null;
}

async function listCredentials(catalog: Rows, kind: CredentialKind, place: CredentialPlace, page: Page): Promise<PageOf<Credential>> {
  const { items, totalCount }: PageOf<Row> = kind === 'apiKey' ? await catalog.apiKeys.list(place, page) : await catalog.serviceAccounts.list(place, page);
  return { items: await withGrants(catalog, kind, items), totalCount };
}

async function withGrants(catalog: Rows, kind: CredentialKind, rows: readonly Row[]): Promise<readonly Credential[]> {
  const ids = rows.map(({ id }) => id);
  const grants = await catalog.roleGrants.ofMany(kind, ids);
  const secrets = kind === 'apiKey' ? [] : await catalog.serviceAccounts.secretsOf(ids);
  return rows.map((row) => ({
    kind, id: row.id, orgId: row.orgId, description: row.description, accessList: entriesIn(row.accessList), createdAt: row.createdAt,
    publicName: 'publicKey' in row ? row.publicKey : row.clientId,
    name: 'publicKey' in row ? row.publicKey : (row.name ?? row.clientId),
    grants: grants.get(row.id) ?? [],
    secrets: secrets.filter(({ accountId }) => accountId === row.id).map(({ accountId: _, ...secret }) => secret),
  }));
}

function grantsIn({ grants }: Credential, { projectId }: CredentialPlace): readonly RoleGrant[] {
  return grants.filter((grant) => grant.projectId === projectId);
}

/** @throws ROLE_UNFIT */
function grantsAt({ orgId, projectId }: CredentialPlace, roles: readonly string[]): readonly RoleGrant[] {
  return [...new Set(roles)].map((role) => {
    if (projectId !== null && isProjectRole(role)) return { role, projectId };
    if (projectId === null && isOrgRole(role)) return { role, orgId };
    throw new LeafvaultError('ROLE_UNFIT', `Giving the role ${role} failed: it cannot be held in ${projectId === null ? 'an organization' : 'a project'}`, {
      details: { role }, hint: projectId === null ? 'Roles of an organization begin with ORG_' : 'Roles of a project begin with GROUP_',
    });
  });
}

/** @throws GRANT_TOO_WIDE */
function requireCovered(principal: Principal, orgId: string, grants: readonly RoleGrant[]): void {
  refuseBeyond(principal, grantsBeyond(principal, orgId, grants));
}

function refuseBeyond(principal: Principal, beyond: readonly RoleGrant[]): void {
  if (beyond.length === 0) return;
  const roles = [...new Set(beyond.map(({ role }) => role))];
  throw new LeafvaultError('GRANT_TOO_WIDE', `Changing a credential was refused: ${nameOf(principal)} lacks ${roles.join(', ')}`, { details: { roles }, hint: 'Ask somebody who holds these roles' });
}

/** @throws LAST_OWNER where none is left */
async function keepOwner(tx: CatalogTransaction, { orgId }: CredentialPlace, before: Credential): Promise<void> {
  const wasOwner = before.grants.some((grant) => grant.role === 'ORG_OWNER' && grant.orgId === orgId);
  if (!wasOwner || (await tx.roleGrants.countOwners(orgId)) > 0) return;
  throw new LeafvaultError('LAST_OWNER', `Taking ${before.publicName} away from the owners was refused: organization ${orgId} would have none`, { details: { orgId }, hint: 'Make another owner first' });
}
