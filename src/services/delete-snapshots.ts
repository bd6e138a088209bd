// The end of all snapshots of a cluster, for whoever deletes it or ends its backups.
import type { CatalogStore } from '../catalog/index.ts';
import type { Cluster } from '../domain/records.ts';
import type { Principal } from '../domain/roles.ts';
import { isLeafvaultError } from '../foundation/errors.ts';
import type { Snapshots } from './contracts.ts';

const AT_ONCE = 500;

export interface DeleteSnapshotsParts {
  readonly catalog: Pick<CatalogStore, 'snapshots'>;
  readonly snapshots: Pick<Snapshots, 'delete'>;
}

/** Each by itself, so that a break leaves more than was asked for, never less. What a pin, a hold or a policy keeps is passed over. `unfinishedOnly`: whole ones stay. */
export async function deleteSnapshots(
  { catalog, snapshots }: DeleteSnapshotsParts, { cluster, unfinishedOnly, principal }: { readonly cluster: Cluster; readonly unfinishedOnly: boolean; readonly principal: Principal },
): Promise<void> {
  const ids: string[] = [];
  for (let pageNumber = 1; ; pageNumber += 1) {
    const { items } = await catalog.snapshots.list(cluster.id, { pageNumber, itemsPerPage: AT_ONCE });
    ids.push(...items.filter(({ state }) => !unfinishedOnly || state !== 'completed').map(({ id }) => id));
    if (items.length < AT_ONCE) break;
  }
  for (const id of ids) {
    try {
      await snapshots.delete({ cluster, id, principal, unfinishedOnly });
    } catch (error) {
      if (isLeafvaultError(error, 'SNAPSHOT_NOT_FOUND')) continue;
      // A policy that was made meanwhile, or a pin or a hold: what they keep stays.
      if (isLeafvaultError(error, 'COMPLIANCE_PROTECTED') || isLeafvaultError(error, 'SNAPSHOT_KEPT')) continue;
      throw error;
    }
  }
}
