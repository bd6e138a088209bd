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

/**
 * Fires a while after `signal` did, with its reason: for what has still to be put away then.
 * @returns `end` leaves no timer behind, and fires at once where the time runs
 */
export function outlasting(signal: AbortSignal, delayMs: (reason: unknown) => number): { readonly signal: AbortSignal; readonly end: () => void } {
  const late = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const fire = (): void => late.abort(signal.reason);
  const onAbort = (): void => {
    const ms = delayMs(signal.reason);
    if (ms <= 0) fire();
    else timer = setTimeout(fire, ms);
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  return {
    signal: late.signal,
    end() {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      if (signal.aborted) fire();
    },
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
