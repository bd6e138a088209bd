import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Binary, BSONRegExp, Code, DBRef, Decimal128, deserialize, Double, Int32, Long, MaxKey, MinKey, ObjectId, serialize, Timestamp } from 'bson';
import fc from 'fast-check';
import { filterFields, rawArray, rawChild, rawDocument, rawField, rawFields, rawId, rawIdAt, rawIdOf, rawText, readString } from '../../../src/engine/bson/index.ts';
import { isLeafvaultError } from '../../../src/foundation/errors.ts';

const EVERY_TYPE = {
  _id: new ObjectId(), double: new Double(-0), string: 'text', object: { a: { b: 1 } }, array: [1, 'two'], binary: new Binary(Buffer.from('xyz')), no: false,
  date: new Date(0), nothing: null, regex: new BSONRegExp('a+', 'im'), code: new Code('f()'), scoped: new Code('f()', { x: 1 }), int: new Int32(3), ts: new Timestamp(0n),
  long: Long.fromString('9007199254740993'), decimal: Decimal128.fromString('-0E+3'), min: new MinKey(), max: new MaxKey(), '': 'empty name', ref: new DBRef('c', new ObjectId()),
};

describe('rawFields', () => {
  it('gives every field with its name and bytes, for each type', () => {
    const bytes = Buffer.from(serialize(EVERY_TYPE));
    const fields = [...rawFields(bytes)];
    assert.deepEqual(fields.map((field) => field.name), Object.keys(EVERY_TYPE));
    const rebuilt = rawDocument(fields.map((field) => ({ name: field.name, type: field.type, value: bytes.subarray(field.valueAt, field.end) })));
    assert.deepEqual(rebuilt, bytes);
  });

  it('keeps duplicate names', () => {
    const twice = rawDocument([{ name: 'a', type: 0x10, value: Buffer.from([1, 0, 0, 0]) }, { name: 'a', type: 0x0a, value: Buffer.alloc(0) }]);
    assert.deepEqual([...rawFields(twice)].map((field) => field.type), [0x10, 0x0a]);
    assert.equal(rawField(twice, 'a')?.type, 0x10);
  });

  it('refuses malformed input with its code, whatever the bytes', () => {
    const good = Buffer.from(serialize(EVERY_TYPE));
    const walk = (bytes: Uint8Array): void => {
      try {
        for (const field of rawFields(bytes)) assert.ok(field.end <= bytes.length);
      } catch (error) {
        assert.ok(isLeafvaultError(error, 'BSON_MALFORMED'), String(error));
      }
    };
    for (let length = 0; length < good.length; length += 1) assert.throws(() => [...rawFields(good.subarray(0, length))], { code: 'BSON_MALFORMED' });
    fc.assert(fc.property(fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 }), (changes) => {
      const broken = Buffer.from(good);
      for (const [at, byte] of changes) broken[at] = byte;
      walk(broken);
    }), { numRuns: 2000 });
    fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), walk), { numRuns: 2000 });
  });
});

describe('raw values', () => {
  it('go through building and reading as they are', () => {
    const id = Buffer.concat([Buffer.of(7), Buffer.alloc(12, 9)]);
    const bytes = rawDocument([{ name: 'q', type: 3, value: rawDocument([{ name: '$in', type: 4, value: rawArray([id]) }]) }]);
    assert.deepEqual(deserialize(bytes), { q: { $in: [new ObjectId(Buffer.alloc(12, 9))] } });
    assert.equal(deserialize(rawChild(bytes, 'q')!).$in.length, 1);
    assert.equal(rawChild(bytes, 'missing'), null);
  });

  it('give an id as type byte and value, found by name or by position', () => {
    const bytes = Buffer.from(serialize({ a: 1, _id: 'key' }));
    const field = rawField(bytes, '_id')!;
    assert.deepEqual(rawId(bytes), rawIdOf(bytes, field));
    assert.deepEqual(rawIdAt(bytes, field.at), rawId(bytes));
    assert.equal(rawId(Buffer.from(serialize({ a: 1 }))), null);
    assert.equal(readString(bytes, field), 'key');
  });

  it('give a text, and null for what is none', () => {
    const bytes = Buffer.from(serialize({ name: 'käse', empty: '', number: 1 }));
    assert.deepEqual(['name', 'empty', 'number', 'missing'].map((name) => rawText(bytes, name)), ['käse', '', null, null]);
  });

  it('are left out by name without touching the others', () => {
    const bytes = Buffer.from(serialize({ _id: 'db.view', viewOn: 'c', pipeline: [{ $match: { a: 1 } }] }));
    assert.deepEqual(deserialize(filterFields(bytes, (field) => field.name !== '_id')), { viewOn: 'c', pipeline: [{ $match: { a: 1 } }] });
  });
});
