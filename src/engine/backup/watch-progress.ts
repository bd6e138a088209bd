// One place that knows how far a capture is: tells the caller at most twice a second, and ends a stage that stands still.
import type { Clock } from '../../foundation/clock.ts';
import { LeafvaultError } from '../../foundation/errors.ts';
import type { OnProgress, Progress } from '../../foundation/progress.ts';

export interface ProgressWatch {
  /** Fires with CAPTURE_STALLED when a stage made no progress for too long. */
  readonly stalled: AbortSignal;
  readonly now: Progress;
  /** A new stage begins; time without progress counts from here. */
  enter(phase: string): void;
  /** @param done what of it was read before */
  expectTotals(documents: number, bytes: number, done?: { readonly documents: number; readonly bytes: number }): void;
  /** Documents and bytes that were read. */
  advance(documents: number, bytes: number, namespace: string): void;
  /** What was read before does not count any more. */
  beginAnew(): void;
  /** Work that reads no documents has come to this place. */
  at(place: string): void;
  /** Something moved that has no measure of its own. */
  beat(): void;
  stop(): void;
}

export interface ProgressWatchOptions {
  readonly clock: Clock;
  readonly onProgress: OnProgress;
  readonly stallAfterMs: number;
  /** What was read before; absent: nothing. */
  readonly begun?: Counts | undefined;
}

export type Counts = Pick<Progress, 'documentsDone' | 'documentsTotal' | 'bytesDone' | 'bytesTotal'>;

const NOTHING: Counts = { documentsDone: 0, documentsTotal: null, bytesDone: 0, bytesTotal: null };

const TELL_EVERY_MS = 500;

export function watchProgress(options: ProgressWatchOptions): ProgressWatch {
  const { clock } = options;
  const stall = new AbortController();
  let now: Progress = { phase: 'connect', ...(options.begun ?? NOTHING), namespace: null };
  let movedAt = clock.monotonicMs();
  let toldAt = -TELL_EVERY_MS;

  const tell = (always: boolean): void => {
    if (!always && clock.monotonicMs() - toldAt < TELL_EVERY_MS) return;
    toldAt = clock.monotonicMs();
    options.onProgress(now);
  };
  const timer = setInterval(() => {
    if (clock.monotonicMs() - movedAt < options.stallAfterMs) return;
    stall.abort(stalledError(now, options.stallAfterMs));
  }, Math.min(1_000, options.stallAfterMs / 4));
  timer.unref();

  return {
    stalled: stall.signal,
    get now() { return now; },
    enter(phase) {
      movedAt = clock.monotonicMs();
      now = { ...now, phase, namespace: null };
      tell(true);
    },
    expectTotals(documents, bytes, done = { documents: 0, bytes: 0 }) {
      now = { ...now, documentsTotal: documents, bytesTotal: bytes, documentsDone: done.documents, bytesDone: done.bytes };
    },
    advance(documents, bytes, namespace) {
      movedAt = clock.monotonicMs();
      now = { ...now, documentsDone: now.documentsDone + documents, bytesDone: now.bytesDone + bytes, namespace };
      tell(false);
    },
    beginAnew() {
      now = { ...now, ...NOTHING };
    },
    at(place) {
      movedAt = clock.monotonicMs();
      now = { ...now, namespace: place };
      tell(false);
    },
    beat() {
      movedAt = clock.monotonicMs();
      tell(false);
    },
    stop() {
      clearInterval(timer);
    },
  };
}

function stalledError(now: Progress, stallAfterMs: number): LeafvaultError {
  const where = now.namespace === null ? '' : `, last in ${now.namespace}`;
  return new LeafvaultError('CAPTURE_STALLED', `Capturing failed: stage "${now.phase}" made no progress for ${Math.round(stallAfterMs / 1000)} s${where}`, {
    details: { stage: now.phase, stallAfterMs, namespace: now.namespace },
    retryable: true,
    hint: 'Look at the load of the source, and at the repository\'s storage',
  });
}
