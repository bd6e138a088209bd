import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BSON } from 'mongodb';
import { childOf, decodeOrdered, decodeOrderedText, encodeOrdered, sameValue } from '../../../src/engine/snapshot/index.ts';


describe('an ordered document', () => {
  // {b: 1, 10: {z: 1, 9: 2}, list: [{2: 1, 1: 1}]} with the numbers behind
  const raw = Buffer.from(BSON.serialize(new Map<string, unknown>([['b', 1], ['10', new Map([['z', 1], ['9', 2]])], ['list', [new Map([['2', 1], ['1', 1]])]], ['d', new BSON.Double(3)]]) as never));

  test('keeps the order of names that look like numbers, and the types', () => {
    const decoded = decodeOrdered(raw);
    assert.deepEqual([...decoded.keys()], ['b', '10', 'list', 'd']);
    assert.deepEqual([...(childOf(decoded, '10') ?? [])].map(([name]) => name), ['z', '9']);
    assert.ok(encodeOrdered(decoded).equals(raw));
    assert.ok(decoded.get('d') instanceof BSON.Double);
  });

  test('is empty for the empty text', () => assert.equal(decodeOrderedText('').size, 0));

  test('compares by bytes', () => {
    assert.ok(sameValue(decodeOrdered(raw), decodeOrdered(raw)));
    assert.ok(!sameValue(new Map([['a', 1], ['b', 1]]), new Map([['b', 1], ['a', 1]])));
    assert.ok(!sameValue(new BSON.Int32(1), new BSON.Double(1)));
    assert.ok(sameValue(undefined, undefined) && !sameValue(undefined, null));
  });
});
