// A store that is empty from one call on, as a folder is whose disk was unmounted.
import { LeafvaultError } from '../../src/foundation/errors.ts';
import type { Storage } from '../../src/storage/index.ts';

/** From that call on nothing is there, and nothing can be put. */
export function createVanishingStorage(inner: Storage, atCall: number): Storage & { readonly isGone: () => boolean } {
  let calls = 0;
  const isGone = (): boolean => calls >= atCall;
  const call = async <T>(there: () => Promise<T>, gone: () => T): Promise<T> => {
    calls += 1;
    return isGone() ? gone() : there();
  };
  const fail = (code: string) => (): never => { throw new LeafvaultError(code, 'the disk is not there'); };
  return {
    ...inner, isGone,
    put: (...args) => call(() => inner.put(...args), fail('STORAGE_FAILED')),
    get: (...args) => call(() => inner.get(...args), fail('STORAGE_OBJECT_MISSING')),
    stat: (name) => call(() => inner.stat(name), () => null),
    delete: (...args) => call(() => inner.delete(...args), () => undefined),
    async *list(prefix) {
      calls += 1;
      if (!isGone()) yield* inner.list(prefix);
    },
  };
}
