// Columns are `snake_case` in PostgreSQL and `camelCase` here.
import { CamelCasePlugin, type PluginTransformResultArgs, type QueryResult, type UnknownRow } from 'kysely';

/** As Kysely's own, but for results: all rows of one have the same columns, so their names are worked out once. What lies inside of a value stays as it is. */
export class ColumnNames extends CamelCasePlugin {
  constructor() {
    super({ maintainNestedObjectKeys: true });
  }

  override transformResult({ result }: PluginTransformResultArgs): Promise<QueryResult<UnknownRow>> {
    const [first] = result.rows;
    if (first === undefined) return Promise.resolve(result);
    const names = Object.keys(first).map((column) => [column, this.camelCase(column)] as const);
    // Rows that are copied from one with all names have their final shape at once.
    const shape: UnknownRow = Object.fromEntries(names.map(([, name]) => [name, null]));
    return Promise.resolve({ ...result, rows: result.rows.map((row) => {
      const made = { ...shape };
      for (const [column, name] of names) made[name] = row[column];
      return made;
    }) });
  }
}
