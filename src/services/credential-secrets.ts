// Secrets of service accounts: a second one is made, put into use, and the first one deleted.
import { SECRETS_AT_MOST, type CatalogStore, type CatalogTransaction } from '../catalog/index.ts';
import type { Principal, RoleGrant } from '../domain/roles.ts';
import type { Clock } from '../foundation/clock.ts';
import { LeafvaultError } from '../foundation/errors.ts';
import type { Credential, CredentialKind, CredentialPlace, Credentials } from './administration-contracts.ts';
import { newClientSecret } from './new-credentials.ts';
import { isStorable } from './storable.ts';

const HOUR_MS = 3_600_000;
/** The vendor's: eight hours to a year. */
const SHORTEST_HOURS = 8;
const LONGEST_HOURS = 8_760;

export interface CredentialSecretsOptions {
  readonly catalog: Pick<CatalogStore, 'transaction'>;
  readonly clock: Clock;
  held(tx: CatalogTransaction, request: { readonly kind: CredentialKind; readonly place: CredentialPlace; readonly reference: string; readonly principal: Principal }): Promise<Credential>;
  requireCovered(principal: Principal, orgId: string, grants: readonly RoleGrant[]): void;
}

/** Who makes a secret can use it, so he has to hold all that the account may do, wherever that is. */
export function createCredentialSecrets({ catalog, clock, held, requireCovered }: CredentialSecretsOptions): Pick<Credentials, 'addSecret' | 'deleteSecret'> {
  return {
    addSecret: ({ place, reference, hours, principal }) => catalog.transaction(async (tx) => {
      const expiresAt = expiryOf(clock, hours);
      const account = await held(tx, { kind: 'serviceAccount', place, reference, principal });
      requireCovered(principal, account.orgId, account.grants);
      const now = clock.now();
      const good = account.secrets.filter((secret) => secret.expiresAt === null || secret.expiresAt > now);
      if (good.length >= SECRETS_AT_MOST) {
        throw new LeafvaultError('SECRETS_TOO_MANY', `Adding a secret to ${reference} was refused: it has ${good.length}`, { details: { limit: SECRETS_AT_MOST }, hint: 'Delete the secret that is not used any more' });
      }
      for (const { id } of account.secrets.filter((secret) => !good.includes(secret))) await tx.serviceAccounts.deleteSecret(account.id, id);
      const value = newClientSecret();
      const { accountId: _, ...secret } = await tx.serviceAccounts.addSecret(account.id, value, expiresAt);
      return { secret, value };
    }),
    deleteSecret: ({ place, reference, secretId, principal }) => catalog.transaction(async (tx) => {
      const account = await held(tx, { kind: 'serviceAccount', place, reference, principal });
      requireCovered(principal, account.orgId, account.grants);
      if (isStorable(secretId) && (await tx.serviceAccounts.deleteSecret(account.id, secretId))) return;
      throw new LeafvaultError('SECRET_NOT_FOUND', `Deleting the secret ${secretId} of ${reference} failed: there is none`, { details: { id: secretId } });
    }),
  };
}

/** @throws SECRET_LIFE_INVALID */
export function expiryOf(clock: Clock, hours: number): Date {
  if (Number.isInteger(hours) && hours >= SHORTEST_HOURS && hours <= LONGEST_HOURS) return new Date(clock.now().getTime() + hours * HOUR_MS);
  throw new LeafvaultError('SECRET_LIFE_INVALID', `Making a secret failed: it would live ${hours} hours`, { details: { hours }, hint: `Choose ${SHORTEST_HOURS} to ${LONGEST_HOURS} hours` });
}
