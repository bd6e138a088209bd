import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BSON } from 'mongodb';
import { documentJson } from '../../../src/engine/export/raw-json.ts';
import { rawDocument } from '../../../src/engine/bson/index.ts';
import { field, oddDocuments } from '../../support/odd-corpus.ts';

describe('extended JSON of raw documents', () => {
  test('is the canonical form of the driver, type by type', () => {
    const values: Record<string, unknown> = {
      text: 'a"\\\n\u2028é😀', empty: '', int: new BSON.Int32(-7), long: BSON.Long.fromString('9223372036854775807'), double: new BSON.Double(1), fraction: new BSON.Double(-0.1), large: new BSON.Double(1e300),
      nan: new BSON.Double(NaN), infinity: new BSON.Double(-Infinity), minusZero: new BSON.Double(-0), yes: true, no: false, nothing: null, id: new BSON.ObjectId('5f0000000000000000000001'),
      date: new Date('2026-11-27T04:07:09.123Z'), early: new Date(-62135596800000), regex: new BSON.BSONRegExp('a/"b', 'im'), bytes: new BSON.Binary(Buffer.from([0, 255]), 0x80), uuid: new BSON.UUID('00112233-4455-6677-8899-aabbccddeeff'),
      timestamp: new BSON.Timestamp({ t: 4_000_000_000, i: 2 }), decimal: BSON.Decimal128.fromString('1.000E+10'), min: new BSON.MinKey(), max: new BSON.MaxKey(), code: new BSON.Code('f()'), scoped: new BSON.Code('f()', { a: 1 }),
      symbol: new BSON.BSONSymbol('s'), array: [new BSON.Int32(1), [{}], {}], nested: { a: { b: [] } },
    };
    for (const [name, value] of Object.entries(values)) {
      assert.equal(documentJson(BSON.serialize({ [name]: value })), BSON.EJSON.stringify({ [name]: value }, { relaxed: false }), name);
    }
  });

  test('keeps what objects would lose: order of fields like numbers, doubled and empty names', () => {
    const document = rawDocument([field('10', 0x10, 1), field('9', 0x10, 2), field('a', 0x10, 1), field('a', 0x10, 2), field('', 0x10, 3)]);
    assert.equal(documentJson(document), '{"10":{"$numberInt":"1"},"9":{"$numberInt":"2"},"a":{"$numberInt":"1"},"a":{"$numberInt":"2"},"":{"$numberInt":"3"}}');
  });

  test('is JSON whatever the document holds', () => {
    for (const document of oddDocuments()) assert.ok(JSON.parse(documentJson(document)));
    const old = Buffer.concat([Buffer.from('0700000002', 'hex'), Buffer.from('03000000aabbcc', 'hex')]);
    assert.equal(documentJson(rawDocument([field('old', 0x05, old)])), '{"old":{"$binary":{"base64":"qrvM","subType":"02"}}}', 'its length is told once');
    const pointer = Buffer.concat([Buffer.from('04000000612e6200', 'hex'), Buffer.alloc(12, 1)]);
    assert.equal(documentJson(rawDocument([field('p', 0x0c, pointer)])), `{"p":{"$dbPointer":{"$ref":"a.b","$id":{"$oid":"${'01'.repeat(12)}"}}}}`);
  });
});
