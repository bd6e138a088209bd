// What snapshots that rest have kept. Its content is the engine's; it goes when its job ends (`leases.finish`).
import type { CatalogContext } from './context.ts';

export interface CaptureRests {
  load(jobId: string): Promise<Readonly<Record<string, unknown>> | null>;
  /** In the place of the one before. Call it only inside `catalog.fenced`. */
  save(jobId: string, rest: Readonly<Record<string, unknown>>): Promise<void>;
  /** Nothing can go on from it any more. Call it only inside `catalog.fenced`. */
  remove(jobId: string): Promise<void>;
}

export function createCaptureRests({ db, clock }: CatalogContext): CaptureRests {
  return {
    async load(jobId) {
      const row = await db.selectFrom('captureRests').select('rest').where('jobId', '=', jobId).executeTakeFirst();
      return row === undefined ? null : (JSON.parse(row.rest) as Readonly<Record<string, unknown>>);
    },
    async save(jobId, rest) {
      const row = { rest: JSON.stringify(rest), savedAt: clock.now() };
      await db.insertInto('captureRests').values({ jobId, ...row }).onConflict((conflict) => conflict.column('jobId').doUpdateSet(row)).execute();
    },
    async remove(jobId) {
      await db.deleteFrom('captureRests').where('jobId', '=', jobId).execute();
    },
  };
}
