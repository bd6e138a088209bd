// Commvault's subclients as its door sees them; a part of contracts.ts.
import type { Cluster } from '../domain/records.ts';

/** A named choice of namespaces of a cluster. */
export interface Subclient {
  readonly id: string;
  readonly clusterId: string;
  readonly name: string;
  readonly isDefault: boolean;
  /** Both empty: everything for `default`, nothing yet for any other. */
  readonly databases: readonly string[];
  /** `db.collection` each. */
  readonly collections: readonly string[];
  readonly description: string;
}

export interface SubclientContent {
  readonly databases: readonly string[];
  readonly collections: readonly string[];
}

export interface Subclients {
  /** `default` is everything and always there. Names compare lower-case. @throws SUBCLIENT_NOT_FOUND */
  resolve(clusterId: string, name: string): Promise<Subclient>;
  /** @throws SUBCLIENT_NOT_FOUND */
  get(id: string): Promise<Subclient>;
  /** `default` first. */
  list(clusterId: string): Promise<readonly Subclient[]>;
  /** What a snapshot of it chooses; undefined: everything. @throws SUBCLIENT_EMPTY */
  selectionOf(subclient: Subclient): SubclientContent | undefined;
  /** @throws SUBCLIENT_EXISTS, SUBCLIENT_NAME_INVALID, SELECTION_INVALID, TEXT_NOT_STORABLE */
  create(request: SubclientContent & { readonly cluster: Cluster; readonly name: string; readonly description?: string | undefined }): Promise<Subclient>;
  /** What is absent stays. @throws SUBCLIENT_FIXED (of `default`), and as `create` does */
  change(subclient: Subclient, change: { readonly name?: string | undefined; readonly content?: SubclientContent | undefined; readonly description?: string | undefined }): Promise<Subclient>;
  /** Snapshots and jobs stay. @throws SUBCLIENT_FIXED (of `default`) */
  remove(subclient: Subclient): Promise<void>;
}
