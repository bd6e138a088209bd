// What a window of the oplog does to each document, on disk with a fixed budget in memory: the operations of every
// touched (collection, `_id`) in order, and the parts of transactions that are still open.
// An update may write other bytes of an equal `_id` (`1` becomes `1.0`): the new bytes are then linked to the old ones,
// and what follows under them belongs to the same document. An `_id` stands for its document by the bytes of its first operation.
import type { DatabaseSync } from 'node:sqlite';
import type { ClusterTime } from '../../domain/cluster-time.ts';
import type { WriteOp } from '../backup/oplog/oplog-entry.ts';
import { openScratchDatabase } from '../scratch-database.ts';

/** Small number that stands for a collection in the table. */
export type CollectionNumber = number;

export interface ReplayOperation {
  readonly kind: WriteOp['kind'];
  /** Type byte and value, as the entry names it; empty for a document without `_id`, in ordered collections only. */
  readonly id: Buffer;
  /** Of an update that writes other bytes of an equal `_id`: the new ones. */
  readonly newId: Buffer | null;
  /** The entry's `o`; empty for a delete. */
  readonly object: Buffer;
  /** When it counts: the time of its entry, or of the commit of its transaction. */
  readonly time: ClusterTime;
  /** Its place in the table. */
  readonly sequence: number;
  /** Something that it builds on was left out. */
  readonly dependent: boolean;
  /** It may meet anything (`WriteOp.asAsked`). */
  readonly asAsked?: boolean;
}

/** When an operation counts. */
export interface When {
  readonly time: ClusterTime;
  /** Of a capped collection: the order over all its documents is kept as well. */
  readonly ordered: boolean;
}

/** What becomes of an operation when something is left out: `leftOut` was chosen, `skipped` and `dependent` follow from that. */
export type Mark = 'leftOut' | 'skipped' | 'dependent';

/** An operation on its way into the table. */
export interface NewOperation {
  readonly kind: WriteOp['kind'];
  readonly id: Uint8Array;
  readonly newId?: Uint8Array | null;
  readonly object: Uint8Array;
  readonly asAsked?: boolean;
  /** Which it is of its entry or transaction, from 0. */
  readonly number?: number;
}

/** An operation and whose it is. */
export interface PlacedOperation extends ReplayOperation {
  readonly collection: CollectionNumber;
  readonly ordered: boolean;
}

export interface OperationsTable {
  /** Runs many changes as one. */
  together(changes: () => void): void;
  add(collection: CollectionNumber, operation: NewOperation, when: When & { readonly leftOut?: boolean }): void;
  /** Remembers an operation of an open transaction. */
  addPart(key: string, collection: CollectionNumber, operation: NewOperation): void;
  /** The collections that parts of this transaction touch. */
  partsOf(key: string): readonly CollectionNumber[];
  /** How many operations of each kind they are on one of them. */
  tallyParts(key: string, collection: CollectionNumber): Readonly<Record<WriteOp['kind'], number>>;
  /** A transaction counts: its parts become operations in their order, those of one collection. */
  commitParts(key: string, collection: CollectionNumber, when: When & { readonly isLeftOut?: (part: PartFacts) => boolean }): void;
  dropParts(key: string): void;
  /** Forgets the operations of a collection that was dropped. */
  forget(collection: CollectionNumber): void;
  mark(operation: ReplayOperation, as: Mark): void;
  /** Documents of which an operation was left out, by the bytes of `_id` that their first operation names; of all collections, or `only` of one. */
  leftOutIds(only?: CollectionNumber): Generator<{ readonly collection: CollectionNumber; readonly id: Buffer }, void, undefined>;
  /** Everything that happened to a document, what is left out or skipped included. */
  wholeStoryOf(collection: CollectionNumber, id: Uint8Array): Generator<MarkedOperation, void, undefined>;
  /** The operations of one document, in order; `id` as its first operation names it. What is left out or skipped is not among them, here and below. */
  operationsOf(collection: CollectionNumber, id: Uint8Array): Generator<ReplayOperation, void, undefined>;
  /** Every operation of an ordered collection, in order; nothing of one can be left out. */
  orderedOperations(collection: CollectionNumber): Generator<ReplayOperation, void, undefined>;
  /** Every operation of these collections, in the order in which they count. */
  operationsInOrder(collections: ReadonlySet<CollectionNumber>): Generator<PlacedOperation, void, undefined>;
  /** Touched documents, each once, by the bytes of `_id` that their first operation names and in the order of these bytes. */
  touchedIds(collection: CollectionNumber): Generator<Buffer, void, undefined>;
  isTouched(collection: CollectionNumber, id: Uint8Array): boolean;
  /** Keeps an id under a key of the caller's, the last one of each key. */
  watch(collection: CollectionNumber, key: Uint8Array, id: Uint8Array): void;
  watched(collection: CollectionNumber, key: Uint8Array): Buffer | null;
  operationCount(collection: CollectionNumber): number;
  /** Bytes of the operations' objects. */
  operationBytes(collection: CollectionNumber): number;
  close(): void;
}

