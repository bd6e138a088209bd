// Services on a real catalog and a real queue, with a clock that the test moves. No worker: a test ends jobs itself.
import { Readable } from 'node:stream';
import type { Catalog } from '../../src/catalog/index.ts';
import type { Principal, RoleGrant } from '../../src/domain/roles.ts';
import { newId } from '../../src/foundation/ids.ts';
import { openPostgresQueue } from '../../src/jobs/index.ts';
import type { Services } from '../../src/services/contracts.ts';
import { createServices, type OpenArchive, type ServicesOptions } from '../../src/services/index.ts';
import { makeInventory, type Inventory } from './catalog-rows.ts';
import { fakeClock, type FakeClock } from './fake-clock.ts';
import { silent, startEmbedded, type TestDatabase } from './postgres.ts';

export const MASTER_KEY = Buffer.alloc(32, 9);
export const BASE_URL = 'http://backup.example:27080';

export interface ServicesWorld {
  readonly catalog: Catalog;
  readonly services: Services;
  readonly clock: FakeClock;
  readonly inventory: Inventory;
  /** What the services were made of. */
  readonly parts: ServicesOptions;
  /** What `openArchive` was asked for. */
  readonly opened: Parameters<OpenArchive>[0][];
  close(): Promise<void>;
}

/** @param options `probe`: who answers at a connection string; `readContents`: what snapshots hold */
export async function openServicesWorld(database: TestDatabase, options: Partial<Pick<ServicesOptions, 'probe' | 'readContents'>> = {}): Promise<ServicesWorld> {
  const clock = fakeClock();
  const catalog = await database.open({ clock });
  const queue = await openPostgresQueue({ catalog, log: silent });
  const opened: ServicesWorld['opened'] = [];
  const parts: ServicesOptions = {
    ...options, catalog, queue, clock, secret: MASTER_KEY, restoreDefaults: { timeSeries: 'refuse', keepHours: 0 }, baseUrl: () => BASE_URL,
    timelineReader: { read: () => Promise.reject(new Error('There is no chain')), find: () => Promise.reject(new Error('There is no chain')) },
    openArchive: (request) => {
      opened.push(request);
      return Readable.from([Buffer.from('archive')]);
    },
  };
  return {
    catalog, parts, clock, opened,
    services: createServices(parts),
    inventory: await makeInventory(catalog),
    async close() {
      await queue.close();
      await catalog.close();
    },
  };
}

/** The same on a server of its own, which ends with it. */
export async function startServicesWorld(): Promise<ServicesWorld> {
  const database = await startEmbedded();
  const world = await openServicesWorld(database);
  return {
    ...world,
    async close() {
      await world.close();
      await database.stop();
    },
  };
}

/** A principal as the doors hand it in, with these grants; no row behind it. */
export function principalWith(orgId: string, grants: readonly RoleGrant[]): Principal {
  return { kind: 'apiKey', id: newId(), name: 'abcdefgh', orgId, grants };
}

export function ownerOf({ orgId }: Inventory): Principal {
  return principalWith(orgId, [{ role: 'ORG_OWNER', orgId }]);
}

/** As its worker would, at the level of the row. */
export async function completeJob(catalog: Catalog, jobId: string): Promise<void> {
  await catalog.transaction((tx) => tx.executeSql("update jobs set state = 'completed', finished_at = now() where id = $1", [jobId]));
}
