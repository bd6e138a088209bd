// One attempt on a member of a replica set: list, follow the oplog while scanning, settle at T1, store.
import { join } from 'node:path';
import { showClusterTime, type ClusterTime } from '../../domain/cluster-time.ts';
import { takes } from '../../domain/namespace-selection.ts';
import { describeError } from '../../foundation/errors.ts';
import type { CaptureOptions } from '../contracts.ts';
import type { CaptureContext } from './capture-context.ts';
import { isCapped } from './collections/catalog.ts';
import { chooseCollections } from './collections/choose-collections.ts';
import { listCatalog } from './collections/list-catalog.ts';
import { followOplog, type OplogFollower } from './oplog/follow-oplog.ts';
import { createOplogJournal } from './oplog/oplog-journal.ts';
import type { PreviousSnapshot } from './previous-snapshot.ts';
import { keepRest, type RestingAttempt } from './rest/keep-rest.ts';
import { takeRest, type RestToTake, type TakenRest } from './rest/take-rest.ts';
import type { ScanUnderWay } from './scan/scan-collection.ts';
import { scanPending, type Scans } from './scan/scan-pending.ts';
import { readShadows } from './settle/read-instant.ts';
import { settleInstant, type SettleState } from './settle/settle-instant.ts';
import type { SettleCollection } from './settle/store-lists.ts';
import { createTouchedTable } from './settle/touched-table.ts';
import type { SourceIdentity } from './source-identity.ts';
import { storeEntries, type EntryTotals } from './store-entries.ts';

/** How often a long way through the oplog is told of. */
const TELL_EVERY_MS = 1_000;

export interface AttemptInput {
  readonly selection: CaptureOptions['selection'];
  readonly previous: PreviousSnapshot;
  readonly settle: SettleCollection;
  /** What an attempt before this one kept. */
  readonly rest: RestToTake | null;
  readonly identity: SourceIdentity;
}

export interface AttemptResult extends EntryTotals {
  readonly beganAt: ClusterTime | null;
  readonly pointInTime: ClusterTime | null;
}

export async function captureReplicaSet(context: CaptureContext, input: AttemptInput): Promise<AttemptResult> {
  const touched = createTouchedTable(join(context.folder, 'touched.sqlite'));
  const began: { attempt?: BegunAttempt } = {};
  try {
    return await runAttempt(context, input, { touched, began: (attempt) => { began.attempt = attempt; } });
  } catch (error) {
    const withinMs = context.restWithinMs();
    if (withinMs !== null && began.attempt !== undefined) await rest(context, began.attempt, withinMs);
    throw error;
  } finally {
    touched.close();
  }
}

interface BegunAttempt extends RestingAttempt {
  /** Settled when nothing scans any more. */
  readonly working: Promise<unknown>;
}

/** Keeps what was scanned. What goes wrong here costs a scan, and never hides why the attempt ended. */
async function rest(context: CaptureContext, attempt: BegunAttempt, withinMs: number): Promise<void> {
  const { clock, log } = context;
  const until = clock.monotonicMs() + withinMs;
  try {
    await attempt.working.catch(() => undefined);
    const kept = await keepRest(context, attempt, until - clock.monotonicMs());
    if (kept !== null && clock.monotonicMs() < until) await context.onRest(kept);
  } catch (error) {
    log.warn({ reason: describeError(error) }, 'what was scanned could not be kept; the snapshot begins anew');
  }
}

/** Null: it begins anew. */
async function goOnFrom(context: CaptureContext, { rest: earlier, identity, selection }: AttemptInput): Promise<TakenRest | null> {
  if (earlier === null) return null;
  const taken = await takeRest(context, { rest: earlier, identity, selection: selection ?? null });
  if (typeof taken !== 'string') return taken;
  context.log.warn({ reason: taken }, 'the capture can not go on from its rest; it begins anew');
  context.watch.beginAnew();
  await context.onAnew(taken);
  return null;
}

async function runAttempt(context: CaptureContext, input: AttemptInput, { touched, began }: Pick<SettleState, 'touched'> & { readonly began: (attempt: BegunAttempt) => void }): Promise<AttemptResult> {
  const { source, watch } = context;
  const { selection, identity } = input;
  watch.enter('list');
  const kept = await goOnFrom(context, input);
  const since = await source.majorityTime();
  const beganAt = kept?.beganAt ?? since;
  const catalog = await listCatalog(context, since);
  const journal = createOplogJournal({ catalog, touched });
  for (const scan of kept?.scans.values() ?? []) {
    const collection = catalog.get(scan.uuid);
    if (collection === undefined || isCapped(collection)) kept?.scans.delete(scan.uuid);
    else journal.trackSince(scan.uuid, scan.since);
  }
  const listed = source.seen;
  const follower = followOplog({
    source, journal, from: beganAt, signal: context.signal,
    together: (changes) => touched.together(changes),
    onEntries: (entries) => { if (entries > 0) watch.beat(); },
  });
  if (listed !== null) follower.expect(listed);
  const scans: Scans = new Map();
  const scanning = {
    scans, kept,
    underWay: new Map<string, ScanUnderWay>(),
    refused: new Set<string>(),
    keepRecords: true,
    before: input.previous.collection,
    begin: (uuid: string): ClusterTime => {
      journal.track(uuid);
      return follower.position;
    },
    gone: (uuid: string): void => journal.untrack(uuid),
  };
  const work = async (): Promise<AttemptResult> => {
    await context.onPhase('listed');
    if (kept !== null && listed !== null) await catchUp(context, follower, listed);
    watch.enter('scan');
    const shadows = await readShadows(context, catalog, { level: 'majority' });
    await scanPending(context, chooseCollections(catalog, { selection, shadows, temporaries: true }), scanning);
    await context.onPhase('scanned');
    watch.enter('settle');
    const instant = await settleInstant(context, { catalog, journal, touched, follower, scanning, selection });
    await context.onPhase('settled');
    await follower.stop();
    watch.enter('store');
    const totals = await storeEntries(context, {
      chosen: instant.chosen.filter(({ collection }) => !scanning.refused.has(collection.uuid)),
      views: instant.views.filter(({ db, name }) => takes(selection, db, name) && !instant.shadows.has(`${db}.${name}`)),
      scans,
      touchedOf: (uuid) => ({ table: touched, number: journal.numberOf(uuid) }),
      settle: input.settle,
      selection,
    });
    await context.onPhase('stored');
    return { ...totals, beganAt, pointInTime: instant.time };
  };
  try {
    const working = work();
    began({ working, beganAt, follower, catalog, scans, underWay: scanning.underWay, before: kept?.scans ?? new Map(), identity, selection: selection ?? null });
    // Whatever ends the following of the oplog ends the attempt at once.
    return await Promise.race([working, follower.done.then(() => new Promise<never>(() => undefined))]);
  } finally {
    await follower.stop();
  }
}

/**
 * What the listing knows already is folded before anything is chosen by it: between T0 and now a collection may have had many names. What
 * begins to be scanned need not note the changes of the time in which nobody read.
 */
async function catchUp({ watch }: CaptureContext, follower: OplogFollower, listed: ClusterTime): Promise<void> {
  let told = follower.position;
  const tell = setInterval(() => {
    // One that stands still has to be seen to.
    if (told !== follower.position) watch.at(`the oplog up to ${showClusterTime(follower.position)}`);
    told = follower.position;
  }, TELL_EVERY_MS);
  try {
    await follower.holdAt(listed);
  } finally {
    clearInterval(tell);
    follower.release();
  }
}
