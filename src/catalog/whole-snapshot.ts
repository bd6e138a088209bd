// Snapshots of everything, as opposed to those of chosen namespaces.
import { sql, type RawBuilder } from 'kysely';

/** @param column `selection` of `snapshots`, with the name that the query gives the table; it may be a JSON null as well: that is how everything was chosen */
export function isWhole(column: string): RawBuilder<boolean> {
  return sql<boolean>`(coalesce(jsonb_typeof(${sql.ref(column)}), 'null') = 'null')`;
}
