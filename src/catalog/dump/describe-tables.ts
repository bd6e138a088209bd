// What PostgreSQL says of the tables of a schema: their columns, and who has to be there before whom.
import { sql, type Kysely } from 'kysely';
import { LeafvaultError } from '../../foundation/errors.ts';

export interface TableShape {
  readonly name: string;
  /** Those that can be written, in order. */
  readonly columns: readonly string[];
}

/** `table.column` refers to `id` of `target`. */
export interface Reference { readonly table: string; readonly column: string; readonly target: string }

export interface SchemaShape {
  /** A table stands behind all that it refers to. */
  readonly tables: readonly TableShape[];
  readonly references: readonly Reference[];
  readonly sequences: readonly string[];
}

/** @param db without the camel-case plugin @throws CATALOG_DUMP_FAILED where tables refer to each other in a circle */
export async function describeTables(db: Kysely<unknown>, schema: string): Promise<SchemaShape> {
  const { rows: columns } = await sql<{ table_name: string; column_name: string }>`
    select c.table_name, c.column_name from information_schema.columns c
    join information_schema.tables t on t.table_schema = c.table_schema and t.table_name = c.table_name and t.table_type = 'BASE TABLE'
    where c.table_schema = ${schema} and c.is_generated = 'NEVER' order by c.table_name, c.ordinal_position`.execute(db);
  const { rows: references } = await sql<Reference>`
    select source.relname as "table", a.attname as "column", target.relname as "target"
    from pg_constraint k join pg_class source on source.oid = k.conrelid join pg_class target on target.oid = k.confrelid
      join pg_namespace n on n.oid = source.relnamespace join pg_attribute a on a.attrelid = k.conrelid and a.attnum = k.conkey[1]
    where k.contype = 'f' and n.nspname = ${schema} order by 1, 2, 3`.execute(db);
  const { rows: sequences } = await sql<{ name: string }>`select sequencename as name from pg_sequences where schemaname = ${schema} order by 1`.execute(db);
  const shapes = new Map<string, string[]>();
  for (const { table_name: table, column_name: column } of columns) shapes.set(table, [...(shapes.get(table) ?? []), column]);
  return { tables: inOrder(shapes, references), references, sequences: sequences.map(({ name }) => name) };
}

function inOrder(shapes: ReadonlyMap<string, readonly string[]>, references: readonly Reference[]): TableShape[] {
  const done = new Map<string, TableShape>();
  const waitsFor = (name: string): string[] => references.filter(({ table, target }) => table === name && target !== name && !done.has(target)).map(({ target }) => target);
  while (done.size < shapes.size) {
    const free = [...shapes].find(([name]) => !done.has(name) && waitsFor(name).length === 0);
    if (free === undefined) throw new LeafvaultError('CATALOG_DUMP_FAILED', `Ordering the tables failed: ${[...shapes.keys()].filter((name) => !done.has(name)).join(', ')} refer to each other in a circle`);
    done.set(free[0], { name: free[0], columns: free[1] });
  }
  return [...done.values()];
}
