// Snapshots that the catalog knows, against what the store shows: a root that is lost, or that somebody with its credentials hid, nobody else would miss.
import type { Catalog } from '../catalog/index.ts';
import { LeafvaultError } from '../foundation/errors.ts';
import type { Repository } from '../repository/repository.ts';
import { isKeptIn, surveyStore } from './rescue/survey-store.ts';

/** Ids of those that are kept and whose root is not in the store, though nothing there says that they were deleted, or a pin or a hold outweighs it. One that can't be read is there. */
export async function hiddenSnapshots({ snapshots }: Pick<Catalog, 'snapshots'>, repository: Pick<Repository, 'listFacts' | 'listSnapshots'>): Promise<readonly string[]> {
  // Before the store is looked at: one that was deleted since says so there.
  const expected = await snapshots.allKept();
  const survey = await surveyStore(repository);
  const { roots, deleted, unreadableRoots } = survey;
  // What a pin or a hold keeps counts as deleted for nobody.
  const hidden = expected.filter((id) => !roots.has(id) && !unreadableRoots.has(id) && (!deleted.has(id) || isKeptIn(survey, id)));
  if (hidden.length === 0) return hidden;
  // Deleted and pruned since: then nothing in the store says anything of it any more.
  const kept = new Set(await snapshots.allKept());
  return hidden.filter((id) => kept.has(id));
}

/** Before a prune: to that a snapshot without its root is none, and all that it alone needs would go. @throws JOBS_SNAPSHOTS_HIDDEN */
export async function assertNoneHidden(catalog: Pick<Catalog, 'snapshots'>, repository: Pick<Repository, 'listFacts' | 'listSnapshots'>): Promise<void> {
  const [id, ...others] = await hiddenSnapshots(catalog, repository);
  if (id === undefined) return;
  throw new LeafvaultError('JOBS_SNAPSHOTS_HIDDEN', `Pruning was refused: the root of the snapshot ${id}${others.length === 0 ? '' : ` and those of ${others.length} others`} that the catalog knows are not in the store`, {
    details: { snapshotId: id },
    hint: 'Bring the root back from a copy of the store, or look for delete markers in a bucket with versions (docs/guides/object-lock.md); a snapshot that is really lost has to be deleted before anything is pruned',
  });
}
