// People: console and Commvault logins. Passwords are hashed; failed logins are counted here,
// when to lock is the caller's rule.
import { sql } from 'kysely';
import type { CatalogContext } from './context.ts';
import { hashSecret, verifySecret } from './secret-hash.ts';

export interface User {
  readonly id: string;
  readonly orgId: string;
  readonly name: string;
  readonly failedLogins: number;
  /** No login before this time, right password or not. */
  readonly lockedUntil: Date | null;
  readonly createdAt: Date;
}

export interface Users {
  /** Hashes the password. Names are unique without regard to case. @throws CATALOG_DUPLICATE */
  insert(row: { readonly id: string; readonly orgId: string; readonly name: string; readonly password: string }): Promise<User>;
  get(id: string): Promise<User | null>;
  byName(name: string): Promise<User | null>;
  /** Whether the password is right; false for an unknown id, and as slow. Neither counts nor looks at locks. */
  verifyPassword(id: string | null, password: string): Promise<boolean>;
  /** Counts a failure; at `limit` the user is locked for `lockSeconds` and the count starts again. */
  recordFailure(id: string, rule: { readonly limit: number; readonly lockSeconds: number }): Promise<{ readonly lockedUntil: Date | null }>;
  recordSuccess(id: string): Promise<void>;
  setPassword(id: string, password: string): Promise<void>;
  count(): Promise<number>;
}

const COLUMNS = ['id', 'orgId', 'name', 'failedLogins', 'lockedUntil', 'createdAt'] as const;

export function createUsers({ db, clock }: CatalogContext): Users {
  return {
    async insert({ id, orgId, name, password }) {
      const plain = { id, orgId, name, failedLogins: 0, lockedUntil: null, createdAt: clock.now() };
      await db.insertInto('users').values({ ...plain, nameLower: name.toLowerCase(), passwordHash: await hashSecret(password) }).execute();
      return plain;
    },
    async get(id) {
      return (await db.selectFrom('users').select(COLUMNS).where('id', '=', id).executeTakeFirst()) ?? null;
    },
    async byName(name) {
      return (await db.selectFrom('users').select(COLUMNS).where('nameLower', '=', name.toLowerCase()).executeTakeFirst()) ?? null;
    },
    async verifyPassword(id, password) {
      const row = id === null ? undefined : await db.selectFrom('users').select('passwordHash').where('id', '=', id).executeTakeFirst();
      if (row !== undefined) return verifySecret(password, row.passwordHash);
      await hashSecret(password);
      return false;
    },
    async recordFailure(id, { limit, lockSeconds }) {
      const until = new Date(clock.now().getTime() + lockSeconds * 1000);
      // One statement, so that parallel guesses are all counted.
      const row = await db
        .updateTable('users')
        .set({
          failedLogins: sql<number>`case when failed_logins + 1 >= ${limit} then 0 else failed_logins + 1 end`,
          lockedUntil: sql<Date | null>`case when failed_logins + 1 >= ${limit} then ${until}::timestamptz else locked_until end`,
        })
        .where('id', '=', id)
        .returning('lockedUntil')
        .executeTakeFirst();
      return { lockedUntil: row?.lockedUntil ?? null };
    },
    async recordSuccess(id) {
      await db.updateTable('users').set({ failedLogins: 0, lockedUntil: null }).where('id', '=', id).execute();
    },
    async setPassword(id, password) {
      await db.updateTable('users').set({ passwordHash: await hashSecret(password), failedLogins: 0, lockedUntil: null }).where('id', '=', id).execute();
    },
    async count() {
      return (await db.selectFrom('users').select(db.fn.countAll<number>().as('n')).executeTakeFirstOrThrow()).n;
    },
  };
}
