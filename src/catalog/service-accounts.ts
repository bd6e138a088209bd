// OAuth service accounts: client credentials, the secret only hashed.
import type { CatalogContext } from './context.ts';
import { hashSecret, verifySecret } from './secret-hash.ts';

export interface ServiceAccount {
  readonly id: string;
  readonly orgId: string;
  readonly clientId: string;
  readonly description: string;
  readonly accessList: readonly string[];
  readonly createdAt: Date;
}

export interface ServiceAccounts {
  /** Hashes the secret. @throws CATALOG_DUPLICATE */
  insert(row: Omit<ServiceAccount, 'createdAt'> & { readonly clientSecret: string }): Promise<ServiceAccount>;
  get(id: string): Promise<ServiceAccount | null>;
  byClientId(clientId: string): Promise<ServiceAccount | null>;
  /** The account when the secret is right, else null; as slow for an unknown id as for a wrong secret. */
  verify(clientId: string, clientSecret: string): Promise<ServiceAccount | null>;
  setSecret(id: string, clientSecret: string): Promise<void>;
  setAccessList(id: string, accessList: readonly string[]): Promise<void>;
}

const COLUMNS = ['id', 'orgId', 'clientId', 'description', 'accessList', 'createdAt'] as const;

export function createServiceAccounts({ db, clock }: CatalogContext): ServiceAccounts {
  return {
    async insert({ clientSecret, ...rest }) {
      const plain = { ...rest, accessList: [...rest.accessList], createdAt: clock.now() };
      await db.insertInto('serviceAccounts').values({ ...plain, secretHash: await hashSecret(clientSecret) }).execute();
      return plain;
    },
    async get(id) {
      return (await db.selectFrom('serviceAccounts').select(COLUMNS).where('id', '=', id).executeTakeFirst()) ?? null;
    },
    async byClientId(clientId) {
      return (await db.selectFrom('serviceAccounts').select(COLUMNS).where('clientId', '=', clientId).executeTakeFirst()) ?? null;
    },
    async verify(clientId, clientSecret) {
      const row = await db
        .selectFrom('serviceAccounts').select([...COLUMNS, 'secretHash']).where('clientId', '=', clientId).executeTakeFirst();
      if (row === undefined) {
        await hashSecret(clientSecret);
        return null;
      }
      const { secretHash, ...plain } = row;
      return (await verifySecret(clientSecret, secretHash)) ? plain : null;
    },
    async setSecret(id, clientSecret) {
      await db.updateTable('serviceAccounts').set({ secretHash: await hashSecret(clientSecret) }).where('id', '=', id).execute();
    },
    async setAccessList(id, accessList) {
      await db.updateTable('serviceAccounts').set({ accessList: [...accessList] }).where('id', '=', id).execute();
    },
  };
}
