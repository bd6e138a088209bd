// A store that tries again where the error says that this can help. A put is sent again with the very
// same bytes; when its first answer was lost, or something on the way to the store sent it twice, the name is taken by our own bytes, and
// that is success: no two objects have the same bytes by chance, all hold fresh random ones.
import { sleep, throwIfAborted } from '../foundation/abort.ts';
import { isLeafvaultError, LeafvaultError } from '../foundation/errors.ts';
import type { ObjectInfo, ObjectLock, Storage } from './storage.ts';

export interface RetryOptions {
  /** Tries in all, the first included. */
  readonly attempts?: number;
  /** Wait before the second try; doubles each time, up to 5 s, with jitter. */
  readonly firstDelayMs?: number;
  /** How to wait; by the machine's timer where it is left out. */
  readonly wait?: (delayMs: number, signal?: AbortSignal) => Promise<void>;
}

export function withRetry(inner: Storage, options: RetryOptions = {}): Storage {
  const attempts = options.attempts ?? 6;
  const firstDelayMs = options.firstDelayMs ?? 100;
  const wait = options.wait ?? sleep;

  const retry = async <T>(signal: AbortSignal | undefined, run: (attempt: number) => Promise<T>): Promise<T> => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await run(attempt);
      } catch (cause) {
        if (attempt >= attempts || !isLeafvaultError(cause) || !cause.retryable) throw cause;
        throwIfAborted(signal);
        await wait(Math.min(5_000, firstDelayMs * 2 ** (attempt - 1)) * (0.5 + Math.random() / 2), signal);
      }
    }
  };

  return {
    address: inner.address,
    ...(inner.isPast === true ? { isPast: true } : {}),
    ...(inner.objectLock === undefined ? {} : { objectLock: lockWithRetry(inner.objectLock, retry) }),
    conditionalPut: () => retry(undefined, () => inner.conditionalPut()),
    put: (name, bytes, putOptions) => retry(putOptions?.signal, async (attempt) => {
      if (attempt > 1) putOptions?.onAgain?.();
      try {
        await inner.put(name, bytes, putOptions);
      } catch (cause) {
        if (!isLeafvaultError(cause, 'STORAGE_OBJECT_EXISTS')) throw cause;
        const held = await holding(inner, name, bytes, putOptions?.signal);
        if (held !== 'ours') throw held === 'others' && attempt > 1 ? foreign(name) : cause;
      }
    }),
    get: (name, range, getOptions) => retry(getOptions?.signal, () => inner.get(name, range, getOptions)),
    stat: (name) => retry(undefined, () => inner.stat(name)),
    delete: (name, deleteOptions) => retry(undefined, () => inner.delete(name, deleteOptions)),
    list: (prefix) => listAgain(inner, prefix, retry),
    close: () => inner.close(),
  };
}

function lockWithRetry(lock: ObjectLock, retry: <T>(signal: undefined, run: () => Promise<T>) => Promise<T>): ObjectLock {
  return {
    mode: lock.mode, days: lock.days,
    assertAvailable: () => retry(undefined, () => lock.assertAvailable()),
    heldUntil: (name) => retry(undefined, () => lock.heldUntil(name)),
    hold: (name, until) => retry(undefined, () => lock.hold(name, until)),
    overwritten: (takes, options) => lock.overwritten(takes, options),
    // It counts what it did, so a second try would tell less; what it lists is tried again below it.
    purge: (before, takes, options) => lock.purge(before, takes, options),
  };
}

/** Starts a listing again only as long as nothing of it was handed out; a later failure goes to the caller. */
async function* listAgain(
  inner: Storage, prefix: string, retry: <T>(signal: undefined, run: () => Promise<T>) => Promise<T>,
): AsyncGenerator<ObjectInfo> {
  const { items, first } = await retry(undefined, async () => {
    const opened = inner.list(prefix)[Symbol.asyncIterator]();
    return { items: opened, first: await opened.next() };
  });
  try {
    for (let item = first; item.done !== true; item = await items.next()) yield item.value;
  } finally {
    await items.return?.();
  }
}

/** Whose bytes have the name; nobody's where it was deleted meanwhile. */
async function holding(
  inner: Storage, name: string, bytes: Uint8Array | readonly Uint8Array[], signal: AbortSignal | undefined,
): Promise<'ours' | 'others' | 'nobody'> {
  const parts = bytes instanceof Uint8Array ? [bytes] : bytes;
  const stored = await inner.get(name, undefined, signal === undefined ? {} : { signal }).catch((error: unknown) => {
    if (!isLeafvaultError(error, 'STORAGE_OBJECT_MISSING')) throw error;
    return null;
  });
  if (stored === null) return 'nobody';
  let offset = 0;
  for (const part of parts) {
    if (Buffer.compare(stored.subarray(offset, offset + part.length), part) !== 0) return 'others';
    offset += part.length;
  }
  return offset === stored.length ? 'ours' : 'others';
}

function foreign(name: string): LeafvaultError {
  return new LeafvaultError('STORAGE_OBJECT_EXISTS', `Storing ${name} failed: other bytes hold that name`, { details: { name } });
}
