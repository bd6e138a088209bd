// What every aggregate is built from: a database handle (or a transaction), the clock, the sealer.
import { sql, type Kysely, type RawBuilder } from 'kysely';
import type { Clock } from '../foundation/clock.ts';
import type { Sealer } from '../foundation/seal.ts';
import type { Page, PageOf } from '../domain/records.ts';
import type { Tables } from './tables.ts';

export interface CatalogContext {
  readonly db: Kysely<Tables>;
  readonly clock: Clock;
  readonly sealer: Sealer;
}

/** `column = any(…)` with one bound array: the same statement for any number of values. */
export function isAnyOf(column: string, values: readonly string[]): RawBuilder<boolean> {
  return sql<boolean>`${sql.ref(column)} = any(${[...values]}::text[])`;
}

/** The same for hundreds of keys: planned as a join, without looking at each value. */
export function isOneOfMany(column: string, values: readonly string[]): RawBuilder<boolean> {
  return sql<boolean>`${sql.ref(column)} in (select unnest(${[...values]}::text[]))`;
}

interface PageQuery<T> {
  limit(limit: number): PageQuery<T>;
  offset(offset: number): PageQuery<T>;
  execute(): Promise<T[]>;
}

interface CountQuery { executeTakeFirstOrThrow(): Promise<{ readonly n: number }> }

/** One page and the count of all; `pageNumber` counts from 1. */
export async function readPage<T>(db: Kysely<Tables>, page: Page, rows: PageQuery<T>, count: CountQuery): Promise<PageOf<T>> {
  const window = rows.limit(page.itemsPerPage).offset((page.pageNumber - 1) * page.itemsPerPage);
  // A transaction has one connection, and it takes one statement at a time.
  if (db.isTransaction) {
    const items = await window.execute();
    return { items, totalCount: (await count.executeTakeFirstOrThrow()).n };
  }
  const [items, { n }] = await Promise.all([window.execute(), count.executeTakeFirstOrThrow()]);
  return { items, totalCount: n };
}

/** How many rows of a list began in a UTC month; `month` is its first instant. */
export interface MonthCount { readonly month: Date; readonly n: number }

/** `rows` newest first, by the time in the column `began`; `counts` are those of all of them, newest month first. */
interface LongList<T> { readonly rows: NarrowedQuery<T>; readonly began: string; readonly counts: readonly MonthCount[] }

interface NarrowedQuery<T> extends PageQuery<T> { where(condition: RawBuilder<boolean>): PageQuery<T> }

/** One page of a long list. Only the rows of one month are skipped: walking over 50,000 entries of an index costs more than all the rest. */
export async function readLongPage<T>({ pageNumber, itemsPerPage }: Page, { rows, began, counts }: LongList<T>): Promise<PageOf<T>> {
  const totalCount = counts.reduce((sum, { n }) => sum + n, 0);
  const first = (pageNumber - 1) * itemsPerPage;
  if (first >= totalCount) return { items: [], totalCount };
  let skipped = 0;
  let newer: MonthCount | null = null;
  for (const count of counts) {
    if (skipped + count.n > first) break;
    skipped += count.n;
    newer = count;
  }
  const older = newer === null ? rows : rows.where(sql<boolean>`${sql.ref(began)} < ${newer.month}`);
  return { items: await older.limit(itemsPerPage).offset(first - skipped).execute(), totalCount };
}

interface ClusterList<T> {
  readonly table: 'restores' | 'collectionRestores' | 'exports';
  /** The table's key; `id` where it is left out. */
  readonly key?: string;
  readonly clusterId: string;
  /** Those of these keys, joined, in the same order. */
  readonly read: (keys: readonly string[]) => Promise<readonly T[]>;
}

/** One page of what was begun for a cluster, newest first. It is picked on the narrow index first: joining before an offset would join every row skipped. */
export async function readPageOfCluster<T>({ db }: Pick<CatalogContext, 'db'>, page: Page, { table, key = 'id', clusterId, read }: ClusterList<T>): Promise<PageOf<T>> {
  const picked = db.selectFrom(table as 'restores').select(sql<string>`${sql.ref(key)}`.as('picked')).where('clusterId', '=', clusterId).orderBy('createdAt', 'desc').orderBy(sql.ref(key), 'desc');
  const { items, totalCount } = await readLongPage(page, { rows: picked, began: 'createdAt', counts: await countsOf(db, table, { clusterIds: [clusterId] }) });
  return { items: await read(items.map((each) => each.picked)), totalCount };
}

/** Kept counts of one kind of row, newest month first; `where` narrows them to clusters, kinds, active or not. */
export async function countsOf(
  db: Kysely<Tables>, counted: 'jobs' | 'snapshots' | 'restores' | 'collectionRestores' | 'exports',
  where: { readonly clusterIds?: readonly string[]; readonly projectId?: string; readonly kinds?: readonly string[]; readonly active?: boolean },
): Promise<readonly MonthCount[]> {
  let query = db.selectFrom('rowCounts').select(['month', sql<number>`sum(n)::bigint`.as('n')]).where('counted', '=', counted).groupBy('month').orderBy('month', 'desc');
  if (where.clusterIds !== undefined) query = query.where(isAnyOf('clusterId', where.clusterIds));
  if (where.projectId !== undefined) query = query.where('clusterId', 'in', db.selectFrom('clusters').select('id').where('projectId', '=', where.projectId));
  if (where.kinds !== undefined) query = query.where(isAnyOf('kind', where.kinds));
  if (where.active !== undefined) query = query.where('active', '=', where.active);
  return query.execute();
}

/** Runs `work` in the transaction that is open, or in one of its own. */
export function atomically<T>(context: CatalogContext, work: (inner: CatalogContext) => Promise<T>): Promise<T> {
  return context.db.isTransaction ? work(context) : context.db.transaction().execute((db) => work({ ...context, db }));
}

/** Where credentials are looked for: all of an organization, or those that hold a role in one of its projects. */
export interface CredentialPlace { readonly orgId: string; readonly projectId: string | null }

/** Rows of API keys or service accounts at a place; `table` is theirs. */
export function standsAt(kind: 'apiKey' | 'serviceAccount', table: string, { orgId, projectId }: CredentialPlace): RawBuilder<boolean> {
  const inOrg = sql<boolean>`${sql.ref(`${table}.orgId`)} = ${orgId}`;
  if (projectId === null) return inOrg;
  return sql<boolean>`${inOrg} and exists (
    select 1 from role_grants g where g.principal_kind = ${kind} and g.principal_id = ${sql.ref(`${table}.id`)} and g.project_id = ${projectId})`;
}

/** A query builder to `count(*) as n`. */
export const countRows = sql<number>`count(*)`.as('n');
