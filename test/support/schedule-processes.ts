// Two processes of one installation that both look at its schedules, on one catalog.
import type { Catalog } from '../../src/catalog/index.ts';
import { createScheduleChores } from '../../src/jobs/index.ts';
import type { FakeClock } from './fake-clock.ts';
import { freshSchema, silent, startEmbedded } from './postgres.ts';
import { openQueuedCatalog } from './queued-catalog.ts';

export interface ScheduleProcesses {
  readonly catalogs: readonly [Catalog, Catalog];
  /** One look of one process. */
  look(process: number): Promise<void>;
  close(): Promise<void>;
}

export async function startScheduleProcesses(clock: FakeClock): Promise<ScheduleProcesses> {
  const server = await startEmbedded();
  const schema = freshSchema();
  const both = [await openQueuedCatalog(server, { clock, schema }), await openQueuedCatalog(server, { clock, schema })] as const;
  return {
    catalogs: [both[0].catalog, both[1].catalog],
    look: async (process) => await createScheduleChores({ ...both[process]!, clock, log: silent, catchUp: 'once' })[0]!.run(AbortSignal.timeout(60_000)),
    async close() {
      for (const each of both) await each.close();
      await server.stop();
    },
  };
}
