// Processes that run jobs: on the same machine a dead one is noticed at once by its process id and start time.
import { sql } from 'kysely';
import type { CatalogContext } from './context.ts';

export interface WorkerProcess {
  readonly id: string;
  /** Tells machines (and containers on one) apart. */
  readonly host: string;
  readonly pid: number;
  /** When the process began, in the machine's own words: a process id alone is used again. */
  readonly processStart: string;
}

export interface Workers {
  register(worker: WorkerProcess): Promise<void>;
  onHost(host: string): Promise<readonly WorkerProcess[]>;
  seen(id: string): Promise<void>;
  remove(ids: readonly string[]): Promise<void>;
  /** Those seen in the last `withinSeconds`. */
  countAlive(withinSeconds: number): Promise<number>;
}

export function createWorkers({ db }: CatalogContext): Workers {
  return {
    async register(worker) {
      const now = sql<Date>`clock_timestamp()`;
      await db.insertInto('workers').values({ ...worker, startedAt: now, seenAt: now }).execute();
    },
    async onHost(host) {
      return db.selectFrom('workers').select(['id', 'host', 'pid', 'processStart']).where('host', '=', host).execute();
    },
    async seen(id) {
      await db.updateTable('workers').set({ seenAt: sql<Date>`clock_timestamp()` }).where('id', '=', id).execute();
    },
    async remove(ids) {
      await db.deleteFrom('workers').where(sql<boolean>`id = any(${[...ids]}::text[])`).execute();
    },
    async countAlive(withinSeconds) {
      const { rows } = await sql<{ n: number }>`
        select count(*) as n from workers where seen_at > clock_timestamp() - ${withinSeconds} * interval '1 second'`.execute(db);
      return rows[0]?.n ?? 0;
    },
  };
}
