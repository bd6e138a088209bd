// What the oplog touched while collections were scanned, on disk with a fixed budget in memory: ids, the documents
// that settling read again, operations on capped collections, and parts of transactions that are still open.
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { openScratchDatabase } from '../../scratch-database.ts';
import type { WriteOp } from '../oplog/oplog-entry.ts';

/** Small number that stands for a collection in the table. */
export type CollectionNumber = number;

export interface CappedOp {
  readonly sequence: number;
  readonly kind: WriteOp['kind'];
  readonly id: Buffer;
  /** The document of an insert. */
  readonly document: Buffer | null;
}

export interface TouchedTable {
  /** Runs many changes as one. */
  together(changes: () => void): void;
  touch(collection: CollectionNumber, id: Uint8Array): void;
  addCappedOp(collection: CollectionNumber, op: WriteOp): void;
  /** Remembers a part of an open transaction. */
  addPart(key: string, part: { readonly collection: CollectionNumber; readonly id: Uint8Array }): void;
  /** A transaction has ended: what it touched counts (`committed`) or is forgotten. */
  endParts(key: string, committed: boolean): void;
  /** Forgets all of a collection. */
  forget(collection: CollectionNumber): void;
  /** Ids that must be read again. */
  freshCount(): number;
  freshCountOf(collection: CollectionNumber): number;
  /** The next ids to read again, of one collection, behind `after`. */
  fresh(after: { readonly collection: CollectionNumber; readonly id: Uint8Array } | null, limit: number): { readonly collection: CollectionNumber; readonly ids: readonly Buffer[] } | null;
  setFresh(collection: CollectionNumber, ids: readonly Uint8Array[], fresh: boolean): void;
  /** Keeps (or with null removes) the document that was read for an id. */
  setPatch(collection: CollectionNumber, id: Uint8Array, document: Uint8Array | null): void;
  touchedCount(collection: CollectionNumber): number;
  /** Touched ids in the order of their bytes. */
  touched(collection: CollectionNumber): Generator<Buffer>;
  /** Documents of the patch in the order of their ids' bytes. */
  patch(collection: CollectionNumber): Generator<Buffer>;
  cappedOps(collection: CollectionNumber): Generator<CappedOp>;
  cappedCount(collection: CollectionNumber): number;
  /** True when a document of a capped collection was changed in place. */
  hasCappedUpdate(collection: CollectionNumber): boolean;
  close(): void;
}

/** Ids of a page: an id may be as large as a document, so a page is bounded by its bytes as well. */
const PAGE = 256;
const PAGE_BYTES = 1024 * 1024;

/** @param path a file that does not exist yet */
export function createTouchedTable(path: string): TouchedTable {
  const { db, together } = openScratchDatabase(path, `
    CREATE TABLE touched (c INTEGER, id BLOB, fresh INTEGER, PRIMARY KEY (c, id)) WITHOUT ROWID;
    CREATE INDEX fresh ON touched (c, id) WHERE fresh = 1;
    CREATE TABLE patch (c INTEGER, id BLOB, document BLOB, UNIQUE (c, id));
    CREATE TABLE capped (sequence INTEGER PRIMARY KEY, c INTEGER, kind TEXT, id BLOB, document BLOB);
    CREATE INDEX capped_of ON capped (c, sequence);
    CREATE TABLE parts (key TEXT, c INTEGER, id BLOB, PRIMARY KEY (key, c, id)) WITHOUT ROWID;
  `);
  const sql = prepareAll(db);
  const number = (statement: StatementSync, ...values: (number | string)[]): number => Number((statement.get(...values) as { readonly n: number }).n);
  return {
    together,
    touch: (collection, id) => void sql.touch.run(collection, id),
    addCappedOp: (collection, op) => void sql.addCapped.run(collection, op.kind, op.id ?? Buffer.alloc(0), op.kind === 'insert' ? op.object : null),
    addPart: (key, part) => void sql.addPart.run(key, part.collection, part.id),
    endParts(key, committed) {
      if (committed) sql.commitParts.run(key);
      sql.dropParts.run(key);
    },
    forget(collection) {
      for (const statement of sql.forget) statement.run(collection);
    },
    freshCount: () => number(sql.freshCount),
    freshCountOf: (collection) => number(sql.freshCountOf, collection),
    fresh(after, limit) {
      const first = after === null ? sql.firstFresh.get() : (sql.nextFresh.get(after.collection, after.id) ?? sql.nextCollection.get(after.collection));
      if (first === undefined) return null;
      const collection = first.c as number;
      return { collection, ids: within(sql.freshOf.iterate(collection, first.id as Uint8Array, limit)).map((row) => Buffer.from(row.id as Uint8Array)) };
    },
    setFresh(collection, ids, fresh) {
      for (const id of ids) sql.setFresh.run(fresh ? 1 : 0, collection, id);
    },
    setPatch(collection, id, document) {
      if (document === null) sql.dropPatch.run(collection, id);
      else sql.setPatch.run(collection, id, document);
    },
    touchedCount: (collection) => number(sql.touchedCount, collection),
    touched: (collection) => pages((after) => within(sql.touchedPage.iterate(collection, after, PAGE)), (row) => row.id as Uint8Array),
    patch: function* (collection) {
      // A page holds few documents: each may be 16 MiB.
      let after: Uint8Array = Buffer.alloc(0);
      for (let row = sql.nextPatch.get(collection, after); row !== undefined; row = sql.nextPatch.get(collection, after)) {
        yield Buffer.from(row.document as Uint8Array);
        after = row.id as Uint8Array;
      }
    },
    *cappedOps(collection) {
      let after = 0;
      for (let row = sql.nextCapped.get(collection, after); row !== undefined; row = sql.nextCapped.get(collection, after)) {
        after = row.sequence as number;
        const document = row.document as Uint8Array | null;
        yield { sequence: after, kind: row.kind as WriteOp['kind'], id: Buffer.from(row.id as Uint8Array), document: document === null ? null : Buffer.from(document) };
      }
    },
    cappedCount: (collection) => number(sql.cappedCount, collection),
    hasCappedUpdate: (collection) => sql.cappedUpdate.get(collection) !== undefined,
    close: () => db.close(),
  };
}

