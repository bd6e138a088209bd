// API keys, service accounts and their access lists in Atlas's form. Secrets stand in the answer that made them, and nowhere else.
import type { RoleGrant } from '../../../../domain/roles.ts';
import type { Credential, CredentialPlace, CredentialSecret } from '../../../../services/administration-contracts.ts';
import { isoSeconds } from '../../time-text.ts';

/** Nothing of a private key is shown again. */
const HIDDEN_KEY = '********-****-****-************';
/** The field has to be there; declared secrets never expire. */
const NEVER = '9999-12-31T23:59:59Z';

/** @param secret when it was just made */
export function presentApiKey({ id, orgId, description, publicName, grants }: Credential, root: string, secret: string | null = null): object {
  return {
    // A declared key may have none, and an empty text is none in the schema.
    desc: description === '' ? undefined : description,
    id,
    links: [{ rel: 'self', href: `${root}/orgs/${orgId}/apiKeys/${id}` }],
    privateKey: secret ?? HIDDEN_KEY,
    publicKey: publicName,
    roles: grants.map(presentGrant),
  };
}

function presentGrant({ role, orgId, projectId }: RoleGrant): object {
  return { groupId: projectId, orgId, roleName: role };
}

/** Roles are those held where the account is looked at. */
export function presentServiceAccount({ publicName, name, description, createdAt, grants, secrets }: Credential, { orgId, projectId }: CredentialPlace, secret: string | null = null): object {
  const here = grants.filter((grant) => (projectId === null ? grant.orgId === orgId : grant.projectId === projectId));
  return {
    clientId: publicName,
    createdAt: isoSeconds(createdAt),
    description,
    name,
    roles: here.map(({ role }) => role),
    secrets: secrets.map((each) => presentSecret(each, secret)),
  };
}

export function presentSecret({ id, masked, createdAt, expiresAt, lastUsedAt }: CredentialSecret, secret: string | null): object {
  return {
    createdAt: isoSeconds(createdAt),
    expiresAt: expiresAt === null ? NEVER : isoSeconds(expiresAt),
    id,
    lastUsedAt: lastUsedAt === null ? undefined : isoSeconds(lastUsedAt),
    maskedSecretValue: masked,
    secret: secret ?? undefined,
  };
}

/** A single address has both forms, as at the vendor. */
export function presentAccessEntry(entry: string): { readonly cidrBlock: string; readonly ipAddress: string | undefined } {
  const [address = '', bits] = entry.split('/');
  const whole = address.includes(':') ? '128' : '32';
  return { cidrBlock: bits === undefined ? `${address}/${whole}` : entry, ipAddress: bits === undefined || bits === whole ? address : undefined };
}
