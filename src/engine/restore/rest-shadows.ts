// A restore that rests: what was loaded whole stays under construction, and the next attempt takes it over. The proof reads everything back
// in any case, so nothing has to be believed of what somebody could touch meanwhile (docs/design/restore-protocol.md, "Rest").
import { MongoServerError } from 'mongodb';
import { sleep } from '../../foundation/abort.ts';
import { compareClusterTimes, type ClusterTime } from '../../domain/cluster-time.ts';
import type { RestoreOptions } from '../contracts.ts';
import { majorityBarrier } from './barrier.ts';
import type { Load, RestoreContext } from './context.ts';
import { bucketsOf } from '../mongo/namespaces.ts';
import { uuidsOf } from './displace.ts';
import { dropNamed } from './drop-named.ts';
import { openTarget, type Target } from './open-target.ts';
import { createPlanStore, fitsOneDocument, loadPlan } from './plan-store.ts';
import { shadowsOf, type RestedShadow, type RestorePlan } from './plan.ts';

type Options = Pick<RestoreOptions, 'restoreId' | 'root' | 'instant' | 'target' | 'journal' | 'signal' | 'log' | 'clock'>;

/**
 * Keeps the loaded shadows of an attempt that ended, drops the others as far as ten seconds allow, and says so in the plan. The plan stays open.
 * @returns false: there is nothing that can be kept, and the attempt is to be rolled back
 */
export async function restShadows(options: Options, plan: RestorePlan, loads: readonly Load[]): Promise<boolean> {
  if (plan.state !== 'preparing' && plan.state !== 'proven') return false;
  const candidates = loads.flatMap((load) => restable(load, options.instant?.border ?? null) ?? []);
  if (candidates.length === 0) return false;
  const target = await openTarget(options.target.uri, options.signal);
  try {
    const store = createPlanStore(options.journal, target, options.clock);
    plan.state = 'preparing';
    // The fence: a worker that lost its lease ends here.
    await store.save(plan);
    await majorityBarrier(target, plan.restoreId);
    const electionId = await target.electionId();
    const rested = await present(target, candidates.filter(({ under }) => under === COMMITTED || under === electionId).map(({ shadow }) => shadow));
    // The next attempt names them beside its own shadows.
    if (rested.length === 0 || !fitsOneDocument({ ...plan, rested })) return false;
    plan.rested = rested;
    await store.save(plan);
    await dropInTime(target, plan, options, () => store.hold(plan));
    return true;
  } finally {
    await target.close();
  }
}

/** A worker that is paused has to be free long before it is given up as stuck. */
const DROP_MS = 10_000;

/** What is left when the time is over goes when the restore goes on, or with its settlement: both know the plan. */
async function dropInTime(target: Target, plan: RestorePlan, options: Options, hold: () => Promise<void>): Promise<void> {
  const end = options.clock.monotonicMs() + DROP_MS;
  const outOfTime = new Error('out of time');
  try {
    await dropOthers(target, plan, options, async () => {
      if (options.clock.monotonicMs() > end) throw outOfTime;
      await hold();
    });
  } catch (error) {
    if (error !== outOfTime) throw error;
    options.log.info({ restoreId: plan.restoreId }, 'Some collections that were not loaded whole stay until the restore goes on or ends: dropping them takes too long for a pause');
  }
}

/** BackgroundOperationInProgressForNamespace. */
const BUILD_IN_PROGRESS = 12587;
const BUILD_LOOK_MS = 500;
const COMMITTED = Symbol('committed');

interface Candidate { readonly shadow: RestedShadow; readonly under: string | null | typeof COMMITTED }

/** Of this attempt, or of one before it that this one had not come to take over. */
function restable({ entry, step, loaded, rested, ...load }: Load, border: ClusterTime | null): Candidate | null {
  if (entry.body.kind !== 'collection') return null;
  if (loaded === null) return rested === null ? null : { shadow: rested, under: COMMITTED };
  if (step.shadowUuid === null) return null;
  const shadow = { from: step.from, db: step.db, name: step.shadow, uuid: step.shadowUuid };
  if (border === null) return { shadow, under: loaded.committed ? COMMITTED : loaded.electionId };
  // What the fold passed over is marked in a table that ends with the attempt: the next one would replay it.
  if (load.skipped > 0 && !isReplayed(load.replayedTo, border)) return null;
  const { documents, bytes, hash, capped, orderedHash } = load.expected;
  const instant = { to: load.replayedTo, expected: { documents, bytes, hash, capped, orderedHash }, skipped: load.skipped };
  return { shadow: { ...shadow, instant }, under: loaded.committed ? COMMITTED : loaded.electionId };
}

