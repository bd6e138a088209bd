// From what an operation tells to what a lease shows: rate, time to go, and when something last moved.
import type { LeaseProgress } from '../catalog/index.ts';
import type { Clock } from '../foundation/clock.ts';
import type { Progress } from '../foundation/progress.ts';

export interface ProgressMeter {
  report(progress: Progress): void;
  /** News since the last call, at most one a second; null when there is none. */
  take(): LeaseProgress | null;
  /** Whatever was reported last, for the end of the job. */
  last(): LeaseProgress | null;
  /** Milliseconds since anything moved, and the phase in which it stands. */
  standstill(): { readonly phase: string | null; readonly ms: number };
  /** Time in which the whole process stood still is nobody's standstill. */
  forgive(ms: number): void;
}

const WRITE_EVERY_MS = 1000;
// Weight of the newest second in the rate: smooth enough to read, quick enough to follow a change of phase.
const NEWEST = 0.3;

export function createProgressMeter(clock: Clock): ProgressMeter {
  let current: Progress | null = null;
  let movedAt = clock.monotonicMs();
  let written: Progress | null = null;
  let writtenAt = -Infinity;
  let rate: number | null = null;

  const enrich = (progress: Progress): LeaseProgress => {
    const left = progress.bytesTotal === null ? null : Math.max(0, progress.bytesTotal - progress.bytesDone);
    return {
      phase: progress.phase, namespace: progress.namespace,
      documentsDone: progress.documentsDone, documentsTotal: progress.documentsTotal,
      bytesDone: progress.bytesDone, bytesTotal: progress.bytesTotal,
      bytesPerSecond: rate, etaSeconds: left === null || rate === null || rate <= 0 ? null : left / rate,
    };
  };
  const measure = (progress: Progress, now: number): void => {
    if (written === null || written.phase !== progress.phase || progress.bytesDone < written.bytesDone) {
      rate = null;
      return;
    }
    const speed = ((progress.bytesDone - written.bytesDone) * 1000) / (now - writtenAt);
    rate = rate === null ? speed : rate + NEWEST * (speed - rate);
  };

  return {
    report(progress) {
      if (current === null || hasMoved(current, progress)) movedAt = clock.monotonicMs();
      // Copied: a caller may report one object again and again.
      current = { ...progress };
    },
    take() {
      const now = clock.monotonicMs();
      if (current === null || now - writtenAt < WRITE_EVERY_MS) return null;
      if (written !== null && !hasMoved(written, current)) return null;
      measure(current, now);
      written = current;
      writtenAt = now;
      return enrich(current);
    },
    last: () => (current === null ? null : enrich(current)),
    standstill: () => ({ phase: current?.phase ?? null, ms: clock.monotonicMs() - movedAt }),
    forgive(ms) {
      movedAt += ms;
    },
  };
}

function hasMoved(a: Progress, b: Progress): boolean {
  return a.phase !== b.phase || a.documentsDone !== b.documentsDone || a.bytesDone !== b.bytesDone || a.namespace !== b.namespace;
}
