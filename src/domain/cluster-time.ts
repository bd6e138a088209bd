// A position in an oplog: seconds and increment, as MongoDB's Timestamp.

export interface ClusterTime {
  /** Seconds since the epoch. */
  readonly t: number;
  readonly i: number;
}

/** The largest that there is; seconds go no further either. */
export const LAST_INCREMENT = 0xffff_ffff;

/** Negative, 0 or positive as `a` is before, at or after `b`. */
export function compareClusterTimes(a: ClusterTime, b: ClusterTime): number {
  return a.t === b.t ? a.i - b.i : a.t - b.t;
}

/** The last position before it. */
export function lastBefore({ t, i }: ClusterTime): ClusterTime {
  return i > 0 ? { t, i: i - 1 } : { t: t - 1, i: LAST_INCREMENT };
}

/** `t:i`, for messages. */
export function showClusterTime({ t, i }: ClusterTime): string {
  return `${t}:${i}`;
}

/** What `compareClusterTimes` orders, as text whose order is that of its characters: 16 hex digits. */
export function positionOf({ t, i }: ClusterTime): string {
  return t.toString(16).padStart(8, '0') + i.toString(16).padStart(8, '0');
}

/** The cluster time of a position of 16 hex digits. */
export function timeOfPosition(position: string): ClusterTime {
  return { t: Number.parseInt(position.slice(0, 8), 16), i: Number.parseInt(position.slice(8), 16) };
}
