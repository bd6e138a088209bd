// Finds the instant T1 and brings everything that was touched to it: passes of majority reads until little is left,
// then, with the oplog held at T1, the last reads in a snapshot at exactly T1.
import type { ClusterTime } from '../../../domain/cluster-time.ts';
import { sleep, throwIfAborted } from '../../../foundation/abort.ts';
import { LeafvaultError } from '../../../foundation/errors.ts';
import { joinNamespace, showNamespace, toTimestamp } from '../../mongo/index.ts';
import type { Catalog } from '../collections/catalog.ts';
import { isCapped } from '../collections/catalog.ts';
import { chooseCollections, isCapturable, type ChoiceRules, type ChosenCollection } from '../collections/choose-collections.ts';
import type { CaptureContext } from '../capture-context.ts';
import type { OplogFollower } from '../oplog/follow-oplog.ts';
import type { OplogJournal } from '../oplog/oplog-journal.ts';
import { scanPending, type ScanPendingOptions } from '../scan/scan-pending.ts';
import { asReadError, isTransient, serverCode } from '../source.ts';
import { readRestorePlans, readShadows, readViews, type ViewDefinition } from './read-instant.ts';
import { rereadTouched } from './reread-touched.ts';
import { cappedBusy } from './settle-capped.ts';
import type { TouchedTable } from './touched-table.ts';

export interface SettleState {
  readonly catalog: Catalog;
  readonly journal: OplogJournal;
  readonly touched: TouchedTable;
  readonly follower: OplogFollower;
  readonly scanning: ScanPendingOptions;
  readonly selection: ChoiceRules['selection'];
}

export interface Instant {
  readonly time: ClusterTime;
  readonly chosen: readonly ChosenCollection[];
  readonly views: readonly ViewDefinition[];
  /** `db.name` of what restores on this cluster are building or keep aside at this time. */
  readonly shadows: ReadonlySet<string>;
}

const PASSES = 12;
/** So few are left to the snapshot read at T1, for which the server keeps history only for minutes. */
const LAST_PASS_IDS = 2_000;
/** A born collection with more documents than this is scanned instead of read by `_id`. */
const BORN_SCAN_IDS = 2_000;
const CAPPED_OPS = 100_000;
const CAPPED_SCANS = 6;
const TRIES = 40;
/** How long a drop may take to reach the majority of the members. */
const GONE_PATIENCE_MS = 120_000;
/** NamespaceNotFound, SnapshotTooOld, SnapshotUnavailable, QueryPlanKilled: the collection changed its shape after T1. */
const MOVED = new Set([26, 239, 246, 175]);

export async function settleInstant(context: CaptureContext, state: SettleState): Promise<Instant> {
  const cappedScans = new Map<string, number>();
  for (let pass = 1; pass <= PASSES; pass += 1) {
    await comeUp(context, state);
    await scanMissing(context, state, cappedScans);
    if (state.touched.freshCount() <= LAST_PASS_IDS) break;
    await reread(context, state, () => ({ level: 'majority', afterClusterTime: toTimestamp(state.follower.position) }));
  }
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    throwIfAborted(context.signal);
    const instant = await tryInstant(context, state);
    if (instant !== null) return instant;
    state.follower.release();
    await sleep(Math.min(20 * attempt, 400), context.signal);
    await scanMissing(context, state, cappedScans);
  }
  throw new LeafvaultError('CAPTURE_NOT_SETTLED', `Settling failed: in ${TRIES} tries there was always a collection that changed its shape`, {
    details: { tries: TRIES },
    retryable: true,
    hint: 'Take the snapshot when collections are not being created, renamed and dropped all the time, and no restore is swapping names here',
  });
}

/** What was written up to now is known, so that no more than a last pass is left to the read at T1, however far the oplog was behind. */
async function comeUp({ source, signal }: CaptureContext, { follower }: SettleState): Promise<void> {
  const { generation } = source;
  try {
    await follower.holdAt(await source.majorityTime());
  } catch (error) {
    throwIfAborted(signal);
    if (!isTransient(error)) throw asReadError(error, 'Settling', source.member);
    await source.recover(generation);
  } finally {
    follower.release();
  }
}

