// What an entry means for a chain: one that nobody could replay later ends it now, when it can still be told.
import { describeError, isLeafvaultError } from '../../foundation/errors.ts';
import type { ClusterTime } from '../../domain/cluster-time.ts';
import { isFoldable } from '../backup/collections/fold-command.ts';
import { parseOplogEntry } from '../backup/oplog/oplog-entry.ts';
import { isVersionDocument } from '../backup/oplog/oplog-journal.ts';
import type { ChainEndReason } from './errors.ts';

export interface Verdict {
  readonly time: ClusterTime;
  readonly end: { readonly reason: ChainEndReason; readonly words: string } | null;
}

/** @param previous time of the entry before it, for the message about one that can't be read */
export function judgeEntry(raw: Buffer, previous: ClusterTime): Verdict {
  try {
    const { time, operations } = parseOplogEntry(raw);
    for (const operation of operations) {
      if (operation.kind === 'command' && !isFoldable(operation.name)) return { time, end: { reason: 'OPERATION_UNKNOWN', words: `the operation "${operation.name}" on ${operation.db} is not known` } };
      if (operation.kind !== 'command' && isVersionDocument(operation)) return { time, end: { reason: 'FCV_CHANGED', words: 'the feature compatibility version is being changed' } };
    }
    return { time, end: null };
  } catch (error) {
    if (!isLeafvaultError(error)) throw error;
    return { time: previous, end: { reason: 'OPERATION_UNKNOWN', words: describeError(error) } };
  }
}