interface Row { readonly [column: string]: unknown }

/** The first rows that fit; at least one if there is one. */
function within(rows: Iterable<Row>): Row[] {
  const taken: Row[] = [];
  let bytes = 0;
  for (const row of rows) {
    taken.push(row);
    bytes += (row.id as Uint8Array).length;
    if (bytes >= PAGE_BYTES) break;
  }
  return taken;
}

function* pages(read: (after: Uint8Array) => Row[], keyOf: (row: Row) => Uint8Array): Generator<Buffer> {
  let after: Uint8Array = Buffer.alloc(0);
  for (let rows = read(after); rows.length > 0; rows = read(after)) {
    for (const row of rows) yield Buffer.from(keyOf(row));
    after = keyOf(rows[rows.length - 1] as Row);
  }
}

function prepareAll(db: DatabaseSync) {
  return {
    touch: db.prepare('INSERT INTO touched VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET fresh = 1 WHERE fresh = 0'),
    addCapped: db.prepare('INSERT INTO capped (c, kind, id, document) VALUES (?, ?, ?, ?)'),
    addPart: db.prepare('INSERT OR IGNORE INTO parts VALUES (?, ?, ?)'),
    commitParts: db.prepare('INSERT INTO touched SELECT c, id, 1 FROM parts WHERE key = ? ON CONFLICT DO UPDATE SET fresh = 1 WHERE fresh = 0'),
    dropParts: db.prepare('DELETE FROM parts WHERE key = ?'),
    forget: ['touched', 'patch', 'capped'].map((table) => db.prepare(`DELETE FROM ${table} WHERE c = ?`)),
    freshCount: db.prepare('SELECT count(*) AS n FROM touched WHERE fresh = 1'),
    freshCountOf: db.prepare('SELECT count(*) AS n FROM touched WHERE fresh = 1 AND c = ?'),
    firstFresh: db.prepare('SELECT c, id FROM touched WHERE fresh = 1 ORDER BY c, id LIMIT 1'),
    nextFresh: db.prepare('SELECT c, id FROM touched WHERE fresh = 1 AND c = ? AND id > ? ORDER BY id LIMIT 1'),
    nextCollection: db.prepare('SELECT c, id FROM touched WHERE fresh = 1 AND c > ? ORDER BY c, id LIMIT 1'),
    freshOf: db.prepare('SELECT id FROM touched WHERE fresh = 1 AND c = ? AND id >= ? ORDER BY id LIMIT ?'),
    setFresh: db.prepare('UPDATE touched SET fresh = ? WHERE c = ? AND id = ?'),
    setPatch: db.prepare('INSERT INTO patch VALUES (?, ?, ?) ON CONFLICT (c, id) DO UPDATE SET document = excluded.document'),
    dropPatch: db.prepare('DELETE FROM patch WHERE c = ? AND id = ?'),
    touchedCount: db.prepare('SELECT count(*) AS n FROM touched WHERE c = ?'),
    touchedPage: db.prepare('SELECT id FROM touched WHERE c = ? AND id > ? ORDER BY id LIMIT ?'),
    nextPatch: db.prepare('SELECT id, document FROM patch WHERE c = ? AND id > ? ORDER BY id LIMIT 1'),
    nextCapped: db.prepare('SELECT sequence, kind, id, document FROM capped WHERE c = ? AND sequence > ? ORDER BY sequence LIMIT 1'),
    cappedUpdate: db.prepare("SELECT 1 AS n FROM capped WHERE c = ? AND kind = 'update' LIMIT 1"),
    cappedCount: db.prepare('SELECT count(*) AS n FROM capped WHERE c = ?'),
  };
}
