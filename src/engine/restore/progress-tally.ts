// Adds up documents and bytes of a phase and tells at most a few times a second.
import type { Clock } from '../../foundation/clock.ts';
import type { OnProgress } from '../../foundation/progress.ts';

export interface ProgressTally {
  /** A phase with known totals begins; counts start from zero. */
  begin(phase: string, totals?: { readonly documents: number; readonly bytes: number }): void;
  /** A phase that moves no documents begins; it shows what the one before it did. */
  follow(phase: string): void;
  add(namespace: string, documents: number, bytes: number): void;
}

const EVERY_MS = 200;

export function createProgressTally(onProgress: OnProgress, clock: Clock): ProgressTally {
  let phase = '';
  let totals: { readonly documents: number; readonly bytes: number } | null = null;
  let documentsDone = 0;
  let bytesDone = 0;
  let toldAt = -Infinity;
  const tell = (namespace: string | null): void => {
    toldAt = clock.monotonicMs();
    onProgress({ phase, documentsDone, documentsTotal: totals?.documents ?? null, bytesDone, bytesTotal: totals?.bytes ?? null, namespace });
  };
  return {
    begin(next, total) {
      phase = next;
      totals = total ?? null;
      documentsDone = 0;
      bytesDone = 0;
      tell(null);
    },
    follow(next) {
      phase = next;
      tell(null);
    },
    add(namespace, documents, bytes) {
      documentsDone += documents;
      bytesDone += bytes;
      const over = totals !== null && bytesDone >= totals.bytes;
      if (over || clock.monotonicMs() - toldAt >= EVERY_MS) tell(namespace);
    },
  };
}
