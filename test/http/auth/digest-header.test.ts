import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseDigestHeader } from '../../../src/http/auth/digest-header.ts';
import { SOON_MS } from '../../support/patience.ts';

describe('parseDigestHeader', () => {
  test("reads what Go's digest client sends", () => {
    const parsed = parseDigestHeader('Digest username="abcdefgh", realm="MMS Public API", nonce="q1w2", uri="/api/x?a=b,c", response="00ff", algorithm="MD5", qop=auth, nc=00000001, cnonce="0a4f113b0a4f113b"');
    assert.deepEqual(Object.fromEntries(parsed ?? []), {
      username: 'abcdefgh', realm: 'MMS Public API', nonce: 'q1w2', uri: '/api/x?a=b,c', response: '00ff',
      algorithm: 'MD5', qop: 'auth', nc: '00000001', cnonce: '0a4f113b0a4f113b',
    });
  });

  test('reads what curl sends, without spaces too', () => {
    const parsed = parseDigestHeader('Digest username="a\\"b",realm="MMS Public API", nonce="x==", uri="/", cnonce="bla=", nc=00000001, algorithm=MD5, response="ab", qop=auth');
    assert.equal(parsed?.get('username'), 'a"b');
    assert.equal(parsed?.get('cnonce'), 'bla=');
  });

  test('takes any case of the scheme and of names', () => {
    assert.equal(parseDigestHeader('DIGEST UserName="x"')?.get('username'), 'x');
  });

  test('passes over empty items of the list', () => {
    assert.deepEqual([...(parseDigestHeader('Digest , a=b,,\tc="d" ,') ?? [])], [['a', 'b'], ['c', 'd']]);
  });

  for (const [what, header] of [
    ['another scheme', 'Basic YTpi'], ['no parameters', 'Digest '], ['an open quote', 'Digest a="b'],
    ['a missing comma', 'Digest a="b" c="d"'], ['a name without a value', 'Digest a, b=c'], ['a name twice', 'Digest a=b, A=c'],
    ['a quote inside a token', 'Digest a=b"c"'], ['an endless header', `Digest a="${'x'.repeat(9000)}"`],
  ] as const) {
    test(`refuses ${what}`, () => assert.equal(parseDigestHeader(header), null));
  }

  test('gives back every value that was quoted', () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,11}$/);
    fc.assert(fc.property(fc.uniqueArray(fc.tuple(name, fc.string({ maxLength: 40 })), { minLength: 1, maxLength: 12, selector: ([key]) => key }), (pairs) => {
      const header = `Digest ${pairs.map(([key, value]) => `${key}="${value.replace(/[\\"]/g, '\\$&')}"`).join(', ')}`;
      assert.deepEqual([...(parseDigestHeader(header) ?? [])], pairs);
    }));
  });

  test('never throws, whatever comes', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      const parsed = parseDigestHeader(`Digest ${text}`);
      assert.ok(parsed === null || parsed.size > 0);
    }), { numRuns: 2000 });
  });

  test('stays linear on a header made to be slow', () => {
    // Longer ones are not looked at: so often that a square of the length takes minutes.
    const began = performance.now();
    for (let n = 0; n < 1_000; n += 1) {
      parseDigestHeader(`Digest a="${'\\"'.repeat(4000)}`);
      parseDigestHeader(`Digest ${', '.repeat(4000)}a`);
    }
    assert.ok(performance.now() - began < SOON_MS);
  });
});
