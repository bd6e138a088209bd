// Snapshots of everything, as opposed to those of chosen namespaces, and those that were asked for the same.
import { sql, type RawBuilder } from 'kysely';
import type { SnapshotSelection } from './tables.ts';

/** @param column `selection` of `snapshots`, with the name that the query gives the table; it may be a JSON null as well: that is how everything was chosen */
export function isWhole(column: string): RawBuilder<boolean> {
  return sql<boolean>`(coalesce(jsonb_typeof(${sql.ref(column)}), 'null') = 'null')`;
}

/** Whether two snapshots were asked for the same: both everything, or the same lists. What comes in another order counts as something else, which keeps more. */
export function isOfSame(column: string, other: string): RawBuilder<boolean> {
  return sql<boolean>`(${selectionOf(sql.ref(column))} = ${selectionOf(sql.ref(other))})`;
}

/** @param selection null: everything */
export function isOf(column: string, selection: SnapshotSelection | null): RawBuilder<boolean> {
  return sql<boolean>`(${selectionOf(sql.ref(column))} = ${JSON.stringify(selection)}::jsonb)`;
}

function selectionOf(column: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`coalesce(${column}, 'null'::jsonb)`;
}
