// Projects (Atlas: groups) of an organization. The row of one that was deleted stays: jobs and the audit refer to it.
import type { Page, PageOf, Project, Tag } from '../domain/records.ts';
import { countRows, isAnyOf, readPage, type CatalogContext } from './context.ts';

export interface ProjectFilter {
  /** Projects of these organizations, or (together with `ids`) any of both; null with `ids` null: all. */
  readonly orgIds: readonly string[] | null;
  readonly ids: readonly string[] | null;
}

export interface Projects {
  /** @throws CATALOG_DUPLICATE, CATALOG_REFERENCE_MISSING */
  insert(row: { readonly id: string; readonly orgId: string; readonly name: string; readonly tags?: readonly Tag[] }): Promise<Project>;
  /** Deleted ones too. */
  get(id: string): Promise<Project | null>;
  byName(orgId: string, name: string): Promise<Project | null>;
  /** By name. A project is listed when its organization is in `orgIds` or itself in `ids`; both null: all. */
  list(filter: ProjectFilter, page: Page): Promise<PageOf<Project>>;
  /** What is absent stays. @throws CATALOG_DUPLICATE */
  change(id: string, change: { readonly name?: string | undefined; readonly tags?: readonly Tag[] | undefined }): Promise<void>;
  /** Waits for whoever else holds it, and holds it to the end of the transaction. */
  hold(id: string): Promise<void>;
  markDeleted(id: string): Promise<void>;
  /** Is there again, under its name. @throws CATALOG_DUPLICATE */
  revive(id: string): Promise<void>;
}

const COLUMNS = ['id', 'orgId', 'name', 'createdAt', 'tags', 'deletedAt'] as const;

export function createProjects({ db, clock }: CatalogContext): Projects {
  const select = () => db.selectFrom('projects').select(COLUMNS);
  return {
    async insert({ id, orgId, name, tags = [] }) {
      const row = { id, orgId, name, createdAt: clock.now() };
      await db.insertInto('projects').values({ ...row, tags: JSON.stringify(tags) }).execute();
      return { ...row, tags, deletedAt: null };
    },
    async get(id) {
      return (await select().where('id', '=', id).executeTakeFirst()) ?? null;
    },
    async byName(orgId, name) {
      return (await select().where('orgId', '=', orgId).where('name', '=', name).where('deletedAt', 'is', null).executeTakeFirst()) ?? null;
    },
    list({ orgIds, ids }, page) {
      let rows = select().where('deletedAt', 'is', null).orderBy('name').orderBy('id');
      let count = db.selectFrom('projects').select(countRows).where('deletedAt', 'is', null);
      if (orgIds !== null || ids !== null) {
        rows = rows.where((eb) => eb.or([isAnyOf('orgId', orgIds ?? []), isAnyOf('id', ids ?? [])]));
        count = count.where((eb) => eb.or([isAnyOf('orgId', orgIds ?? []), isAnyOf('id', ids ?? [])]));
      }
      return readPage(db, page, rows, count);
    },
    async change(id, { name, tags }) {
      const news = { ...(name === undefined ? {} : { name }), ...(tags === undefined ? {} : { tags: JSON.stringify(tags) }) };
      if (Object.keys(news).length > 0) await db.updateTable('projects').set(news).where('id', '=', id).execute();
    },
    async hold(id) {
      await db.selectFrom('projects').select('id').where('id', '=', id).forUpdate().execute();
    },
    async markDeleted(id) {
      await db.updateTable('projects').set({ deletedAt: clock.now() }).where('id', '=', id).execute();
    },
    async revive(id) {
      await db.updateTable('projects').set({ deletedAt: null }).where('id', '=', id).execute();
    },
  };
}
