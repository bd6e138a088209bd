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
    return SelectQueryNode.is(node) && mayBeNamed(node) ? this.#named(node) : node;
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
      // A statement inside of another one is seen twice: its names are taken for columns then.
      if (column === null || name === null || name === column || this.snakeCase(name) !== column) return SelectionNode.create(selection);
      given.set(column, name);
      return SelectionNode.create(AliasNode.create(AliasNode.is(selection) ? selection.node : selection, IdentifierNode.create(name)) as SelectionNode['selection']);
    });
    // A bare name to order by is that of what is selected, where there is one; with a collation it is that of a column.
    const items = node.orderBy?.items.map((item) => {
      const isBare = ReferenceNode.is(item.orderBy) && item.orderBy.table === undefined && item.collation === undefined;
      const name = isBare ? given.get(nameOf(item.orderBy) ?? '') : undefined;
      return name === undefined ? item : { ...item, orderBy: ReferenceNode.create(ColumnNode.create(name)) } satisfies OrderByItemNode;
    });
    return { ...node, ...(selections === undefined ? {} : { selections }), ...(items === undefined ? {} : { orderBy: OrderByNode.create(items) }) };
  }
}

/** Unless groups or the order may be of a name that is given in the statement, in words that are not looked into. */
function mayBeNamed({ groupBy, distinctOn, orderBy }: SelectQueryNode): boolean {
  return groupBy === undefined && distinctOn === undefined && (orderBy === undefined || orderBy.items.every((item) => ReferenceNode.is(item.orderBy)));
}

/** That of a column or of what was given a name; null for `*` and for what has none. */
function nameOf(node: OperationNode): string | null {
  if (AliasNode.is(node)) return IdentifierNode.is(node.alias) ? node.alias.name : null;
  if (ReferenceNode.is(node)) return ColumnNode.is(node.column) ? node.column.column.name : null;
  return ColumnNode.is(node) ? node.column.name : null;
}
