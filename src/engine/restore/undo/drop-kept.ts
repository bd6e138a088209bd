// Drops what a restore kept for an undo, once its time is over.
import type { DropKept } from '../../contracts.ts';
import { LeafvaultError } from '../../../foundation/errors.ts';
import { dropNamed, type Named } from '../drop-named.ts';
import { openTarget } from '../open-target.ts';
import { createPlanStore, loadPlan } from '../plan-store.ts';
import type { RestorePlan } from '../plan.ts';

/**
 * Old collections alone, by name and UUID. What else is kept (writes of applications that came in between, copies of time series) is
 * somebody's to look at, and stays. Safe to call again.
 * @returns what is still kept, `db.name` each. @throws RESTORE_UNSETTLED while the restore or its undo is not ended, TARGET_UNREACHABLE, what the journal throws when the lease is lost
 */
export const dropKept: DropKept = async ({ restoreId, target: { uri }, journal, signal, log }) => {
  const target = await openTarget(uri, signal);
  try {
    const plan = await loadPlan(restoreId, journal, target);
    if (plan !== null && plan.state !== 'finished' && plan.state !== 'undone') throw unsettled(plan);
    const old = plan === null ? [] : keptBy(plan);
    if (plan === null || old.length === 0) return plan?.kept ?? [];
    const store = createPlanStore(journal, target);
    // The fence, before the first drop; an undo that comes later finds nothing to put back.
    plan.oldCollections = 'drop';
    await store.save(plan);
    await dropNamed(target, old, log, () => store.hold(plan));
    const gone = new Set(old.map(({ db, name }) => `${db}.${name}`));
    plan.kept = plan.kept.filter((name) => !gone.has(name));
    await store.save(plan);
    if (plan.kept.length === 0) await store.forget(plan);
    return plan.kept;
  } finally {
    await target.close();
  }
};

function unsettled({ restoreId, state }: RestorePlan): LeafvaultError {
  return new LeafvaultError('RESTORE_UNSETTLED', `Dropping what restore ${restoreId} keeps failed: it, or its undo, is not ended (${state})`, {
    retryable: true, hint: 'Every worker ends it by itself as soon as the target can be reached; then ask again',
  });
}

/** What is there for an undo and for nothing else. Nothing of a plan that is under way. */
function keptBy(plan: RestorePlan): Named[] {
  const isKept = ({ db, name }: Named): boolean => plan.kept.includes(`${db}.${name}`);
  if (plan.state === 'finished') {
    const old = [...plan.swaps, ...plan.asides].filter(({ liveUuid }) => liveUuid !== null).map(({ db, old: name, liveUuid: uuid }) => ({ db, name, uuid }));
    return [...old, ...plan.asideViews.map(({ db, old: name }) => ({ db, name, uuid: null }))].filter(isKept);
  }
  if (plan.kind !== 'undo' || plan.state !== 'undone') return [];
  // A rolled back undo left them where they were. Those that were live for a moment may hold acknowledged writes.
  const shadows = plan.swaps.filter(({ shadowUuid }) => shadowUuid !== null && !plan.wereLive.includes(shadowUuid)).map(({ db, shadow: name, shadowUuid: uuid }) => ({ db, name, uuid }));
  return [...shadows, ...plan.views.flatMap(({ db, keptAs }) => (keptAs === undefined ? [] : [{ db, name: keptAs, uuid: null }]))].filter(isKept);
}
