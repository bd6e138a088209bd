import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { BSON, Decimal128, Double, Int32, Long, ObjectId } from 'mongodb';
import { createOperationsTable } from '../../../src/engine/replay/index.ts';
import { refuseEqualIds } from '../../../src/engine/replay/equal-ids.ts';
import { rawNumber as raw } from '../mongo/raw-numbers.ts';

const decimal = (text: string): Decimal128 => Decimal128.fromString(text);

/** Something was left out of the first; the others were written to. */
async function refuse(leftOut: readonly unknown[], others: readonly unknown[], elsewhere: readonly unknown[] = []): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'leafvault-equal-'));
  const table = createOperationsTable(join(folder, 'operations'));
  try {
    const add = (collection: number, id: unknown, isLeftOut: boolean): void =>
      table.add(collection, { kind: 'delete', id: raw(id), object: Buffer.alloc(0) }, { time: { t: 1, i: 1 }, ordered: false, leftOut: isLeftOut });
    for (const id of leftOut) add(2, id, true);
    for (const id of others) add(2, id, false);
    for (const id of elsewhere) add(1, id, true);
    for (const collection of [1, 2]) await refuseEqualIds(table, collection, new AbortController().signal);
  } finally {
    table.close();
    await rm(folder, { recursive: true });
  }
}

test('equal ids of other bytes are refused, whether their types differ or not', async () => {
  const cases: readonly (readonly [unknown, unknown])[] = [
    [new Int32(1), new Double(1)],
    [Long.fromString('9007199254740993'), decimal('9007199254740993.0')],
    [decimal('7'), decimal('7.00')],
    [decimal('7.00'), decimal('70E-1')],
    [new Double(0), new Double(-0)],
    [Buffer.from('01000000000000f87f', 'hex'), Buffer.from('01010203040506f8ff', 'hex')],
    ['text', new BSON.BSONSymbol('text')],
    [{ a: [new Int32(1)] }, { a: [new Double(1)] }],
    [{ a: 's' }, { a: new BSON.BSONSymbol('s') }],
    [new BSON.Code('f', { a: new Int32(1) }), new BSON.Code('f', { a: new Double(1) })],
  ];
  for (const [a, b] of cases) {
    for (const [leftOut, others] of [[[a], [b, new ObjectId()]], [[b, new ObjectId()], [a]], [[a, b], []]] as const) {
      await assert.rejects(refuse(leftOut, others), { code: 'RESTORE_LEAVE_OUT_UNSUITABLE' }, `${raw(a).toString('hex')} and ${raw(b).toString('hex')}`);
    }
  }
});

test('ids that differ are not, nor equal ones of which nothing was left out, nor those of other collections', async () => {
  await refuse([new Int32(1), new Double(2), decimal('0.1'), 'text', { a: new Int32(1) }], [new Int32(3), new Double(0.1), new BSON.BSONSymbol('other'), { a: new Int32(2) }]);
  await refuse([new Int32(1)], [new Int32(2), new Double(2), decimal('2.0')]);
  await refuse([new Int32(1), decimal('1.5')], [decimal('2.0')], [decimal('1.0'), new Int32(2)]);
  await refuse([new Int32(1)], [new Int32(1)]);
});
