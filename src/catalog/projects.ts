// Projects (Atlas: groups) of an organization.
import type { Page, PageOf, Project } from '../domain/records.ts';
import { countRows, isAnyOf, readPage, type CatalogContext } from './context.ts';

export interface ProjectFilter {
  /** Projects of these organizations, or (together with `ids`) any of both; null with `ids` null: all. */
  readonly orgIds: readonly string[] | null;
  readonly ids: readonly string[] | null;
}

export interface Projects {
  /** @throws CATALOG_DUPLICATE, CATALOG_REFERENCE_MISSING */
  insert(row: { readonly id: string; readonly orgId: string; readonly name: string }): Promise<Project>;
  get(id: string): Promise<Project | null>;
  byName(orgId: string, name: string): Promise<Project | null>;
  /** By name. A project is listed when its organization is in `orgIds` or itself in `ids`; both null: all. */
  list(filter: ProjectFilter, page: Page): Promise<PageOf<Project>>;
}

export function createProjects({ db, clock }: CatalogContext): Projects {
  const select = () => db.selectFrom('projects').select(['id', 'orgId', 'name', 'createdAt']);
  return {
    async insert({ id, orgId, name }) {
      const row = { id, orgId, name, createdAt: clock.now() };
      await db.insertInto('projects').values(row).execute();
      return row;
    },
    async get(id) {
      return (await select().where('id', '=', id).executeTakeFirst()) ?? null;
    },
    async byName(orgId, name) {
      return (await select().where('orgId', '=', orgId).where('name', '=', name).executeTakeFirst()) ?? null;
    },
    list({ orgIds, ids }, page) {
      let rows = select().orderBy('name').orderBy('id');
      let count = db.selectFrom('projects').select(countRows);
      if (orgIds !== null || ids !== null) {
        rows = rows.where((eb) => eb.or([isAnyOf('orgId', orgIds ?? []), isAnyOf('id', ids ?? [])]));
        count = count.where((eb) => eb.or([isAnyOf('orgId', orgIds ?? []), isAnyOf('id', ids ?? [])]));
      }
      return readPage(db, page, rows, count);
    },
  };
}
