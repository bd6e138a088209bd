// The one repository of an installation, opened once and shared by everything in this process.
import type { CatalogStore } from '../catalog/index.ts';
import type { Clock } from '../foundation/clock.ts';
import { isLeafvaultError, LeafvaultError } from '../foundation/errors.ts';
import type { Logger } from '../foundation/logger.ts';
import type { RepositoryProvider } from '../jobs/index.ts';
import { openOrInitRepository, openRepository, type Repository } from '../repository/index.ts';
import { openStorage } from '../storage/index.ts';

export interface OpenedRepository extends RepositoryProvider {
  readonly repository: Repository;
  /** Whether the store still holds it: a disk may have gone since it was opened. */
  isThere(): Promise<boolean>;
  close(): Promise<void>;
}

export interface OneRepositoryOptions {
  readonly catalog: Pick<CatalogStore, 'settings'>;
  /** `file:…` */
  readonly address: string;
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
 * @throws REPOSITORY_GONE, REPOSITORY_OTHER, and what opening throws
 */
export async function openOneRepository({ catalog, address, ...rest }: OneRepositoryOptions): Promise<OpenedRepository> {
  const storage = openStorage(address);
  const known = await catalog.settings.get(REPOSITORY_ID);
  let repository: Repository | undefined;
  try {
    repository = known === undefined ? (await openOrInitRepository({ storage, ...rest })).repository : await openRepository({ storage, ...rest });
    const { id } = repository;
    if ((await catalog.settings.getOrSet(REPOSITORY_ID, id)) !== id) throw other(address);
    const opened = repository;
    return {
      repository: opened,
      forProject: () => Promise.resolve(opened),
      isThere: () => storage.stat('repository.json').then((found) => found !== null, () => false),
      async close() {
        await opened.close();
        await storage.close();
      },
    };
  } catch (error) {
    await repository?.close();
    await storage.close();
    throw known !== undefined && isLeafvaultError(error, 'REPOSITORY_MISSING') ? gone(address, error) : error;
  }
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
