// Cuts slices of raw oplog entries into entries, and proves that their times rise.
import { compareClusterTimes, showClusterTime, type ClusterTime } from '../../domain/cluster-time.ts';
import { isLeafvaultError, LeafvaultError } from '../../foundation/errors.ts';
import { parseOplogEntry, type OplogEntry } from '../backup/oplog/oplog-entry.ts';
import { asBuffer, documentLength } from '../bson/index.ts';

/**
 * The entries of one slice (raw entries side by side).
 * @param before time of the entry before the slice; null when it is the first
 * @throws LeafvaultError REPLAY_WINDOW_BROKEN, REPLAY_OPERATION_UNKNOWN, BSON_MALFORMED
 */
export function* splitEntries(slice: Uint8Array, before: ClusterTime | null): Generator<OplogEntry, void, undefined> {
  const bytes = asBuffer(slice);
  let last = before;
  for (let at = 0; at < bytes.length; ) {
    const end = at + documentLength(bytes, at);
    const entry = parseEntry(bytes.subarray(at, end));
    if (last !== null && compareClusterTimes(entry.time, last) <= 0) throw broken(entry.time, last);
    yield entry;
    last = entry.time;
    at = end;
  }
}

/** Runs what may meet an operation that the capture's code does not know, and says it as a replay does. */
export function orUnknown<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!isLeafvaultError(error, 'CAPTURE_OPERATION_UNKNOWN')) throw error;
    throw unknownReplay(error.details, error);
  }
}

function parseEntry(raw: Buffer): OplogEntry {
  return orUnknown(() => parseOplogEntry(raw));
}

/** @param details `operation`, `namespace` and `time` of what cannot be replayed */
export function unknownReplay({ operation, namespace, time }: Readonly<Record<string, unknown>>, cause?: unknown): LeafvaultError {
  const at = time === null || time === undefined ? '' : ` at ${showClusterTime(time as ClusterTime)}`;
  return new LeafvaultError('REPLAY_OPERATION_UNKNOWN', `Reading the window failed${at}: operation ${String(operation)} on ${String(namespace)} cannot be replayed`, {
    details: { operation, namespace, position: time ?? null },
    hint: 'Restore an instant before this operation, or from a snapshot taken after it',
    ...(cause === undefined ? {} : { cause }),
  });
}

function broken(position: ClusterTime, before: ClusterTime): LeafvaultError {
  return new LeafvaultError('REPLAY_WINDOW_BROKEN', `Reading the window failed at ${showClusterTime(position)}: the entry follows ${showClusterTime(before)}`, {
    details: { position, before },
    hint: 'The slices are damaged or out of order: verify the repository',
  });
}
