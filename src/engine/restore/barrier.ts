// A majority barrier: what was written before it can't be rolled back once it resolves.
import { PLAN_COLLECTION, PLAN_DB } from '../mongo/namespaces.ts';
import type { Target } from './open-target.ts';

/**
 * Writes a note with `w: majority`; the oplog has one order, so everything before it is committed as well.
 * @param restoreId whose note it is
 */
export async function majorityBarrier(target: Target, restoreId: string): Promise<void> {
  await target.db(PLAN_DB).command({
    update: PLAN_COLLECTION,
    updates: [{ q: { _id: restoreId }, u: { $inc: { barriers: 1 } } }],
    writeConcern: { w: 'majority', j: true },
  });
}
