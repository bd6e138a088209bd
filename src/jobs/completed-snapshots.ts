// Snapshots that the catalog knows, against what the store shows: somebody with its credentials can hide a root, and nobody else would miss it.
import type { Catalog } from '../catalog/index.ts';
import type { Repository } from '../repository/repository.ts';
import { surveyStore } from './rescue/survey-store.ts';

type Rows = Pick<Catalog, 'clusters' | 'snapshots'>;

const PAGE = 500;

/** Ids of all that are completed and kept. Ask before the store is looked at: one that was deleted since says so there. */
export async function completedSnapshots({ clusters, snapshots }: Rows): Promise<readonly string[]> {
  const ids: string[] = [];
  for (const { id } of await clusters.ofProjects(null)) {
    for (let pageNumber = 1; ; pageNumber += 1) {
      const { items, totalCount } = await snapshots.list(id, { pageNumber, itemsPerPage: PAGE }, { completedOnly: true });
      ids.push(...items.map((snapshot) => snapshot.id));
      if (items.length === 0 || pageNumber * PAGE >= totalCount) break;
    }
  }
  return ids;
}

/** Those of them whose root is not in the store, though nothing there says that they were deleted. One that can't be read is there. */
export async function hiddenSnapshots(catalog: Rows, repository: Pick<Repository, 'listFacts' | 'listSnapshots'>): Promise<readonly string[]> {
  const expected = await completedSnapshots(catalog);
  const { roots, deleted, unreadableRoots } = await surveyStore(repository);
  return expected.filter((id) => !roots.has(id) && !deleted.has(id) && !unreadableRoots.has(id));
}
