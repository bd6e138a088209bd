import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BSON, Decimal128, Double, Int32, Long } from 'mongodb';
import { isNumber, numberKey } from '../../../src/engine/mongo/number-key.ts';
import { decimalOf, rawNumber } from './raw-numbers.ts';

const key = (number: unknown): string => {
  const raw = rawNumber(number);
  return numberKey(raw[0] ?? 0, raw.subarray(1));
};
const decimal = (text: string): Decimal128 => Decimal128.fromString(text);
const TOO_LARGE = 10n ** 34n;

/** Each row by its key. */
const EQUAL: Readonly<Record<string, readonly unknown[]>> = {
  '7': [new Int32(7), new Double(7), Long.fromNumber(7), decimal('7'), decimal('7.00'), decimal('70E-1')],
  '-7': [new Int32(-7), new Double(-7), Long.fromNumber(-7), decimal('-7'), decimal('-7.0')],
  '700': [new Int32(700), new Double(700), decimal('7E+2'), decimal('700.0')],
  '0': [new Int32(0), new Double(0), new Double(-0), Long.ZERO, decimal('0'), decimal('-0'), decimal('-0.0'), decimal('0E+3'), decimal('-0E-6000'), decimalOf(TOO_LARGE, 0), decimalOf(TOO_LARGE - 1n, 0, 'large form')],
  '5E-1': [new Double(0.5), decimal('0.5'), decimal('0.50')],
  '1E-1': [decimal('0.1'), decimal('0.10')],
  '-1E-1': [decimal('-0.1'), decimal('-10E-2')],
  NaN: [new Double(Number.NaN), decimal('NaN'), Buffer.from('01010203040506f8ff', 'hex'), Buffer.from('01010000000000f07f', 'hex'), decimalOf(77n, 0, 'NaN')],
  Infinity: [new Double(Infinity), decimal('Infinity')],
  '-Infinity': [new Double(-Infinity), decimal('-Infinity')],
  '9007199254740993E0': [Long.fromString('9007199254740993'), decimal('9007199254740993'), decimal('9007199254740993.0'), decimal('90071992547409930E-1')],
  '999999999999999': [new Double(999_999_999_999_999), Long.fromNumber(999_999_999_999_999), decimal('999999999999999.0')],
  '-999999999999999': [new Double(-999_999_999_999_999), Long.fromNumber(-999_999_999_999_999), decimal('-999999999999999.0')],
  '1E15': [new Double(1e15), Long.fromNumber(1e15), decimal('1E+15')],
  '-1E15': [new Double(-1e15), Long.fromNumber(-1e15), decimal('-1E+15')],
  '4611686018427387904E0': [new Double(2 ** 62), Long.fromString('4611686018427387904'), decimal('4611686018427387904')],
  '-9223372036854775808E0': [new Double(-(2 ** 63)), Long.MIN_VALUE, decimal('-9223372036854775808')],
  '1E20': [new Double(1e20), decimal('100000000000000000000'), decimal('1E+20')],
  '99999999999999991611392E0': [new Double(1e23), decimal('99999999999999991611392')],
  '1E23': [decimal('1E+23'), decimal('100000000000000000000000')],
  '1000000000000000055511151231257827021181583404541015625E-55': [new Double(0.1)],
};

describe('numbers', () => {
  test('that are equal to a server have one key', () => {
    for (const [text, numbers] of Object.entries(EQUAL)) {
      for (const number of numbers) assert.equal(key(number), text, rawNumber(number).toString('hex'));
    }
  });

  test('that differ have other keys, beyond 2^53 as well', () => {
    const numbers = ['9007199254740991', '9007199254740992', '9007199254740993', '9007199254740994'].map((text) => Long.fromString(text));
    assert.equal(new Set([...numbers, new Double(1.5), new Double(Number.MIN_VALUE), new Double(Number.MAX_VALUE)].map(key)).size, 7);
  });

  test('have four types', () => {
    assert.deepEqual([new Int32(1), new Double(1), Long.ONE, decimal('1')].map((number) => isNumber(rawNumber(number)[0] ?? 0)), [true, true, true, true]);
    assert.deepEqual(['1', null, new Date(1), true, new BSON.Timestamp(1n)].map((value) => isNumber(rawNumber(value)[0] ?? 0)), [false, false, false, false, false]);
  });
});
