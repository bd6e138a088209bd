import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { BSON, MongoClient, type Document } from 'mongodb';
import { isLeafvaultError } from '../../../src/foundation/errors.ts';
import { createOperationsTable, readWindow, type OperationsTable, type ReplayWindow } from '../../../src/engine/replay/index.ts';
import { startReplicaSet } from '../../support/mongod.ts';
import { createRandom } from '../backup/random.ts';
import { at, COLLECTION, CREATE, deleteOf, entry, insertOf, partOf, updateOf, UUID_TEXT } from './entries.ts';
import { differencesOf, foldHeld } from './fold-held.ts';
import { openOplogSource, slicesOf, type RawEntry } from './oplog-source.ts';

interface Read {
  readonly window: ReplayWindow;
  /** Kinds and values of `x`, in the order of the table. */
  readonly operations: readonly string[];
}

async function read(entries: readonly RawEntry[], { after = 0, border = 1000 } = {}): Promise<Read> {
  return withTable(async (table) => {
    const window = await readWindow({ slices: slicesOf(entries, createRandom(entries.length)), after: at(after), border: at(border), base: [], table });
    const number = window.numberOf(UUID_TEXT);
    const operations: string[] = [];
    for (const id of number === null ? [] : table.touchedIds(number)) {
      for (const { kind, object, time } of table.operationsOf(number!, id)) operations.push(`${kind} ${id.readInt32LE(1)}${kind === 'insert' ? ` x=${(BSON.deserialize(object) as Document).x}` : ''} @${time.i}`);
    }
    return { window, operations };
  });
}

async function withTable<T>(use: (table: OperationsTable) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'leafvault-replay-'));
  const table = createOperationsTable(join(folder, 'operations'));
  try {
    return await use(table);
  } finally {
    table.close();
    await rm(folder, { recursive: true });
  }
}

function refuses(code: string, entries: readonly RawEntry[], range: { after?: number; border?: number } = {}): Promise<void> {
  return assert.rejects(read(entries, range), (error) => isLeafvaultError(error, code) && error.hint !== undefined);
}

const born = entry(1, CREATE);

describe('a window', () => {
  test('counts entries after its begin, up to and including its border', async () => {
    const entries = [born, entry(2, insertOf(1, { x: 1 })), entry(3, insertOf(2, { x: 2 })), entry(4, updateOf(2, { x: 3 })), entry(5, deleteOf(2))];
    const { window, operations } = await read(entries, { after: 0, border: 4 });
    assert.deepEqual(operations, ['insert 1 x=1 @2', 'insert 2 x=2 @3', 'update 2 @4']);
    assert.deepEqual(window.counts, { entries: 4, insert: 2, update: 1, delete: 0, command: 1, committed: 0, aborted: 0 });
    assert.deepEqual(window.last, at(4));
    assert.deepEqual(window.collections.map(({ db, name }) => `${db}.${name}`), ['d.c']);
    assert.deepEqual((await read(entries, { after: 5 })).window.counts.entries, 0);
  });

  test('names what was written to collections that it does not know', async () => {
    const { window } = await read([born, entry(2, insertOf(1)), entry(3, deleteOf(1))], { after: 1 });
    assert.deepEqual([...window.unlisted], [['d.c', 2]]);
  });

  test('forgets what was done to a collection that is dropped', async () => {
    const { window, operations } = await read([born, entry(2, insertOf(1)), entry(3, { op: 'c', ns: 'd.$cmd', ui: COLLECTION, o: { drop: 'c' } })]);
    assert.deepEqual([operations, window.collections], [[], []]);
  });

  test('is refused where times do not rise', async () => {
    await refuses('REPLAY_WINDOW_BROKEN', [born, entry(2, insertOf(1)), entry(2, insertOf(2))]);
    await refuses('REPLAY_WINDOW_BROKEN', [born, entry(3, insertOf(1)), entry(2, insertOf(2))]);
    await refuses('REPLAY_WINDOW_BROKEN', [entry(3, insertOf(1)), born, entry(9, insertOf(2))], { after: 4 });
  });

  test('is refused with what nobody can replay', async () => {
    await refuses('REPLAY_OPERATION_UNKNOWN', [born, entry(2, { op: 'c', ns: 'd.$cmd', o: { emptycapped: 'c' } })]);
    await refuses('REPLAY_OPERATION_UNKNOWN', [born, entry(2, { op: 'xi', ns: 'd.c', o: {} })]);
    await refuses('REPLAY_OPERATION_UNKNOWN', [born, entry(2, { op: 'i', ns: 'd.c', ui: COLLECTION, o: { x: 1 } })]);
    await refuses('REPLAY_FCV_CHANGED', [born, entry(2, { op: 'u', ns: 'admin.system.version', ui: COLLECTION, o2: { _id: 'featureCompatibilityVersion' }, o: {} })]);
  });

  test('takes nothing amiss that lies before its begin or behind its border', async () => {
    const strange = { op: 'c', ns: 'd.$cmd', o: { emptycapped: 'c' } };
    assert.equal((await read([entry(1, strange), entry(2, CREATE), entry(3, insertOf(1)), entry(4, strange)], { after: 1, border: 3 })).window.counts.entries, 2);
  });
});

