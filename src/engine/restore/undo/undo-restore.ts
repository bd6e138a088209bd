// Takes a restore back: the old collections, kept by it, go live again in one swap with the same journal, and the
// restored ones are kept in their place. Calling it again takes that back in turn.
import { describeError } from '../../../foundation/errors.ts';
import type { UndoRestore, UndoResult } from '../../contracts.ts';
import { showNamespace } from '../../mongo/namespaces.ts';
import { completeRestore } from '../complete/complete-restore.ts';
import { uuidsOf } from '../displace.ts';
import { inOurWords } from '../in-our-words.ts';
import { isLeaseLost } from '../lease-lost.ts';
import { listNames, openTarget, type Target } from '../open-target.ts';
import { createPlanStore, loadPlan, otherPlans } from '../plan-store.ts';
import { namesOnTarget, parsePlan, type Displaced, type RestorePlan, type SwapStep } from '../plan.ts';
import { createProgressTally } from '../progress-tally.ts';
import { settlePlan, settleRestore } from '../settle-restore.ts';
import { swapNames } from '../swap.ts';
import { planUndo, undoRefused } from './plan-undo.ts';

/**
 * @throws RESTORE_UNDO_REFUSED with `details.reasons` before anything is touched; RESTORE_SWAP_FAILED with everything where it was
 *   before the call; RESTORE_FINISH_FAILED once the old collections are live: settling, or calling again, completes it
 */
export const undoRestore: UndoRestore = async (options) => {
  await settleRestore(options);
  const target = await openTarget(options.target.uri, options.signal);
  let plan: RestorePlan | null = null;
  try {
    const before = await loadPlan(options.restoreId, options.journal, target);
    if (before === null) throw undoRefused(options.restoreId, ['nothing is known of it on the target']);
    if (before.kind === 'restore' && before.state !== 'finished') throw undoRefused(options.restoreId, ['it changed nothing: it was rolled back itself']);
    if (before.kind === 'undo' && before.state === 'finished' && before.undoId === options.undoId) return resultOf(before);
    if (options.wanted !== undefined && options.wanted === liveSide(before)) {
      // The journal of a catalog that was brought back did not know.
      await options.journal.save({ ...before });
      return resultOf(before);
    }
    plan = { ...planUndo(before, options.clock.now()), undoId: options.undoId };
    await check(target, plan);
    await swapBack(options, target, plan);
  } catch (error) {
    if (plan === null || isLeaseLost(error) || !(await ended(options, plan, error))) {
      options.signal.throwIfAborted();
      throw inOurWords(error, 'undo');
    }
  } finally {
    await target.close();
  }
  // Settled behind our back, the journal knows more.
  return resultOf(parsePlan((await options.journal.load()) ?? { ...plan }));
};

/** Which data is live by a plan that is over. */
function liveSide({ kind, state, undone }: RestorePlan): 'old' | 'new' {
  if (kind === 'restore') return 'new';
  return undone === (state === 'finished') ? 'old' : 'new';
}

function resultOf(plan: RestorePlan): UndoResult {
  return { putBack: [...plan.swaps, ...plan.views].map(({ db, name }) => `${db}.${name}`), movedAside: plan.kept, warnings: plan.warnings };
}

async function swapBack(options: Parameters<UndoRestore>[0], target: Target, plan: RestorePlan): Promise<void> {
  const store = createPlanStore(options.journal, target, options.clock);
  await store.save(plan);
  const tally = createProgressTally(options.onProgress, options.clock);
  await swapNames({ plan, store, target, tally, options });
  await completeRestore({ target, plan, store, log: options.log, ...(options.onPhase === undefined ? {} : { onPhase: options.onPhase }) });
}

/** Settles what a failed undo left. True: it turned out to be done. The first failure stays the cause. */
async function ended(options: Parameters<UndoRestore>[0], plan: RestorePlan, failure: unknown): Promise<boolean> {
  try {
    return (await settlePlan({ ...options, signal: AbortSignal.timeout(60_000) }, plan.prefix)) === 'new';
  } catch (error) {
    options.log.error({ restoreId: options.restoreId, failure: describeError(failure), error: describeError(error) }, 'A failed undo could not be ended yet; settling it again does that');
    return false;
  }
}

/** Restores of the same names that are not over: ended later, they would take away what this makes live. */
async function openPlansOn(target: Target, plan: RestorePlan): Promise<string[]> {
  const names = new Set(namesOnTarget(plan));
  return (await otherPlans(plan.restoreId, target))
    .filter((other) => other.state !== 'finished' && other.state !== 'undone' && namesOnTarget(other).some((name) => names.has(name)))
    .map((other) => `the restore ${other.restoreId} of the same collections is not over (${other.state}); every worker ends it by itself`);
}

/** Everything that is in the way, before anything is touched. @throws RESTORE_UNDO_REFUSED */
async function check(target: Target, plan: RestorePlan): Promise<void> {
  const reasons = await openPlansOn(target, plan);
  for (const [db, steps] of Map.groupBy<string, Displaced | SwapStep>([...plan.swaps, ...plan.asides], (step) => step.db)) {
    const live = await listNames(target, db, steps.map(({ name }) => name));
    const old = await uuidsOf(target, db, steps.flatMap((step) => ('shadow' in step ? [step.shadow] : [])));
    for (const step of steps) {
      const where = showNamespace(`${db}.${step.name}`);
      const there = live.get(step.name);
      if ('shadow' in step && old.get(step.shadow) !== step.shadowUuid) reasons.push(`the old collection of ${where} is gone: ${db}.${step.shadow} was dropped or renamed`);
      if (there !== undefined && there.type !== 'collection') reasons.push(`${where} is a ${there.type} now; drop it first`);
      else if (there !== undefined && step.liveUuid === null) {
        // The restore had moved it aside; applications made another one meanwhile, which is kept in turn.
        step.liveUuid = there.uuid;
        plan.warnings.push(`${where} was made anew by applications since the restore; that one is kept as ${showNamespace(`${db}.${step.old}`)}`);
      } else if (there !== undefined && there.uuid !== step.liveUuid) reasons.push(`${where} is no longer the collection that was restored: it was dropped, renamed or restored again`);
    }
  }
  if (reasons.length > 0) throw undoRefused(plan.restoreId, reasons);
}

