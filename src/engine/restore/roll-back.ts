// Ends a plan on the old side: every rename undone by UUID, every shadow dropped.
import type { Logger } from '../../foundation/logger.ts';
import { putBack, uuidsOf } from './displace.ts';
import { dropNamed } from './drop-named.ts';
import { noteIntruder, settleIntruders } from './intruders.ts';
import type { Target } from './open-target.ts';
import { gapNames, shadowsOf, type RestorePlan } from './plan.ts';
import type { PlanStore } from './plan-store.ts';

/**
 * Safe to call again. A step that can't be put back doesn't stop the others; the first failure is thrown at the end
 * and the plan stays open.
 * @throws RESTORE_SWAP_FAILED; what the journal throws when the lease is lost, then at once
 */
export async function rollBack(target: Target, plan: RestorePlan, store: PlanStore, log: Logger): Promise<void> {
  // The fence: a worker that lost its lease ends here, before it touches what is another's now.
  await store.save(plan);
  const steps = [...plan.asides, ...plan.swaps].reverse();
  if (plan.state === 'swapping') {
    let failure: { readonly error: unknown } | undefined;
    for (const step of steps) {
      await store.hold(plan);
      try {
        await putBack(target, step, (intruder) => noteIntruder(plan, store, intruder));
      } catch (error) {
        failure ??= { error };
      }
    }
    if (failure !== undefined) throw failure.error;
    await settleIntruders(target, plan);
  }
  const written = plan.state === 'swapping' ? await writtenShadows(target, plan) : [];
  await dropNamed(target, shadowsOf(plan).filter(({ db, name }) => !written.includes(`${db}.${name}`)), log, () => store.hold(plan));
  plan.kept = [...new Set([...plan.kept, ...written, ...(await keptGaps(target, plan))])];
  if (plan.kept.length > 0) log.warn({ collections: plan.kept }, 'Kept collections that an application wrote to while names were being swapped');
  plan.state = 'undone';
  await store.save(plan);
  if (plan.kept.length === 0) await store.forget(plan);
}

/** Shadows that were live for a while and hold more, or less, than was proven: those writes were acknowledged. */
async function writtenShadows(target: Target, plan: RestorePlan): Promise<string[]> {
  const written: string[] = [];
  for (const { db, shadow, shadowUuid, proven } of plan.swaps) {
    const there = (await uuidsOf(target, db, [shadow])).get(shadow);
    if (proven === null || there === undefined || there !== shadowUuid) continue;
    const { n } = await target.db(db).command({ count: shadow });
    if (Number(n) !== proven.documents) written.push(`${db}.${shadow}`);
  }
  return written;
}

async function keptGaps(target: Target, plan: RestorePlan): Promise<string[]> {
  const kept: string[] = [];
  for (const step of [...plan.swaps, ...plan.asides]) {
    for (const name of (await uuidsOf(target, step.db, gapNames(step))).keys()) kept.push(`${step.db}.${name}`);
  }
  return kept;
}
