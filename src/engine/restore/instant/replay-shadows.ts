// The phase `replay`: operations of the window, applied by the server to the shadows that were loaded from the base.
import { compareClusterTimes, type ClusterTime } from '../../../domain/cluster-time.ts';
import { breatheEvery, outlasting, throwIfAborted } from '../../../foundation/abort.ts';
import { inspectDocuments, type ZeroTimestamps } from '../../mongo/raw-insert-inspect.ts';
import { loadRawArrayMaker } from '../../mongo/raw-array.ts';
import { putBackTimestamps } from '../../mongo/raw-insert.ts';
import { joinNamespace } from '../../mongo/index.ts';
import { optionsOf } from '../../snapshot/index.ts';
import type { CollectionNumber, PlacedOperation } from '../../replay/index.ts';
import { majorityBarrier } from '../barrier.ts';
import type { Load, RestoreContext } from '../context.ts';
import { insertTarget } from '../load-shadows.ts';
import { openTarget } from '../open-target.ts';
import { createPlanStore } from '../plan-store.ts';
import { isReplayed } from '../rest-shadows.ts';
import { applyOperations, interrupted, mayMiss, type ShadowOperation } from './apply-operations.ts';
import type { Instant } from './open-instant.ts';
import { createReplayLanes, type ReplayLanes } from './replay-lanes.ts';

/** Secondaries and readers of the oplog are never further behind than this because of a replay. */
const BARRIER_BYTES = 256 * 1024 * 1024;
/** An operation is more than its object in the oplog of the target. */
const OPERATION_BYTES = 200;
/** Between two looks at everything else that runs. */
const PASSED_AT_ONCE = 500;

/** A pause waits so long for what is on its way, so that it is known how far each shadow was brought. */
const CUT_MS = 10_000;

interface Replay {
  /** Its target and store are the replay's own: their connections outlast a pause. */
  readonly context: RestoreContext;
  readonly border: ClusterTime;
  /** Those with operations in the window. */
  readonly loads: ReadonlyMap<CollectionNumber, Load>;
  readonly lanes: ReplayLanes;
  /** Operations are on their way to it, or were before something failed: how far it is is not known. With what is known of its base. */
  readonly begun: Map<Load, Load['loaded']>;
}

/**
 * Ends with a majority barrier. A batch is never sent twice: an election in the middle fails the attempt. A pause ends it between two instants,
 * with everything applied up to the one and nothing behind it.
 * @throws RESTORE_REPLAY_REFUSED, RESTORE_REPLAY_INTERRUPTED
 */
export async function replayShadows(context: RestoreContext, instant: Instant): Promise<void> {
  const { options, tally } = context;
  const loads = new Map<CollectionNumber, Load>();
  for (const load of context.loads) {
    const number = instant.numberOf(load.entry);
    if (number !== null) loads.set(number, load);
  }
  const numbers = [...loads.keys()];
  tally.begin('replay', {
    documents: numbers.reduce((sum, number) => sum + instant.table.operationCount(number), 0),
    bytes: numbers.reduce((sum, number) => sum + instant.table.operationBytes(number), 0),
  });
  if ([...loads.values()].every(({ replayedTo }) => isReplayed(replayedTo, instant.border))) {
    for (const [number, { step }] of loads) tally.add(step.from, instant.table.operationCount(number), instant.table.operationBytes(number));
    return;
  }
  const late = outlasting(options.signal, (reason) => (options.rests?.(reason) === true ? CUT_MS : 0));
  const target = await openTarget(options.target.uri, late.signal);
  try {
    const own = { ...context, target, store: createPlanStore(options.journal, target, options.clock) };
    await replayOver(own, instant, loads);
  } finally {
    late.end();
    await target.close();
  }
}

/** Looks whether one primary took it all. */
async function replayOver(context: RestoreContext, instant: Instant, loads: Replay['loads']): Promise<void> {
  const { target, plan, options, store } = context;
  const electedBefore = await target.electionId();
  const replay: Replay = { context, border: instant.border, loads, begun: new Map(), lanes: createReplayLanes({
    // Fenced: another worker may have dropped the shadows.
    before: () => store.hold(plan),
    send: createSender(context),
    isAlone: (operation) => mayMiss(operation) || zeroTimestampsOf(operation, context).length > 0,
  }) };
  const reached = await replayAll(instant, replay);
  const isWhole = reached === instant.border;
  if (isWhole) await majorityBarrier(target, plan.restoreId);
  const isSame = (await target.electionId()) === electedBefore;
  if (reached !== null && isSame) note(replay, reached, { committed: isWhole, electionId: electedBefore });
  throwIfAborted(options.signal);
  if (!isSame) throw interrupted();
}

