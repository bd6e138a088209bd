// Follows the majority-committed oplog of a replica set for continuous backup and hands it on as slices without a gap.
// Goes on at another member when one is lost; what can't be continued ends it with OPLOG_CHAIN_ENDED and the reason.
import { compareClusterTimes, showClusterTime, type ClusterTime } from '../../domain/cluster-time.ts';
import { sleep, throwIfAborted } from '../../foundation/abort.ts';
import type { Clock } from '../../foundation/clock.ts';
import { LeafvaultError } from '../../foundation/errors.ts';
import type { Logger } from '../../foundation/logger.ts';
import { OPLOG, OPLOG_CURSOR_LOST, openOplog } from '../backup/oplog/follow-oplog.ts';
import { readSourceIdentity } from '../backup/source-identity.ts';
import { asReadError, isTransient, openSource, serverCode, type Source } from '../backup/source.ts';
import { documentsOfBatch } from '../mongo/index.ts';
import type { ChainEndReason } from './errors.ts';
import { judgeEntry } from './judge-entry.ts';
import { readOplogSpan, type OplogSpan } from './oplog-span.ts';
import { createSliceCutter, digestOf, type OplogSlice, type SliceCutter, type SliceLimits } from './slice-cutter.ts';

/** Where a chain goes on. */
export interface TailPosition {
  readonly time: ClusterTime;
  /** Hex SHA-256 of the entry at `time`; null where it is not known yet. */
  readonly digest: string | null;
  /** As the set's configuration says; null where the account could not read it. */
  readonly replicaSetId: string | null;
}

export interface TailStatus extends OplogSpan {
  /** Every entry up to here was handed on. */
  readonly position: ClusterTime;
  readonly member: string;
}

export interface TailOptions {
  readonly uri: string;
  /** Null: a new chain, which begins at a majority time of now. */
  readonly from: TailPosition | null;
  /** Told once, before the first slice. */
  readonly onBegin: (position: TailPosition) => Promise<void>;
  /** Durable when it resolves; nothing more is read meanwhile. */
  readonly onSlice: (slice: OplogSlice) => Promise<void>;
  /** About every `statusMs`. */
  readonly onStatus?: (status: TailStatus) => void;
  /** True: what was gathered is handed on now. Asked after every batch. */
  readonly cutNow?: () => boolean;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly log: Logger;
  /** 16 MiB and 60 s by default. */
  readonly limits?: SliceLimits;
  /** 5 s by default. */
  readonly statusMs?: number;
  /** After so long without an entry other members are asked whether they know more; 30 s by default, a primary writes at least every 10 s. */
  readonly staleMs?: number;
}

export const LIMITS: SliceLimits = { bytes: 16 * 1024 * 1024, ms: 60_000 };
/** How long the server waits for news before it answers with an empty batch. */
const AWAIT_MS = 500;
const BATCH_ENTRIES = 5_000;
const STATUS_MS = 5_000;
const STALE_MS = 30_000;
const FAILURES = 20;

interface Tail {
  readonly options: TailOptions;
  readonly source: Source;
  readonly cutter: SliceCutter;
  readonly replicaSetId: string | null;
  /** The last entry that was read, and gathered. */
  read: { readonly time: ClusterTime; readonly digest: () => string | null };
  /** The last one that was handed on. */
  handedOn: ClusterTime;
  statusAt: number;
  /** When the last entry came, or other members were asked in vain. */
  newsAt: number;
}

/**
 * Never resolves: rejects with the signal's reason, OPLOG_CHAIN_ENDED (`details.reason`), or what kept it from reading.
 * @throws LeafvaultError OPLOG_CHAIN_ENDED, SOURCE_*
 */
export async function tailOplog(options: TailOptions): Promise<never> {
  const source = await openSource({ uri: options.uri, preferredMember: null, signal: options.signal, clock: options.clock, log: options.log });
  try {
    const tail = await beginTail(options, source);
    return await follow(tail);
  } finally {
    await source.close();
  }
}

async function beginTail(options: TailOptions, source: Source): Promise<Tail> {
  if (source.facts.topology !== 'replicaSet') {
    throw new LeafvaultError('SOURCE_READ_FAILED', `Following the oplog of ${source.member} failed: it is no member of a replica set`, {
      hint: 'Continuous backup needs a replica set; one member is enough',
    });
  }
  const { replicaSetId } = await readSourceIdentity(source);
  const position = options.from ?? { time: await source.majorityTime(), digest: null, replicaSetId };
  await checkIdentity(source, position);
  await options.onBegin(position);
  return {
    options, source, replicaSetId: position.replicaSetId ?? replicaSetId,
    cutter: createSliceCutter(position.time, options.limits ?? LIMITS, () => options.clock.monotonicMs()),
    read: { time: position.time, digest: () => position.digest }, handedOn: position.time, statusAt: Number.NEGATIVE_INFINITY, newsAt: options.clock.monotonicMs(),
  };
}

async function follow(tail: Tail): Promise<never> {
  const { source, options } = tail;
  for (let failures = 0; ; ) {
    throwIfAborted(options.signal);
    const { generation } = source;
    const before = tail.read.time;
    try {
      await followOnce(tail);
    } catch (error) {
      throwIfAborted(options.signal);
      failures = compareClusterTimes(before, tail.read.time) === 0 ? failures + 1 : 0;
      if (failures > FAILURES || !(isTransient(error) || OPLOG_CURSOR_LOST.has(serverCode(error) ?? 0))) throw asReadError(error, 'Following the oplog', source.member);
      if (isTransient(error)) await source.recover(generation);
      if (source.generation !== generation) await checkIdentity(source, { time: tail.read.time, replicaSetId: tail.replicaSetId });
    }
    await sleep(20, options.signal);
  }
}

