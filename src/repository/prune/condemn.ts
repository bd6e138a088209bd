// Begins a generation; of two prunes that get as far one goes on.
import { isLeafvaultError } from '../../foundation/errors.ts';
import type { RepositoryContext } from '../context.ts';
import { beginGeneration } from '../generations.ts';
import { busy } from './refusals.ts';

/** @throws REPOSITORY_PRUNE_REFUSED (busy) where another prune has begun this generation */
export async function condemn(context: RepositoryContext, generation: number, packs: readonly string[], options: Parameters<typeof beginGeneration>[3] = {}): Promise<void> {
  try {
    await beginGeneration(context, generation, packs, options);
  } catch (error) {
    if (!isLeafvaultError(error, 'STORAGE_OBJECT_EXISTS')) throw error;
    throw busy('another prune began meanwhile', error);
  }
}
