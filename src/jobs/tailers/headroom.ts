// How much an oplog can still lose before whoever follows it loses something, and when that is too little.
import type { ClusterTime } from '../../domain/cluster-time.ts';

export interface OplogReach {
  /** Everything up to here was kept. */
  readonly position: ClusterTime;
  readonly oldest: ClusterTime;
  readonly newest: ClusterTime;
  /** The oplog was seen to drop its oldest entries; a young one only grows. */
  readonly rolls: boolean;
}

const HOUR_SECONDS = 3600;
const SHARE_OF_SPAN = 0.25;
/** A tailer that is less behind than this is not slow: slices are cut once a minute. */
const BEHIND_SECONDS = 300;

/** Seconds of oplog between its oldest entry and the position; negative when something is lost already. */
export function headroomSeconds({ position, oldest }: Pick<OplogReach, 'position' | 'oldest'>): number {
  return position.t - oldest.t;
}

/** Words for a person while the headroom is small, else null. */
export function warningOf(reach: OplogReach): string | null {
  const headroom = headroomSeconds(reach);
  const span = reach.newest.t - reach.oldest.t;
  const behind = reach.newest.t - reach.position.t;
  if (headroom < span * SHARE_OF_SPAN && behind > BEHIND_SECONDS) return `the oplog spans ${show(span)} and the tailer is ${show(behind)} behind: ${show(headroom)} are left before it loses entries`;
  if (reach.rolls && headroom < HOUR_SECONDS) return `the oplog holds only ${show(span)}: ${show(headroom)} are left before the tailer loses entries; give the replica set a larger oplog`;
  return null;
}

function show(seconds: number): string {
  return Math.abs(seconds) < 2 * HOUR_SECONDS ? `${Math.round(seconds / 60)} minutes` : `${Math.round(seconds / HOUR_SECONDS)} hours`;
}
