// Follows the oplog of the member that is read, majority-committed entries only, in order, while everything else runs.
// Can be held at an exact time: nothing beyond it is applied until it is released.
import { compareClusterTimes, showClusterTime, type ClusterTime } from '../../../domain/cluster-time.ts';
import { sleep, throwIfAborted } from '../../../foundation/abort.ts';
import { LeafvaultError } from '../../../foundation/errors.ts';
import { documentsOfBatch, toTimestamp, type RawReply } from '../../mongo/index.ts';
import { asReadError, isTransient, serverCode, type Source } from '../source.ts';
import { parseOplogEntry, type OplogEntry } from './oplog-entry.ts';
import type { OplogJournal } from './oplog-journal.ts';

export interface OplogFollower {
  /** Every entry up to here was applied. */
  readonly position: ClusterTime;
  /** Terms of the entries at the beginning and at the position; null before the first was read. */
  readonly terms: { readonly first: bigint | null; readonly last: bigint | null };
  /** Rejects with what ended the following; never resolves before `stop`. */
  readonly done: Promise<void>;
  /**
   * Resolves when exactly everything up to `time`, that of an entry, is applied, and keeps it so. Gives the position:
   * `time`, or a later one that was passed before the call.
   */
  holdAt(time: ClusterTime): Promise<ClusterTime>;
  release(): void;
  /** A time that was seen on the member; it has to show up in the oplog, or the member has rolled back. */
  expect(time: ClusterTime): void;
  stop(): Promise<void>;
}

export interface FollowOptions {
  readonly source: Source;
  readonly journal: OplogJournal;
  /** Runs the application of one batch of entries as one change. */
  readonly together: (changes: () => void) => void;
  readonly from: ClusterTime;
  readonly signal: AbortSignal;
  readonly onEntries: (entries: number) => void;
}

export const OPLOG = { db: 'local', collection: 'oplog.rs' };
/** Entries of one reply: an entry becomes objects, so a reply of 16 MiB would cost too much memory. */
const BATCH_ENTRIES = 2_000;
/** How long the server waits for news before it answers with an empty batch. */
const AWAIT_MS = 200;
/** CursorNotFound, CappedPositionLost, QueryPlanKilled, CursorKilled, Interrupted */
export const OPLOG_CURSOR_LOST = new Set([43, 136, 175, 237, 11601]);

