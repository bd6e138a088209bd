// Finds many deletes or updates of one namespace within a minute; those of minutes that follow each other are one mark.
import type { ClusterTime } from '../../domain/cluster-time.ts';
import type { Mark, WriteKind } from '../../domain/timeline.ts';

export interface MassMarks {
  /** Operations of one kind that count at the same position. */
  add(namespace: string, kind: WriteKind, operations: { readonly count: number; readonly time: ClusterTime; readonly justBefore: ClusterTime }): void;
  /** Everything found so far, the minute that is under way included. */
  finish(): readonly Mark[];
}

interface Burst {
  readonly namespace: string;
  readonly kind: 'delete' | 'update';
  readonly minute: number;
  count: number;
  readonly first: ClusterTime;
  readonly justBefore: ClusterTime;
  last: ClusterTime;
}

export const MINUTE_SECONDS = 60;

/** @param threshold operations of one kind in one namespace and minute */
export function createMassMarks(threshold: number): MassMarks {
  const current = new Map<string, Burst>();
  const found: Burst[] = [];
  /** The last burst of each key, to which the next minute's belongs. */
  const latest = new Map<string, { readonly burst: Burst; minute: number }>();
  const close = (key: string, burst: Burst): void => {
    if (burst.count < threshold) return;
    const before = latest.get(key);
    if (before !== undefined && before.minute + 1 === burst.minute) {
      before.burst.count += burst.count;
      before.burst.last = burst.last;
      before.minute = burst.minute;
      return;
    }
    found.push(burst);
    latest.set(key, { burst, minute: burst.minute });
  };
  return {
    add(namespace, kind, { count, time, justBefore }) {
      if (kind === 'insert' || count === 0) return;
      const key = `${kind} ${namespace}`;
      const minute = Math.floor(time.t / MINUTE_SECONDS);
      const known = current.get(key);
      if (known?.minute === minute) {
        known.count += count;
        known.last = time;
        return;
      }
      if (known !== undefined) close(key, known);
      current.set(key, { namespace, kind, minute, count, first: time, justBefore, last: time });
    },
    finish() {
      for (const [key, burst] of current) close(key, burst);
      current.clear();
      return found.map(({ namespace, kind, count, first, last, justBefore }): Mark => ({
        kind: kind === 'delete' ? 'massDelete' : 'massUpdate', namespace, to: null, count, first, last, justBefore,
        leaveOut: { namespace, kind, from: first, to: last },
      }));
    },
  };
}
