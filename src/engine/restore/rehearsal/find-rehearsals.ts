// Plans of rehearsals that lie on a cluster: what is left of one whose rows were lost.
import type { FindRehearsals } from '../../contracts.ts';
import { isScratchDatabase } from '../../mongo/namespaces.ts';
import { openTarget } from '../open-target.ts';
import { otherPlans } from '../plan-store.ts';
import { namesInPlan, type RestorePlan } from '../plan.ts';

/** @throws TARGET_UNREACHABLE, RESTORE_PLAN_INVALID */
export const findRehearsals: FindRehearsals = async ({ target: { uri }, signal }) => {
  const target = await openTarget(uri, signal);
  try {
    return (await otherPlans('', target)).filter(isRehearsal).map(({ restoreId, snapshotId }) => ({ restoreId, snapshotId }));
  } finally {
    await target.close();
  }
};

/** Of scratch databases alone. */
function isRehearsal(plan: RestorePlan): boolean {
  const names = namesInPlan(plan);
  return names.length > 0 && names.every(({ db }) => isScratchDatabase(db));
}
