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
  /** Registers, or says that it is still there. */
  seen(worker: WorkerProcess): Promise<void>;
  list(): Promise<readonly WorkerProcess[]>;
  remove(ids: readonly string[]): Promise<void>;
  /** Removes those that were silent for so long; what they had is lost by its lease. */
  removeSilent(seconds: number): Promise<void>;
  /** Those seen in the last `withinSeconds`. */
  countAlive(withinSeconds: number): Promise<number>;
}

export function createWorkers({ db }: CatalogContext): Workers {
  const now = sql<Date>`clock_timestamp()`;
  return {
    async seen(worker) {
      await db
        .insertInto('workers').values({ ...worker, startedAt: now, seenAt: now })
        .onConflict((conflict) => conflict.column('id').doUpdateSet({ seenAt: now })).execute();
    },
    async list() {
      return db.selectFrom('workers').select(['id', 'host', 'pid', 'processStart']).execute();
    },
    async remove(ids) {
      await db.deleteFrom('workers').where(sql<boolean>`id = any(${[...ids]}::text[])`).execute();
    },
    async removeSilent(seconds) {
      await db.deleteFrom('workers').where(sql<boolean>`seen_at < clock_timestamp() - ${seconds} * interval '1 second'`).execute();
    },
    async countAlive(withinSeconds) {
      const { rows } = await sql<{ n: number }>`
        select count(*) as n from workers where seen_at > clock_timestamp() - ${withinSeconds} * interval '1 second'`.execute(db);
      return rows[0]?.n ?? 0;
    },
  };
}