export interface PartFacts {
  readonly kind: WriteOp['kind'];
  readonly number: number;
  /** It writes other bytes of its `_id`. */
  readonly movesId: boolean;
}

export interface MarkedOperation extends ReplayOperation {
  readonly isLeftOut: boolean;
}

const NOTHING = Buffer.alloc(0);
const MARKS: Readonly<Record<Mark, number>> = { leftOut: 1, skipped: 2, dependent: 3 };
/** A page of operations in order: an object may be 16 MiB, so it is bounded by its bytes as well. */
const PAGE = 500;
const PAGE_BYTES = 1024 * 1024;

/** @param path a file that does not exist yet */
export function createOperationsTable(path: string): OperationsTable {
  const { db, together } = openScratchDatabase(path, `
    CREATE TABLE operations (sequence INTEGER PRIMARY KEY, c INTEGER, key BLOB, id BLOB, new_id BLOB, kind TEXT, t INTEGER, i INTEGER, ordered INTEGER, object BLOB, mark INTEGER NOT NULL DEFAULT 0, asked INTEGER NOT NULL DEFAULT 0);
    CREATE INDEX of_mark ON operations (c, key) WHERE mark = 1;
    CREATE INDEX of_key ON operations (c, key, sequence);
    CREATE INDEX of_order ON operations (c, sequence) WHERE ordered = 1;
    CREATE TABLE links (c INTEGER, id BLOB, key BLOB, PRIMARY KEY (c, id)) WITHOUT ROWID;
    CREATE TABLE parts (sequence INTEGER PRIMARY KEY, key TEXT, c INTEGER, id BLOB, new_id BLOB, kind TEXT, object BLOB, n INTEGER);
    CREATE INDEX of_transaction ON parts (key, c, sequence);
    CREATE TABLE watched (c INTEGER, key BLOB, id BLOB, PRIMARY KEY (c, key)) WITHOUT ROWID;
  `);
  const sql = prepareAll(db);
  /** Few collections ever have a link; the others need no look-up. */
  const linked = new Set<CollectionNumber>();
  const keyOf = (collection: CollectionNumber, id: Uint8Array): Uint8Array =>
    (linked.has(collection) ? (sql.linkOf.get(collection, id)?.key as Uint8Array | undefined) : undefined) ?? id;
  const add = (collection: CollectionNumber, { kind, id, newId = null, object, asAsked = false }: NewOperation, { time, ordered, leftOut = false }: When & { readonly leftOut?: boolean }): void => {
    const key = keyOf(collection, id);
    sql.add.run(collection, key, id, newId, kind, time.t, time.i, ordered ? 1 : 0, kind === 'delete' ? NOTHING : object, leftOut ? MARKS.leftOut : 0, asAsked ? 1 : 0);
    if (newId === null) return;
    linked.add(collection);
    sql.link.run(collection, newId, key);
  };
  return {
    together,
    add,
    addPart: (key, collection, { kind, id, newId = null, object, number = 0 }) => void sql.addPart.run(key, collection, id, newId, kind, kind === 'delete' ? NOTHING : object, number),
    partsOf: (key) => sql.partsOf.all(key).map((row) => row.c as number),
    tallyParts(key, collection) {
      const tally = { insert: 0, update: 0, delete: 0 };
      for (const row of sql.tallyParts.all(key, collection)) tally[row.kind as WriteOp['kind']] = Number(row.n);
      return tally;
    },
    commitParts(key, collection, { isLeftOut, ...when }) {
      const oneByOne = isLeftOut !== undefined || linked.has(collection) || sql.linkingPart.get(key, collection) !== undefined;
      if (!oneByOne) sql.commitParts.run(when.time.t, when.time.i, when.ordered ? 1 : 0, key, collection);
      else for (const part of rowsInSteps((after) => sql.nextPart.get(key, collection, after))) add(collection, operationOf(part), { ...when, leftOut: isLeftOut?.({ kind: part.kind as WriteOp['kind'], number: part.n as number, movesId: part.new_id !== null }) ?? false });
    },
    dropParts: (key) => void sql.dropParts.run(key),
    forget(collection) {
      sql.forget.run(collection);
      if (linked.delete(collection)) sql.forgetLinks.run(collection);
    },
    mark: ({ sequence }, as) => void sql.mark.run(MARKS[as], sequence),
    *leftOutIds(only) {
      let row = sql.nextLeftOut.get(only ?? 0, NOTHING);
      for (; row !== undefined && (only ?? row.c) === row.c; row = sql.nextLeftOut.get(row.c as number, row.key as Uint8Array)) yield { collection: row.c as number, id: Buffer.from(row.key as Uint8Array) };
    },
    *wholeStoryOf(collection, id) {
      for (const row of rowsInSteps((after) => sql.nextOfStory.get(collection, id, after))) yield { ...operationOf(row), isLeftOut: row.mark === MARKS.leftOut };
    },
    operationsOf: (collection, id) => inSteps((after) => sql.nextOfKey.get(collection, id, after)),
    orderedOperations: (collection) => inSteps((after) => sql.nextOfOrder.get(collection, after)),
    *operationsInOrder(collections) {
      for (let after = 0; ; ) {
        const rows = within(sql.page.iterate(after, PAGE));
        for (const row of rows) if (collections.has(row.c as number)) yield { ...operationOf(row), collection: row.c as number, ordered: row.ordered === 1 };
        const last = rows.at(-1);
        if (last === undefined) return;
        after = last.sequence as number;
      }
    },
    *touchedIds(collection) {
      for (let row = sql.firstKey.get(collection); row !== undefined; row = sql.nextKey.get(collection, row.key as Uint8Array)) yield Buffer.from(row.key as Uint8Array);
    },
    watch: (collection, key, id) => void sql.watch.run(collection, key, id),
    watched(collection, key) {
      const row = sql.watched.get(collection, key);
      return row === undefined ? null : Buffer.from(row.id as Uint8Array);
    },
    isTouched: (collection, id) => sql.nextOfStory.get(collection, id, 0) !== undefined,
    operationCount: (collection) => Number(sql.count.get(collection)?.n),
    operationBytes: (collection) => Number(sql.bytes.get(collection)?.n ?? 0),
    close: () => db.close(),
  };
}