/** Null when something changed its shape after T1, so that it can't be read as it was then. */
async function tryInstant(context: CaptureContext, state: SettleState): Promise<Instant | null> {
  const { generation } = context.source;
  try {
    const time = await state.follower.holdAt(await context.source.majorityTime());
    const readConcern = { level: 'snapshot', atClusterTime: toTimestamp(time) };
    const { shadows, swapping } = await readRestorePlans(context, state.catalog, readConcern);
    // Between two renames neither name of a collection is the live one.
    if (swapping) return null;
    const chosen = chooseCollections(state.catalog, { selection: state.selection, shadows, temporaries: true });
    if (chosen.some((each) => needsScan(state, each))) return null;
    const gone = await reread(context, state, () => readConcern);
    if (gone.size > 0) return null;
    return { time, chosen, shadows, views: await readViews(context, state.catalog, readConcern) };
  } catch (error) {
    throwIfAborted(context.signal);
    if (isTransient(error)) await context.source.recover(generation);
    else if (!MOVED.has(serverCode(error) ?? 0)) throw asReadError(error, 'Settling', context.source.member);
    return null;
  }
}

/**
 * Scans what is wanted and can't be made of the oplog alone, until nothing is missing. What is gone on the member is
 * missing until its drop comes through the majority's oplog.
 */
async function scanMissing(context: CaptureContext, state: SettleState, cappedScans: Map<string, number>): Promise<void> {
  const began = context.clock.monotonicMs();
  for (;;) {
    const shadows = await readShadows(context, state.catalog, { level: 'majority' }).catch(ignoreMoved);
    const chosen = chooseCollections(state.catalog, { selection: state.selection, shadows, temporaries: true });
    const missing = chosen.filter((each) => needsScan(state, each) || isWorthAScan(state, each));
    if (missing.length === 0) return;
    for (const { collection } of missing.filter(({ collection: { uuid } }) => state.scanning.scans.has(uuid))) {
      const scans = (cappedScans.get(collection.uuid) ?? 0) + 1;
      cappedScans.set(collection.uuid, scans);
      if (scans > CAPPED_SCANS && isCapped(collection)) throw cappedBusy({ collection });
    }
    await scanPending(context, missing, state.scanning);
    const gone = missing.find(({ collection: { uuid } }) => state.catalog.has(uuid) && !state.scanning.scans.has(uuid) && !state.scanning.refused.has(uuid));
    if (gone === undefined) continue;
    if (context.clock.monotonicMs() - began > GONE_PATIENCE_MS) throw unreadable(gone.collection);
    await sleep(100, context.signal);
  }
}

/** The plans' collection was dropped just now: then there are none, and the next look sees it gone. */
function ignoreMoved(error: unknown): ReadonlySet<string> {
  if (MOVED.has(serverCode(error) ?? 0)) return new Set();
  throw error;
}

function needsScan(state: SettleState, { collection }: ChosenCollection): boolean {
  if (state.scanning.refused.has(collection.uuid)) return false;
  const number = state.journal.numberOf(collection.uuid);
  // An update in place can't be put in order with the rest: the whole is read again.
  if (isCapped(collection) && state.touched.hasCappedUpdate(number)) return true;
  return !state.scanning.scans.has(collection.uuid) && !state.journal.isTracked(collection.uuid);
}

function isWorthAScan(state: SettleState, { collection }: ChosenCollection): boolean {
  const number = state.journal.numberOf(collection.uuid);
  if (isCapped(collection)) return state.touched.cappedCount(number) > CAPPED_OPS;
  return !state.scanning.scans.has(collection.uuid) && state.touched.freshCountOf(number) > BORN_SCAN_IDS;
}

function reread(context: CaptureContext, state: SettleState, readConcern: () => object): ReturnType<typeof rereadTouched> {
  const readable = [...state.catalog.values()].filter((collection) => isCapturable(collection) && !state.scanning.refused.has(collection.uuid));
  const byNumber = new Map(readable.map((collection) => [state.journal.numberOf(collection.uuid), collection]));
  return rereadTouched(context, {
    touched: state.touched,
    collectionOf: (number) => byNumber.get(number) ?? null,
    readConcern,
  });
}

function unreadable({ db, name }: { readonly db: string; readonly name: string }): LeafvaultError {
  const namespace = showNamespace(joinNamespace(db, name));
  return new LeafvaultError('CAPTURE_COLLECTION_UNREADABLE', `Reading ${namespace} failed: the member no longer has it, and its drop does not come through the oplog`, { details: { namespace } });
}
