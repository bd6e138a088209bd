// The swap: live names change from the old collections to the proven ones, journaled before the first rename.
// docs/design/restore-protocol.md has the states and says what each crash leaves.
import { LeafvaultError } from '../../foundation/errors.ts';
import { showNamespace } from '../mongo/namespaces.ts';
import { majorityBarrier } from './barrier.ts';
import type { RestoreContext } from './context.ts';
import { moveAside, putLive, uuidsOf } from './displace.ts';
import { listNames } from './open-target.ts';
import type { Displaced, SwapStep } from './plan.ts';

const CHECK_LEASE_MS = 250;

/** Ends in state `committed`, or throws with the plan in state `swapping`, to be rolled back. @throws RESTORE_SWAP_FAILED */
export async function swapNames(context: RestoreContext): Promise<void> {
  const { plan, store, options, target, tally } = context;
  tally.begin('swap');
  await noteLive(context);
  plan.state = 'swapping';
  await store.save(plan);
  const phase = options.onPhase ?? (async () => undefined);
  let savedAt = options.clock.monotonicMs();
  const before = async (name: string): Promise<void> => {
    await phase(name);
    options.signal.throwIfAborted();
    if (options.clock.monotonicMs() - savedAt < CHECK_LEASE_MS) return;
    await store.save(plan);
    savedAt = options.clock.monotonicMs();
  };
  for (const step of plan.asides) {
    await before(`swap:aside:${step.db}.${step.name}`);
    await moveAside(target, step);
  }
  for (const step of plan.swaps) {
    await before(`swap:old:${step.db}.${step.name}`);
    await moveAside(target, step);
    await before(`swap:new:${step.db}.${step.name}`);
    await putLive(target, step);
  }
  await before('swap:check');
  await majorityBarrier(target, plan.restoreId);
  await checkAll(context);
  await before('swap:commit');
  plan.state = 'committed';
  await store.save(plan);
}

/** What is live now is what is replaced: it may have changed since preflight. */
async function noteLive({ plan, target }: RestoreContext): Promise<void> {
  for (const [db, steps] of Map.groupBy<string, Displaced>([...plan.swaps, ...plan.asides], (step) => step.db)) {
    const listed = await listNames(target, db, steps.map(({ name }) => name));
    for (const step of steps) {
      const live = listed.get(step.name);
      if (live !== undefined && live.type !== 'collection') throw swapRefused(step, `a ${live.type} was made under its name meanwhile`);
      step.liveUuid = live?.uuid ?? null;
    }
  }
}

async function checkAll({ plan, target }: RestoreContext): Promise<void> {
  for (const [db, steps] of Map.groupBy<string, Displaced>([...plan.swaps, ...plan.asides], (step) => step.db)) {
    const uuids = await uuidsOf(target, db, steps.flatMap(({ name, old }) => [name, old]));
    for (const step of steps) {
      const isSwap = 'shadowUuid' in step;
      if (isSwap && uuids.get(step.name) !== (step as SwapStep).shadowUuid) throw swapRefused(step, 'it does not hold the restored collection');
      if (step.liveUuid !== null && uuids.get(step.old) !== step.liveUuid) throw swapRefused(step, 'its old collection is not where it was moved to');
    }
  }
}

function swapRefused(step: Displaced, reason: string): LeafvaultError {
  return new LeafvaultError('RESTORE_SWAP_FAILED', `Swapping ${showNamespace(`${step.db}.${step.name}`)} failed: ${reason}`, {
    hint: 'The live collections were put back as they were; restore again when nobody renames or drops them',
  });
}
