// Is every snapshot whole? (in the making)
import type { RepositoryContext } from '../context.ts';
import type { CheckReport } from '../repository.ts';

export async function checkRepository(_context: RepositoryContext, _options: object): Promise<CheckReport> {
  throw new Error('not yet');
}
