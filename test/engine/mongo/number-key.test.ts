import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BSON, Decimal128, Double, Int32, Long } from 'mongodb';
import { rawId } from '../../../src/engine/bson/index.ts';
import { isNumber, nearestDouble, numberKey } from '../../../src/engine/mongo/number-key.ts';

const raw = (number: unknown): Buffer => rawId(BSON.serialize({ _id: number })) ?? Buffer.alloc(0);
const key = (number: unknown): string => numberKey(raw(number)[0] ?? 0, raw(number).subarray(1));
const double = (number: unknown): number => nearestDouble(raw(number)[0] ?? 0, raw(number).subarray(1));
const decimal = (text: string): Decimal128 => Decimal128.fromString(text);

/** Each row by its key. */
const EQUAL: Readonly<Record<string, readonly unknown[]>> = {
  '7': [new Int32(7), new Double(7), Long.fromNumber(7), decimal('7'), decimal('7.00'), decimal('70E-1')],
  '-7': [new Int32(-7), new Double(-7), Long.fromNumber(-7), decimal('-7'), decimal('-7.0')],
  '0': [new Int32(0), new Double(0), new Double(-0), Long.ZERO, decimal('0'), decimal('-0'), decimal('-0.0'), decimal('0E+3')],
  '0.5': [new Double(0.5), decimal('0.5'), decimal('0.50')],
  NaN: [new Double(Number.NaN), decimal('NaN')],
  Infinity: [new Double(Infinity), decimal('Infinity')],
  '-Infinity': [new Double(-Infinity), decimal('-Infinity')],
  '9007199254740993': [Long.fromString('9007199254740993'), decimal('9007199254740993')],
  '4611686018427387904': [new Double(2 ** 62), Long.fromString('4611686018427387904'), decimal('4611686018427387904')],
  '-9223372036854775808': [new Double(-(2 ** 63)), Long.MIN_VALUE, decimal('-9223372036854775808')],
  '100000000000000000000': [new Double(1e20), decimal('100000000000000000000'), decimal('1E+20')],
};

describe('numbers', () => {
  test('that are equal to a server have one key and one double', () => {
    for (const [text, numbers] of Object.entries(EQUAL)) {
      for (const number of numbers) assert.equal(key(number), text, String(number));
      for (const number of numbers) assert.ok(Object.is(double(number), Number(text)), `${String(number)}, ${text}`);
    }
  });

  test('that differ have other keys, beyond 2^53 as well', () => {
    const numbers = ['9007199254740991', '9007199254740992', '9007199254740993', '9007199254740994'].map((text) => Long.fromString(text));
    assert.equal(new Set([...numbers, new Double(1.5), new Double(Number.MIN_VALUE), new Double(Number.MAX_VALUE)].map(key)).size, 7);
  });

  test('beyond 2^53 have equal doubles where they are equal, whatever form a decimal has', () => {
    for (const text of ['9007199254740993.0', '9007199254740993', '90071992547409930E-1']) assert.equal(double(decimal(text)), double(Long.fromString('9007199254740993')), text);
    assert.equal(double(decimal('1E+23')), double(decimal('100000000000000000000000')));
  });

  test('have four types', () => {
    assert.deepEqual([new Int32(1), new Double(1), Long.ONE, decimal('1')].map((number) => isNumber(raw(number)[0] ?? 0)), [true, true, true, true]);
    assert.deepEqual(['1', null, new Date(1), true, new BSON.Timestamp(1n)].map((value) => isNumber(raw(value)[0] ?? 0)), [false, false, false, false, false]);
  });
});
