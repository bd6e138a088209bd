// OAuth service accounts: client credentials. An account has one secret or several, only hashed, so that it can be rotated.
import type { Page, PageOf } from '../domain/records.ts';
import { newId } from '../foundation/ids.ts';
import { atomically, countRows, isAnyOf, readPage, standsAt, type CatalogContext, type CredentialPlace } from './context.ts';
import { hashSecret, verifySecret } from './secret-hash.ts';

export interface ServiceAccount {
  readonly id: string;
  readonly orgId: string;
  readonly clientId: string;
  /** Null: never named. */
  readonly name: string | null;
  readonly description: string;
  readonly accessList: readonly string[];
  readonly createdAt: Date;
}

export interface AccountSecret {
  readonly id: string;
  readonly accountId: string;
  /** What may be shown again. */
  readonly masked: string;
  readonly createdAt: Date;
  /** Null: never. */
  readonly expiresAt: Date | null;
  readonly lastUsedAt: Date | null;
}

/** Most secrets that count at one time: one in use, one that takes its place. */
export const SECRETS_AT_MOST = 2;

export interface ServiceAccounts {
  /** Hashes the secret; `secretExpiresAt` absent: never. @throws CATALOG_DUPLICATE */
  insert(row: Omit<ServiceAccount, 'createdAt' | 'name'> & { readonly name?: string | null; readonly clientSecret: string; readonly secretExpiresAt?: Date }): Promise<ServiceAccount>;
  get(id: string): Promise<ServiceAccount | null>;
  byClientId(clientId: string): Promise<ServiceAccount | null>;
  /** The account when the secret is right and not over, else null; as slow for an unknown id as for a wrong secret. */
  verify(clientId: string, clientSecret: string): Promise<ServiceAccount | null>;
  /** Whether the account has this secret and it is not over; that it was asked for is no use of it. */
  hasSecret(id: string, clientSecret: string): Promise<boolean>;
  /** Puts a secret that never expires in the place of those that never expire. */
  setSecret(id: string, clientSecret: string): Promise<void>;
  addSecret(id: string, clientSecret: string, expiresAt: Date): Promise<AccountSecret>;
  /** @returns whether it was there */
  deleteSecret(id: string, secretId: string): Promise<boolean>;
  /** Oldest first, those that are over too. */
  secretsOf(ids: readonly string[]): Promise<readonly AccountSecret[]>;
  setAccessList(id: string, accessList: readonly string[]): Promise<void>;
  /** Oldest first. */
  list(place: CredentialPlace, page: Page): Promise<PageOf<ServiceAccount>>;
  describe(id: string, words: { readonly name?: string | undefined; readonly description?: string | undefined }): Promise<void>;
  /** With its secrets; its roles are another table's. */
  delete(id: string): Promise<void>;
}

const COLUMNS = ['id', 'orgId', 'clientId', 'name', 'description', 'accessList', 'createdAt'] as const;
const SECRET_COLUMNS = ['id', 'accountId', 'masked', 'createdAt', 'expiresAt', 'lastUsedAt'] as const;
const PREFIX = 'mdb_sa_sk_';

