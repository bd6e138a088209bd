// Where a project's snapshots are kept. One repository for an installation today, one for each project later.
import type { Repository } from '../repository/repository.ts';

export interface RepositoryProvider {
  /** Open already, or opened now; shared by all callers, so nobody closes it. */
  forProject(projectId: string): Promise<Repository>;
}
