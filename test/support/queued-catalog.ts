// A catalog with its queue, on a server that ends with them.
import type { Catalog } from '../../src/catalog/index.ts';
import { openPostgresQueue } from '../../src/jobs/index.ts';
import { silent, startEmbedded, type TestDatabase } from './postgres.ts';

export interface QueuedCatalog {
  readonly server: TestDatabase;
  readonly catalog: Catalog;
  readonly queue: Awaited<ReturnType<typeof openPostgresQueue>>;
  close(): Promise<void>;
}

export async function startQueuedCatalog(start: () => Promise<TestDatabase> = startEmbedded, options?: Parameters<TestDatabase['open']>[0]): Promise<QueuedCatalog> {
  const server = await start();
  const catalog = await server.open(options);
  const queue = await openPostgresQueue({ catalog, log: silent });
  return {
    server, catalog, queue,
    async close() {
      await queue.close();
      await catalog.close();
      await server.stop();
    },
  };
}
