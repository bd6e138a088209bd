import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BSON, Decimal128, Double, Int32, Long } from 'mongodb';
import { rawId } from '../../../src/engine/bson/index.ts';
import { laneOf } from '../../../src/engine/replay/index.ts';
import { decimalOf } from '../mongo/raw-numbers.ts';

const LANES = 1024;
const lane = (id: unknown, collection = 1): number => laneOf(LANES, collection, rawId(BSON.serialize({ _id: id })));

test('ids that a server takes for equal share a lane', () => {
  const equal: readonly (readonly unknown[])[] = [
    [new Int32(7), new Double(7), Long.fromNumber(7), Decimal128.fromString('7'), Decimal128.fromString('7.00'), Decimal128.fromString('70E-1')],
    [new Int32(0), new Double(-0), Decimal128.fromString('-0')],
    [new Double(Number.NaN), Decimal128.fromString('NaN')],
    [Long.fromString('9007199254740993'), Decimal128.fromString('9007199254740993')],
    [{ a: new Int32(1), b: [new Int32(2)] }, { a: new Double(1), b: [Long.fromNumber(2)] }],
    ['text', new BSON.BSONSymbol('text')],
    [new BSON.Code('f', { a: new Int32(1) }), new BSON.Code('f', { a: new Double(1) })],
    // More digits than a decimal may have.
    [new Decimal128(decimalOf(10n ** 34n, 0).subarray(1)), new Int32(0)],
  ];
  for (const ids of equal) assert.equal(new Set(ids.map((id) => lane(id))).size, 1, BSON.EJSON.stringify(ids as never));
});

test('other ids and other collections spread', () => {
  const lanes = new Set(Array.from({ length: 2_000 }, (_, n) => lane(new Int32(n))));
  assert.ok(lanes.size > LANES / 2, `${lanes.size} lanes`);
  assert.notEqual(lane('a'), lane('b'));
  assert.notEqual(lane('a', 1), lane('a', 2));
  assert.equal(laneOf(LANES, 3, null), laneOf(LANES, 3, null));
});
