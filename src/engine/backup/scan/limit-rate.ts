// Keeps the scan below a number of bytes for each second, over all collections together.
export { limitRate, type TakeBytes } from '../../../foundation/limit-rate.ts';

const BATCH_BYTES = 4 * 1024 * 1024;
const LEAST_BATCH_BYTES = 64 * 1024;

/** Replies small enough that a limited scan flows instead of jumping. */
export function batchBytesFor(bytesPerSecond: number | undefined): number {
  if (bytesPerSecond === undefined || bytesPerSecond <= 0) return BATCH_BYTES;
  return Math.min(BATCH_BYTES, Math.max(LEAST_BATCH_BYTES, bytesPerSecond / 64));
}
