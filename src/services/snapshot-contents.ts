// Databases and collections inside a snapshot, by name.
import { cutPage } from '../domain/cut-page.ts';
import type { CatalogStore } from '../catalog/index.ts';
import type { Cluster } from '../domain/records.ts';
import { LeafvaultError } from '../foundation/errors.ts';
import { isId } from '../foundation/ids.ts';
import type { SnapshotContents } from './contracts.ts';
import { snapshotNotFound } from './snapshots.ts';

/** One of a snapshot; a time series by its own name. `bytes`: of BSON. */
export interface SnapshotNamespace { readonly db: string; readonly name: string; readonly documents: number; readonly bytes: number }

/** All of a snapshot, in order. Handed in: the repository is behind it. */
export type ReadContents = (snapshotId: string) => Promise<readonly SnapshotNamespace[]>;

export function createSnapshotContents({ catalog, readContents }: { readonly catalog: Pick<CatalogStore, 'snapshots'>; readonly readContents: ReadContents }): SnapshotContents {
  const read = async ({ id: clusterId }: Cluster, id: string): Promise<readonly SnapshotNamespace[]> => {
    const snapshot = isId(id) ? await catalog.snapshots.get(id) : null;
    if (snapshot === null || snapshot.clusterId !== clusterId || snapshot.deletedAt !== null) throw snapshotNotFound(clusterId, id);
    if (snapshot.state !== 'completed') throw new LeafvaultError('SNAPSHOT_NOT_COMPLETE', `Looking into snapshot ${id} failed: it is ${snapshot.state}`, { details: { id, state: snapshot.state }, hint: 'Wait until the snapshot is completed' });
    return readContents(id);
  };
  const databasesOf = (all: readonly SnapshotNamespace[]): string[] => [...new Set(all.map(({ db }) => db))];
  const collectionsOf = async (cluster: Cluster, snapshotId: string, database: string): Promise<string[]> => {
    const found = (await read(cluster, snapshotId)).filter(({ db }) => db === database).map(({ name }) => name);
    if (found.length === 0) throw notThere(database, snapshotId);
    return found;
  };
  return {
    namespaces: read,
    databases: async (cluster, snapshotId, page) => cutPage(databasesOf(await read(cluster, snapshotId)), page),
    async database(cluster, snapshotId, database) {
      await collectionsOf(cluster, snapshotId, database);
      return database;
    },
    collections: async (cluster, snapshotId, database, page) => cutPage(await collectionsOf(cluster, snapshotId, database), page),
    async collection(cluster, snapshotId, { database, collection }) {
      if (!(await collectionsOf(cluster, snapshotId, database)).includes(collection)) throw notThere(`${database}.${collection}`, snapshotId);
      return collection;
    },
  };
}

function notThere(name: string, snapshotId: string): LeafvaultError {
  return new LeafvaultError('NAMESPACE_NOT_FOUND', `Reading ${JSON.stringify(name)} of snapshot ${snapshotId} failed: the snapshot has none`, { details: { name, id: snapshotId } });
}
