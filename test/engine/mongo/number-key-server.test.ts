// The key of numbers against a server's own answer, for random pairs and for those that are easily mistaken.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Decimal128, Double, Long, MongoClient } from 'mongodb';
import { numberKey } from '../../../src/engine/mongo/number-key.ts';
import { startReplicaSet } from '../../support/mongod.ts';
import { decimalOf, neighboursArbitrary, numberArbitrary, rawNumber } from './raw-numbers.ts';
import { serverEquality } from './server-equality.ts';

const RUNS = process.env.LEAFVAULT_LONG_TESTS === undefined ? 2_000 : 20_000;
const SEED = 20261126;

const decimal = (text: string): Buffer => rawNumber(Decimal128.fromString(text));
const double = (n: number): Buffer => rawNumber(new Double(n));
const key = (raw: Buffer): string => numberKey(raw[0] ?? 0, raw.subarray(1));

const KNOWN: readonly (readonly [Buffer, Buffer, equal: boolean])[] = [
  [decimal('0.1'), double(0.1), false],
  [decimal('0.1000000000000000055511151231257827'), double(0.1), false],
  [decimal('0.5'), double(0.5), true],
  [decimal('1E+23'), double(1e23), false],
  [decimal('99999999999999991611392'), double(1e23), true],
  [decimal('9007199254740993.0'), rawNumber(Long.fromString('9007199254740993')), true],
  [double(9007199254740992), rawNumber(Long.fromString('9007199254740993')), false],
  [double(2 ** 63), rawNumber(Long.MAX_VALUE), false],
  [decimal('NaN'), double(Number.NaN), true],
  [decimalOf(77n, 0, 'NaN'), Buffer.from('01010203040506f8ff', 'hex'), true],
  [decimal('-0E+6000'), double(0), true],
  [decimalOf(10n ** 34n, 0), double(-0), true],
];

test('numbers have one key exactly where a server takes them for one id', { timeout: 900_000 }, async (context) => {
  await using set = await startReplicaSet();
  const client = new MongoClient(set.memberUri(0));
  try {
    const random = fc.sample(fc.oneof({ weight: 4, arbitrary: neighboursArbitrary }, { weight: 1, arbitrary: fc.tuple(numberArbitrary, numberArbitrary) }), { numRuns: RUNS, seed: SEED });
    const pairs = [...KNOWN.map(([a, b]) => [a, b] as const), ...random];
    const equal = await serverEquality(client, pairs);
    assert.deepEqual(equal.slice(0, KNOWN.length), KNOWN.map(([, , is]) => is));
    for (const [at, [a, b]] of pairs.entries()) assert.equal(key(a) === key(b), equal[at], `${a.toString('hex')} (${key(a)}) and ${b.toString('hex')} (${key(b)})`);
    const count = equal.filter(Boolean).length;
    context.diagnostic(`${pairs.length} pairs, ${count} of them equal`);
    assert.ok(count > RUNS / 5 && count < RUNS * 4 / 5, String(count));
  } finally {
    await client.close();
  }
});
