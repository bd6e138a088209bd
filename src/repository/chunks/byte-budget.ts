// A fixed number of bytes that several takers share, first come first served.

export interface ByteBudget {
  /** Resolves when `bytes` are free; more than the whole budget gets all of it, alone. */
  take(bytes: number): Promise<void>;
  give(bytes: number): void;
  /** Whoever waits, and whoever comes later, gets this error. */
  fail(error: unknown): void;
}

export function createByteBudget(totalBytes: number): ByteBudget {
  let free = totalBytes;
  let failure: { readonly error: unknown } | null = null;
  const waiting: { readonly bytes: number; resolve(): void; reject(error: unknown): void }[] = [];
  const clamp = (bytes: number): number => Math.min(bytes, totalBytes);

  const serve = (): void => {
    for (let first = waiting[0]; first !== undefined && first.bytes <= free; first = waiting[0]) {
      waiting.shift();
      free -= first.bytes;
      first.resolve();
    }
  };

  return {
    take(bytes) {
      if (failure !== null) return Promise.reject(failure.error);
      const wanted = clamp(bytes);
      if (waiting.length === 0 && wanted <= free) {
        free -= wanted;
        return Promise.resolve();
      }
      return new Promise((resolve, reject) => waiting.push({ bytes: wanted, resolve, reject }));
    },
    give(bytes) {
      free += clamp(bytes);
      serve();
    },
    fail(error) {
      failure ??= { error };
      for (const { reject } of waiting.splice(0)) reject(error);
    },
  };
}
