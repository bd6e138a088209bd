// A majority barrier: what was written before it can't be rolled back once it resolves.
import { sleep } from '../../foundation/abort.ts';
import { PLAN_COLLECTION, PLAN_DB } from '../mongo/namespaces.ts';
import { isTransient } from '../mongo/raw-insert.ts';
import type { Target } from './open-target.ts';

/** An election takes up to ten seconds or so by default. */
const TRIES = 20;

/**
 * Writes a note with `w: majority`; the oplog has one order, so everything before it on the same primary is committed
 * as well. Survives a change of primary, which the caller has to look for: what the old one held alone is gone then.
 * @param restoreId whose note it is
 */
export async function majorityBarrier(target: Target, restoreId: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await target.db(PLAN_DB).command({
        update: PLAN_COLLECTION,
        updates: [{ q: { _id: restoreId }, u: { $inc: { barriers: 1 } } }],
        writeConcern: { w: 'majority', j: true },
      });
      return;
    } catch (error) {
      if (attempt === TRIES || !isTransient(error)) throw error;
      await sleep(Math.min(100 * attempt, 1_000));
    }
  }
}
