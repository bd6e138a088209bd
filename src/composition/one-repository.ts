// The one repository of an installation, opened once and shared by everything in this process.
import type { RepositoryProvider } from '../jobs/index.ts';
import type { Clock } from '../foundation/clock.ts';
import type { Logger } from '../foundation/logger.ts';
import { openOrInitRepository, type Repository } from '../repository/index.ts';
import { openStorage } from '../storage/index.ts';

export interface OpenedRepository extends RepositoryProvider {
  readonly repository: Repository;
  /** Made by this call. */
  readonly created: boolean;
  close(): Promise<void>;
}

export async function openOneRepository(options: {
  readonly address: string; readonly masterKey: Uint8Array; readonly tempDir: string; readonly clock: Clock; readonly log: Logger;
}): Promise<OpenedRepository> {
  const { address, ...rest } = options;
  const storage = openStorage(address);
  try {
    const { repository, created } = await openOrInitRepository({ storage, ...rest });
    return {
      repository, created,
      forProject: () => Promise.resolve(repository),
      async close() {
        await repository.close();
        await storage.close();
      },
    };
  } catch (error) {
    await storage.close();
    throw error;
  }
}
