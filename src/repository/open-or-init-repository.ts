// Opens the repository in a store, or makes one where the store is empty.
import { isLeafvaultError } from '../foundation/errors.ts';
import { initRepository } from './init-repository.ts';
import { openRepository, type OpenOptions } from './open-repository.ts';
import type { Repository } from './repository.ts';

/** @returns `created`: true when it was made now. @throws what `openRepository` and `initRepository` throw, but for MISSING and EXISTS */
export async function openOrInitRepository(options: OpenOptions): Promise<{ readonly repository: Repository; readonly created: boolean }> {
  try {
    return { repository: await openRepository(options), created: false };
  } catch (cause) {
    if (!isLeafvaultError(cause, 'REPOSITORY_MISSING')) throw cause;
  }
  const created = await initOrLetBe(options);
  return { repository: await openRepository(options), created };
}

async function initOrLetBe({ storage, masterKey, clock }: OpenOptions): Promise<boolean> {
  try {
    await initRepository({ storage, masterKey, clock });
    return true;
  } catch (cause) {
    // Another process was faster; what it made is as good.
    if (isLeafvaultError(cause, 'REPOSITORY_EXISTS')) return false;
    throw cause;
  }
}
