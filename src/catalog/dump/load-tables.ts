// Lines of a dump back into empty tables of the same version. Inside one transaction.
import { sql, type Kysely } from 'kysely';
import { isLeafvaultError, LeafvaultError } from '../../foundation/errors.ts';
import type { Sealer } from '../../foundation/seal.ts';
import { describeTables } from './describe-tables.ts';

export interface LoadOptions {
  readonly schema: string;
  /** Of the master key that the catalog will have. */
  readonly sealer: Sealer;
  /** Settings that the new catalog has of its own. */
  readonly leaveOut: (setting: string) => boolean;
}

interface Batch { readonly table: string; readonly sealed: Readonly<Record<string, string>>; readonly columns: readonly string[]; rows: string[]; bytes: number }

const BATCH_BYTES = 1024 * 1024;

/**
 * @param db a transaction without the camel-case plugin
 * @returns rows by table @throws CATALOG_DUMP_DAMAGED where the lines are none of a whole dump of these tables
 */
export async function loadTables(db: Kysely<unknown>, lines: AsyncIterable<string>, { schema, sealer, leaveOut }: LoadOptions): Promise<Readonly<Record<string, number>>> {
  const shape = await describeTables(db, schema);
  const loaded: Record<string, number> = {};
  let batch: Batch | null = null;
  let ended = false;
  const flush = async (): Promise<void> => {
    if (batch !== null && batch.rows.length > 0) await insert(db, batch);
    if (batch !== null) batch.rows = [];
    if (batch !== null) batch.bytes = 0;
  };
  for await (const line of lines) {
    if (ended) throw damaged('it goes on behind its end');
    const parsed = parse(line);
    if (!Array.isArray(parsed)) {
      if (!isRecord(parsed)) throw damaged('it holds a line that is none');
      if (batch === null) throw damaged('a row stands before the first table');
      if (batch.table === 'settings' && leaveOut(String(parsed['key']))) continue;
      batch.rows.push(withSeals(line, parsed, batch.sealed, sealer));
      batch.bytes += line.length;
      loaded[batch.table] = (loaded[batch.table] ?? 0) + 1;
      if (batch.bytes > BATCH_BYTES) await flush();
      continue;
    }
    await flush();
    const [what, name, more] = parsed as [string, string, unknown];
    if (what === 'end') ended = true;
    else if (what === 'sequence') await setSequence(db, shape.sequences, name, more);
    else if (what === 'table') {
      const table = shape.tables.find((one) => one.name === name);
      if (table === undefined) throw damaged(`it holds a table ${name}, which its version does not have`);
      batch = { table: name, sealed: sealedColumns(more), columns: table.columns, rows: [], bytes: 0 };
      loaded[name] = 0;
    } else throw damaged('it holds a line that is none');
  }
  if (!ended) throw damaged('its end is missing');
  return loaded;
}

/** Column to purpose. */
function sealedColumns(given: unknown): Readonly<Record<string, string>> {
  if (given === undefined || given === null) return {};
  if (!isRecord(given) || !Object.values(given).every((purpose) => typeof purpose === 'string')) throw damaged('the heading of a table is none');
  return given as Readonly<Record<string, string>>;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

async function insert(db: Kysely<unknown>, { table, columns, rows }: Batch): Promise<void> {
  const names = sql.join(columns.map((column) => sql.id(column)));
  try {
    await sql`insert into ${sql.id(table)} (${names}) overriding system value
      select ${names} from json_populate_recordset(null::${sql.id(table)}, ${`[${rows.join(',')}]`}::json)`.execute(db);
  } catch (error) {
    // PostgreSQL's words about a value quote it.
    if (isLeafvaultError(error) && ['CATALOG_QUERY_FAILED', 'CATALOG_DUPLICATE', 'CATALOG_REFERENCE_MISSING'].includes(error.code)) throw damaged(`rows of ${table} do not fit (${error.code})`);
    throw error;
  }
}

async function setSequence(db: Kysely<unknown>, known: readonly string[], name: string, last: unknown): Promise<void> {
  if (!Number.isSafeInteger(Number(last)) || Number(last) < 1) throw damaged('the number that a sequence goes on from is none');
  if (known.includes(name)) await sql`select setval(${`"${name.replaceAll('"', '""')}"`}::regclass, ${Number(last)}::bigint)`.execute(db);
}

function withSeals(line: string, row: Record<string, unknown>, sealed: Readonly<Record<string, string>>, sealer: Sealer): string {
  const columns = Object.entries(sealed);
  if (columns.length === 0) return line;
  const copy = { ...row };
  for (const [column, purpose] of columns) {
    const value = copy[column];
    if (typeof value === 'string') copy[column] = sealer.seal(value, purpose);
    else if (typeof value === 'object' && value !== null) copy[column] = (value as { readonly sealed?: unknown }).sealed;
  }
  return JSON.stringify(copy);
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // Without the cause: it quotes the line, which may hold a secret.
    throw damaged('a line of it is no JSON');
  }
}

function damaged(reason: string): LeafvaultError {
  return new LeafvaultError('CATALOG_DUMP_DAMAGED', `Loading the dump failed: ${reason}`, { hint: 'Choose an older one with --dump (`--list` shows them), or rebuild with --without-dump' });
}
