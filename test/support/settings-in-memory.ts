// Settings as the catalog keeps them: the first writer of a key wins.
import { isDeepStrictEqual } from 'node:util';
import type { CatalogStore } from '../../src/catalog/index.ts';

export function settingsInMemory(): Pick<CatalogStore, 'settings'> {
  const kept = new Map<string, unknown>();
  return {
    settings: {
      get: async (key) => kept.get(key),
      getOrSet: async (key, value) => (kept.has(key) ? kept.get(key) : (kept.set(key, value), value)),
      set: async (key, value) => void kept.set(key, value),
      replace: async (key, expected, value) => isDeepStrictEqual(kept.get(key), expected) && (kept.set(key, value), true),
    },
  };
}
