// A restore of some collections, as it was asked for (docs/design/collection-restores.md).

export interface NamespaceChoice {
  /** A database, or `db.collection`. */
  readonly source: string;
  /** Of the same form; absent: the same name. */
  readonly target?: string | undefined;
}

export interface CollectionRestoreRequest {
  readonly writeStrategy: 'CREATE_NEW' | 'OVERWRITE_EXISTING';
  readonly databases: readonly NamespaceChoice[];
  readonly collections: readonly NamespaceChoice[];
  readonly databaseSuffix: string | null;
  readonly collectionSuffix: string | null;
}