/** One cursor, from the last entry that was read to wherever it ends. */
async function followOnce(tail: Tail): Promise<void> {
  const { source, options } = tail;
  let reply = await openOplog(source, tail.read.time, BATCH_ENTRIES);
  const cursor = { id: reply.cursorId, collection: OPLOG.collection };
  let continued = false;
  try {
    for (;;) {
      const before = tail.read.time;
      for (const raw of documentsOfBatch(reply.batch)) {
        if (continued) await take(tail, raw);
        else await checkContinuity(tail, raw);
        continued = true;
      }
      if (tail.cutter.isDue || options.cutNow?.() === true) await handOn(tail);
      await tellStatus(tail);
      throwIfAborted(options.signal);
      if (compareClusterTimes(before, tail.read.time) !== 0) tail.newsAt = options.clock.monotonicMs();
      if (await leftStaleMember(tail) || reply.cursorId === 0n) return;
      reply = await source.more(OPLOG.db, cursor, { maxTimeMS: AWAIT_MS, batchSize: BATCH_ENTRIES });
    }
  } catch (error) {
    // A lost member is not asked to close a cursor: that would only wait for it.
    if (!isTransient(error)) await source.kill(OPLOG.db, cursor);
    throw error;
  }
}

/** A member that was cut off from its set still answers, and would keep the chain where it is for ever. */
async function leftStaleMember(tail: Tail): Promise<boolean> {
  const { source, options: { clock, staleMs = STALE_MS } } = tail;
  if (clock.monotonicMs() - tail.newsAt < staleMs) return false;
  const left = await source.leaveFor(tail.read.time);
  tail.newsAt = clock.monotonicMs();
  if (left) await checkIdentity(source, { time: tail.read.time, replicaSetId: tail.replicaSetId });
  return left;
}

async function take(tail: Tail, raw: Buffer): Promise<void> {
  const { time, end } = judgeEntry(raw, tail.read.time);
  if (end !== null) {
    await handOn(tail);
    throw chainEnded(end.reason, end.words, time);
  }
  if (compareClusterTimes(time, tail.read.time) <= 0) {
    await handOn(tail);
    throw chainEnded('OPLOG_DIVERGED', `behind the entry at ${showClusterTime(tail.read.time)} comes one of ${showClusterTime(time)}`, time);
  }
  if (tail.cutter.wouldOverflow(raw.length)) await handOn(tail);
  const kept = tail.cutter.add(raw, time);
  tail.read = { time, digest: () => digestOf(kept) };
  if (tail.cutter.isDue) await handOn(tail);
}

async function handOn(tail: Tail): Promise<void> {
  if (tail.cutter.isEmpty) return;
  const slice = tail.cutter.cut();
  await tail.options.onSlice(slice);
  tail.handedOn = slice.to;
}

/** The first entry has to be the one that was read last, with the same bytes: else entries between are lost or others. */
async function checkContinuity(tail: Tail, raw: Buffer): Promise<void> {
  const { time } = judgeEntry(raw, tail.read.time);
  const digest = digestOf(raw);
  const same = compareClusterTimes(time, tail.read.time) === 0;
  const before = tail.read.digest();
  if (same && (before === null || before === digest)) {
    tail.read = { time, digest: () => digest };
    return;
  }
  await handOn(tail);
  if (same) throw chainEnded('OPLOG_DIVERGED', `the entry at ${showClusterTime(time)} is another one than was read before`, time);
  const { oldest } = await readOplogSpan(tail.source);
  if (compareClusterTimes(oldest, tail.read.time) > 0) throw chainEnded('OPLOG_ROLLED_OVER', `its oldest entry is of ${showClusterTime(oldest)}, behind ${showClusterTime(tail.read.time)} where the chain goes on`, tail.read.time);
  throw chainEnded('OPLOG_DIVERGED', `the entry at ${showClusterTime(tail.read.time)} is gone`, tail.read.time);
}

async function checkIdentity(source: Source, { time, replicaSetId }: Pick<TailPosition, 'time' | 'replicaSetId'>): Promise<void> {
  const { replicaSetId: now } = await readSourceIdentity(source);
  if (now === null || replicaSetId === null || now === replicaSetId) return;
  throw chainEnded('REPLICA_SET_CHANGED', `${source.member} belongs to the replica set ${now}, the chain to ${replicaSetId}`, time);
}

async function tellStatus(tail: Tail): Promise<void> {
  const { onStatus, clock, statusMs = STATUS_MS } = tail.options;
  if (onStatus === undefined || clock.monotonicMs() - tail.statusAt < statusMs) return;
  tail.statusAt = clock.monotonicMs();
  onStatus({ ...(await readOplogSpan(tail.source)), position: tail.handedOn, member: tail.source.member });
}

function chainEnded(reason: ChainEndReason, words: string, time: ClusterTime): LeafvaultError {
  return new LeafvaultError('OPLOG_CHAIN_ENDED', `Following the oplog ended: ${words}`, {
    details: { reason, time }, hint: 'A new chain begins with a new base snapshot; instants in between can not be restored',
  });
}
