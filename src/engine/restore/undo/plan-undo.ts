// Turns the plan of a restore that is over into the plan that takes it back, by the same swap.
import { LeafvaultError } from '../../../foundation/errors.ts';
import { showNamespace } from '../../mongo/namespaces.ts';
import { decodeOrderedText } from '../../snapshot/index.ts';
import { newPlan, type Displaced, type PlannedView, type RestorePlan, type SwapStep } from '../plan.ts';

/**
 * Old collections become the shadows, the restored ones are what is moved aside. An undo that was rolled back is planned again as it was;
 * one that is over is taken back in turn.
 * @throws RESTORE_UNDO_REFUSED when nothing was kept that could be put back
 */
export function planUndo(before: RestorePlan, now: Date): RestorePlan {
  const again = before.kind === 'undo' && before.state === 'undone';
  const plan: RestorePlan = {
    ...newPlan({ restoreId: before.restoreId, snapshotId: before.snapshotId, oldCollections: 'keep', createdAt: now.toISOString(), warnings: again ? [...before.warnings] : leftAsItIs(before) }),
    // On top of every copy that lies anywhere; what was kept stays named whatever happens.
    kind: 'undo', revision: before.revision, kept: [...before.kept], undone: again ? before.undone : !before.undone,
    // What was live for a moment in any attempt may hold acknowledged writes.
    wereLive: again ? [...before.wereLive] : [],
  };
  const steps = again ? before : inverted(before);
  let n = 0;
  const names = (): { readonly old: string; readonly gap: string } => {
    n += 1;
    return { old: `${plan.prefix}.old${n}`, gap: `${plan.prefix}.gap${n}` };
  };
  plan.swaps = steps.swaps.map((step) => ({ ...step, ...names() }));
  plan.asides = steps.asides.map((step) => ({ ...step, ...names() }));
  plan.views = steps.views.map((view) => ({ ...view, trial: `${plan.prefix}.${n += 1}` }));
  plan.asideViews = steps.asideViews.map((view) => ({ ...view, old: names().old }));
  if (plan.swaps.length + plan.asides.length + plan.views.length + plan.asideViews.length === 0 || before.oldCollections === 'drop') {
    throw undoRefused(before.restoreId, ['its old collections were not kept']);
  }
  return plan;
}

/** @throws always: every reason at once */
export function undoRefused(restoreId: string, reasons: readonly string[]): LeafvaultError {
  return new LeafvaultError('RESTORE_UNDO_REFUSED', `Undoing restore ${restoreId} was refused before it began: ${reasons.join('; ')}`, {
    details: { reasons }, hint: 'Nothing was changed. What was kept of a restore is named in its result; it can be renamed by hand',
  });
}

function inverted(before: RestorePlan): Pick<RestorePlan, 'swaps' | 'asides' | 'views' | 'asideViews'> {
  const replaced = before.swaps.filter(({ liveUuid }) => liveUuid !== null);
  const added = before.swaps.filter(({ liveUuid }) => liveUuid === null);
  const aside = before.asides.filter(({ liveUuid }) => liveUuid !== null);
  return {
    swaps: [...replaced.map((step) => swapBack(step, step.from, step.shadowUuid)), ...aside.map((step) => swapBack(step, `${step.db}.${step.name}`, null))],
    asides: added.map(({ db, name, shadowUuid, old, gap }) => ({ db, name, liveUuid: shadowUuid, old, gap })),
    views: [...before.views.flatMap(viewBack), ...before.asideViews.map(({ db, name, options, old }) => ({ ...plannedView({ db, name, options, trial: old }), keptAs: old }))],
    asideViews: before.views.filter((view) => view.before === null).map(({ db, name, options, trial }) => ({ db, name, options, old: trial })),
  };
}

function swapBack(step: Displaced, from: string, liveUuid: string | null): SwapStep {
  const { db, name, old, gap } = step;
  return { db, name, from, liveUuid, old, gap, shadow: old, shadowUuid: step.liveUuid, proven: null, indexes: 0, failedIndexes: [], expiries: [] };
}

function viewBack({ db, name, before, trial }: PlannedView): PlannedView[] {
  return typeof before === 'string' ? [plannedView({ db, name, options: before, trial })] : [];
}

function plannedView(view: { readonly db: string; readonly name: string; readonly options: string; readonly trial: string }): PlannedView {
  return { ...view, from: `${view.db}.${view.name}`, viewOn: String(decodeOrderedText(view.options).get('viewOn')) };
}

/** What no swap made, so that no swap takes it back. */
function leftAsItIs({ timeSeries, auth, kind }: RestorePlan): string[] {
  if (kind === 'undo') return [];
  return [
    ...timeSeries.map(({ db, name }) => `the time series ${showNamespace(`${db}.${name}`)} stays as the restore left it: time series can't be swapped`),
    ...(auth?.merged === true ? ['users and roles that the restore merged stay'] : []),
  ];
}
