// Holds a secondary right before an entry of the oplog, so that what lies between two entries of one command (a temporary
// collection that is filled and not renamed yet, some parts of a transaction) is an instant that stays and can be captured.
// Needs `parameters: PARKABLE`. Where majority needs this secondary, the set's majority waits there too.
import { setTimeout as delay } from 'node:timers/promises';
import type { Document, MongoClient, Timestamp } from 'mongodb';
import { compareClusterTimes, type ClusterTime } from '../../src/domain/cluster-time.ts';
import { PATIENCE_MS } from './patience.ts';

/** One entry at a time, or the ones before would be held as well. */
export const PARKABLE = { enableTestCommands: true, bgSyncOplogFetcherBatchSize: 1 } as const;

export interface Parked {
  /** The entry before which the secondary waits. */
  readonly at: ClusterTime;
  /** The one before that: the newest that a majority has. */
  readonly before: ClusterTime;
  /** Resolves when a majority has `at`. Safe to call twice. */
  release(): Promise<void>;
}

/**
 * Runs a command on the primary and resolves when the secondary has everything before the first entry of it that `object` matches.
 * @param object filter for the `o` of an entry
 * @param run must not wait for a majority
 */
export async function parkBefore(primary: MongoClient, secondary: MongoClient, object: Document, run: () => Promise<unknown>): Promise<Parked> {
  const oplog = primary.db('local').collection('oplog.rs');
  const begin = (await primary.db('admin').command({ hello: 1 })).lastWrite.opTime.ts as Timestamp;
  const failPoint = (mode: string): Promise<Document> => secondary.db('admin').command({ configureFailPoint: 'stopReplProducerOnDocument', mode, ...(mode === 'off' ? {} : { data: { document: object } }) });
  // Else it looks for its source again after a second.
  await secondary.db('admin').command({ configureFailPoint: 'forceBgSyncSyncSourceRetryWaitMS', mode: 'alwaysOn', data: { sleepMS: 50 } });
  await failPoint('alwaysOn');
  try {
    await run();
    const [found] = await oplog.find({ ts: { $gt: begin }, ...Object.fromEntries(Object.entries(object).map(([name, value]) => [`o.${name}`, value as unknown])) }).sort({ $natural: 1 }).limit(1).toArray();
    const [last] = await oplog.find({ ts: { $lt: found!['ts'] } }).sort({ $natural: -1 }).limit(1).toArray();
    const [at, before] = [timeOf(found!['ts']), timeOf(last!['ts'])];
    await reached(secondary, before);
    return {
      at, before,
      async release() {
        await failPoint('off');
        await reached(secondary, at);
      },
    };
  } catch (error) {
    await failPoint('off');
    throw error;
  }
}

/** Resolves when a member knows that a majority has `time`. */
export async function reached(member: MongoClient, time: ClusterTime): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (performance.now() < deadline) {
    const { lastWrite } = await member.db('admin').command({ hello: 1 });
    if (compareClusterTimes(timeOf(lastWrite.majorityOpTime.ts), time) >= 0) return;
    await delay(20);
  }
  throw new Error('Waited ${PATIENCE_MS / 1000} s for the secondary');
}

function timeOf({ t, i }: Timestamp): ClusterTime {
  return { t, i };
}
