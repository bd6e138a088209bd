// Documents that a careless path would change: promise 5 of the invariants. Raw, because no library can write them all.
import { BSON, Binary, BSONRegExp, BSONSymbol, Code, DBRef, Decimal128, Double, Int32, Long, MaxKey, MinKey, ObjectId, Timestamp, UUID } from 'bson';
import { rawDocument, type RawValue } from '../../../src/engine/bson/index.ts';

const NONE = Buffer.alloc(0);
const int = (n: number): Buffer => Buffer.from(Int32Array.of(n).buffer);
const text = (value: string | Buffer): Buffer => {
  const bytes = Buffer.from(value);
  return Buffer.concat([int(bytes.length + 1), bytes, Buffer.of(0)]);
};
const field = (name: string | Uint8Array, type: number, value: Uint8Array): RawValue => ({ name, type, value });
const withId = (id: number, ...fields: RawValue[]): Buffer => rawDocument([field('_id', 0x10, int(id)), ...fields]);
const nan = (hex: string): Buffer => Buffer.from(hex, 'hex').reverse();

/** Documents that servers store as they are; name to bytes. */
export function fidelityCorpus(): Map<string, Buffer> {
  const values = (id: number, document: object): Buffer => Buffer.from(BSON.serialize({ _id: id, ...document }, { ignoreUndefined: false }));
  return new Map<string, Buffer>([
    ['odd field names', withId(1, field('', 0x10, int(1)), field('a.b', 0x10, int(2)), field('$dollar', 0x10, int(3)), field(' ', 0x10, int(4)), field('tab\tnew\nline', 0x10, int(5)), field('ключ-鍵-🔑', 0x10, int(6)))],
    ['repeated names', withId(2, field('a', 0x10, int(1)), field('a', 0x02, text('two')), field('a', 0x0a, NONE))],
    ['repeated names below', withId(3, field('o', 0x03, rawDocument([field('x', 0x10, int(1)), field('x', 0x10, int(2))])))],
    ['names that look like positions', withId(4, field('10', 0x10, int(1)), field('2', 0x10, int(2)), field('1', 0x10, int(3)), field('o', 0x03, rawDocument([field('9', 0x08, Buffer.of(1)), field('3', 0x08, Buffer.of(0))])))],
    ['an array with wrong keys', withId(5, field('list', 0x04, rawDocument([field('7', 0x10, int(7)), field('', 0x10, int(8)), field('7', 0x10, int(9))])))],
    ['payloads of NaN', withId(6, field('quiet', 0x01, nan('7ff8000000000001')), field('signalling', 0x01, nan('7ff0000000000001')), field('negative', 0x01, nan('fff8deadbeef0000')))],
    ['zeros and infinities', withId(7, field('minus', 0x01, nan('8000000000000000')), field('plus', 0x01, nan('0000000000000000')), field('inf', 0x01, nan('7ff0000000000000')), field('denormal', 0x01, nan('0000000000000001')))],
    ['types of numbers', values(8, { double: new Double(1), int: new Int32(1), long: Long.fromNumber(1), decimal: Decimal128.fromString('1'), largest: Long.MAX_VALUE, least: Long.MIN_VALUE, unsafe: Long.fromString('9007199254740993') })],
    ['forms of decimals', values(9, Object.fromEntries(['0', '-0', '0E+3', '1.0', '1.00', '1E+6144', '9.999999999999999999999999999999999E-6143', 'NaN', 'Infinity', '-Infinity', '1E-6176'].map((each, n) => [`d${n}`, Decimal128.fromString(each)])))],
    ['a decimal in another encoding', withId(10, field('d', 0x13, Buffer.from('ffffffffffffffffffffffffffff3f30', 'hex')), field('nan', 0x13, Buffer.from('0100000000000000000000000000007e', 'hex')))],
    ['deprecated types', withId(11, field('undefined', 0x06, NONE), field('symbol', 0x0e, text('sym')), field('pointer', 0x0c, Buffer.concat([text('db.c'), Buffer.alloc(12, 5)])), field('scoped', 0x0f, scopedCode('f()', rawDocument([field('x', 0x10, int(1))]))), field('old binary', 0x05, Buffer.concat([int(8), Buffer.of(2), int(4), Buffer.from('abcd')])), field('old uuid', 0x05, Buffer.concat([int(16), Buffer.of(3), Buffer.alloc(16, 9)])))],
    ['binaries of any kind', values(12, { user: new Binary(Buffer.from([1, 2]), 128), uuid: new UUID('00112233-4455-6677-8899-aabbccddeeff'), md5: new Binary(Buffer.alloc(16), 5), empty: new Binary(Buffer.alloc(0)) })],
    ['expressions', values(13, { sorted: new BSONRegExp('a+/b', 'imsx'), none: new BSONRegExp('', ''), code: new Code('function () { return "ü"; }') })],
    ['ends of the order', values(14, { min: new MinKey(), max: new MaxKey(), nothing: null, yes: true, no: false })],
    ['times', values(15, { before: new Date(-62135596800000), epoch: new Date(0), far: new Date(8.64e15), ts: new Timestamp({ t: 4294967295, i: 4294967295 }), nested: { zero: new Timestamp(0n) } })],
    ['a date beyond all calendars', withId(16, field('d', 0x09, Buffer.from('ffffffffffffff7f', 'hex')), field('e', 0x09, Buffer.from('0000000000000080', 'hex')))],
    ['texts', withId(17, field('nul', 0x02, text('a\0b')), field('surrogate', 0x02, text('😀\u200d')), field('empty', 0x02, text('')), field('broken', 0x02, text(Buffer.from([0xff, 0xfe, 0x41]))))],
    ['something like a reference', values(18, { ref: new DBRef('c', new ObjectId('0123456789abcdef01234567'), 'db', { more: 1 }), fake: { $ref: 'x', $id: 1 } })],
    ['a symbol as value', values(19, { s: new BSONSymbol('s') })],
    ['deep nesting', withId(20, field('deep', 0x03, nested(90)))],
  ]);
}