/** Every shadow is where `reached` says. */
function note({ context, begun }: Replay, reached: ClusterTime, loaded: NonNullable<Load['loaded']>): void {
  for (const [load, before] of begun) load.loaded = before?.committed === true ? loaded : before;
  for (const load of context.loads) if (load.replayedTo === null || compareClusterTimes(load.replayedTo, reached) < 0) load.replayedTo = reached;
}

function createSender(context: RestoreContext): (operations: readonly ShadowOperation[], bytes: number) => Promise<void> {
  const { target, tally } = context;
  const makeArray = loadRawArrayMaker();
  const byLabel = new Map(context.loads.map((load) => [load.step.from, load]));
  return async (operations, bytes) => {
    await applyOperations(target, makeArray, operations);
    const [first] = operations;
    const load = first === undefined ? undefined : byLabel.get(first.label);
    if (first === undefined || load === undefined) return;
    const zeros = operations.length === 1 ? zeroTimestampsOf(first, context) : [];
    if (zeros.length > 0) await putBackTimestamps(insertTarget(context, load), zeros);
    tally.add(load.step.from, operations.length, bytes);
  };
}

/** @returns where everything is when it ends: at the border, or between two instants where it was paused; null: where it was */
async function replayAll({ table }: Instant, replay: Replay): Promise<ClusterTime | null> {
  const { context: { store, plan, target, options }, loads, border, lanes } = replay;
  // A collation makes ids equal whose bytes differ, so lanes can't be told by bytes.
  const inOrder = new Set([...loads].filter(([, { entry }]) => optionsOf(entry.body).has('collation')).map(([number]) => number));
  const breathe = breatheEvery(PASSED_AT_ONCE, undefined);
  let last: ClusterTime | null = null;
  let sinceBarrier = 0;
  try {
    for (const placed of table.operationsInOrder(new Set(loads.keys()))) {
      if (options.signal.aborted && options.rests?.(options.signal.reason) !== true) throw options.signal.reason;
      // The writes of one instant (of a transaction) go together.
      if (options.signal.aborted && (last === null || compareClusterTimes(placed.time, last) > 0)) {
        await lanes.drain();
        return last;
      }
      last = placed.time;
      if (passBy(replay, placed)) {
        await breathe();
        continue;
      }
      await lanes.add(shadowOperation(loads, placed), inOrder.has(placed.collection) ? { ...placed, ordered: true } : placed);
      sinceBarrier += placed.object.length + OPERATION_BYTES;
      if (sinceBarrier < BARRIER_BYTES) continue;
      sinceBarrier = 0;
      await lanes.drain();
      await store.hold(plan);
      await majorityBarrier(target, plan.restoreId);
    }
    await lanes.drain();
    return border;
  } finally {
    await lanes.settle();
  }
}

/** What an attempt before this one has applied; else its shadow counts as begun. */
function passBy({ context: { tally }, loads, begun }: Replay, { collection, time, object }: PlacedOperation): boolean {
  const load = loads.get(collection) as Load;
  if (isReplayed(load.replayedTo, time)) {
    tally.add(load.step.from, 1, object.length);
    return true;
  }
  if (!begun.has(load)) begun.set(load, load.loaded);
  load.loaded = null;
  load.rested = null;
  return false;
}

function shadowOperation(loads: ReadonlyMap<CollectionNumber, Load>, operation: PlacedOperation): ShadowOperation {
  const { step, collection } = loads.get(operation.collection) as Load;
  return { shadow: joinNamespace(step.db, collection), label: step.from, operation };
}

/** What the server's clock would be put in the place of: in whole documents only, a diff keeps them. */
function zeroTimestampsOf({ operation: { kind, object } }: ShadowOperation, { target }: RestoreContext): readonly ZeroTimestamps[] {
  if (kind === 'delete') return [];
  const found = inspectDocuments(object, target.facts.maxDocumentBytes);
  return found.zeroTimestamps;
}
