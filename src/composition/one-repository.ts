// The one repository of an installation, opened once and shared by everything in this process.
import type { CatalogStore } from '../catalog/index.ts';
import type { Clock } from '../foundation/clock.ts';
import { describeError, isLeafvaultError, LeafvaultError } from '../foundation/errors.ts';
import { limitRate } from '../foundation/limit-rate.ts';
import type { Logger } from '../foundation/logger.ts';
import type { RepositoryProvider } from '../jobs/index.ts';
import { openOrInitRepository, openWithCopies, type Repository } from '../repository/index.ts';
import { openStorage, withLimit, type LockTerms, type Storage } from '../storage/index.ts';
import { noteStore } from './note-store.ts';

export interface OpenedRepository extends RepositoryProvider {
  readonly repository: Repository;
  /** Stores of its second copies, in the order of the setting. */
  readonly copies: readonly Storage[];
  /** How its store holds what is put; null: not at all. */
  readonly lockTerms: LockTerms | null;
  /** Whether the store, or a copy, still holds it: a disk may have gone since it was opened. */
  isThere(): Promise<boolean>;
  close(): Promise<void>;
}

export interface OneRepositoryOptions {
  readonly catalog: Pick<CatalogStore, 'settings'>;
  /** `file:…` */
  readonly address: string;
  /** Of second copies. */
  readonly copies?: readonly string[];
  /** To all of them together; null: no limit. */
  readonly copiesBytesPerSecond?: number | null;
  readonly masterKey: Uint8Array;
  readonly tempDir: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Of the sessions in it. */
  readonly owner: string;
}

const REPOSITORY_ID = 'repositoryId';

/**
 * Made at the first start, and never again: an empty folder in its place is a disk that is not mounted, not a reason
 * to begin afresh.
 * @throws STORAGE_READ_ONLY for a store of the past, REPOSITORY_GONE, REPOSITORY_OTHER, STORAGE_LOCK_UNAVAILABLE, and what opening throws
 */
export async function openOneRepository({ catalog, address, copies: addresses = [], copiesBytesPerSecond = null, ...rest }: OneRepositoryOptions): Promise<OpenedRepository> {
  const storage = openStorage(address);
  const take = limitRate(rest.clock, copiesBytesPerSecond ?? undefined);
  const copies = addresses.map((each) => withLimit(openStorage(each), take));
  const closeStores = async (): Promise<void> => {
    for (const store of [storage, ...copies]) await store.close();
  };
  const known = await catalog.settings.get(REPOSITORY_ID);
  let repository: Repository | undefined;
  try {
    if (storage.isPast === true) throw past(address);
    for (const store of [storage, ...copies]) await assertLock(store, rest.log);
    // A first start makes the repository; only then there can be anything in a copy.
    if (known === undefined) await (await openOrInitRepository({ storage, ...rest })).repository.close();
    repository = await openWithCopies({ storage, copies, ...rest });
    const { id } = repository;
    if (repository.isCopy) throw isCopy(address);
    if ((await catalog.settings.getOrSet(REPOSITORY_ID, id)) !== id) throw other(address);
    await noteStore({ storage, repositoryId: id, settings: catalog.settings, log: rest.log });
    const opened = repository;
    return {
      repository: opened,
      copies,
      lockTerms: storage.objectLock ?? null,
      forProject: () => Promise.resolve(opened),
      async isThere() {
        for (const store of [storage, ...copies]) if (await store.stat('repository.json').then((found) => found !== null, () => false)) return true;
        return false;
      },
      async close() {
        await opened.close();
        await closeStores();
      },
    };
  } catch (error) {
    await repository?.close();
    await closeStores();
    throw known !== undefined && isLeafvaultError(error, 'REPOSITORY_MISSING') ? gone(address, error) : error;
  }
}

/** A bucket that can't hold anything is told before something is put that nobody holds. One that can't be asked is a matter of opening it. */
async function assertLock({ address, objectLock }: Storage, log: Logger): Promise<void> {
  try {
    for (const warning of (await objectLock?.assertAvailable()) ?? []) log.warn({ store: address }, warning);
  } catch (error) {
    if (isLeafvaultError(error, 'STORAGE_LOCK_UNAVAILABLE')) throw error;
    log.warn({ store: address, reason: describeError(error) }, 'whether the bucket has object lock could not be found out');
  }
}

function past(address: string): LeafvaultError {
  return new LeafvaultError('STORAGE_READ_ONLY', `Opening the repository at ${address} was refused: it is seen as it was at an instant, and nothing could be written to it`, {
    hint: 'Copy it to a new place with `leafvault copy --to`, take that into use with `leafvault copy --promote`, and set repository.store to it',
  });
}

function gone(address: string, cause: unknown): LeafvaultError {
  return new LeafvaultError('REPOSITORY_GONE', `Opening the repository at ${address} failed: the catalog knows one there, and there is none`, {
    cause, hint: 'Mount the file system that it lies on, or set repository.store to where it is now',
  });
}

function other(address: string): LeafvaultError {
  return new LeafvaultError('REPOSITORY_OTHER', `Opening the repository at ${address} was refused: the catalog was made with another one`, {
    hint: 'Set repository.store to the repository of this catalog, or start with another home or database',
  });
}

function isCopy(address: string): LeafvaultError {
  return new LeafvaultError('REPOSITORY_IS_COPY', `Opening the repository at ${address} was refused: it is a second copy, and nothing could be written to it`, {
    hint: 'Set repository.store to the first store and repository.copies to this one; or take the copy into use with `leafvault copy --promote`',
  });
}
