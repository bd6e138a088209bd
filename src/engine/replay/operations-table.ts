// What a window of the oplog does to each document, on disk with a fixed budget in memory: the operations of every
// touched (collection, `_id`) in order, and the parts of transactions that are still open.
import type { DatabaseSync } from 'node:sqlite';
import type { ClusterTime } from '../../domain/cluster-time.ts';
import type { WriteOp } from '../backup/oplog/oplog-entry.ts';
import { openScratchDatabase } from '../scratch-database.ts';

/** Small number that stands for a collection in the table. */
export type CollectionNumber = number;

export interface ReplayOperation {
  readonly kind: WriteOp['kind'];
  /** Type byte and value; empty for a document without `_id`, in ordered collections only. */
  readonly id: Buffer;
  /** The entry's `o`; empty for a delete. */
  readonly object: Buffer;
  /** When it counts: the time of its entry, or of the commit of its transaction. */
  readonly time: ClusterTime;
}

/** An operation on its way into the table. */
export interface NewOperation {
  readonly kind: WriteOp['kind'];
  readonly id: Uint8Array;
  readonly object: Uint8Array;
}

export interface OperationsTable {
  /** Runs many changes as one. */
  together(changes: () => void): void;
  /** @param ordered of a capped collection: the order over all its documents is kept as well */
  add(collection: CollectionNumber, operation: NewOperation, when: { readonly time: ClusterTime; readonly ordered: boolean }): void;
  /** Remembers an operation of an open transaction. */
  addPart(key: string, collection: CollectionNumber, operation: NewOperation): void;
  /** The collections that parts of this transaction touch. */
  partsOf(key: string): readonly CollectionNumber[];
  /** How many operations of each kind they are on one of them. */
  tallyParts(key: string, collection: CollectionNumber): Readonly<Record<WriteOp['kind'], number>>;
  /** A transaction counts: its parts become operations in their order, those of one collection. */
  commitParts(key: string, collection: CollectionNumber, when: { readonly time: ClusterTime; readonly ordered: boolean }): void;
  dropParts(key: string): void;
  /** Forgets the operations of a collection that was dropped. */
  forget(collection: CollectionNumber): void;
  /** The operations of one document, in order. */
  operationsOf(collection: CollectionNumber, id: Uint8Array): Generator<ReplayOperation, void, undefined>;
  /** Every operation of an ordered collection, in order. */
  orderedOperations(collection: CollectionNumber): Generator<ReplayOperation, void, undefined>;
  /** Touched ids in the order of their bytes, each once. */
  touchedIds(collection: CollectionNumber): Generator<Buffer, void, undefined>;
  isTouched(collection: CollectionNumber, id: Uint8Array): boolean;
  operationCount(collection: CollectionNumber): number;
  close(): void;
}

const NOTHING = Buffer.alloc(0);

/** @param path a file that does not exist yet */
export function createOperationsTable(path: string): OperationsTable {
  const { db, together } = openScratchDatabase(path, `
    CREATE TABLE operations (sequence INTEGER PRIMARY KEY, c INTEGER, id BLOB, kind TEXT, t INTEGER, i INTEGER, ordered INTEGER, object BLOB);
    CREATE INDEX of_id ON operations (c, id, sequence);
    CREATE INDEX of_order ON operations (c, sequence) WHERE ordered = 1;
    CREATE TABLE parts (sequence INTEGER PRIMARY KEY, key TEXT, c INTEGER, id BLOB, kind TEXT, object BLOB);
    CREATE INDEX of_key ON parts (key, c, sequence);
  `);
  const sql = prepareAll(db);
  return {
    together,
    add: (collection, { kind, id, object }, { time, ordered }) =>
      void sql.add.run(collection, id, kind, time.t, time.i, ordered ? 1 : 0, kind === 'delete' ? NOTHING : object),
    addPart: (key, collection, { kind, id, object }) => void sql.addPart.run(key, collection, id, kind, kind === 'delete' ? NOTHING : object),
    partsOf: (key) => sql.partsOf.all(key).map((row) => row.c as number),
    tallyParts(key, collection) {
      const tally = { insert: 0, update: 0, delete: 0 };
      for (const row of sql.tallyParts.all(key, collection)) tally[row.kind as WriteOp['kind']] = Number(row.n);
      return tally;
    },
    commitParts: (key, collection, { time, ordered }) => void sql.commitParts.run(time.t, time.i, ordered ? 1 : 0, key, collection),
    dropParts: (key) => void sql.dropParts.run(key),
    forget: (collection) => void sql.forget.run(collection),
    operationsOf: (collection, id) => inSteps((after) => sql.nextOfId.get(collection, id, after)),
    orderedOperations: (collection) => inSteps((after) => sql.nextOfOrder.get(collection, after)),
    *touchedIds(collection) {
      for (let row = sql.firstId.get(collection); row !== undefined; row = sql.nextId.get(collection, row.id as Uint8Array)) yield Buffer.from(row.id as Uint8Array);
    },
    isTouched: (collection, id) => sql.nextOfId.get(collection, id, 0) !== undefined,
    operationCount: (collection) => Number(sql.count.get(collection)?.n),
    close: () => db.close(),
  };
}

/** One operation at a time: each may be 16 MiB, and whoever takes them may ask for others meanwhile. */
function* inSteps(next: (after: number) => Readonly<Record<string, unknown>> | undefined): Generator<ReplayOperation, void, undefined> {
  for (let row = next(0); row !== undefined; row = next(row.sequence as number)) {
    yield {
      kind: row.kind as ReplayOperation['kind'], id: Buffer.from(row.id as Uint8Array), object: Buffer.from(row.object as Uint8Array),
      time: { t: row.t as number, i: row.i as number },
    };
  }
}

function prepareAll(db: DatabaseSync) {
  return {
    add: db.prepare('INSERT INTO operations (c, id, kind, t, i, ordered, object) VALUES (?, ?, ?, ?, ?, ?, ?)'),
    addPart: db.prepare('INSERT INTO parts (key, c, id, kind, object) VALUES (?, ?, ?, ?, ?)'),
    partsOf: db.prepare('SELECT DISTINCT c FROM parts WHERE key = ? ORDER BY c'),
    tallyParts: db.prepare('SELECT kind, count(*) AS n FROM parts WHERE key = ? AND c = ? GROUP BY kind'),
    commitParts: db.prepare(`INSERT INTO operations (c, id, kind, t, i, ordered, object)
      SELECT c, id, kind, ?, ?, ?, object FROM parts WHERE key = ? AND c = ? ORDER BY sequence`),
    dropParts: db.prepare('DELETE FROM parts WHERE key = ?'),
    forget: db.prepare('DELETE FROM operations WHERE c = ?'),
    nextOfId: db.prepare('SELECT * FROM operations WHERE c = ? AND id = ? AND sequence > ? ORDER BY sequence LIMIT 1'),
    nextOfOrder: db.prepare('SELECT * FROM operations WHERE c = ? AND ordered = 1 AND sequence > ? ORDER BY sequence LIMIT 1'),
    firstId: db.prepare('SELECT id FROM operations WHERE c = ? ORDER BY id LIMIT 1'),
    nextId: db.prepare('SELECT id FROM operations WHERE c = ? AND id > ? ORDER BY id LIMIT 1'),
    count: db.prepare('SELECT count(*) AS n FROM operations WHERE c = ?'),
  };
}