/** True when no operation up to the border is left to apply. */
export function isReplayed(to: ClusterTime | null, border: ClusterTime): boolean {
  return to !== null && compareClusterTimes(to, border) >= 0;
}

/**
 * What an attempt that rests has left of the same snapshot, with nothing else of it on the target. Empty: whatever is there has to be settled.
 * @throws TARGET_UNREACHABLE, RESTORE_PLAN_INVALID
 */
export async function findRested(options: Options): Promise<readonly RestedShadow[]> {
  const known = await options.journal.load();
  if (!Array.isArray(known?.rested) || known.rested.length === 0) return [];
  const target = await openTarget(options.target.uri, options.signal);
  try {
    const plan = await loadPlan(options.restoreId, options.journal, target);
    if (plan === null || plan.kind !== 'restore' || plan.state !== 'preparing' || plan.snapshotId !== options.root.id || !leadsTo(plan, options)) return [];
    // The attempt may have died before it had dropped them, and the next plan names none of them.
    await dropOthers(target, plan, options);
    // Free room is judged by what is there.
    return await present(target, plan.rested);
  } finally {
    await target.close();
  }
}

/** What was folded and replayed towards another instant is of no use. */
function leadsTo({ border, rested }: RestorePlan, { instant }: Options): boolean {
  if (border === null || instant === undefined) return border === null && instant === undefined;
  return compareClusterTimes(border, instant.border) === 0 && rested.every((shadow) => shadow.instant !== undefined);
}

/** Gives what rests its name in this plan. False: there is nothing to take over, and the shadow has to be made. */
export async function takeOver({ target, options, instant }: RestoreContext, load: Load): Promise<boolean> {
  const { rested, step } = load;
  if (rested === null) return false;
  const found = await uuidsOf(target, step.db, [rested.name]);
  if (found.get(rested.name) !== rested.uuid) {
    options.log.warn({ namespace: step.from }, 'What was loaded of this collection before the restore rested is gone; it is loaded again');
    load.rested = null;
    return false;
  }
  await renameOnceBuilt(target, { from: `${step.db}.${rested.name}`, to: `${step.db}.${step.shadow}` }, options);
  step.shadowUuid = rested.uuid;
  load.loaded = { committed: true, electionId: null };
  if (rested.instant === undefined) return true;
  load.replayedTo = rested.instant.to;
  load.expected = rested.instant.expected;
  load.skipped = rested.instant.skipped;
  if (instant?.leftOut != null) instant.leftOut.skippedLater += load.skipped;
  return true;
}

/** The builds of indexes that a closed connection leaves go on, and nothing is renamed under them. */
async function renameOnceBuilt(target: Target, { from, to }: { readonly from: string; readonly to: string }, { signal, log }: Pick<Options, 'signal' | 'log'>): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      await target.admin({ renameCollection: from, to, dropTarget: false, writeConcern: { w: 'majority' } });
      return;
    } catch (error) {
      if (!(error instanceof MongoServerError) || error.code !== BUILD_IN_PROGRESS) throw error;
      if (tries === 0) log.info({ collection: from }, 'Indexes of a collection that rested are still being built; it is taken over behind that');
      await sleep(BUILD_LOOK_MS, signal);
    }
  }
}

async function dropOthers(target: Target, plan: RestorePlan, { log }: Pick<Options, 'log'>, before?: () => Promise<void>): Promise<void> {
  const kept = new Set(plan.rested.map(({ db, name }) => `${db}.${name}`));
  const others = shadowsOf(plan).filter(({ db, name }) => !kept.has(`${db}.${name}`));
  // An insert that was under way makes a collection of this attempt anew, with another UUID; its random name is proof enough.
  await dropNamed(target, others.map((each) => (each.name.startsWith(plan.prefix) ? { ...each, uuid: null } : each)), log, before);
  await dropNamed(target, plan.timeSeries.map(({ db, shadow }) => ({ db, name: bucketsOf(shadow), uuid: null })), log, before);
}

/** Those that still are what was loaded. */
async function present(target: Target, shadows: readonly RestedShadow[]): Promise<RestedShadow[]> {
  const found: RestedShadow[] = [];
  for (const [db, group] of Map.groupBy(shadows, (shadow) => shadow.db)) {
    const uuids = await uuidsOf(target, db, group.map(({ name }) => name));
    found.push(...group.filter(({ name, uuid }) => uuids.get(name) === uuid));
  }
  return found;
}
