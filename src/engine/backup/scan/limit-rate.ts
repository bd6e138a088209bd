// Keeps the scan below a number of bytes for each second, over all collections together.
import { sleep } from '../../../foundation/abort.ts';
import type { Clock } from '../../../foundation/clock.ts';

/** Waits until these bytes may have been read. */
export type TakeBytes = (bytes: number, signal: AbortSignal) => Promise<void>;

/** How much unused time may be made up for. */
const BURST_MS = 250;

/** @param bytesPerSecond undefined: no limit */
export function limitRate(clock: Clock, bytesPerSecond: number | undefined): TakeBytes {
  if (bytesPerSecond === undefined || bytesPerSecond <= 0) return async () => undefined;
  let freeAt = clock.monotonicMs();
  return async (bytes, signal) => {
    const now = clock.monotonicMs();
    freeAt = Math.max(freeAt, now - BURST_MS) + (bytes / bytesPerSecond) * 1000;
    for (let waitMs = freeAt - now; waitMs > 0; waitMs = freeAt - clock.monotonicMs()) await sleep(Math.min(waitMs, 500), signal);
  };
}

const BATCH_BYTES = 4 * 1024 * 1024;
const LEAST_BATCH_BYTES = 64 * 1024;

/** Replies small enough that a limited scan flows instead of jumping. */
export function batchBytesFor(bytesPerSecond: number | undefined): number {
  if (bytesPerSecond === undefined || bytesPerSecond <= 0) return BATCH_BYTES;
  return Math.min(BATCH_BYTES, Math.max(LEAST_BATCH_BYTES, bytesPerSecond / 64));
}