export function followOplog(options: FollowOptions): OplogFollower {
  const { source, journal } = options;
  const ended = new AbortController();
  const signal = AbortSignal.any([options.signal, ended.signal]);
  let position = options.from;
  let terms: OplogFollower['terms'] = { first: null, last: null };
  let limit: ClusterTime | null = null;
  let wake: (() => void) | null = null;
  const expected: ClusterTime[] = [];
  const held: { time: ClusterTime; resolve: (position: ClusterTime) => void; reject: (error: unknown) => void }[] = [];

  const settleHolds = (): void => {
    for (const hold of held.splice(0)) {
      if (compareClusterTimes(position, hold.time) >= 0) hold.resolve(position);
      else held.push(hold);
    }
  };
  const pass = ({ time, term }: OplogEntry): void => {
    while (expected[0] !== undefined && compareClusterTimes(expected[0], time) <= 0) {
      const seen = expected.shift() as ClusterTime;
      if (compareClusterTimes(seen, time) !== 0) throw rolledBack(seen);
    }
    position = time;
    terms = { ...terms, last: term };
  };
  const waitForRelease = async (time: ClusterTime): Promise<void> => {
    while (limit !== null && compareClusterTimes(time, limit) > 0) {
      if (compareClusterTimes(position, limit) < 0) throw rolledBack(limit);
      await new Promise<void>((resolve, reject) => {
        wake = resolve;
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      });
    }
  };
  /** Applies what may be applied now as one change, without a pause in between. */
  const applyRun = (entries: readonly OplogEntry[], from: number): number => {
    let at = from;
    options.together(() => {
      for (; at < entries.length; at += 1) {
        const entry = entries[at] as OplogEntry;
        if (limit !== null && compareClusterTimes(entry.time, limit) > 0) return;
        if (journal.missingLink(entry) !== null) return;
        journal.apply(entry);
        pass(entry);
      }
    });
    options.onEntries(at - from);
    settleHolds();
    return at;
  };
  const applyBatch = async (entries: readonly OplogEntry[]): Promise<void> => {
    for (let at = 0; at < entries.length; ) {
      throwIfAborted(signal);
      at = applyRun(entries, at);
      const next = entries[at];
      if (next === undefined) return;
      await waitForRelease(next.time);
      await readEarlierParts(source, journal, next);
    }
  };
  const followOnce = async (): Promise<void> => {
    let reply = await openOplog(source, position, BATCH_ENTRIES);
    let first = true;
    const cursor = { id: reply.cursorId, collection: OPLOG.collection };
    try {
      for (;;) {
        const entries = [...documentsOfBatch(reply.batch)].map(parseOplogEntry);
        if (first && entries[0] !== undefined) {
          checkContinuity(entries[0], position);
          if (terms.first === null) terms = { first: entries[0].term, last: entries[0].term };
        }
        const fresh = entries.filter((entry) => compareClusterTimes(entry.time, position) > 0);
        first = first && entries.length === 0;
        await applyBatch(fresh);
        throwIfAborted(signal);
        if (reply.cursorId === 0n) return;
        reply = await source.more(OPLOG.db, cursor, { maxTimeMS: AWAIT_MS, batchSize: BATCH_ENTRIES });
      }
    } catch (error) {
      // A lost member is not asked to close a cursor: that would only wait for it.
      if (!isTransient(error)) await source.kill(OPLOG.db, cursor);
      throw error;
    }
  };
  const run = async (): Promise<void> => {
    for (let failures = 0; !ended.signal.aborted; ) {
      const { generation } = source;
      const before = position;
      try {
        await followOnce();
      } catch (error) {
        throwIfAborted(options.signal);
        if (ended.signal.aborted) return;
        failures = compareClusterTimes(before, position) === 0 ? failures + 1 : 0;
        if (failures > 20 || !(isTransient(error) || OPLOG_CURSOR_LOST.has(serverCode(error) ?? 0))) throw asReadError(error, 'Following the oplog', source.member);
        await source.recover(generation);
      }
      await sleep(20, signal).catch(() => undefined);
    }
  };
  const done = run();
  done.catch((error: unknown) => {
    for (const hold of held.splice(0)) hold.reject(error);
  });

  return {
    get position() { return position; },
    get terms() { return terms; },
    done,
    holdAt(time) {
      limit = time;
      return new Promise((resolve, reject) => {
        held.push({ time, resolve, reject });
        void done.then(() => reject(signal.reason), reject);
        settleHolds();
      });
    },
    release() {
      limit = null;
      wake?.();
      wake = null;
    },
    expect(time) {
      if (compareClusterTimes(time, position) <= 0) return;
      expected.push(time);
      expected.sort(compareClusterTimes);
    },
    async stop() {
      ended.abort(new Error('the oplog is no longer followed'));
      wake?.();
      // Its failure was raised where it mattered.
      await done.catch(() => undefined);
    },
  };
}

/** A tailable cursor over majority-committed entries from `position` on, that entry included. */
export function openOplog(source: Source, position: ClusterTime, batchSize: number): Promise<RawReply> {
  return source.open(OPLOG.db, {
    find: OPLOG.collection,
    filter: { ts: { $gte: toTimestamp(position) } },
    tailable: true,
    awaitData: true,
    batchSize,
    maxTimeMS: 60_000,
    readConcern: { level: 'majority' },
  });
}

/** The first entry has to be the one at the position, else entries between were lost. */
function checkContinuity(first: OplogEntry, position: ClusterTime): void {
  if (compareClusterTimes(first.time, position) !== 0) throw oplogLost(position);
}

/** Walks a transaction back to its beginning, which lies before the start of the journal. */
async function readEarlierParts(source: Source, journal: OplogJournal, entry: OplogEntry): Promise<void> {
  const key = entry.transaction?.key;
  let link = journal.missingLink(entry);
  while (key !== undefined && link !== null) {
    const reply = await source.open(OPLOG.db, { find: OPLOG.collection, filter: { ts: toTimestamp(link) }, limit: 1, singleBatch: true, readConcern: { level: 'majority' } });
    const [raw] = [...documentsOfBatch(reply.batch)];
    if (raw === undefined) throw oplogLost(link);
    const part = parseOplogEntry(raw);
    journal.applyEarlier(key, part);
    link = part.transaction?.previous ?? null;
  }
}

function oplogLost(time: ClusterTime): LeafvaultError {
  return new LeafvaultError('CAPTURE_OPLOG_LOST', `Following the oplog failed: its entry at ${showClusterTime(time)} is gone`, {
    details: { time },
    retryable: true,
    hint: 'Give the replica set a larger oplog, or take the snapshot when fewer writes run',
  });
}

function rolledBack(time: ClusterTime): LeafvaultError {
  return new LeafvaultError('CAPTURE_ROLLED_BACK', `Following the oplog failed: the entry at ${showClusterTime(time)} that the member had shown was rolled back`, {
    details: { time },
    retryable: true,
  });
}
