// Organizations: the outermost boundary.
import type { Organization, Page, PageOf } from '../domain/records.ts';
import { countRows, isAnyOf, readPage, type CatalogContext } from './context.ts';

export interface Organizations {
  /** @throws CATALOG_DUPLICATE */
  insert(row: { readonly id: string; readonly name: string }): Promise<Organization>;
  get(id: string): Promise<Organization | null>;
  byName(name: string): Promise<Organization | null>;
  /** Waits for whoever else holds it, and holds it to the end of the transaction. */
  hold(id: string): Promise<void>;
  /** By name. `ids` null: all of them. */
  list(filter: { readonly ids: readonly string[] | null }, page: Page): Promise<PageOf<Organization>>;
}

export function createOrganizations({ db, clock }: CatalogContext): Organizations {
  const select = () => db.selectFrom('organizations').select(['id', 'name', 'createdAt']);
  return {
    async insert({ id, name }) {
      const row = { id, name, createdAt: clock.now() };
      await db.insertInto('organizations').values(row).execute();
      return row;
    },
    async get(id) {
      return (await select().where('id', '=', id).executeTakeFirst()) ?? null;
    },
    async byName(name) {
      return (await select().where('name', '=', name).executeTakeFirst()) ?? null;
    },
    async hold(id) {
      await db.selectFrom('organizations').select('id').where('id', '=', id).forUpdate().execute();
    },
    list({ ids }, page) {
      let rows = select().orderBy('name').orderBy('id');
      let count = db.selectFrom('organizations').select(countRows);
      if (ids !== null) {
        rows = rows.where(isAnyOf('id', ids));
        count = count.where(isAnyOf('id', ids));
      }
      return readPage(db, page, rows, count);
    },
  };
}
