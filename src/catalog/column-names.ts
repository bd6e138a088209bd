// Columns are `snake_case` in PostgreSQL and `camelCase` here.
import {
  AliasNode, CamelCasePlugin, ColumnNode, IdentifierNode, OrderByNode, ReferenceNode, SelectionNode, SelectQueryNode,
  type OperationNode, type OrderByItemNode, type PluginTransformQueryArgs, type PluginTransformResultArgs, type QueryResult, type RootOperationNode, type UnknownRow,
} from 'kysely';

/**
 * As Kysely's own, but long lists cost nothing: a select asks PostgreSQL for `created_at as "createdAt"`, so that its rows are
 * given as they were read. Where the names of a result are not those asked for (`returning`, groups, raw text) its rows are copied,
 * the names worked out once for all of them. What lies inside of a value stays as it is.
 */
export class ColumnNames extends CamelCasePlugin {
  constructor() {
    super({ maintainNestedObjectKeys: true });
  }

  override transformQuery(args: PluginTransformQueryArgs): RootOperationNode {
    const node = super.transformQuery(args);
    // Groups may be of a name that is given here.
    return SelectQueryNode.is(node) && node.groupBy === undefined && node.distinctOn === undefined ? this.#named(node) : node;
  }

  override transformResult({ result }: PluginTransformResultArgs): Promise<QueryResult<UnknownRow>> {
    const [first] = result.rows;
    if (first === undefined) return Promise.resolve(result);
    const names = Object.keys(first).map((column) => [column, this.camelCase(column)] as const);
    if (names.every(([column, name]) => column === name)) return Promise.resolve(result);
    // Rows that are copied from one with all names have their final shape at once.
    const shape: UnknownRow = Object.fromEntries(names.map(([, name]) => [name, null]));
    return Promise.resolve({ ...result, rows: result.rows.map((row) => {
      const made = { ...shape };
      for (const [column, name] of names) made[name] = row[column];
      return made;
    }) });
  }

  #named(node: SelectQueryNode): SelectQueryNode {
    const given = new Map<string, string>();
    const selections = node.selections?.map(({ selection }) => {
      const column = nameOf(selection);
      const name = column === null ? null : this.camelCase(column);
      if (column === null || name === null || name === column) return SelectionNode.create(selection);
      given.set(column, name);
      return SelectionNode.create(AliasNode.create(AliasNode.is(selection) ? selection.node : selection, IdentifierNode.create(name)) as SelectionNode['selection']);
    });
    // A bare name to order by is that of what is selected, where there is one.
    const items = node.orderBy?.items.map((item) => {
      const name = ReferenceNode.is(item.orderBy) && item.orderBy.table === undefined ? given.get(nameOf(item.orderBy) ?? '') : undefined;
      return name === undefined ? item : { ...item, orderBy: ReferenceNode.create(ColumnNode.create(name)) } satisfies OrderByItemNode;
    });
    return { ...node, ...(selections === undefined ? {} : { selections }), ...(items === undefined ? {} : { orderBy: OrderByNode.create(items) }) };
  }
}

/** That of a column or of what was given a name; null for `*` and for what has none. */
function nameOf(node: OperationNode): string | null {
  if (AliasNode.is(node)) return IdentifierNode.is(node.alias) ? node.alias.name : null;
  if (ReferenceNode.is(node)) return ColumnNode.is(node.column) ? node.column.column.name : null;
  return ColumnNode.is(node) ? node.column.name : null;
}
