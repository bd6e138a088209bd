// Opens the repository, dumps the catalog as it is, and only then lets its tables be changed.
import type { CatalogDumps } from '../catalog/index.ts';
import type { Config } from '../config/index.ts';
import type { Clock } from '../foundation/clock.ts';
import { describeError, isLeafvaultError, LeafvaultError } from '../foundation/errors.ts';
import type { Logger } from '../foundation/logger.ts';
import { dumpCatalog, sessionOwner } from '../jobs/index.ts';
import { openRepository } from '../repository/index.ts';
import { openStorage } from '../storage/index.ts';
import type { MasterKey } from './master-key.ts';

export interface BeforeMigrationParts {
  readonly config: Pick<Config, 'repositoryStore' | 'beforeMigration'>;
  readonly masterKey: MasterKey;
  readonly tempDir: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** For `CatalogOptions.beforeMigration`. @throws CATALOG_DUMP_FAILED, CATALOG_KEY_OTHER */
export function dumpBeforeMigration({ config, masterKey, tempDir, clock, log }: BeforeMigrationParts): (dumps: CatalogDumps) => Promise<void> {
  return async (dumps) => {
    // A dump with another key would hold no secret that anybody can open.
    await dumps.assertKey();
    const repositoryId = await dumps.setting('repositoryId');
    // A first start that died before it had a repository left nothing that could be lost.
    if (repositoryId === undefined) return;
    if (config.beforeMigration === 'nothing') {
      log.warn('the tables of the catalog are changed without a dump, as the settings say');
      return;
    }
    try {
      await dump(dumps, String(repositoryId));
    } catch (cause) {
      throw new LeafvaultError('CATALOG_DUMP_FAILED', `Updating the catalog's tables was refused: it could not be dumped into the repository at ${config.repositoryStore} before (${describeError(cause)})`, {
        cause, retryable: isLeafvaultError(cause) && cause.retryable,
        hint: 'Make the repository reachable and start again; or go on without a dump: --catalog-before-migration nothing (LEAFVAULT_CATALOG_BEFORE_MIGRATION=nothing)',
      });
    }
  };

  async function dump(dumps: CatalogDumps, repositoryId: string): Promise<void> {
    const storage = openStorage(config.repositoryStore);
    try {
      const repository = await openRepository({ storage, masterKey: masterKey.bytes, tempDir, clock, log, owner: await sessionOwner(), threads: 0 });
      try {
        if (repository.id !== repositoryId) throw new LeafvaultError('REPOSITORY_OTHER', 'the catalog was made with another repository');
        const made = await dumpCatalog({ dumps, repository }, { reason: 'migration', wait: true });
        log.info({ dump: made?.id }, 'the catalog was dumped before its tables change');
      } finally {
        await repository.close();
      }
    } finally {
      await storage.close();
    }
  }
}
