// Fresh API keys and service accounts, in the forms of the field.
import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import type { CatalogTransaction } from '../catalog/index.ts';
import type { Clock } from '../foundation/clock.ts';
import { newId } from '../foundation/ids.ts';
import type { CredentialKind } from './administration-contracts.ts';
import { ha1Of } from './declared-credentials.ts';

export interface NewCredential {
  readonly kind: CredentialKind;
  readonly orgId: string;
  readonly name?: string;
  readonly description: string;
  /** Of the secret of a service account. */
  readonly expiresAt: Date | null;
}

/** Its row, without roles. The secret is told to the caller and kept nowhere: of a private key its HA1 is (sealed), of the other a hash. */
export async function insertCredential({ tx, clock }: { readonly tx: CatalogTransaction; readonly clock: Clock }, credential: NewCredential): Promise<{ readonly reference: string; readonly secret: string }> {
  const { kind, orgId, name, description, expiresAt } = credential;
  const id = newId(clock.now());
  if (kind === 'apiKey') {
    const { publicKey, privateKey } = newApiKey();
    await tx.apiKeys.insert({ id, orgId, publicKey, privateKey: null, ha1: ha1Of(publicKey, privateKey), description, accessList: [] });
    return { reference: id, secret: privateKey };
  }
  const clientId = `mdb_sa_id_${randomBytes(12).toString('hex')}`;
  const clientSecret = newClientSecret();
  await tx.serviceAccounts.insert({ id, orgId, clientId, clientSecret, description, accessList: [], ...(name === undefined ? {} : { name }), ...(expiresAt === null ? {} : { secretExpiresAt: expiresAt }) });
  return { reference: clientId, secret: clientSecret };
}

/** 8 letters, a UUID. */
export function newApiKey(): { readonly publicKey: string; readonly privateKey: string } {
  return { publicKey: Array.from({ length: 8 }, () => String.fromCharCode(97 + randomInt(26))).join(''), privateKey: randomUUID() };
}

/** Unreserved characters only: some clients encode it for HTTP Basic and some don't. */
export function newClientSecret(): string {
  return `mdb_sa_sk_${randomBytes(30).toString('base64url')}`;
}
