import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { jsonText } from '../../../src/http/wire/json-text.ts';

describe('jsonText', () => {
  test('sorts keys at every level and keeps the order of arrays', () => {
    assert.equal(jsonText({ b: [{ z: 1, a: 2 }, 'x'], a: null }), '{"a":null,"b":[{"a":2,"z":1},"x"]}');
  });

  test('leaves out what is undefined and keeps what is null', () => {
    assert.equal(jsonText({ b: undefined, a: null }), '{"a":null}');
  });

  test('is the same text in whatever order members and levels were written', () => {
    const one = { href: 'x', id: '1', parts: [{ a: 1, b: [{ c: undefined, d: null }] }, 7, null, undefined], z: {} };
    const other = { z: {}, parts: [{ b: [{ d: null, c: undefined }], a: 1 }, 7, null, undefined], id: '1', href: 'x' };
    const text = '{"href":"x","id":"1","parts":[{"a":1,"b":[{"d":null}]},7,null,null],"z":{}}';
    assert.deepEqual([jsonText(one), jsonText(other), jsonText([other, one])], [text, text, `[${text},${text}]`]);
  });

  test('writes a date as its time, wherever it stands', () => {
    const value = { at: new Date('2026-03-01T12:00:00Z'), all: [new Date(0)], none: null };
    for (const pretty of [false, true]) assert.deepEqual(JSON.parse(jsonText(value, pretty)), { at: '2026-03-01T12:00:00.000Z', all: ['1970-01-01T00:00:00.000Z'], none: null });
  });

  test('writes slashes as they are', () => {
    assert.equal(jsonText({ href: 'http://a/b' }), '{"href":"http://a/b"}');
  });

  test('prints the way the vendor was recorded', () => {
    const text = jsonText({ links: [{ rel: 'self', href: 'x' }, { rel: 'next', href: 'y' }], none: [], empty: {}, ids: ['a', 'b'] }, true);
    assert.equal(text, [
      '{',
      '  "empty" : { },',
      '  "ids" : [ "a", "b" ],',
      '  "links" : [ {',
      '    "href" : "x",',
      '    "rel" : "self"',
      '  }, {',
      '    "href" : "y",',
      '    "rel" : "next"',
      '  } ],',
      '  "none" : [ ]',
      '}',
    ].join('\n'));
  });

  test('means the same printed and compact', () => {
    const value = { z: { b: [1, 2.5, true, null, 'ü"\\'], a: '' }, a: [[], [{}]] };
    assert.deepEqual(JSON.parse(jsonText(value, true)), value);
    assert.deepEqual(JSON.parse(jsonText(value)), value);
  });
});