export function createServiceAccounts(context: CatalogContext): ServiceAccounts {
  const { db, clock } = context;
  const select = () => db.selectFrom('serviceAccounts').select(COLUMNS);
  return {
    async insert({ clientSecret, secretExpiresAt, name = null, ...rest }) {
      const plain = { ...rest, name, accessList: [...rest.accessList], createdAt: clock.now() };
      await atomically(context, async (inner) => {
        await inner.db.insertInto('serviceAccounts').values(plain).execute();
        await insertSecret(inner, plain.id, clientSecret, secretExpiresAt ?? null);
      });
      return plain;
    },
    async get(id) {
      return (await select().where('id', '=', id).executeTakeFirst()) ?? null;
    },
    async byClientId(clientId) {
      return (await select().where('clientId', '=', clientId).executeTakeFirst()) ?? null;
    },
    async verify(clientId, clientSecret) {
      const account = await select().where('clientId', '=', clientId).executeTakeFirst();
      const { secretId, tried } = account === undefined ? { secretId: null, tried: 0 } : await findSecret(context, account.id, clientSecret);
      if (account !== undefined && secretId !== null) {
        await db.updateTable('serviceAccountSecrets').set({ lastUsedAt: clock.now() }).where('id', '=', secretId).execute();
        return account;
      }
      for (let more = tried; more < SECRETS_AT_MOST; more += 1) await hashSecret(clientSecret);
      return null;
    },
    hasSecret: async (id, clientSecret) => (await findSecret(context, id, clientSecret)).secretId !== null,
    setSecret: (id, clientSecret) => atomically(context, async (inner) => {
      await inner.db.deleteFrom('serviceAccountSecrets').where('accountId', '=', id).where('expiresAt', 'is', null).execute();
      await insertSecret(inner, id, clientSecret, null);
    }),
    addSecret: (id, clientSecret, expiresAt) => insertSecret(context, id, clientSecret, expiresAt),
    async deleteSecret(id, secretId) {
      const { numDeletedRows } = await db.deleteFrom('serviceAccountSecrets').where('accountId', '=', id).where('id', '=', secretId).executeTakeFirst();
      return numDeletedRows > 0n;
    },
    secretsOf: (ids) => db.selectFrom('serviceAccountSecrets').select(SECRET_COLUMNS).where(isAnyOf('accountId', ids)).orderBy('createdAt').orderBy('id').execute(),
    async setAccessList(id, accessList) {
      await db.updateTable('serviceAccounts').set({ accessList: [...accessList] }).where('id', '=', id).execute();
    },
    list(place, page) {
      const here = standsAt('serviceAccount', 'serviceAccounts', place);
      return readPage(db, page, select().where(here).orderBy('createdAt').orderBy('id'), db.selectFrom('serviceAccounts').select(countRows).where(here));
    },
    async describe(id, { name, description }) {
      const news = { ...(name === undefined ? {} : { name }), ...(description === undefined ? {} : { description }) };
      if (Object.keys(news).length > 0) await db.updateTable('serviceAccounts').set(news).where('id', '=', id).execute();
    },
    async delete(id) {
      await db.deleteFrom('serviceAccounts').where('id', '=', id).execute();
    },
  };
}

/** @returns the secret that is meant, and how many were compared */
async function findSecret({ db, clock }: CatalogContext, accountId: string, clientSecret: string): Promise<{ readonly secretId: string | null; readonly tried: number }> {
  const secrets = await db
    .selectFrom('serviceAccountSecrets').select(['id', 'secretHash']).where('accountId', '=', accountId)
    .where((eb) => eb.or([eb('expiresAt', 'is', null), eb('expiresAt', '>', clock.now())])).orderBy('createdAt', 'desc').execute();
  for (const { id, secretHash } of secrets) if (await verifySecret(clientSecret, secretHash)) return { secretId: id, tried: secrets.length };
  return { secretId: null, tried: secrets.length };
}

async function insertSecret({ db, clock }: CatalogContext, accountId: string, clientSecret: string, expiresAt: Date | null): Promise<AccountSecret> {
  const now = clock.now();
  const plain = { id: newId(now), accountId, masked: maskOf(clientSecret), createdAt: now, expiresAt, lastUsedAt: null };
  await db.insertInto('serviceAccountSecrets').values({ ...plain, secretHash: await hashSecret(clientSecret) }).execute();
  return plain;
}

/** The last four characters of a long one; of a short one that would be too much. */
function maskOf(secret: string): string {
  return `${secret.startsWith(PREFIX) ? PREFIX : ''}****${secret.length >= PREFIX.length + 32 ? secret.slice(-4) : ''}`;
}
