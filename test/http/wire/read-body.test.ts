import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { readBody } from '../../../src/http/wire/read-body.ts';

const schema = z.strictObject({
  name: z.string().min(2),
  count: z.int().min(1).optional(),
  kind: z.enum(['a', 'b']).optional(),
  either: z.union([z.string(), z.number()]).optional(),
  inner: z.strictObject({ id: z.string() }).optional(),
});

describe('readBody', () => {
  test('gives back what fits', () => assert.deepEqual(readBody(schema, { name: 'xy', kind: 'b' }), { name: 'xy', kind: 'b' }));
  test('takes null for absent, at every level', () => assert.deepEqual(readBody(schema, { name: 'xy', count: null, inner: { id: 'q' } }), { name: 'xy', inner: { id: 'q' } }));
  test('takes no body for an empty one', () => assert.deepEqual(readBody(z.strictObject({}), undefined), {}));

  const faults: readonly (readonly [string, unknown, string, Record<string, unknown>])[] = [
    ['a missing attribute', {}, 'ATTRIBUTE_MISSING', { name: 'name' }],
    ['a null where one is required', { name: null }, 'ATTRIBUTE_MISSING', { name: 'name' }],
    ['an unknown attribute before a missing one', { nmae: 'x' }, 'ATTRIBUTE_UNKNOWN', { name: 'nmae' }],
    ['an unknown attribute inside', { name: 'xy', inner: { id: 'a', more: 1 } }, 'ATTRIBUTE_UNKNOWN', { name: 'inner.more' }],
    ['a missing attribute inside', { name: 'xy', inner: {} }, 'ATTRIBUTE_MISSING', { name: 'inner.id' }],
    ['a wrong type', { name: 5 }, 'ATTRIBUTE_TYPE', { name: 'name' }],
    ['a fraction for a whole number', { name: 'xy', count: 1.5 }, 'ATTRIBUTE_TYPE', { name: 'count' }],
    ['neither of two types', { name: 'xy', either: [] }, 'ATTRIBUTE_TYPE', { name: 'either' }],
    ['an object for a word', { name: 'xy', kind: {} }, 'ATTRIBUTE_TYPE', { name: 'kind' }],
    ['a value out of range, and whether zero is within', { name: 'xy', count: 0 }, 'ATTRIBUTE_INVALID', { name: 'count', mayBeZero: false }],
    ['a text too short', { name: 'x' }, 'ATTRIBUTE_INVALID', { name: 'name' }],
    ['an unknown word', { name: 'xy', kind: 'c' }, 'ENUM_UNKNOWN', { name: 'kind', value: 'c' }],
  ];
  for (const [what, body, code, details] of faults) {
    test(`tells ${what}`, () => assert.throws(() => readBody(schema, body), (error: { code: string; details: Record<string, unknown> }) => {
      assert.equal(error.code, code);
      assert.deepEqual(Object.fromEntries(Object.entries(error.details).filter(([, each]) => each !== undefined)), details);
      return true;
    }));
  }
  for (const body of [null, [], 'text', 5, true]) {
    test(`refuses ${JSON.stringify(body)}`, () => assert.throws(() => readBody(schema, body), { code: 'BODY_NOT_OBJECT' }));
  }
});
