import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createOperationsTable, type OperationsTable } from '../../../src/engine/replay/index.ts';

async function withTable(use: (table: OperationsTable) => void): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'leafvault-replay-'));
  const table = createOperationsTable(join(folder, 'operations'));
  try {
    use(table);
  } finally {
    table.close();
    await rm(folder, { recursive: true });
  }
}

const time = { t: 0xffffffff, i: 0xfffffffe };
const when = { time, ordered: false };

test('operations of an id come in the order they were added, ids in the order of their bytes', () => withTable((table) => {
  const ids = [Buffer.from('10ff', 'hex'), Buffer.from('1001', 'hex'), Buffer.from('02', 'hex')];
  table.together(() => {
    for (const kind of ['insert', 'update', 'delete'] as const) for (const id of ids) table.add(1, { kind, id, object: Buffer.from(kind) }, when);
    table.add(2, { kind: 'insert', id: ids[0]!, object: Buffer.from('x') }, when);
  });
  assert.deepEqual([...table.touchedIds(1)].map((id) => id.toString('hex')), ['02', '1001', '10ff']);
  // Generators may run inside each other.
  for (const id of table.touchedIds(1)) assert.deepEqual([...table.operationsOf(1, id)].map(({ kind, object }) => `${kind} ${object.toString()}`), ['insert insert', 'update update', 'delete ']);
  assert.deepEqual([...table.operationsOf(1, ids[0]!)][0]?.time, time);
  assert.deepEqual([table.operationCount(1), table.operationCount(2), table.isTouched(2, ids[0]!), table.isTouched(2, ids[1]!)], [9, 1, true, false]);
  table.forget(1);
  assert.deepEqual([[...table.touchedIds(1)], table.operationCount(2)], [[], 1]);
}));

test('an ordered collection keeps the order over all its ids', () => withTable((table) => {
  for (const n of [5, 1, 3, 1]) table.add(1, { kind: 'update', id: Buffer.of(0x10, n), object: Buffer.alloc(0) }, { time, ordered: true });
  assert.deepEqual([...table.orderedOperations(1)].map(({ id }) => id[1]), [5, 1, 3, 1]);
}));

test('parts of transactions count when they are committed, in their order, and not before', () => withTable((table) => {
  const id = Buffer.of(0x10, 1);
  for (const [key, kind] of [['a', 'insert'], ['b', 'delete'], ['a', 'update']] as const) table.addPart(key, 1, { kind, id, object: Buffer.from(key) });
  table.addPart('a', 2, { kind: 'delete', id, object: Buffer.alloc(0) });
  assert.equal(table.operationCount(1), 0);
  assert.deepEqual([table.partsOf('a'), table.tallyParts('a', 1)], [[1, 2], { insert: 1, update: 1, delete: 0 }]);
  table.add(1, { kind: 'delete', id, object: Buffer.alloc(0) }, when);
  table.commitParts('a', 1, when);
  table.dropParts('a');
  table.dropParts('b');
  assert.deepEqual([...table.operationsOf(1, id)].map(({ kind }) => kind), ['delete', 'insert', 'update']);
  assert.deepEqual([table.partsOf('a'), table.partsOf('b'), table.operationCount(2)], [[], [], 0]);
}));

test('a large window stays on disk', () => withTable((table) => {
  const object = Buffer.alloc(4096, 1);
  // What nobody holds any more is no growth, whenever the collector would come by itself.
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  const before = process.memoryUsage().rss;
  for (let batch = 0; batch < 80; batch += 1) {
    table.together(() => {
      for (let n = 0; n < 1000; n += 1) {
        const id = Buffer.alloc(5, 0x10);
        id.writeInt32LE((n * 7919 + batch) % 5000, 1);
        table.add(1, { kind: 'update', id, object }, when);
      }
    });
    collect();
  }
  let operations = 0;
  for (const id of table.touchedIds(1)) {
    for (const { object: each } of table.operationsOf(1, id)) operations += each.length === object.length ? 1 : 0;
    if (operations % 2_000 === 0) collect();
  }
  assert.equal(operations, 80_000);
  const grown = process.memoryUsage().rss - before;
  assert.ok(grown < 200e6, `${Math.round(grown / 1e6)} MB more for ${Math.round(operations * object.length / 1e6)} MB of operations`);
}));

test('documents of which something was left out come for all collections, or for one', () => withTable((table) => {
  const ids = [Buffer.of(0x10, 1), Buffer.of(0x10, 2), Buffer.of(0x10, 3)];
  for (const collection of [1, 2, 3]) for (const [n, id] of ids.entries()) table.add(collection, { kind: 'insert', id, object: id }, { ...when, leftOut: n < collection - 1 });
  assert.deepEqual([...table.leftOutIds()].map(({ collection, id }) => [collection, id[1]]), [[2, 1], [3, 1], [3, 2]]);
  assert.deepEqual([1, 2, 3, 4].map((collection) => [...table.leftOutIds(collection)].map(({ id }) => id[1])), [[], [1], [1, 2], []]);
}));
