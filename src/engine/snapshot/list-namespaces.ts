// What a snapshot holds, by name: what a restore may choose.
import type { RepositoryReader, SnapshotRoot } from '../../repository/repository.ts';
import { collectionEntries } from './collection-entry.ts';

export interface Namespace {
  readonly db: string;
  readonly name: string;
  readonly kind: 'collection' | 'timeseries' | 'view';
  readonly documents: number;
  /** Of BSON; 0 of a view. */
  readonly bytes: number;
}

/** By database and name, in the order of their UTF-16 units. Without users and roles. */
export async function listNamespaces({ reader, root }: { readonly reader: RepositoryReader; readonly root: SnapshotRoot }): Promise<readonly Namespace[]> {
  const found: Namespace[] = [];
  for await (const { body: { kind, db, name, documents, bytes } } of collectionEntries(reader, root)) {
    if (kind !== 'users' && kind !== 'roles') found.push({ db, name, kind, documents, bytes });
  }
  const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  return found.sort((a, b) => compare(a.db, b.db) || compare(a.name, b.name));
}
