// Cancellation: small steps around AbortSignal that every long operation shares.
import { setImmediate as pause } from 'node:timers/promises';

/** Throws the signal's reason when it has fired. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw signal.reason;
}

/** Lets everything else run that waits, then throws the signal's reason when it has fired. */
export async function breathe(signal: AbortSignal | undefined): Promise<void> {
  await pause();
  throwIfAborted(signal);
}

/** For loops that wait for nothing: called once in each round, it breathes in every `rounds`th. */
export function breatheEvery(rounds: number, signal: AbortSignal | undefined): () => Promise<void> {
  let done = 0;
  return async () => {
    done += 1;
    if (done % rounds === 0) await breathe(signal);
  };
}

/** Resolves after `delayMs`, or rejects with the signal's reason as soon as it fires. */
export function sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, delayMs);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
