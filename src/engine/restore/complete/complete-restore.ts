// What follows the point of no return, from the plan alone; each step may be done again.
import type { Logger } from '../../../foundation/logger.ts';
import { isLeafvaultError, LeafvaultError } from '../../../foundation/errors.ts';
import { uuidsOf } from '../displace.ts';
import { dropNamed, type Named } from '../drop-named.ts';
import type { Target } from '../open-target.ts';
import { gapNames, type RestorePlan } from '../plan.ts';
import type { PlanStore } from '../plan-store.ts';
import { replaceTimeSeries } from './replace-time-series.ts';
import { setAsideViews, setViews } from './set-views.ts';
import { setExpiries } from './set-expiries.ts';
import { mergeUsers } from './merge-users.ts';

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
    await cleanUp(options);
  } catch (cause) {
    if (isLeafvaultError(cause, 'RESTORE_FINISH_FAILED')) throw cause;
    throw new LeafvaultError('RESTORE_FINISH_FAILED', 'Finishing the restore failed after its collections went live', {
      cause, retryable: true, hint: 'Try again: what is left is done from the plan',
    });
  }
}

async function cleanUp({ target, plan, store, log }: CompleteOptions): Promise<void> {
  await dropNamed(target, leftovers(plan), log);
  const old = await displaced(target, plan);
  if (plan.oldCollections === 'drop') await dropNamed(target, old, log);
  plan.kept = plan.oldCollections === 'keep' ? [...old, ...plan.asideViews.map(({ db, old: name }) => ({ db, name }))].map(({ db, name }) => `${db}.${name}`) : [];
  plan.state = 'finished';
  await store.save(plan);
  if (plan.kept.length === 0) await store.forget(plan);
}

/** What only served the restore: copies of time series, trial views, users and roles to merge. */
function leftovers(plan: RestorePlan): Named[] {
  return [
    ...plan.timeSeries.filter(({ shadow, name }) => shadow !== name).map(({ db, shadow, shadowUuid }) => ({ db, name: shadow, uuid: shadowUuid })),
    ...plan.views.map(({ db, trial }) => ({ db, name: trial, uuid: null })),
    ...[plan.auth?.users, plan.auth?.roles].filter((name) => name != null).map((name) => ({ db: 'admin', name, uuid: null })),
  ];
}

/** Old collections and intruders that are there. */
async function displaced(target: Target, plan: RestorePlan): Promise<Named[]> {
  const found: Named[] = [];
  for (const step of [...plan.swaps, ...plan.asides]) {
    if (step.liveUuid === null) continue;
    const there = await uuidsOf(target, step.db, [step.old, ...gapNames(step)]);
    for (const [name, uuid] of there) if (name !== step.old || uuid === step.liveUuid) found.push({ db: step.db, name, uuid });
  }
  return found;
}
