// The swap: live names change from the old collections to the proven ones, journaled before the first rename.
// docs/design/restore-protocol.md has the states and says what each crash leaves.
import type { RestoreOptions } from '../contracts.ts';
import { isLeafvaultError } from '../../foundation/errors.ts';
import { majorityBarrier } from './barrier.ts';
import { checkNames, swapRefused } from './check-names.ts';
import type { RestoreContext } from './context.ts';
import { moveAside, putLive } from './displace.ts';
import { noteIntruder } from './intruders.ts';
import { listNames } from './open-target.ts';
import type { Displaced } from './plan.ts';

export type SwapContext = Pick<RestoreContext, 'plan' | 'store' | 'target' | 'tally'> & { readonly options: Pick<RestoreOptions, 'signal' | 'onPhase' | 'existing'> };

/** Ends in state `committed`, or throws with the plan in state `swapping`, to be rolled back. @throws RESTORE_SWAP_FAILED */
export async function swapNames(context: SwapContext): Promise<void> {
  const { plan, store, options, target, tally } = context;
  tally.follow('swap');
  await noteLive(context);
  plan.state = 'swapping';
  await store.save(plan);
  const phase = options.onPhase ?? (async () => undefined);
  const before = async (name: string): Promise<void> => {
    await phase(name);
    options.signal.throwIfAborted();
    await store.hold(plan);
  };
  for (const step of plan.asides) {
    await before(`swap:aside:${step.db}.${step.name}`);
    await moveAside(target, step);
  }
  for (const step of plan.swaps) {
    await before(`swap:old:${step.db}.${step.name}`);
    await moveAside(target, step);
    await before(`swap:new:${step.db}.${step.name}`);
    await putLive(target, step, options.existing === 'refuse' ? null : (intruder) => noteIntruder(plan, store, intruder));
  }
  await before('swap:check');
  await majorityBarrier(target, plan.restoreId);
  await checkNames(target, plan);
  await before('swap:commit');
  plan.state = 'committed';
  await store.save(plan);
  await checkAgain(context);
}

/** A worker that woke without its lease may have sent one last rename. No old collection is dropped yet, so all can be old again. */
async function checkAgain({ plan, store, target }: SwapContext): Promise<void> {
  try {
    await checkNames(target, plan);
  } catch (error) {
    if (!isLeafvaultError(error, 'RESTORE_SWAP_FAILED')) throw error;
    plan.state = 'swapping';
    await store.save(plan);
    throw error;
  }
}

/** What is live now is what is replaced: it may have changed since preflight. */
async function noteLive({ plan, target, options }: SwapContext): Promise<void> {
  for (const [db, steps] of Map.groupBy<string, Displaced>([...plan.swaps, ...plan.asides], (step) => step.db)) {
    const listed = await listNames(target, db, steps.map(({ name }) => name));
    for (const step of steps) {
      const live = listed.get(step.name);
      if (live !== undefined && live.type !== 'collection') throw swapRefused(step, `a ${live.type} was made under its name meanwhile`);
      if (live !== undefined && options.existing === 'refuse') throw swapRefused(step, 'a collection was made under its name meanwhile, and nothing was to be replaced');
      step.liveUuid = live?.uuid ?? null;
    }
  }
}
