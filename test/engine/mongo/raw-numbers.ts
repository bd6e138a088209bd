// Raw numbers for tests: type byte and value. Such as a driver never writes among them, and pairs that are nearly equal.
import fc from 'fast-check';
import { BSON, Decimal128, Double, Int32, Long } from 'mongodb';
import { BSON_TYPE, rawId } from '../../../src/engine/bson/index.ts';

/** A value of the driver's; bytes stay as they are. */
export function rawNumber(value: unknown): Buffer {
  return Buffer.isBuffer(value) ? value : rawId(BSON.serialize({ _id: value })) ?? Buffer.alloc(0);
}

/** `coefficient * 10^exponent` as it is said, or the same bits under another head. */
export function decimalOf(coefficient: bigint, exponent: number, head: 'plain' | 'negative' | 'large form' | 'NaN' | 'Infinity' = 'plain'): Buffer {
  const heads = { plain: BigInt(exponent + 6176) << 49n, negative: (BigInt(exponent + 6176) << 49n) | (1n << 63n), 'large form': 0x6c10n << 48n, NaN: 0xfcn << 56n, Infinity: 0x78n << 56n };
  const bytes = Buffer.alloc(17);
  bytes[0] = BSON_TYPE.decimal;
  bytes.writeBigUInt64LE(coefficient & 0xffff_ffff_ffff_ffffn, 1);
  bytes.writeBigUInt64LE((coefficient >> 64n) | heads[head], 9);
  return bytes;
}

const digits = fc.oneof(fc.bigInt({ min: 0n, max: 99n }), fc.bigInt({ min: 2n ** 53n - 2n, max: 2n ** 53n + 2n }), fc.bigInt({ min: 0n, max: 10n ** 34n + 99n }));
const decimalNumber = fc.tuple(digits, fc.oneof(fc.integer({ min: -40, max: 40 }), fc.integer({ min: -6176, max: 6111 })), fc.constantFrom('plain', 'negative')).map((parts) => decimalOf(...parts));
const doubleBits = fc.oneof(fc.double(), fc.integer({ min: -99, max: 99 }).map((n) => n / 8), fc.integer({ min: -1100, max: 1023 }).map((n) => 2 ** n), fc.integer({ min: -30, max: 30 }).map((n) => 10 ** n));

/** Of any type, small ones more often than not. */
export const numberArbitrary: fc.Arbitrary<Buffer> = fc.oneof(
  decimalNumber, doubleBits.map((n) => rawNumber(new Double(n))), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((n) => rawNumber(Long.fromBigInt(n))),
  fc.integer({ min: -9, max: 9 }).map((n) => rawNumber(new Int32(n))), fc.constantFrom(decimalOf(77n, 0, 'NaN'), decimalOf(77n, 0, 'Infinity'), decimalOf(5n, 0, 'large form'), Buffer.from('01010203040506f8ff', 'hex')),
);

/** Of each number what is equal to it, or nearly so, in the other types. */
export const neighboursArbitrary: fc.Arbitrary<readonly [Buffer, Buffer]> = fc.oneof(
  // A decimal with other zeros behind it.
  fc.tuple(fc.bigInt({ min: 0n, max: 10n ** 30n }), fc.integer({ min: -60, max: 60 }), fc.nat(4), fc.constantFrom(0n, 0n, 1n))
    .map(([coefficient, exponent, zeros, more]) => [decimalOf(coefficient, exponent), decimalOf(coefficient * 10n ** BigInt(zeros) + more, exponent - zeros)] as const),
  // A double, and the nearest decimals of 34 digits: exact for few.
  fc.tuple(doubleBits, fc.constantFrom(0n, 0n, 1n)).filter(([n]) => Number.isFinite(n)).map(([n, more]) => [rawNumber(new Double(n)), nearDecimal(n, more)] as const),
  // The shortest text of a double.
  doubleBits.filter(Number.isFinite).map((n) => [rawNumber(new Double(n)), rawNumber(Decimal128.fromString(String(n)))] as const),
  // A long, and its nearest double.
  fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.bigInt({ min: 2n ** 53n - 3n, max: 2n ** 53n + 3n }), fc.bigInt({ min: -(10n ** 15n) - 2n, max: -(10n ** 15n) + 2n }), fc.bigInt({ min: -9n, max: 9n }))
    .map((n) => [rawNumber(Long.fromBigInt(n)), rawNumber(new Double(Number(n)))] as const),
  // A long, and a decimal with a point.
  fc.tuple(fc.bigInt({ min: 0n, max: 2n ** 63n - 2n }), fc.constantFrom(0n, 0n, 1n)).map(([n, more]) => [rawNumber(Long.fromBigInt(n)), decimalOf(n * 1000n + more, -3)] as const),
);

/** Digits of a double cut off behind the 34th, by division of whole numbers; `more` is added to the last one. */
function nearDecimal(double: number, more: bigint): Buffer {
  let power = 0n;
  let whole = Math.abs(double);
  for (; !Number.isInteger(whole); whole *= 2) power += 1n;
  let exponent = -1100;
  let coefficient = BigInt(whole) * 10n ** 1100n / 2n ** power;
  while (coefficient >= 10n ** 34n - 1n || (coefficient % 10n === 0n && coefficient > 0n)) {
    coefficient /= 10n;
    exponent += 1;
  }
  return decimalOf(coefficient + more, exponent, double < 0 ? 'negative' : 'plain');
}
