// Which touched documents the base held, on disk: the others are folded from nothing.
import type { CollectionNumber } from '../../replay/index.ts';
import { openScratchDatabase } from '../../scratch-database.ts';

export interface MetIds {
  add(collection: CollectionNumber, id: Uint8Array): void;
  has(collection: CollectionNumber, id: Uint8Array): boolean;
  close(): void;
}

/** Beside the table of operations, which has most of the memory. */
const CACHE_KIB = 4 * 1024;

/** @param path a file that does not exist yet */
export function createMetIds(path: string): MetIds {
  const { db } = openScratchDatabase(path, 'CREATE TABLE met (c INTEGER, id BLOB, PRIMARY KEY (c, id)) WITHOUT ROWID;', CACHE_KIB);
  const [add, has] = [db.prepare('INSERT OR IGNORE INTO met VALUES (?, ?)'), db.prepare('SELECT 1 AS n FROM met WHERE c = ? AND id = ?')];
  return {
    add: (collection, id) => void add.run(collection, id),
    has: (collection, id) => has.get(collection, id) !== undefined,
    close: () => db.close(),
  };
}
