import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BSON } from 'mongodb';
import { canonicalJson } from '../../../src/engine/archive/canonical-json.ts';
import { decodeOrdered } from '../../../src/engine/snapshot/index.ts';

describe('canonical JSON', () => {
  test('keeps order and types', () => {
    const value = decodeOrdered(BSON.serialize(new Map<string, unknown>([['b', 1], ['0', new BSON.Double(1)], ['l', BSON.Long.fromNumber(2)], ['s', 'é"\n'], ['n', null], ['t', true], ['a', [new Map([['x', 1]])]]]) as never));
    assert.equal(canonicalJson(value), '{"b":{"$numberInt":"1"},"0":{"$numberDouble":"1.0"},"l":{"$numberLong":"2"},"s":"é\\"\\n","n":null,"t":true,"a":[{"x":{"$numberInt":"1"}}]}');
  });

  test('reads back as the same document', () => {
    const document = { d: new Date(0), r: new BSON.BSONRegExp('a', 'i'), o: new BSON.ObjectId('0123456789abcdef01234567'), ts: new BSON.Timestamp({ t: 1, i: 2 }), nan: new BSON.Double(NaN), dec: BSON.Decimal128.fromString('1.10'), bin: new BSON.Binary(Buffer.from('x'), 0x80) };
    const raw = BSON.serialize(document);
    assert.deepEqual(Buffer.from(BSON.serialize(BSON.EJSON.parse(canonicalJson(decodeOrdered(raw)), { relaxed: false }) as never)), Buffer.from(raw));
  });
});
