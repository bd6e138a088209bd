// Asked before a plan is given up: as long as its servers are there it can be ended.
import { isLeafvaultError } from '../../foundation/errors.ts';
import type { StandsElsewhere } from '../contracts.ts';
import { openTarget } from './open-target.ts';
import { loadPlan } from './plan-store.ts';

/**
 * False also for a plan that is over there, or that may be ended wherever it is sent.
 * @throws TARGET_UNREACHABLE, what the target refuses: then nobody knows
 */
export const standsElsewhere: StandsElsewhere = async ({ restoreId, target: { uri }, plan, signal }) => {
  const target = await openTarget(uri, signal);
  try {
    await loadPlan(restoreId, { load: () => Promise.resolve(plan) }, target);
    return false;
  } catch (error) {
    if (isLeafvaultError(error, 'RESTORE_TARGET_EXCHANGED')) return true;
    throw error;
  } finally {
    await target.close();
  }
};
