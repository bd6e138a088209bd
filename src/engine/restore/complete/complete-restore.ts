// What follows the point of no return, from the plan alone; each step may be done again.
import type { Logger } from '../../../foundation/logger.ts';
import { isLeafvaultError, LeafvaultError } from '../../../foundation/errors.ts';
import { showNamespace } from '../../mongo/namespaces.ts';
import { stepsWithout } from '../check-names.ts';
import { uuidsOf } from '../displace.ts';
import { settleIntruders } from '../intruders.ts';
import { isLeaseLost } from '../lease-lost.ts';
import { dropNamed, type Named } from '../drop-named.ts';
import type { Target } from '../open-target.ts';
import { gapNames, gapNamesOfView, type Displaced, type RestorePlan } from '../plan.ts';
import type { PlanStore } from '../plan-store.ts';
import { replaceTimeSeries } from './replace-time-series.ts';
import { setAsideViews, setViews } from './set-views.ts';
import { setExpiries } from './set-expiries.ts';
import { mergeUsers } from './merge-users.ts';
import { warn } from './or-warn.ts';

export interface CompleteOptions {
  readonly target: Target;
  readonly plan: RestorePlan;
  readonly store: PlanStore;
  readonly log: Logger;
  readonly onPhase?: (phase: string) => Promise<void>;
}

/** Brings a committed plan to `finished`. @throws RESTORE_FINISH_FAILED; calling again goes on where it stopped */
export async function completeRestore(options: CompleteOptions): Promise<void> {
  const { onPhase = async () => undefined } = options;
  try {
    // The fence: only the worker that has the lease touches the target.
    await options.store.save(options.plan);
    await onPhase('finish:time-series');
    await replaceTimeSeries(options);
    await onPhase('finish:views');
    await setViews(options);
    await setAsideViews(options);
    await onPhase('finish:expiries');
    await setExpiries(options);
    await onPhase('finish:users');
    await mergeUsers(options);
    await onPhase('finish:clean-up');
    await settleIntruders(options.target, options.plan);
    await cleanUp(options);
  } catch (cause) {
    if (isLeafvaultError(cause, 'RESTORE_FINISH_FAILED') || isLeaseLost(cause)) throw cause;
    throw new LeafvaultError('RESTORE_FINISH_FAILED', 'Finishing the restore failed after its collections went live', {
      cause, retryable: true, hint: 'Try again: what is left is done from the plan',
    });
  }
}

async function cleanUp({ target, plan, store, log }: CompleteOptions): Promise<void> {
  const hold = (): Promise<void> => store.hold(plan);
  await dropNamed(target, leftovers(plan), log, hold);
  const unsure = await stepsWithout(target, plan);
  for (const step of unsure) warn(plan, log, `${showNamespace(`${step.db}.${step.name}`)} no longer holds the restored collection: somebody dropped or renamed it; what was there before is kept`);
  const old = await displaced(target, plan);
  const drops = plan.oldCollections === 'drop' ? old.filter(({ step }) => !unsure.has(step)) : [];
  await dropNamed(target, drops, log, hold);
  const views = plan.oldCollections === 'keep' ? plan.asideViews.map(({ db, old: name }) => ({ db, name })) : [];
  const kept = [...old.filter((each) => !drops.includes(each)), ...views, ...(await writtenBeside(target, plan))];
  const emptied = putBack(plan);
  const before = plan.kept.filter((name) => !emptied.has(name));
  plan.kept = [...new Set([...before, ...kept.map(({ db, name }) => `${db}.${name}`)])];
  plan.state = 'finished';
  await store.save(plan);
  if (plan.kept.length === 0) await store.forget(plan);
}

/** Names that an undo has emptied: what they held is live again. */
function putBack(plan: RestorePlan): ReadonlySet<string> {
  return new Set(plan.kind === 'undo' ? [...plan.swaps.map(({ db, shadow }) => `${db}.${shadow}`), ...plan.views.map(({ db, keptAs }) => `${db}.${keptAs ?? ''}`)] : []);
}

/** What only served the restore: copies of time series, trial views, users and roles to merge. */
function leftovers(plan: RestorePlan): Named[] {
  return [
    ...plan.timeSeries.filter(({ db, shadow, name }) => shadow !== name && !plan.kept.includes(`${db}.${shadow}`)).map(({ db, shadow, shadowUuid }) => ({ db, name: shadow, uuid: shadowUuid })),
    ...plan.views.flatMap(({ db, trial, keptAs }) => [trial, keptAs].filter((name) => name !== undefined).map((name) => ({ db, name, uuid: null }))),
    ...[plan.auth?.users, plan.auth?.roles].filter((name) => name != null).map((name) => ({ db: 'admin', name, uuid: null })),
  ];
}

/** Old collections and intruders that are there. */
async function displaced(target: Target, plan: RestorePlan): Promise<(Named & { readonly step: Displaced })[]> {
  const found: (Named & { readonly step: Displaced })[] = [];
  for (const step of [...plan.swaps, ...plan.asides]) {
    const there = await uuidsOf(target, step.db, [step.old, ...gapNames(step)]);
    for (const [name, uuid] of there) if (name !== step.old || uuid === step.liveUuid) found.push({ db: step.db, name, uuid, step });
  }
  return found;
}

/** What applications made where a time series or a view belongs. Never dropped: those writes are newer than what was replaced. */
async function writtenBeside(target: Target, plan: RestorePlan): Promise<{ readonly db: string; readonly name: string }[]> {
  const places = [...plan.timeSeries.map(({ db, gaps }) => ({ db, names: gaps })), ...plan.views.map((view) => ({ db: view.db, names: gapNamesOfView(view) }))];
  const found: { readonly db: string; readonly name: string }[] = [];
  for (const { db, names } of places) {
    for (const name of (await uuidsOf(target, db, names)).keys()) found.push({ db, name });
  }
  return found;
}
