// Whether the servers behind a connection string are those that a plan was made for: ended on others, it would count as over while its own stand half swapped.
import { LeafvaultError } from '../../foundation/errors.ts';
import { uuidsOf } from './displace.ts';
import type { Target } from './open-target.ts';
import { shadowsOf, type RestorePlan } from './plan.ts';

/**
 * Passes a plan that is over and keeps nothing: there is nothing of it anywhere.
 * @param hasCopy whether a copy of the plan lies on the target, as of every plan that was saved once
 * @throws RESTORE_TARGET_EXCHANGED
 */
export async function refuseExchanged(plan: RestorePlan, target: Target, hasCopy: boolean): Promise<void> {
  const isOver = plan.state === 'finished' || plan.state === 'undone';
  if (isOver && plan.kept.length === 0) return;
  const found = await target.replicaSetId();
  if (plan.replicaSetId !== null && found !== null) {
    if (plan.replicaSetId === found) return;
  } else if (hasCopy || plan.state === 'preparing' || !namesCollections(plan) || (await holdsSome(target, plan))) {
    // Servers without an id, or one that may not be seen, are known by what they hold.
    return;
  }
  throw new LeafvaultError('RESTORE_TARGET_EXCHANGED', `Ending restore ${plan.restoreId} was refused: its target was another ${plan.replicaSetId === null ? 'deployment' : 'replica set'}`, {
    details: { expected: plan.replicaSetId, found },
    hint: 'Nothing was changed. Give the cluster the connection string again that it had when the restore began; what is open there is ended within a minute',
  });
}

/** Names and UUIDs of collections that are there in every state of the plan, under one name or another. */
function collectionsOf(plan: RestorePlan): { readonly db: string; readonly name: string; readonly uuid: string | null }[] {
  return [
    ...shadowsOf(plan).filter(({ timeSeries }) => !timeSeries),
    ...plan.swaps.map(({ db, name, shadowUuid }) => ({ db, name, uuid: shadowUuid })),
    ...[...plan.swaps, ...plan.asides].flatMap(({ db, name, old, liveUuid }) => [name, old].map((each) => ({ db, name: each, uuid: liveUuid }))),
  ].filter(({ uuid }) => uuid !== null);
}

function namesCollections(plan: RestorePlan): boolean {
  return collectionsOf(plan).length > 0;
}

async function holdsSome(target: Target, plan: RestorePlan): Promise<boolean> {
  for (const [db, group] of Map.groupBy(collectionsOf(plan), (each) => each.db)) {
    const uuids = await uuidsOf(target, db, group.map(({ name }) => name));
    if (group.some(({ name, uuid }) => uuids.get(name) === uuid)) return true;
  }
  return false;
}
