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

/** `column = any(…)` with one bound array: the same plan and statement for any number of values. */
export function isAnyOf(column: string, values: readonly string[]): RawBuilder<boolean> {
  return sql<boolean>`${sql.ref(column)} = any(${[...values]}::text[])`;
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

/** Runs `work` in the transaction that is open, or in one of its own. */
export function atomically<T>(context: CatalogContext, work: (inner: CatalogContext) => Promise<T>): Promise<T> {
  return context.db.isTransaction ? work(context) : context.db.transaction().execute((db) => work({ ...context, db }));
}

/** A query builder to `count(*) as n`. */
export const countRows = sql<number>`count(*)`.as('n');
