// The tables as lines of JSON, in pages, so that memory stays bounded whatever they hold. Inside one transaction.
import { sql, type Kysely } from 'kysely';
import type { Sealer } from '../../foundation/seal.ts';
import { describeTables, type Reference, type SchemaShape, type TableShape } from './describe-tables.ts';
import { DUMP_POLICY, RECENT_DAYS, sealedOf, type TablePolicy } from './dump-policy.ts';

export interface ReadOptions {
  readonly schema: string;
  readonly sealer: Sealer;
  readonly now: Date;
  /** Nothing is left out because it is old. */
  readonly everything: boolean;
}

export interface DumpCounts {
  /** Rows by table. */
  readonly tables: Record<string, number>;
  /** Secrets that could not be opened, and went as they are. */
  broken: number;
}

const DAY_MS = 86_400_000;
/** Rows of one fetch, and the bytes that make it smaller or larger: a restore's plan may have 16 MiB, a grant 100 bytes. */
const FETCH = { first: 16, most: 500, fewBytes: 64 * 1024, manyBytes: 1024 * 1024 };

/** @param db a repeatable-read transaction without the camel-case plugin */
export async function* readTables(db: Kysely<unknown>, options: ReadOptions, counts: DumpCounts): AsyncGenerator<string> {
  const shape = await describeTables(db, options.schema);
  const kept = keptRows(shape, options);
  for (const table of shape.tables) {
    const policy = DUMP_POLICY[table.name] ?? { kind: 'whole' };
    if (policy.kind === 'never') continue;
    counts.tables[table.name] = 0;
    yield JSON.stringify(['table', table.name, sealedOf(table.name)]);
    yield* readRows(db, table, selectOf(table, policy, kept, options), options.sealer, counts);
  }
  for (const name of shape.sequences) {
    const { rows } = await sql<{ last: string | null }>`select last_value::text as last from pg_sequences where schemaname = ${options.schema} and sequencename = ${name}`.execute(db);
    const last = rows[0]?.last ?? null;
    if (last !== null) yield JSON.stringify(['sequence', name, Number(last)]);
  }
  yield JSON.stringify(['end']);
}

async function* readRows(db: Kysely<unknown>, { name }: TableShape, select: string, sealer: Sealer, counts: DumpCounts): AsyncGenerator<string> {
  const sealed = Object.entries(sealedOf(name));
  await sql.raw(`declare dumped no scroll cursor for ${select}`).execute(db);
  for (let size = FETCH.first, last = -1; last !== 0;) {
    const { rows } = await sql<{ line: string }>`fetch forward ${sql.raw(String(size))} from dumped`.execute(db);
    let bytes = 0;
    for (const { line } of rows) {
      bytes += line.length;
      yield sealed.length === 0 ? line : withoutSeals(line, sealed, sealer, counts);
    }
    last = rows.length;
    counts.tables[name] = (counts.tables[name] ?? 0) + last;
    if (bytes > FETCH.manyBytes) size = Math.max(1, size >> 2);
    else if (bytes < FETCH.fewBytes) size = Math.min(FETCH.most, size * 2);
  }
  await sql.raw('close dumped').execute(db);
}

function withoutSeals(line: string, sealed: readonly (readonly [string, string])[], sealer: Sealer, counts: DumpCounts): string {
  const row = JSON.parse(line) as Record<string, unknown>;
  for (const [column, purpose] of sealed) {
    const text = row[column];
    if (typeof text !== 'string') continue;
    try {
      row[column] = sealer.open(text, purpose);
    } catch {
      // One row that somebody altered must not cost all dumps: it goes as it is, and is counted.
      row[column] = { sealed: text };
      counts.broken += 1;
    }
  }
  return JSON.stringify(row);
}

function selectOf({ name, columns }: TableShape, policy: Exclude<TablePolicy, { kind: 'never' }>, kept: string, { everything }: ReadOptions): string {
  const blank = (policy.blank ?? []).filter((column) => columns.includes(column)).map((column) => ` - '${column}'`).join('');
  const row = `select (to_jsonb(t)${blank})::text as line from ${quoted(name)} t`;
  return policy.kind === 'whole' || everything ? row : `${kept} ${row} where ${policy.where}`;
}

/**
 * Which restores, snapshots and jobs are kept: young ones, those that still hold something, and those that a row of the dump refers to, also
 * from a table of which this file knows nothing.
 */
function keptRows({ references }: SchemaShape, { now }: ReadOptions): string {
  const since = new Date(now.getTime() - RECENT_DAYS * DAY_MS).toISOString();
  const referred = (target: string): string => references.filter((one) => one.target === target && isWhole(one)).map(({ table, column }) => ` or t.id in (select ${quoted(column)} from ${quoted(table)})`).join('');
  return `with since as materialized (select timestamptz '${since}' as at),
    kept_restores as materialized (select t.id, t.snapshot_id, t.job_id from restores t where t.created_at > (select at from since)
      or exists (select 1 from restore_plans p where p.restore_id = t.id and (p.settled_at is null or p.kept_until is not null))
      or exists (select 1 from jobs j where j.restore_id = t.id and j.state in ('queued', 'running'))${referred('restores')}),
    kept_snapshots as materialized (select t.id, t.job_id from snapshots t where t.deleted_at is null or t.deleted_at > (select at from since)
      or t.id in (select snapshot_id from kept_restores)${referred('snapshots')}),
    kept_jobs as materialized (select t.id from jobs t where t.created_at > (select at from since) or t.state in ('queued', 'running')
      or t.restore_id in (select id from kept_restores) or t.id in (select job_id from kept_restores) or t.id in (select job_id from kept_snapshots)
      or t.id in (select p.job_id from restore_plans p where p.restore_id in (select id from kept_restores))${referred('jobs')})`;
}

function isWhole({ table }: Reference): boolean {
  return (DUMP_POLICY[table]?.kind ?? 'whole') === 'whole';
}

/** An identifier of PostgreSQL's own catalogs. */
function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
