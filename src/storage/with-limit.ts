// A store that takes no more than a number of bytes a second, on average: what is put waits for its turn, before it is sent.
import type { TakeBytes } from '../foundation/limit-rate.ts';
import type { Storage } from './storage.ts';

/** @param take shared by all stores that share a line */
export function withLimit(inner: Storage, take: TakeBytes): Storage {
  return {
    ...inner,
    async put(name, bytes, options) {
      const length = bytes instanceof Uint8Array ? bytes.length : bytes.reduce((sum, part) => sum + part.length, 0);
      await take(length, options?.signal);
      await inner.put(name, bytes, options);
    },
  };
}