type Row = Readonly<Record<string, unknown>>;

/** One operation at a time: each may be 16 MiB, and whoever takes them may ask for others meanwhile. */
function* inSteps(next: (after: number) => Row | undefined): Generator<ReplayOperation, void, undefined> {
  for (const row of rowsInSteps(next)) yield operationOf(row);
}

function* rowsInSteps(next: (after: number) => Row | undefined): Generator<Row, void, undefined> {
  for (let row = next(0); row !== undefined; row = next(row.sequence as number)) yield row;
}

function operationOf(row: Row): ReplayOperation {
  return {
    kind: row.kind as ReplayOperation['kind'], id: Buffer.from(row.id as Uint8Array), newId: row.new_id == null ? null : Buffer.from(row.new_id as Uint8Array),
    object: Buffer.from(row.object as Uint8Array), time: { t: row.t as number, i: row.i as number }, sequence: row.sequence as number, dependent: row.mark === MARKS.dependent,
    ...(row.asked === 1 ? { asAsked: true } : {}),
  };
}

/** The first rows that fit; at least one if there is one. */
function within(rows: Iterable<Row>): Row[] {
  const taken: Row[] = [];
  let bytes = 0;
  for (const row of rows) {
    taken.push(row);
    bytes += (row.object as Uint8Array).length;
    if (bytes >= PAGE_BYTES) break;
  }
  return taken;
}

