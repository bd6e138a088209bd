// Lets what a tailer has gathered be put away before it stops.
import { LeafvaultError } from '../../foundation/errors.ts';

export interface Drain {
  /** Fires when everything that was gathered is put away, or could not be in time. */
  readonly signal: AbortSignal;
  readonly ask: () => void;
  /** For the tailer, which asks after every batch. */
  readonly cutNow: () => boolean;
  /** Leaves no timer behind. */
  stop(): void;
}

/** A source that answers does so every half second. */
const PATIENCE_MS = 3_000;

export function createDrain(): Drain {
  const abort = new AbortController();
  const over = (): void => abort.abort(new LeafvaultError('JOBS_TAILER_DRAINED', 'What was gathered is put away'));
  let timer: NodeJS.Timeout | undefined;
  let isCut = false;
  return {
    signal: abort.signal,
    ask() {
      timer ??= setTimeout(over, PATIENCE_MS);
    },
    cutNow() {
      if (timer === undefined) return false;
      // The second time: the slice that was cut the first time is put, nothing could have been added to it.
      if (isCut) over();
      isCut = true;
      return true;
    },
    stop: () => clearTimeout(timer),
  };
}
