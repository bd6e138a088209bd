// Snapshots that the catalog knows, against what the store shows: somebody with its credentials can hide a root, and nobody else would miss it.
import type { Catalog } from '../catalog/index.ts';
import type { Repository } from '../repository/repository.ts';
import { isKeptIn, surveyStore } from './rescue/survey-store.ts';

/** Ids of those that are kept and whose root is not in the store, though nothing there says that they were deleted, or a pin or a hold outweighs it. One that can't be read is there. */
export async function hiddenSnapshots({ snapshots }: Pick<Catalog, 'snapshots'>, repository: Pick<Repository, 'listFacts' | 'listSnapshots'>): Promise<readonly string[]> {
  // Before the store is looked at: one that was deleted since says so there.
  const expected = await snapshots.allKept();
  const survey = await surveyStore(repository);
  const { roots, deleted, unreadableRoots } = survey;
  // What a pin or a hold keeps counts as deleted for nobody.
  return expected.filter((id) => !roots.has(id) && !unreadableRoots.has(id) && (!deleted.has(id) || isKeptIn(survey, id)));
}
