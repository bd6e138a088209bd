// Keeps a flow of bytes below a number for each second, over all who share it.
import { sleep } from './abort.ts';
import type { Clock } from './clock.ts';

/** Waits until these bytes may flow. */
export type TakeBytes = (bytes: number, signal: AbortSignal | undefined) => Promise<void>;

/** How much unused time may be made up for. */
const BURST_MS = 250;

/** @param bytesPerSecond undefined: no limit */
export function limitRate(clock: Pick<Clock, 'monotonicMs'>, bytesPerSecond: number | undefined): TakeBytes {
  if (bytesPerSecond === undefined || bytesPerSecond <= 0) return async () => undefined;
  let freeAt = clock.monotonicMs();
  return async (bytes, signal) => {
    const now = clock.monotonicMs();
    freeAt = Math.max(freeAt, now - BURST_MS) + (bytes / bytesPerSecond) * 1000;
    const mine = freeAt;
    for (let waitMs = mine - now; waitMs > 0; waitMs = mine - clock.monotonicMs()) await sleep(Math.min(waitMs, 500), signal);
  };
}
