// Facts about the installation itself, by name.
import { sql } from 'kysely';
import type { CatalogContext } from './context.ts';

export interface Settings {
  get(key: string): Promise<unknown>;
  /** The value that stands afterwards: the one that was there, or this one; the first writer wins. */
  getOrSet(key: string, value: unknown): Promise<unknown>;
  set(key: string, value: unknown): Promise<void>;
  /** Sets the value where the one that stands is still `expected`, by content; of several callers one succeeds. @returns whether it did */
  replace(key: string, expected: unknown, value: unknown): Promise<boolean>;
}

export function createSettings({ db }: CatalogContext): Settings {
  const get = async (key: string): Promise<unknown> =>
    (await db.selectFrom('settings').select('value').where('key', '=', key).executeTakeFirst())?.value;
  return {
    get,
    async getOrSet(key, value) {
      await db.insertInto('settings').values({ key, value: JSON.stringify(value) }).onConflict((conflict) => conflict.doNothing()).execute();
      return get(key);
    },
    async set(key, value) {
      await db
        .insertInto('settings').values({ key, value: JSON.stringify(value) })
        .onConflict((conflict) => conflict.column('key').doUpdateSet({ value: JSON.stringify(value) }))
        .execute();
    },
    async replace(key, expected, value) {
      const { numUpdatedRows } = await db
        .updateTable('settings').set({ value: JSON.stringify(value) })
        .where('key', '=', key).where(sql<boolean>`value = ${JSON.stringify(expected)}::jsonb`)
        .executeTakeFirst();
      return numUpdatedRows === 1n;
    },
  };
}
