// A catalog with its queue: on a server that goes on, or on one that ends with them.
import type { Catalog } from '../../src/catalog/index.ts';
import { openPostgresQueue, type PostgresQueue } from '../../src/jobs/index.ts';
import { silent, startEmbedded, type TestDatabase } from './postgres.ts';

export interface OpenedCatalog {
  readonly catalog: Catalog;
  readonly queue: PostgresQueue;
  close(): Promise<void>;
}

export interface QueuedCatalog extends OpenedCatalog {
  readonly server: TestDatabase;
}

export async function openQueuedCatalog(server: TestDatabase, options?: Parameters<TestDatabase['open']>[0]): Promise<OpenedCatalog> {
  const catalog = await server.open(options);
  const queue = await openPostgresQueue({ catalog, log: silent });
  return {
    catalog, queue,
    async close() {
      await queue.close();
      await catalog.close();
    },
  };
}

export async function startQueuedCatalog(start: () => Promise<TestDatabase> = startEmbedded, options?: Parameters<TestDatabase['open']>[0]): Promise<QueuedCatalog> {
  const server = await start();
  const opened = await openQueuedCatalog(server, options);
  return {
    ...opened, server,
    async close() {
      await opened.close();
      await server.stop();
    },
  };
}
