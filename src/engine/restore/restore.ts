// The story of a restore. Each step is a file of its own; docs/design/restore-protocol.md says what each leaves behind.
import { describeError, isLeafvaultError, LeafvaultError } from '../../foundation/errors.ts';
import type { RestoreOptions, RestoreResult, RestoreSnapshot } from '../contracts.ts';
import { proveSequences } from '../mongo/raw-insert-self-test.ts';
import { addIndexes } from './add-indexes.ts';
import { setLimits } from './capped-room.ts';
import { completeRestore } from './complete/complete-restore.ts';
import type { Load, RestoreContext } from './context.ts';
import { createShadows } from './create-shadows.ts';
import { withSkippedLater } from './instant/instant-left-out.ts';
import type { Instant } from './instant/open-instant.ts';
import { replayShadows } from './instant/replay-shadows.ts';
import { inOurWords } from './in-our-words.ts';
import { isLeaseLost } from './lease-lost.ts';
import { loadAuth } from './load-auth.ts';
import { loadShadows } from './load-shadows.ts';
import { dropOwnShadows } from './drop-own-shadows.ts';
import { openTarget, type Target } from './open-target.ts';
import { planRestore } from './plan-restore.ts';
import { createPlanStore, loadPlan, refuseLargePlan, type PlanStore } from './plan-store.ts';
import { parsePlan, type RestedShadow, type RestorePlan } from './plan.ts';
import { preflight } from './preflight/preflight.ts';
import { createProgressTally } from './progress-tally.ts';
import { proveShadows } from './prove-shadows.ts';
import { resultOf } from './restore-result.ts';
import { findRested, restShadows } from './rest-shadows.ts';
import { rollBack } from './roll-back.ts';
import { settlePlan, settleRestore } from './settle-restore.ts';
import { swapNames } from './swap.ts';

/**
 * Restores a snapshot, or what was chosen of it, into a target. Live namespaces change in one swap, after everything
 * was read back and proven. May be called again with the same `restoreId`: what the attempt before left is ended first.
 * @throws LeafvaultError RESTORE_*, SNAPSHOT_*, TARGET_*, REPOSITORY_*; the signal's reason when cancelled
 */
export const restoreSnapshot: RestoreSnapshot = async (options) => {
  const rested = await findRested(options);
  if (rested.length === 0 && (await settleRestore(options)) === 'new') return resultFromJournal(options);
  const attempt: Attempt = { plan: null, loads: [], phase: 'preflight', instant: null };
  try {
    await runAttempt(options, attempt, rested);
  } catch (error) {
    if ((await endAttempt(options, attempt, error)) !== 'new') throw await namingKept(options, error);
  }
  return resultFromJournal(options);
};

/** What an attempt knows of itself when it fails. */
interface Attempt {
  /** Null until there is one. */
  plan: RestorePlan | null;
  loads: readonly Load[];
  /** The one that began last. */
  phase: string;
  /** What it holds on disk. */
  instant: Instant | null;
}

async function runAttempt(options: RestoreOptions, attempt: Attempt, rested: readonly RestedShadow[]): Promise<void> {
  const target = await openTarget(options.target.uri, options.signal);
  try {
    await runSteps(options, attempt, target, rested);
  } catch (error) {
    // The connections were closed by the cancel: what they failed with says nothing.
    options.signal.throwIfAborted();
    throw inOurWords(error, attempt.phase);
  } finally {
    await attempt.instant?.close();
    await target.close();
  }
}

