// Buckets that exports go to. Deleted ones stay as rows: exports name them.
import { sql } from 'kysely';
import type { ExportBucket } from '../domain/exports.ts';
import type { Page, PageOf } from '../domain/records.ts';
import { countRows, readPage, type CatalogContext } from './context.ts';

export interface ExportBuckets {
  insert(row: Omit<ExportBucket, 'createdAt'>): Promise<ExportBucket>;
  /** Where it lay when it was opened. */
  setDeclared(id: string, isDeclared: boolean): Promise<void>;
  /** null also of a deleted one, unless it is asked for. */
  get(id: string, options?: { readonly alsoDeleted?: boolean }): Promise<ExportBucket | null>;
  /** Oldest first. */
  list(projectId: string, page: Page): Promise<PageOf<ExportBucket>>;
  /** Inside a transaction: it can't be deleted, nor taken into use, until that ends. */
  hold(id: string): Promise<ExportBucket | null>;
  /** The same for who deletes it, with the schedules that name it: those come first, as for who changes one. */
  holdToDelete(id: string): Promise<ExportBucket | null>;
  /** Schedules that had it, turned off, name it no more. */
  delete(id: string): Promise<void>;
  /** What keeps it from being deleted, in words; null: nothing. */
  userOf(id: string): Promise<string | null>;
}

const COLUMNS = ['id', 'projectId', 'bucketName', 'iamRoleId', 'isDeclared', 'region', 'createdAt'] as const;

export function createExportBuckets({ db, clock }: CatalogContext): ExportBuckets {
  const select = () => db.selectFrom('exportBuckets').select(COLUMNS);
  const there = () => select().where('deletedAt', 'is', null);
  const hold = async (id: string): Promise<ExportBucket | null> => (await there().where('id', '=', id).forUpdate().executeTakeFirst()) ?? null;
  return {
    async insert(row) {
      const made = { ...row, createdAt: clock.now() };
      await db.insertInto('exportBuckets').values({ ...made, deletedAt: null }).execute();
      return made;
    },
    async setDeclared(id, isDeclared) {
      await db.updateTable('exportBuckets').set({ isDeclared }).where('id', '=', id).execute();
    },
    async get(id, { alsoDeleted = false } = {}) {
      return (await (alsoDeleted ? select() : there()).where('id', '=', id).executeTakeFirst()) ?? null;
    },
    list: (projectId, page) => readPage(
      db, page, there().where('projectId', '=', projectId).orderBy('createdAt').orderBy('id'),
      db.selectFrom('exportBuckets').select(countRows).where('projectId', '=', projectId).where('deletedAt', 'is', null),
    ),
    hold,
    async holdToDelete(id) {
      await db.selectFrom('schedules').select('clusterId').where(sql<boolean>`export ->> 'bucketId' = ${id}`).orderBy('clusterId').forUpdate().execute();
      return hold(id);
    },
    async delete(id) {
      await db.updateTable('schedules').set({ export: null }).where(sql<boolean>`export ->> 'bucketId' = ${id}`).execute();
      await db.updateTable('exportBuckets').set({ deletedAt: clock.now() }).where('id', '=', id).where('deletedAt', 'is', null).execute();
    },
    async userOf(id) {
      const schedule = await db
        .selectFrom('schedules').innerJoin('clusters', 'clusters.id', 'schedules.clusterId').select('clusters.name')
        .where(sql<boolean>`schedules.export ->> 'bucketId' = ${id} and schedules.export -> 'isEnabled' = 'true'::jsonb`).limit(1).executeTakeFirst();
      if (schedule !== undefined) return `the schedule of ${schedule.name} exports to it`;
      const job = await db
        .selectFrom('exports').innerJoin('jobs', 'jobs.id', 'exports.jobId').select('exports.id')
        .where('exports.bucketId', '=', id).where('jobs.state', 'in', ['queued', 'running']).limit(1).executeTakeFirst();
      return job === undefined ? null : `the export ${job.id} is not over`;
    },
  };
}
