// Which instant a time means, and which instants a window offers. docs/design/continuous-backup.md has the rule.
import { compareClusterTimes, lastBefore, LAST_INCREMENT, type ClusterTime } from './cluster-time.ts';

/** `border`: everything up to it, that entry included. `time`: the state when the clock struck its second, nothing of that second counts. */
export type Instant = { readonly border: ClusterTime } | { readonly time: Date };

/** The instant of a restore, as it was asked for and as it is replayed. */
export interface RestoreInstant {
  readonly asked: Instant;
  /** Entries up to and including it count. */
  readonly border: ClusterTime;
  /** 24 hex digits. */
  readonly chainId: string;
}

/** For the eye: a time is everything before its second, so the second and an increment that no entry has. */
export function showInstant(instant: Instant): ClusterTime {
  return 'border' in instant ? instant.border : { t: Math.floor(instant.time.getTime() / 1000), i: 0 };
}

/** Instants that can be restored: borders with `from <= border <= to`. */
export interface InstantRange { readonly from: ClusterTime; readonly to: ClusterTime }

/** Entries up to and including it count. */
export function borderOf(instant: Instant): ClusterTime {
  return 'border' in instant ? instant.border : lastBefore(showInstant(instant));
}

export function holds({ from, to }: InstantRange, border: ClusterTime): boolean {
  return compareClusterTimes(from, border) <= 0 && compareClusterTimes(border, to) <= 0;
}

/** Whole seconds that a window offers; null: it is too short for any. */
export function secondsOf({ from, to }: InstantRange): { readonly first: Date; readonly last: Date } | null {
  // The border of a second S is (S - 1, the last increment).
  const first = from.t + 1;
  const last = to.i === LAST_INCREMENT ? to.t + 1 : to.t;
  return first > last ? null : { first: new Date(first * 1000), last: new Date(last * 1000) };
}

/** What lies nearest to a border that no window holds; null where there is none on that side. */
export function nearest<Window extends InstantRange>(windows: readonly Window[], border: ClusterTime): { readonly before: Window | null; readonly after: Window | null } {
  let before: Window | null = null;
  let after: Window | null = null;
  for (const window of windows) {
    if (compareClusterTimes(window.to, border) < 0 && (before === null || compareClusterTimes(before.to, window.to) < 0)) before = window;
    if (compareClusterTimes(window.from, border) > 0 && (after === null || compareClusterTimes(after.from, window.from) > 0)) after = window;
  }
  return { before, after };
}
