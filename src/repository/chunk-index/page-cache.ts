// Keeps the pages of index files that were read last, up to a fixed number of bytes.

export interface PageCache {
  get(path: string, page: number): Buffer | undefined;
  set(path: string, page: number, bytes: Buffer): void;
  forget(path: string): void;
}

export function createPageCache(maxBytes: number): PageCache {
  const byPath = new Map<string, number>();
  const pages = new Map<number, Buffer>();
  let nextPath = 0;
  let held = 0;
  // One number for file and page: 2^32 pages of 4 KiB for each of 2^20 files.
  const keyOf = (path: string, page: number): number => {
    let number = byPath.get(path);
    if (number === undefined) {
      number = nextPath;
      nextPath += 1;
      byPath.set(path, number);
    }
    return number * 2 ** 32 + page;
  };
  return {
    get(path, page) {
      const key = keyOf(path, page);
      const bytes = pages.get(key);
      if (bytes === undefined) return undefined;
      pages.delete(key);
      pages.set(key, bytes);
      return bytes;
    },
    set(path, page, bytes) {
      pages.set(keyOf(path, page), bytes);
      held += bytes.length;
      for (const [oldest, old] of pages) {
        if (held <= maxBytes) break;
        pages.delete(oldest);
        held -= old.length;
      }
    },
    forget(path) {
      const number = byPath.get(path);
      byPath.delete(path);
      for (const [key, bytes] of pages) {
        if (Math.floor(key / 2 ** 32) !== number) continue;
        pages.delete(key);
        held -= bytes.length;
      }
    },
  };
}
