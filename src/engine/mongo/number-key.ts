// Numbers as servers compare them: by value, whatever their type is.
import { BSON } from 'mongodb';
import { BSON_TYPE, rawDocument } from '../bson/index.ts';

const NUMBERS: readonly number[] = [BSON_TYPE.double, BSON_TYPE.int, BSON_TYPE.long, BSON_TYPE.decimal];

export function isNumber(type: number): boolean {
  return NUMBERS.includes(type);
}

/**
 * One text for all forms of a raw number. Whole ones exactly, however large; a decimal that is written with a point or an
 * exponent only as its nearest double, so beyond 2^53 it may miss an equal one, and meet another.
 */
export function numberKey(type: number, value: Buffer): string {
  const number = read(type, value);
  return typeof number === 'bigint' || Number.isInteger(number) ? String(BigInt(number)) : String(number);
}

/** Equal numbers always give equal doubles; others may as well. Never -0. */
export function nearestDouble(type: number, value: Buffer): number {
  return Number(read(type, value)) + 0;
}

function read(type: number, value: Buffer): number | bigint {
  if (type === BSON_TYPE.int) return value.readInt32LE(0);
  if (type === BSON_TYPE.long) return value.readBigInt64LE(0);
  if (type === BSON_TYPE.double) return value.readDoubleLE(0);
  const text = String(BSON.deserialize(rawDocument([{ name: 'v', type, value }])).v);
  return /^-?\d+$/.test(text) ? BigInt(text) : Number(text);
}
