// A last step that the server refuses for good becomes a warning: the new collections are live, and a plan that never
// ends would block every later restore of them.
import { MongoServerError } from 'mongodb';
import { isTransient } from '../../mongo/raw-insert.ts';
import type { Logger } from '../../../foundation/logger.ts';
import type { RestorePlan } from '../plan.ts';
import type { CompleteOptions } from './complete-restore.ts';

// Interrupted, MaxTimeMSExpired, LockTimeout, WriteConcernFailed, CursorKilled, InterruptedDueToTimeout, BackgroundOperationInProgress,
// ConflictingOperationInProgress, WriteConflict: the same call may work on the next try.
const TRY_AGAIN: ReadonlySet<number> = new Set([11601, 50, 24, 64, 237, 290, 12586, 117, 112]);

/** @param what the step in words, for the warning. @returns false when it was refused. @throws what may pass by itself, and what no server said */
export async function orWarn({ plan, log }: CompleteOptions, what: string, run: () => Promise<unknown>): Promise<boolean> {
  try {
    await run();
    return true;
  } catch (error) {
    if (!(error instanceof MongoServerError) || isTransient(error) || TRY_AGAIN.has(Number(error.code))) throw error;
    warn(plan, log, `${what} was refused by the target: ${error.message}`);
    return false;
  }
}

/** Says it in the log, and once in the plan. */
export function warn(plan: RestorePlan, log: Logger, message: string): void {
  if (!plan.warnings.includes(message)) plan.warnings.push(message);
  log.warn({ restoreId: plan.restoreId }, message);
}