/** `_id`s of all types that a server takes, with repeated and number-like names inside. */
export function oddIds(): Buffer[] {
  const id = (type: number, value: Uint8Array): Buffer => rawDocument([field('_id', type, value), field('here', 0x08, Buffer.of(1))]);
  return [
    id(0x01, nan('7ff8000000000123')), id(0x01, nan('3ff8000000000000')), id(0x02, text('')), id(0x02, text('a\0b')), id(0x03, rawDocument([field('10', 0x10, int(1)), field('2', 0x10, int(2))])),
    id(0x03, rawDocument([field('x', 0x10, int(1)), field('x', 0x10, int(2))])), id(0x03, rawDocument([])), id(0x03, rawDocument([field('', 0x04, rawDocument([field('0', 0x0a, NONE)]))])),
    id(0x05, Buffer.concat([int(3), Buffer.of(0x80), Buffer.from('xyz')])), id(0x05, Buffer.concat([int(16), Buffer.of(4), Buffer.alloc(16, 3)])), id(0x07, Buffer.alloc(12, 1)), id(0x08, Buffer.of(0)), id(0x08, Buffer.of(1)),
    id(0x09, Buffer.alloc(8, 2)), id(0x0a, NONE), id(0x0d, text('f()')), id(0x11, Buffer.alloc(8)), id(0x12, Buffer.alloc(8, 4)), id(0x13, Buffer.from('0a000000000000000000000000004030', 'hex')), id(0xff, NONE), id(0x7f, NONE),
  ];
}

function scopedCode(code: string, scope: Buffer): Buffer {
  const body = Buffer.concat([text(code), scope]);
  return Buffer.concat([int(body.length + 4), body]);
}

function nested(depth: number): Buffer {
  let document = rawDocument([field('bottom', 0x10, int(1))]);
  for (let i = 0; i < depth; i += 1) document = rawDocument([field('d', 0x03, document)]);
  return document;
}
