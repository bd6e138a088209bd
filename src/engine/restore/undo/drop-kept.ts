// Drops what a restore kept for an undo, once its time is over.
import type { DropKept } from '../../contracts.ts';
import { dropNamed } from '../drop-named.ts';
import { openTarget } from '../open-target.ts';
import { createPlanStore, loadPlan } from '../plan-store.ts';

/**
 * Old collections alone, by name and UUID. What else is kept (writes of applications that came in between, copies of time series) is
 * somebody's to look at, and stays.
 * @returns what is still kept, `db.name` each. @throws TARGET_UNREACHABLE, what the journal throws when the lease is lost
 */
export const dropKept: DropKept = async ({ restoreId, target: { uri }, journal, signal, log }) => {
  const target = await openTarget(uri, signal);
  try {
    const plan = await loadPlan(restoreId, journal, target);
    if (plan === null || plan.state !== 'finished' || plan.oldCollections !== 'keep') return plan?.kept ?? [];
    const store = createPlanStore(journal, target);
    const old = [...plan.swaps, ...plan.asides].filter(({ liveUuid }) => liveUuid !== null).map(({ db, old: name, liveUuid: uuid }) => ({ db, name, uuid }));
    const views = plan.asideViews.map(({ db, old: name }) => ({ db, name, uuid: null }));
    // The fence, before the first drop; an undo that comes later finds nothing to put back.
    plan.oldCollections = 'drop';
    await store.save(plan);
    await dropNamed(target, [...old, ...views], log, () => store.hold(plan));
    const gone = new Set([...old, ...views].map(({ db, name }) => `${db}.${name}`));
    plan.kept = plan.kept.filter((name) => !gone.has(name));
    await store.save(plan);
    if (plan.kept.length === 0) await store.forget(plan);
    return plan.kept;
  } finally {
    await target.close();
  }
};
