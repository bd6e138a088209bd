// A position in an oplog: seconds and increment, as MongoDB's Timestamp.

export interface ClusterTime {
  /** Seconds since the epoch. */
  readonly t: number;
  readonly i: number;
}

/** Negative, 0 or positive as `a` is before, at or after `b`. */
export function compareClusterTimes(a: ClusterTime, b: ClusterTime): number {
  return a.t === b.t ? a.i - b.i : a.t - b.t;
}
