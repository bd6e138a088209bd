// Declared API keys, service accounts and users of one organization or project, with their roles there.
import { createHash } from 'node:crypto';
import { GLOBAL_ROLES, ORG_ROLES, PROJECT_ROLES, type Principal, type Role, type RoleGrant } from '../domain/roles.ts';
import { newId } from '../foundation/ids.ts';
import { contradiction, type Declaring } from './declaring.ts';
import { DIGEST_REALM } from './digest-realm.ts';

export interface DeclaredApiKey {
  readonly publicKey: string; readonly privateKey: string; readonly description?: string; readonly roles: readonly Role[]; readonly accessList?: readonly string[];
}
export interface DeclaredServiceAccount {
  readonly clientId: string; readonly clientSecret: string; readonly description?: string; readonly roles: readonly Role[]; readonly accessList?: readonly string[];
}
export interface DeclaredUser { readonly name: string; readonly password: string; readonly roles: readonly Role[] }
export interface DeclaredCredentials {
  readonly apiKeys?: readonly DeclaredApiKey[];
  readonly serviceAccounts?: readonly DeclaredServiceAccount[];
  readonly users?: readonly DeclaredUser[];
}

/** Where the credentials are declared: `projectId` null in the organization itself. */
export interface CredentialPlace { readonly orgId: string; readonly projectId: string | null; readonly path: string }

/** A credential may be declared in several places of one organization: each adds its roles. */
export async function declareCredentials(declaring: Declaring, declared: DeclaredCredentials, place: CredentialPlace): Promise<void> {
  for (const key of declared.apiKeys ?? []) await declareApiKey(declaring, key, place);
  for (const account of declared.serviceAccounts ?? []) await declareServiceAccount(declaring, account, place);
  for (const user of declared.users ?? []) await declareUser(declaring, user, place);
}

/** What digest computes with: MD5 of `public:realm:private`. */
export function ha1Of(publicKey: string, privateKey: string): string {
  return createHash('md5').update(`${publicKey}:${DIGEST_REALM}:${privateKey}`).digest('hex');
}

async function declareApiKey(declaring: Declaring, key: DeclaredApiKey, place: CredentialPlace): Promise<void> {
  const { apiKeys } = declaring.catalog;
  const path = `API key ${key.publicKey} of ${place.path}`;
  const ha1 = ha1Of(key.publicKey, key.privateKey);
  const accessList = key.accessList ?? [];
  requireSameAgain(declaring, path, `apiKey ${key.publicKey}`, [ha1, accessList]);
  let known = await apiKeys.byPublicKey(key.publicKey);
  if (known === null) {
    known = { ...await apiKeys.insert({ id: newId(declaring.clock.now()), orgId: place.orgId, publicKey: key.publicKey, privateKey: key.privateKey, ha1, description: key.description ?? '', accessList }), ha1 };
    declaring.report.created.push(path);
  }
  refuseForeign(known, place, path);
  if (known.ha1 !== ha1) {
    await apiKeys.setSecret(known.id, key.privateKey, ha1);
    declaring.report.changed.push(`private key of ${path}`);
  }
  if (!sameList(known.accessList, accessList)) {
    await apiKeys.setAccessList(known.id, accessList);
    declaring.report.changed.push(`access list of ${path}`);
  }
  await declareRoles(declaring, { kind: 'apiKey', id: known.id, path }, key.roles, place);
}

