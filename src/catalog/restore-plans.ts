// The journal of a restore: the plan that tells after a crash what was begun on the target.
import type { CatalogContext } from './context.ts';

export interface RestorePlans {
  load(restoreId: string): Promise<Readonly<Record<string, unknown>> | null>;
  /** Call it only inside `catalog.fenced`: a worker that lost its job must not touch the journal. */
  save(restoreId: string, jobId: string, plan: Readonly<Record<string, unknown>>): Promise<void>;
  /** `old`: the target is as it was; `new`: the restore stands. */
  markSettled(restoreId: string, outcome: 'old' | 'new'): Promise<void>;
  /** Whether something was begun and never ended. */
  isOpen(restoreId: string): Promise<boolean>;
}

export function createRestorePlans({ db, clock }: CatalogContext): RestorePlans {
  return {
    async load(restoreId) {
      const row = await db.selectFrom('restorePlans').select('plan').where('restoreId', '=', restoreId).executeTakeFirst();
      return row === undefined ? null : (JSON.parse(row.plan) as Readonly<Record<string, unknown>>);
    },
    async save(restoreId, jobId, plan) {
      const row = { plan: JSON.stringify(plan), savedAt: clock.now(), settledAt: null, outcome: null };
      await db
        .insertInto('restorePlans').values({ restoreId, jobId, ...row })
        .onConflict((conflict) => conflict.column('restoreId').doUpdateSet(row))
        .execute();
    },
    async markSettled(restoreId, outcome) {
      await db.updateTable('restorePlans').set({ settledAt: clock.now(), outcome }).where('restoreId', '=', restoreId).execute();
    },
    async isOpen(restoreId) {
      const row = await db
        .selectFrom('restorePlans').select('restoreId').where('restoreId', '=', restoreId).where('settledAt', 'is', null).executeTakeFirst();
      return row !== undefined;
    },
  };
}