function prepareAll(db: DatabaseSync) {
  return {
    add: db.prepare('INSERT INTO operations (c, key, id, new_id, kind, t, i, ordered, object, mark, asked) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)'),
    link: db.prepare('INSERT INTO links VALUES (?, ?, ?) ON CONFLICT (c, id) DO UPDATE SET key = excluded.key'),
    linkOf: db.prepare('SELECT key FROM links WHERE c = ? AND id = ?'),
    forgetLinks: db.prepare('DELETE FROM links WHERE c = ?'),
    addPart: db.prepare('INSERT INTO parts (key, c, id, new_id, kind, object, n) VALUES (?, ?, ?, ?, ?, ?, ?)'),
    partsOf: db.prepare('SELECT DISTINCT c FROM parts WHERE key = ? ORDER BY c'),
    tallyParts: db.prepare('SELECT kind, count(*) AS n FROM parts WHERE key = ? AND c = ? GROUP BY kind'),
    linkingPart: db.prepare('SELECT 1 AS n FROM parts WHERE key = ? AND c = ? AND new_id IS NOT NULL LIMIT 1'),
    nextPart: db.prepare('SELECT *, 0 AS t, 0 AS i FROM parts WHERE key = ? AND c = ? AND sequence > ? ORDER BY sequence LIMIT 1'),
    commitParts: db.prepare(`INSERT INTO operations (c, key, id, kind, t, i, ordered, object)
      SELECT c, id, id, kind, ?, ?, ?, object FROM parts WHERE key = ? AND c = ? ORDER BY sequence`),
    dropParts: db.prepare('DELETE FROM parts WHERE key = ?'),
    forget: db.prepare('DELETE FROM operations WHERE c = ?'),
    mark: db.prepare('UPDATE operations SET mark = ? WHERE sequence = ?'),
    nextLeftOut: db.prepare('SELECT c, key FROM operations WHERE mark = 1 AND (c, key) > (?, ?) ORDER BY c, key LIMIT 1'),
    nextOfStory: db.prepare('SELECT * FROM operations WHERE c = ? AND key = ? AND sequence > ? ORDER BY sequence LIMIT 1'),
    nextOfKey: db.prepare('SELECT * FROM operations WHERE c = ? AND key = ? AND sequence > ? AND mark NOT IN (1, 2) ORDER BY sequence LIMIT 1'),
    nextOfOrder: db.prepare('SELECT * FROM operations WHERE c = ? AND ordered = 1 AND sequence > ? ORDER BY sequence LIMIT 1'),
    page: db.prepare('SELECT * FROM operations WHERE sequence > ? AND mark NOT IN (1, 2) ORDER BY sequence LIMIT ?'),
    firstKey: db.prepare('SELECT key FROM operations WHERE c = ? ORDER BY key LIMIT 1'),
    nextKey: db.prepare('SELECT key FROM operations WHERE c = ? AND key > ? ORDER BY key LIMIT 1'),
    watch: db.prepare('INSERT OR REPLACE INTO watched (c, key, id) VALUES (?, ?, ?)'),
    watched: db.prepare('SELECT id FROM watched WHERE c = ? AND key = ?'),
    count: db.prepare('SELECT count(*) AS n FROM operations WHERE c = ? AND mark NOT IN (1, 2)'),
    bytes: db.prepare('SELECT sum(length(object)) AS n FROM operations WHERE c = ? AND mark NOT IN (1, 2)'),
  };
}