describe('a transaction of several entries', () => {
  const first = partOf(2, 0, { applyOps: [insertOf(1, { x: 1 })], partialTxn: true });
  const second = partOf(4, 2, { applyOps: [updateOf(1, { x: 2 })], partialTxn: true });
  const last = partOf(5, 4, { applyOps: [deleteOf(1)], count: 3 });

  test('counts at its last entry, in the order of its parts', async () => {
    const { window, operations } = await read([born, first, entry(3, insertOf(1, { x: 0 })), second, last]);
    assert.deepEqual(operations, ['insert 1 x=0 @3', 'insert 1 x=1 @5', 'update 1 @5', 'delete 1 @5']);
    assert.deepEqual({ ...window.counts, entries: 0 }, { entries: 0, insert: 2, update: 1, delete: 1, command: 1, committed: 1, aborted: 0 });
  });

  test('keeps parts that lie before the begin', async () => {
    const created = [partOf(1, 0, { applyOps: [CREATE, insertOf(1, { x: 1 })], partialTxn: true }), partOf(4, 1, { applyOps: [updateOf(1, { x: 2 })], count: 3 })];
    assert.deepEqual((await read(created, { after: 2 })).operations, ['insert 1 x=1 @4', 'update 1 @4']);
  });

  test('counts nothing when its end lies behind the border or before the begin', async () => {
    const { window, operations } = await read([born, first, second, last], { border: 4 });
    assert.deepEqual([operations, window.openTransactions], [[], 1]);
    const before = await read([born, first, second, last, entry(6, insertOf(9))], { after: 5 });
    assert.deepEqual([before.operations, before.window.openTransactions], [[], 0]);
  });

  test('counts nothing when it is aborted, and its number may be taken again', async () => {
    const prepared = partOf(2, 0, { applyOps: [insertOf(1)], prepare: true });
    const aborted = await read([born, prepared, partOf(3, 2, { abortTransaction: 1 })]);
    assert.deepEqual([aborted.operations, aborted.window.counts.aborted], [[], 1]);
    const again = await read([born, prepared, partOf(4, 0, { applyOps: [insertOf(2, { x: 2 })], partialTxn: true }), partOf(5, 4, { applyOps: [] })]);
    assert.deepEqual(again.operations, ['insert 2 x=2 @5']);
  });

  test('is refused when a part was not read, wherever it is missing', async () => {
    await refuses('REPLAY_TRANSACTION_CUT', [born, second, last]);
    await refuses('REPLAY_TRANSACTION_CUT', [born, first, last]);
    await refuses('REPLAY_TRANSACTION_CUT', [born, last]);
    assert.deepEqual((await read([born, second, last, entry(6, insertOf(9, { x: 9 }))], { border: 4 })).window.openTransactions, 1);
    await read([second, last, entry(6, CREATE), entry(7, insertOf(9))], { after: 5 });
  });
});

test('prepared transactions of a real server count when they commit and vanish when they abort', { timeout: 900_000 }, async () => {
  await using set = await startReplicaSet({ parameters: { enableTestCommands: true } });
  const client = new MongoClient(set.memberUri(0));
  try {
    const source = await openOplogSource(client);
    const begin = await source.now();
    const collection = client.db('d').collection<Document>('c');
    await collection.insertMany([{ _id: 1 as never, n: 1 }, { _id: 2 as never, n: 2 }]);
    for (const commit of [true, false]) {
      await using session = client.startSession();
      session.startTransaction({ writeConcern: { w: 'majority' } });
      await collection.insertOne({ _id: `made ${commit}` as never }, { session });
      await collection.updateOne({ _id: 1 as never }, { $set: { [`committed ${commit}`]: 1 } }, { session });
      const { prepareTimestamp } = await client.db('admin').command({ prepareTransaction: 1, writeConcern: { w: 'majority' } }, { session });
      await collection.updateOne({ _id: 2 as never }, { $inc: { n: 1 } });
      if (commit) await client.db('admin').command({ commitTransaction: 1, commitTimestamp: prepareTimestamp, writeConcern: { w: 'majority' } }, { session });
      else await session.abortTransaction();
    }
    const wanted = await source.held(['d'], await source.now());
    const entries = await source.entries(begin);
    const folded = await foldHeld({ time: begin, capped: true, collections: new Map() }, entries, wanted.time);
    assert.deepEqual(differencesOf(folded, wanted, (name) => name.startsWith('d.')), []);
    assert.deepEqual([folded.window.counts.committed, folded.window.counts.aborted], [1, 1]);
  } finally {
    await client.close();
  }
});
