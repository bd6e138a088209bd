// Which ids are one to a server, and how it is told without one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BSON, Decimal128, Double, Int32, Long, MongoClient, type Document } from 'mongodb';
import { BSON_TYPE, rawDocument } from '../../../src/engine/bson/index.ts';
import { equalityClass, equalityKey, hasEquals } from '../../../src/engine/mongo/equality-key.ts';
import { startReplicaSet } from '../../support/mongod.ts';
import { decimalOf, rawNumber as raw } from './raw-numbers.ts';
import { serverEquality } from './server-equality.ts';

const symbol = (text: string): BSON.BSONSymbol => new BSON.BSONSymbol(text);
const code = (a: unknown): BSON.Code => new BSON.Code('f', { a } as Document);
const array = (...names: readonly string[]): Buffer => Buffer.concat([Buffer.of(BSON_TYPE.array), rawDocument(names.map((name) => ({ name, type: BSON_TYPE.int, value: Buffer.alloc(4) })))]);
const text = (hex: string): Buffer => Buffer.from(`02${hex}`, 'hex');

const PAIRS: readonly (readonly [unknown, unknown, equal: boolean])[] = [
  [new Int32(7), Decimal128.fromString('7.00'), true],
  ['text', symbol('text'), true],
  ['text', symbol('Text'), false],
  ['f', new BSON.Code('f'), false],
  [{ a: { b: new Int32(1) } }, { a: { b: new Double(1) } }, true],
  [{ a: { b: 's' } }, { a: { b: symbol('s') } }, true],
  [{ a: [new Int32(1), 's'] }, { a: [Long.fromNumber(1), symbol('s')] }, true],
  [{ a: new Int32(1) }, { b: new Int32(1) }, false],
  [{ a: 1, b: 2 }, { b: 2, a: 1 }, false],
  [{ a: { b: 1 } }, { a: {}, b: 1 }, false],
  [{}, { a: {} }, false],
  [array('0', '1'), array('a', 'b'), true],
  [array('0', '1'), { 0: 0, 1: 0 }, false],
  [code(new Int32(1)), code(new Double(1)), true],
  [code(new Int32(1)), code(new Double(2)), false],
  [code('s'), code(symbol('s')), true],
  [null, Buffer.of(BSON_TYPE.undefined), false],
  [true, new Int32(1), false],
  [new Date(1), new BSON.Timestamp(1n), false],
  [new BSON.Binary(Buffer.from('x'), 0), new BSON.Binary(Buffer.from('x'), 5), false],
  [text('03000000fffe00'), text('03000000fffd00'), false],
  [text('0300000061' + '0000'), text('020000006100'), false],
  [new BSON.BSONRegExp('a', 'i'), new BSON.BSONRegExp('a', 'm'), false],
];

test('ids have one key exactly where a server takes them for one', { timeout: 900_000 }, async () => {
  await using set = await startReplicaSet();
  const client = new MongoClient(set.memberUri(0));
  try {
    const pairs = PAIRS.map(([a, b]) => [raw(a), raw(b)] as const);
    assert.deepEqual(await serverEquality(client, pairs), PAIRS.map(([, , equal]) => equal));
    for (const [at, [a, b]] of pairs.entries()) assert.equal(equalityKey(a) === equalityKey(b), PAIRS[at]?.[2], `${a.toString('hex')} and ${b.toString('hex')}`);
  } finally {
    await client.close();
  }
});

test('ids without equals of other bytes are known by their types', () => {
  for (const [a, b, equal] of PAIRS) {
    const [one, other] = [raw(a), raw(b)];
    if (equal) assert.ok(hasEquals(one) || (one[0] !== other[0] && equalityClass(one[0] ?? 0) === equalityClass(other[0] ?? 0)), one.toString('hex'));
  }
  for (const id of [new Double(0), new Double(-0), new Double(Number.NaN), Decimal128.fromString('1'), decimalOf(77n, 0, 'NaN'), {}]) assert.ok(hasEquals(raw(id)));
  for (const id of [new Double(1), new Int32(0), Long.ZERO, 'text', new BSON.ObjectId()]) assert.ok(!hasEquals(raw(id)));
});
