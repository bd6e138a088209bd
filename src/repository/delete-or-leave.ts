// A delete that the store may refuse: an object lock where no versions are kept, a key that may not delete.
import { isLeafvaultError } from '../foundation/errors.ts';
import type { RepositoryContext } from './context.ts';

const REFUSALS = ['STORAGE_LOCKED', 'STORAGE_DENIED'];

/**
 * What is refused for good stays, is told, and is asked for again by the next one who tidies up. A store that is away still throws.
 * @param stuck takes in the name of what stays
 * @returns whether it is gone
 */
export async function deleteOrLeave({ storage, log }: Pick<RepositoryContext, 'storage' | 'log'>, name: string, stuck?: string[]): Promise<boolean> {
  try {
    await storage.delete(name);
    return true;
  } catch (error) {
    if (!isLeafvaultError(error) || error.retryable || !REFUSALS.includes(error.code)) throw error;
    // Who collects them tells how many there are: a line for each of a million packs says less.
    log[stuck === undefined ? 'info' : 'debug']({ object: name, reason: error.message }, 'the store does not let an object go; it stays');
    stuck?.push(name);
    return false;
  }
}
