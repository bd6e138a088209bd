// Programmatic API keys (digest). The private key and its HA1 are sealed: digest has to compute with them.
import type { Page, PageOf } from '../domain/records.ts';
import { countRows, readPage, standsAt, type CatalogContext, type CredentialPlace } from './context.ts';

export interface ApiKey {
  readonly id: string;
  readonly orgId: string;
  readonly publicKey: string;
  readonly description: string;
  /** Addresses and CIDR blocks; empty: from anywhere. */
  readonly accessList: readonly string[];
  readonly createdAt: Date;
}

export interface NewApiKey {
  readonly id: string;
  readonly orgId: string;
  readonly publicKey: string;
  /** Null: not kept. */
  readonly privateKey: string | null;
  /** MD5 hex of `public:realm:private`. */
  readonly ha1: string;
  readonly description: string;
  readonly accessList: readonly string[];
}

export interface ApiKeys {
  /** @throws CATALOG_DUPLICATE */
  insert(row: NewApiKey): Promise<ApiKey>;
  get(id: string): Promise<ApiKey | null>;
  /** The key with its HA1 unsealed. */
  byPublicKey(publicKey: string): Promise<(ApiKey & { readonly ha1: string }) | null>;
  /** Replaces the secret, as a declared key does whose private key changed. */
  setSecret(id: string, privateKey: string, ha1: string): Promise<void>;
  setAccessList(id: string, accessList: readonly string[]): Promise<void>;
  /** Oldest first. */
  list(place: CredentialPlace, page: Page): Promise<PageOf<ApiKey>>;
  describe(id: string, words: { readonly description?: string | undefined }): Promise<void>;
  /** Its roles are another table's. */
  delete(id: string): Promise<void>;
  count(): Promise<number>;
}

export const PRIVATE_KEY_PURPOSE = 'API private key';
export const HA1_PURPOSE = 'API key HA1';
const COLUMNS = ['id', 'orgId', 'publicKey', 'description', 'accessList', 'createdAt'] as const;

export function createApiKeys({ db, clock, sealer }: CatalogContext): ApiKeys {
  const nobodys = sealer.seal('0'.repeat(32), HA1_PURPOSE);
  return {
    async insert({ privateKey, ha1, ...rest }) {
      const plain = { ...rest, accessList: [...rest.accessList], createdAt: clock.now() };
      await db
        .insertInto('apiKeys')
        .values({ ...plain, privateKeySealed: privateKey === null ? null : sealer.seal(privateKey, PRIVATE_KEY_PURPOSE), ha1Sealed: sealer.seal(ha1, HA1_PURPOSE) })
        .execute();
      return plain;
    },
    async get(id) {
      return (await db.selectFrom('apiKeys').select(COLUMNS).where('id', '=', id).executeTakeFirst()) ?? null;
    },
    async byPublicKey(publicKey) {
      const row = await db.selectFrom('apiKeys').select([...COLUMNS, 'ha1Sealed']).where('publicKey', '=', publicKey).executeTakeFirst();
      // Unsealed either way: how long an answer takes must not tell which keys there are.
      const ha1 = sealer.open(row?.ha1Sealed ?? nobodys, HA1_PURPOSE);
      if (row === undefined) return null;
      const { ha1Sealed: _, ...plain } = row;
      return { ...plain, ha1 };
    },
    async setSecret(id, privateKey, ha1) {
      await db
        .updateTable('apiKeys')
        .set({ privateKeySealed: sealer.seal(privateKey, PRIVATE_KEY_PURPOSE), ha1Sealed: sealer.seal(ha1, HA1_PURPOSE) })
        .where('id', '=', id)
        .execute();
    },
    async setAccessList(id, accessList) {
      await db.updateTable('apiKeys').set({ accessList: [...accessList] }).where('id', '=', id).execute();
    },
    list(place, page) {
      const here = standsAt('apiKey', 'apiKeys', place);
      return readPage(
        db, page, db.selectFrom('apiKeys').select(COLUMNS).where(here).orderBy('createdAt').orderBy('id'), db.selectFrom('apiKeys').select(countRows).where(here),
      );
    },
    async describe(id, { description }) {
      if (description !== undefined) await db.updateTable('apiKeys').set({ description }).where('id', '=', id).execute();
    },
    async delete(id) {
      await db.deleteFrom('apiKeys').where('id', '=', id).execute();
    },
    async count() {
      return (await db.selectFrom('apiKeys').select(db.fn.countAll<number>().as('n')).executeTakeFirstOrThrow()).n;
    },
  };
}
