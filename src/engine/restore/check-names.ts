// Whether all names of a plan hold what they should after the swap, looked up by UUID.
import { LeafvaultError } from '../../foundation/errors.ts';
import { showNamespace } from '../mongo/namespaces.ts';
import { uuidsOf } from './displace.ts';
import type { Target } from './open-target.ts';
import type { Displaced, RestorePlan, SwapStep } from './plan.ts';

/** All live names hold the restored collections, all old names the old ones. @throws RESTORE_SWAP_FAILED */
export async function checkNames(target: Target, plan: RestorePlan): Promise<void> {
  await eachStep(target, plan, (step, uuids) => {
    if ('shadowUuid' in step && uuids.get(step.name) !== step.shadowUuid) throw swapRefused(step, 'it does not hold the restored collection');
    if (step.liveUuid !== null && uuids.get(step.old) !== step.liveUuid) throw swapRefused(step, 'its old collection is not where it was moved to');
  });
}

/**
 * True when a committed swap was turned back behind our back (a worker without a lease woke in a roll back) and every old
 * collection is still there, so that all can be old again. Never once the finish has changed what a roll back can't undo.
 */
export async function isTurnedBack(target: Target, plan: RestorePlan): Promise<boolean> {
  if (plan.auth?.merged === true || plan.timeSeries.some(({ stage }) => stage !== 'beside')) return false;
  let back = 0;
  let lost = 0;
  await eachStep(target, plan, (step, uuids) => {
    if (step.liveUuid === null) return;
    if (uuids.get(step.name) === step.liveUuid) back += 1;
    else if (uuids.get(step.old) !== step.liveUuid) lost += 1;
  });
  return back > 0 && lost === 0;
}

/** Steps whose live name no longer holds the restored collection. */
export async function stepsWithout(target: Target, plan: RestorePlan): Promise<ReadonlySet<Displaced>> {
  const found = new Set<Displaced>();
  await eachStep(target, plan, (step, uuids) => {
    if ('shadowUuid' in step && uuids.get(step.name) !== step.shadowUuid) found.add(step);
  });
  return found;
}

/** A step that can't be done because the name changed meanwhile. */
export function swapRefused(step: Displaced, reason: string): LeafvaultError {
  return new LeafvaultError('RESTORE_SWAP_FAILED', `Swapping ${showNamespace(`${step.db}.${step.name}`)} failed: ${reason}`, {
    hint: 'The live collections were put back as they were; restore again when nobody renames or drops them',
  });
}

async function eachStep(target: Target, plan: RestorePlan, look: (step: Displaced | SwapStep, uuids: ReadonlyMap<string, string>) => void): Promise<void> {
  for (const [db, steps] of Map.groupBy<string, Displaced | SwapStep>([...plan.swaps, ...plan.asides], (step) => step.db)) {
    const uuids = await uuidsOf(target, db, steps.flatMap(({ name, old }) => [name, old]));
    for (const step of steps) look(step, uuids);
  }
}
