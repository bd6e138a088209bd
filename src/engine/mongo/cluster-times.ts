// Between the driver's timestamps and ours.
import { Timestamp } from 'bson';
import { compareClusterTimes, type ClusterTime } from '../../domain/cluster-time.ts';

export function toClusterTime(timestamp: Timestamp): ClusterTime {
  return { t: timestamp.t, i: timestamp.i };
}

export function toTimestamp(time: ClusterTime): Timestamp {
  return new Timestamp({ t: time.t, i: time.i });
}

/** The later of two; null is before everything. */
export function laterOf(a: ClusterTime | null, b: ClusterTime | null): ClusterTime | null {
  if (a === null) return b;
  if (b === null) return a;
  return compareClusterTimes(a, b) >= 0 ? a : b;
}