async function runSteps(options: RestoreOptions, attempt: Attempt, target: Target, rested: readonly RestedShadow[]): Promise<void> {
  let held: { readonly store: PlanStore; readonly plan: RestorePlan } | null = null;
  const phase = async (name: string): Promise<void> => {
    attempt.phase = name;
    await options.onPhase?.(name);
    options.signal.throwIfAborted();
    // Fenced: nothing is made or written under names that another worker may have dropped.
    if (held !== null) await held.store.hold(held.plan);
  };
  const tally = createProgressTally(options.onProgress, options.clock);
  tally.begin('preflight');
  await phase('preflight');
  const { instant, ...found } = await preflight(options, target, tally, rested);
  attempt.instant = instant;
  const { facts } = found;
  const planned = planRestore(options, found, instant);
  const before = await loadPlan(options.restoreId, options.journal, target);
  // Above every copy that lies anywhere; and what was kept stays named.
  planned.plan.revision = before?.revision ?? 0;
  const kept = before?.kept ?? [];
  planned.plan.kept = [...kept];
  planned.plan.asides = planned.plan.asides.filter(({ db, name }) => !kept.includes(`${db}.${name}`));
  // In the plan that is saved first: from then on they are this attempt's to drop.
  planned.plan.rested = [...rested];
  for (const load of planned.loads) load.rested = rested.find(({ from, db }) => from === load.step.from && db === load.step.db) ?? null;
  refuseLargePlan(planned.plan);
  const store = createPlanStore(options.journal, target, options.clock);
  await options.onWarnings?.(planned.plan.warnings);
  attempt.plan = planned.plan;
  attempt.loads = planned.loads;
  await phase('prepare');
  tally.begin('prepare');
  await store.save(planned.plan);
  held = { store, plan: planned.plan };
  const context: RestoreContext = {
    options, target, store, tally, instant, ...planned,
    inUse: new Set([...facts.account.users, ...facts.account.roles]),
    makeSequence: await proveSequences(target.client),
  };
  await createShadows(context);
  await phase('load');
  await loadShadows(context);
  await loadAuth(context);
  if (instant !== null) {
    await phase('replay');
    await replayShadows(context, instant);
    planned.plan.leftOut = withSkippedLater(planned.plan.leftOut, instant.leftOut);
  }
  await phase('indexes');
  await addIndexes(context);
  await setLimits(context);
  await phase('prove');
  await proveShadows(context);
  planned.plan.state = 'proven';
  await store.save(planned.plan);
  if (options.rehearse === true) {
    await phase('drop');
    tally.follow('drop');
    return rollBack(target, planned.plan, store, options);
  }
  await phase('swap');
  await swapNames(context);
  tally.follow('finish');
  await phase('finish');
  await completeRestore({ ...context, log: options.log, ...(options.onPhase === undefined ? {} : { onPhase: options.onPhase }) });
}

/** What is not put away in this time is settled by whoever comes next; a pause has to be over long before its worker is given up as stuck. */
const END_MS = 60_000;
const REST_MS = 20_000;

/** Ends what a failed attempt left, by the saved plan, on connections of its own. The first failure stays the cause. */
async function endAttempt(options: RestoreOptions, { plan, loads }: Attempt, failure: unknown): Promise<'old' | 'new' | 'open'> {
  // Without a plan of its own an attempt made nothing; without its lease the saved plan is another worker's.
  if (plan === null) return 'open';
  const rests = options.signal.aborted && options.rests?.(options.signal.reason) === true;
  const signal = AbortSignal.timeout(rests ? REST_MS : END_MS);
  const isLost = isLeaseLost(failure) || isLeaseLost(options.signal.reason);
  try {
    if (!isLost && rests && (await restShadows({ ...options, signal }, plan, loads))) return 'open';
    const side = isLost ? 'open' : await settlePlan({ ...options, signal }, plan.prefix);
    await dropOwnShadows({ ...options, signal }, plan);
    return side;
  } catch (error) {
    const words = describeError(error);
    options.log.error({ restoreId: options.restoreId, failure: describeError(failure), error: words, code: isLeafvaultError(error) ? error.code : undefined },
      'A failed restore could not be ended yet; settling it again does that');
    return 'open';
  }
}

function copyLost({ lost, warnings }: RestorePlan): LeafvaultError {
  return new LeafvaultError('RESTORE_COPY_LOST', `Restoring time series failed after everything else went live: ${warnings.join('; ')}`, {
    details: { collections: lost }, hint: 'Restore these time series again, and let nobody touch collections that begin with __lv_',
  });
}

/** What a roll back kept because applications wrote to it belongs into the message that a person reads. */
async function namingKept({ journal }: RestoreOptions, failure: unknown): Promise<unknown> {
  const kept = isLeafvaultError(failure) ? await journal.load().then((plan) => (plan?.kept as readonly string[] | undefined) ?? [], () => []) : [];
  if (!isLeafvaultError(failure) || kept.length === 0) return failure;
  const { code, message, hint, details, retryable, cause } = failure;
  return new LeafvaultError(code, `${message}. Kept, because applications wrote to them meanwhile: ${kept.join(', ')}`, { details: { ...details, kept }, retryable, cause, ...(hint === undefined ? {} : { hint }) });
}

/** @throws RESTORE_COPY_LOST */
async function resultFromJournal({ journal }: RestoreOptions): Promise<RestoreResult> {
  const plan = parsePlan((await journal.load()) ?? {});
  if (plan.lost.length > 0) throw copyLost(plan);
  return resultOf(plan);
}
