// Whether the servers behind a connection string are those that a plan was made for: ended on others, it would count as over while its own stand half swapped.
import { LeafvaultError } from '../../foundation/errors.ts';
import { uuidsOf } from './displace.ts';
import type { Target } from './open-target.ts';
import { shadowsOf, type RestorePlan } from './plan.ts';

/**
 * Passes a plan that is over and keeps nothing: there is nothing of it anywhere. And a restore that has touched no live name: what it has
 * under construction on its own servers costs room there and nothing else, and those may be gone.
 * @param hasCopy whether a copy of the plan lies on the target, as of every plan that was saved once
 * @throws RESTORE_TARGET_EXCHANGED
 */
export async function refuseExchanged(plan: RestorePlan, target: Target, hasCopy: boolean): Promise<void> {
  const isOver = plan.state === 'finished' || plan.state === 'undone';
  if (isOver && plan.kept.length === 0) return;
  if (plan.kind === 'restore' && (plan.state === 'preparing' || plan.state === 'proven')) return;
  const found = await target.replicaSetId();
  if (plan.replicaSetId !== null && found !== null) {
    // A set that was cloned from the disks of its own has the same id, and the same collections but for those that the plan made.
    if (plan.replicaSetId === found && (!isSwapping(plan) || hasCopy || (await holdsSome(target, madeBy(plan))))) return;
  } else if (hasCopy || plan.state === 'preparing' || (await holdsSome(target, collectionsOf(plan)))) {
    // Servers without an id, or one that may not be seen, are known by what they hold.
    return;
  }
  throw new LeafvaultError('RESTORE_TARGET_EXCHANGED', `Ending restore ${plan.restoreId} was refused: its target was another ${plan.replicaSetId === null || plan.replicaSetId === found ? 'deployment' : 'replica set'}`, {
    details: { expected: plan.replicaSetId, found },
    hint: 'Nothing was changed. Give the cluster the connection string again that it had when the restore began; what is open there is ended within a minute. Where those servers are gone for good, `leafvault jobs abandon` gives it up',
  });
}

type Named = { readonly db: string; readonly name: string; readonly uuid: string | null };

function isSwapping({ state }: RestorePlan): boolean {
  return state === 'swapping' || state === 'committed';
}

/** Collections that the plan made, under each name that they may have. */
function madeBy(plan: RestorePlan): readonly Named[] {
  return [...shadowsOf(plan).filter(({ timeSeries }) => !timeSeries), ...plan.swaps.map(({ db, name, shadowUuid }) => ({ db, name, uuid: shadowUuid }))];
}

/** With those that it found: in every state of the plan they are there under one name or another. */
function collectionsOf(plan: RestorePlan): readonly Named[] {
  return [...madeBy(plan), ...[...plan.swaps, ...plan.asides].flatMap(({ db, name, old, liveUuid }) => [name, old].map((each) => ({ db, name: each, uuid: liveUuid })))];
}

/** Whether one of them is there; true where there is none to look for. */
async function holdsSome(target: Target, collections: readonly Named[]): Promise<boolean> {
  const known = collections.filter(({ uuid }) => uuid !== null);
  for (const [db, group] of Map.groupBy(known, (each) => each.db)) {
    const uuids = await uuidsOf(target, db, group.map(({ name }) => name));
    if (group.some(({ name, uuid }) => uuids.get(name) === uuid)) return true;
  }
  return known.length === 0;
}
