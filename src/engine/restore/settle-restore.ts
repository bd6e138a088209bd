// Ends what a worker left of a restore, from the plan alone: before the point of no return all old, after it all new.
import { MongoServerError } from 'mongodb';
import type { SettleOptions, SettleRestore } from '../contracts.ts';
import { isTurnedBack } from './check-names.ts';
import { completeRestore } from './complete/complete-restore.ts';
import { openTarget } from './open-target.ts';
import { createPlanStore, loadPlan } from './plan-store.ts';
import { rollBack } from './roll-back.ts';

/**
 * Rolls a restore to one side and removes its shadows. Safe to call again; `old` also when there is nothing to end.
 * @throws TARGET_UNREACHABLE, RESTORE_SWAP_FAILED, RESTORE_FINISH_FAILED; the plan stays open then, call again
 */
export const settleRestore: SettleRestore = (options) => settlePlan(options);

/**
 * The same; with the `prefix` of an attempt only when the plan is that attempt's.
 * @returns `old` also when the plan is another attempt's, which is then left alone
 */
export async function settlePlan({ restoreId, target: { uri }, journal, signal, log, hashSeed, mustReach = false }: SettleOptions, prefix?: string): Promise<'old' | 'new'> {
  const known = await journal.load();
  const target = await openTarget(uri, signal).catch((error: unknown) => {
    // The journal is saved before anything is made on the target: without one there is nothing to end.
    if (known === null && !mustReach && !signal.aborted) return null;
    throw error;
  });
  if (target === null) return 'old';
  try {
    const plan = await loadPlan(restoreId, journal, target).catch((error: unknown) => {
      // The same holds where nothing may be read; whether a restore may run there is for preflight to say.
      if (known === null && !mustReach && isRefused(error)) return null;
      throw error;
    });
    if (plan === null || (prefix !== undefined && plan.prefix !== prefix)) return 'old';
    const store = createPlanStore(journal, target);
    if (plan.state === 'undone' || plan.state === 'finished') {
      // A crash between the two saves of the end leaves an older copy on the target.
      await store.settleCopy(plan);
    } else if (plan.state === 'committed' && !(await isTurnedBack(target, plan))) {
      await completeRestore({ target, plan, store, log });
    } else {
      if (plan.state === 'committed') plan.state = 'swapping';
      await rollBack(target, plan, store, { log, hashSeed });
    }
    return plan.state === 'finished' ? 'new' : 'old';
  } finally {
    await target.close();
  }
}

/** Unauthorized, or authentication required. */
function isRefused(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === 13;
}
