// Intruders: collections that an application made under a live name while it was free for a moment.
import { settleIntruder } from './displace.ts';
import type { Target } from './open-target.ts';
import type { Intruder, RestorePlan } from './plan.ts';
import type { PlanStore } from './plan-store.ts';

/** Writes an intruder down before it is displaced: between two commands it has a name that no plan knows. */
export async function noteIntruder(plan: RestorePlan, store: PlanStore, intruder: Intruder): Promise<void> {
  if (plan.intruders.some(({ uuid }) => uuid === intruder.uuid)) return;
  plan.intruders.push(intruder);
  await store.save(plan);
}

/** Brings every intruder that a crash left under a server's own name to its gap name. */
export async function settleIntruders(target: Target, plan: RestorePlan): Promise<void> {
  for (const intruder of plan.intruders) await settleIntruder(target, intruder);
}
