// The phase `replay`: operations of the window, applied by the server to the shadows that were loaded from the base.
import { throwIfAborted } from '../../../foundation/abort.ts';
import { inspectDocuments, type ZeroTimestamps } from '../../mongo/raw-insert-inspect.ts';
import { loadRawArrayMaker } from '../../mongo/raw-array.ts';
import { putBackTimestamps } from '../../mongo/raw-insert.ts';
import { joinNamespace } from '../../mongo/index.ts';
import { optionsOf } from '../../snapshot/index.ts';
import type { CollectionNumber, PlacedOperation } from '../../replay/index.ts';
import { majorityBarrier } from '../barrier.ts';
import type { Load, RestoreContext } from '../context.ts';
import { insertTarget } from '../load-shadows.ts';
import { applyOperations, interrupted, mayMiss, type ShadowOperation } from './apply-operations.ts';
import type { Instant } from './open-instant.ts';
import { createReplayLanes } from './replay-lanes.ts';

/** Secondaries and readers of the oplog are never further behind than this because of a replay. */
const BARRIER_BYTES = 256 * 1024 * 1024;
/** An operation is more than its object in the oplog of the target. */
const OPERATION_BYTES = 200;

interface Replay {
  readonly context: RestoreContext;
  readonly loads: ReadonlyMap<CollectionNumber, Load>;
  readonly send: (operations: readonly ShadowOperation[], bytes: number) => Promise<void>;
}

/**
 * Ends with a majority barrier. A batch is never sent twice: an election in the middle fails the attempt.
 * @throws RESTORE_REPLAY_REFUSED, RESTORE_REPLAY_INTERRUPTED
 */
export async function replayShadows(context: RestoreContext, instant: Instant): Promise<void> {
  const { target, plan, tally } = context;
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
  if (loads.size === 0) return;
  const makeArray = loadRawArrayMaker();
  const electedBefore = await target.electionId();
  const byLabel = new Map(context.loads.map((load) => [load.step.from, load]));
  await replayAll(instant, {
    context, loads,
    send: async (operations, bytes) => {
      await applyOperations(target, makeArray, operations);
      const [first] = operations;
      const load = first === undefined ? undefined : byLabel.get(first.label);
      if (first === undefined || load === undefined) return;
      const zeros = operations.length === 1 ? zeroTimestampsOf(first, context) : [];
      if (zeros.length > 0) await putBackTimestamps(insertTarget(context, load), zeros);
      tally.add(load.step.from, operations.length, bytes);
    },
  });
  await majorityBarrier(target, plan.restoreId);
  if ((await target.electionId()) !== electedBefore) throw interrupted();
}

async function replayAll({ table }: Instant, { context, loads, send }: Replay): Promise<void> {
  const { store, plan, target, options } = context;
  const lanes = createReplayLanes({
    // Fenced: another worker may have dropped the shadows.
    before: () => store.hold(plan),
    send,
    isAlone: (operation) => mayMiss(operation) || zeroTimestampsOf(operation, context).length > 0,
  });
  // A collation makes ids equal whose bytes differ, so lanes can't be told by bytes.
  const inOrder = new Set([...loads].filter(([, { entry }]) => optionsOf(entry.body).has('collation')).map(([number]) => number));
  let sinceBarrier = 0;
  try {
    for (const placed of table.operationsInOrder(new Set(loads.keys()))) {
      throwIfAborted(options.signal);
      await lanes.add(shadowOperation(loads, placed), inOrder.has(placed.collection) ? { ...placed, ordered: true } : placed);
      sinceBarrier += placed.object.length + OPERATION_BYTES;
      if (sinceBarrier < BARRIER_BYTES) continue;
      sinceBarrier = 0;
      await lanes.drain();
      await store.hold(plan);
      await majorityBarrier(target, plan.restoreId);
    }
    await lanes.drain();
  } finally {
    await lanes.settle();
  }
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
