// Finds many deletes or updates of one namespace in a short time (docs/design/continuous-backup.md, "Time line").
// A second is dense when it alone, kept up for a minute, would make enough of them. Dense seconds with short pauses between them
// are one burst; the seconds right beside it belong to it, so that its first and last operations do.
import { compareClusterTimes, type ClusterTime } from '../../domain/cluster-time.ts';
import type { Mark, WriteKind } from '../../domain/timeline.ts';

export interface MassMarks {
  /** Operations of one kind that count at the same position. */
  add(namespace: string, kind: WriteKind, operations: { readonly count: number; readonly time: ClusterTime; readonly justBefore: ClusterTime }): void;
  /** Whether a burst may go on at this second: nobody should stop reading in the middle of one. */
  isOpenAt(second: number): boolean;
  /** Everything found so far, what is under way included. */
  finish(): readonly Mark[];
}

/** Operations of one second, or of several. */
interface Run {
  count: number;
  readonly first: ClusterTime;
  readonly justBefore: ClusterTime;
  last: ClusterTime;
}

interface Burst extends Run {
  /** The newest dense second. */
  denseAt: number;
  /** Sparse seconds behind it: part of the burst only if another dense one follows. */
  pending: Run | null;
}

interface Watched {
  readonly namespace: string;
  readonly kind: 'delete' | 'update';
  /** The second that is being filled. */
  current: (Run & { readonly second: number }) | null;
  /** The one before it, when it was sparse and belongs to no burst. */
  before: (Run & { readonly second: number }) | null;
  burst: Burst | null;
}

export const MINUTE_SECONDS = 60;
const PAUSE_SECONDS = 10;

/** @param threshold operations of one kind in one namespace */
export function createMassMarks(threshold: number): MassMarks {
  const watched = new Map<string, Watched>();
  const found: Mark[] = [];
  const dense = Math.max(1, threshold / MINUTE_SECONDS);
  let denseAt = Number.NEGATIVE_INFINITY;

  const close = (of: Watched): void => {
    const { burst, namespace, kind } = of;
    of.burst = null;
    if (burst === null || burst.count < threshold) return;
    const { count, first, last, justBefore } = burst;
    found.push({ kind: kind === 'delete' ? 'massDelete' : 'massUpdate', namespace, to: null, count, first, last, justBefore, leaveOut: { namespace, kind, from: first, to: last } });
  };
  const endSecond = (of: Watched): void => {
    const run = of.current;
    of.current = null;
    if (run === null) return;
    const { second } = run;
    if (of.burst !== null && second - of.burst.denseAt > PAUSE_SECONDS) close(of);
    if (run.count >= dense) {
      denseAt = Math.max(denseAt, second);
      of.burst = of.burst === null ? { ...startOf(of.before, run), denseAt: second, pending: null } : joined(of.burst, run, second);
      of.before = null;
    } else if (of.burst !== null) {
      const { burst } = of;
      // Right behind it: the end of the same thing.
      if (second - burst.denseAt === 1) append(burst, run);
      else if (burst.pending === null) burst.pending = { ...run };
      else append(burst.pending, run);
      of.before = run;
    } else of.before = run;
  };
  return {
    add(namespace, kind, { count, time, justBefore }) {
      if (kind === 'insert' || count === 0) return;
      const key = `${kind} ${namespace}`;
      const of = watched.get(key) ?? { namespace, kind, current: null, before: null, burst: null };
      watched.set(key, of);
      if (of.current !== null && of.current.second !== time.t) endSecond(of);
      if (of.current === null) of.current = { second: time.t, count, first: time, justBefore, last: time };
      else append(of.current, { count, last: time });
    },
    isOpenAt(second) {
      for (const of of watched.values()) if (of.current !== null && of.current.second < second) endSecond(of);
      return second - denseAt <= PAUSE_SECONDS;
    },
    finish() {
      for (const of of watched.values()) {
        endSecond(of);
        close(of);
      }
      return found.sort((a, b) => compareClusterTimes(a.first, b.first));
    },
  };
}

function startOf(before: (Run & { readonly second: number }) | null, { second, ...run }: Run & { readonly second: number }): Run {
  return before !== null && second - before.second === 1 ? { count: before.count + run.count, first: before.first, justBefore: before.justBefore, last: run.last } : run;
}

function joined(burst: Burst, run: Run, second: number): Burst {
  if (burst.pending !== null) append(burst, burst.pending);
  append(burst, run);
  burst.pending = null;
  burst.denseAt = second;
  return burst;
}

function append(to: Run, { count, last }: Pick<Run, 'count' | 'last'>): void {
  to.count += count;
  to.last = last;
}
