// A private SQLite database for what outgrows memory (node:sqlite, no dependency): sorted by key, spills by itself, and
// nothing of it outlives its owner, so it has no journal and no fsync.
import { DatabaseSync } from 'node:sqlite';

export interface ScratchDatabase {
  readonly db: DatabaseSync;
  /** Runs many changes as one. */
  together(changes: () => void): void;
}

const CACHE_KIB = 24 * 1024;

/**
 * @param path a file that does not exist yet
 * @param schema statements that make the tables
 * @param cacheKiB memory that its pages take at most
 */
export function openScratchDatabase(path: string, schema: string, cacheKiB: number = CACHE_KIB): ScratchDatabase {
  const db = new DatabaseSync(path);
  db.exec(`PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -${cacheKiB};`);
  db.exec(schema);
  return {
    db,
    together(changes) {
      db.exec('BEGIN');
      try {
        changes();
      } finally {
        // Nothing reads it after a failure, so a half-made change does no harm.
        db.exec('COMMIT');
      }
    },
  };
}
