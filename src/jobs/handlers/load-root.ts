// A root that may not be there.
import { isLeafvaultError } from '../../foundation/errors.ts';
import type { Repository, SnapshotRoot } from '../../repository/repository.ts';

/** null only when the repository says that there is no such snapshot; any other failure is thrown. */
export async function loadRoot(repository: Repository, snapshotId: string): Promise<SnapshotRoot | null> {
  try {
    return await repository.loadSnapshot(snapshotId);
  } catch (error) {
    if (isLeafvaultError(error, 'REPOSITORY_SNAPSHOT_MISSING')) return null;
    throw error;
  }
}
