// Numbers as servers compare them: exactly, by value, whatever their type is.
import { BSON_TYPE } from '../bson/index.ts';

const NUMBERS: readonly number[] = [BSON_TYPE.double, BSON_TYPE.int, BSON_TYPE.long, BSON_TYPE.decimal];
/** Whole numbers of so many digits are written out: ids mostly are, and this way they need no arithmetic. */
const PLAIN_DIGITS = 15;
const PLAIN_END = 10 ** PLAIN_DIGITS;
const DECIMAL_END = 10n ** 34n;
const DECIMAL_BIAS = 6176;

export function isNumber(type: number): boolean {
  return NUMBERS.includes(type);
}

/** One text for all forms of a raw number, and another for every other number: `-7`, or digits and exponent (`5E-1`), `Infinity`, `NaN`. */
export function numberKey(type: number, value: Buffer): string {
  if (type === BSON_TYPE.int) return String(value.readInt32LE(0));
  if (type === BSON_TYPE.double) return doubleKey(value.readDoubleLE(0));
  if (type === BSON_TYPE.long) return longKey(value.readBigInt64LE(0));
  return decimalKey(value);
}

function longKey(long: bigint): string {
  return long > -PLAIN_END && long < PLAIN_END ? String(long) : exactKey(long, 0);
}

function doubleKey(double: number): string {
  // Zero is added for -0.
  if (!Number.isFinite(double) || (Number.isInteger(double) && Math.abs(double) < PLAIN_END)) return String(double + 0);
  // A double is a whole number over a power of two, and 1/2^n is 5^n/10^n; doubling is exact.
  let halvings = 0;
  let whole = double;
  for (; !Number.isInteger(whole); whole *= 2) halvings += 1;
  return exactKey(BigInt(whole) * 5n ** BigInt(halvings), -halvings);
}

/** Binary coded (BID), as BSON has it. */
function decimalKey(value: Buffer): string {
  const high = value.readBigUInt64LE(8);
  const sign = high >> 63n === 1n ? '-' : '';
  const combination = Number((high >> 58n) & 0x1fn);
  if (combination === 0x1f) return 'NaN';
  if (combination === 0x1e) return `${sign}Infinity`;
  const coefficient = ((high & 0x1_ffff_ffff_ffffn) << 64n) | value.readBigUInt64LE(0);
  // Coefficients of more than 34 digits count as zero; this form has no others.
  if (combination >= 0x18 || coefficient >= DECIMAL_END) return '0';
  return exactKey(sign === '' ? coefficient : -coefficient, Number((high >> 49n) & 0x3fffn) - DECIMAL_BIAS);
}

/** Of `coefficient * 10^exponent`. */
function exactKey(coefficient: bigint, exponent: number): string {
  if (coefficient === 0n) return '0';
  const text = String(coefficient);
  const digits = text.replace(/0+$/, '');
  const zeros = exponent + text.length - digits.length;
  const places = digits.length - (coefficient < 0n ? 1 : 0) + zeros;
  return zeros >= 0 && places <= PLAIN_DIGITS ? digits + '0'.repeat(zeros) : `${digits}E${zeros}`;
}
