// What the store can is asked at the start, told plainly, and kept for `leafvault status`.
import type { CatalogStore } from '../catalog/index.ts';
import { storeKey, type StoreState } from '../domain/store-state.ts';
import { describeError } from '../foundation/errors.ts';
import type { Logger } from '../foundation/logger.ts';
import type { Storage } from '../storage/index.ts';

interface NoteStoreOptions {
  readonly storage: Pick<Storage, 'address' | 'conditionalPut'>;
  readonly repositoryId: string;
  readonly settings: Pick<CatalogStore['settings'], 'set'>;
  readonly log: Pick<Logger, 'warn'>;
}

/** Asks the store and warns where nothing can be pruned there. One that does not answer keeps nobody from starting: what was known stays. */
export async function noteStore({ storage, repositoryId, settings, log }: NoteStoreOptions): Promise<void> {
  let conditionalPut: boolean;
  try {
    conditionalPut = await storage.conditionalPut();
  } catch (error) {
    log.warn({ store: storage.address, reason: describeError(error) }, 'whether the store refuses names that are taken could not be found out');
    return;
  }
  if (!conditionalPut) log.warn({ store: storage.address }, 'the store has no conditional put: it can not refuse a name that is taken, so nothing is pruned there and it only grows; copy the repository to one that has it (docs/guides/second-copy.md)');
  await settings.set(storeKey(repositoryId), { conditionalPut } satisfies StoreState);
}