async function declareServiceAccount(declaring: Declaring, account: DeclaredServiceAccount, place: CredentialPlace): Promise<void> {
  const { serviceAccounts } = declaring.catalog;
  const { clientId, clientSecret, description = '', accessList = [] } = account;
  const path = `service account ${clientId} of ${place.path}`;
  requireSameAgain(declaring, path, `serviceAccount ${clientId}`, [clientSecret, accessList]);
  let known = await serviceAccounts.byClientId(clientId);
  if (known === null) {
    known = await serviceAccounts.insert({ id: newId(declaring.clock.now()), orgId: place.orgId, clientId, clientSecret, description, accessList });
    declaring.report.created.push(path);
  } else {
    refuseForeign(known, place, path);
    if (!(await serviceAccounts.hasSecret(known.id, clientSecret))) {
      await serviceAccounts.setSecret(known.id, clientSecret);
      declaring.report.changed.push(`client secret of ${path}`);
    }
    if (!sameList(known.accessList, accessList)) {
      await serviceAccounts.setAccessList(known.id, accessList);
      declaring.report.changed.push(`access list of ${path}`);
    }
  }
  await declareRoles(declaring, { kind: 'serviceAccount', id: known.id, path }, account.roles, place);
}

async function declareUser(declaring: Declaring, user: DeclaredUser, place: CredentialPlace): Promise<void> {
  const { users } = declaring.catalog;
  const path = `user ${user.name} of ${place.path}`;
  requireSameAgain(declaring, path, `user ${user.name.toLowerCase()}`, [user.password]);
  let known = await users.byName(user.name);
  if (known === null) {
    known = await users.insert({ id: newId(declaring.clock.now()), orgId: place.orgId, name: user.name, password: user.password });
    declaring.report.created.push(path);
  } else {
    refuseForeign(known, place, path);
    if (!(await users.verifyPassword(known.id, user.password))) {
      await users.setPassword(known.id, user.password);
      declaring.report.changed.push(`password of ${path}`);
    }
  }
  await declareRoles(declaring, { kind: 'user', id: known.id, path }, user.roles, place);
}

/** Adds roles; one that the catalog has beside them here is told, not taken. */
async function declareRoles(
  { catalog, report }: Declaring, principal: { readonly kind: Principal['kind']; readonly id: string; readonly path: string }, roles: readonly Role[], place: CredentialPlace,
): Promise<void> {
  const held = await catalog.roleGrants.of(principal.kind, principal.id);
  const wanted = roles.map((role) => grantOf(role, place, principal.path));
  const missing = wanted.filter((grant) => !held.some((each) => sameGrant(each, grant)));
  await catalog.roleGrants.add(principal.kind, principal.id, missing);
  if (held.length > 0) report.changed.push(...missing.map(({ role }) => `role ${role} added to ${principal.path}`));
  const here = held.filter(({ orgId, projectId }) => (place.projectId === null ? orgId === place.orgId : projectId === place.projectId));
  const extra = here.filter((grant) => !wanted.some((each) => sameGrant(each, grant)));
  report.differs.push(...extra.map(({ role }) => `${principal.path}: the catalog also has the role ${role}`));
}

function grantOf(role: Role, { orgId, projectId }: CredentialPlace, path: string): RoleGrant {
  const isOneOf = (roles: readonly string[]): boolean => roles.includes(role);
  if (projectId !== null && isOneOf(PROJECT_ROLES)) return { role, projectId };
  if (projectId === null && isOneOf(ORG_ROLES)) return { role, orgId };
  if (projectId === null && isOneOf(GLOBAL_ROLES)) return { role };
  throw contradiction(path, `the role ${role} cannot be held there`);
}

function sameGrant(a: RoleGrant, b: RoleGrant): boolean {
  return a.role === b.role && a.orgId === b.orgId && a.projectId === b.projectId;
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && [...a].sort().every((each, at) => each === [...b].sort()[at]);
}

/** A credential may stand in several places of the file, but only with the same secret and list. */
function requireSameAgain({ seen }: Declaring, path: string, credential: string, facts: readonly unknown[]): void {
  const said = createHash('sha256').update(JSON.stringify(facts)).digest('hex');
  if ((seen.get(credential) ?? said) !== said) throw contradiction(path, 'it is declared before with another secret or access list');
  seen.set(credential, said);
}

function refuseForeign(known: { readonly orgId: string }, place: CredentialPlace, path: string): void {
  if (known.orgId !== place.orgId) throw contradiction(path, 'it belongs to another organization');
}
