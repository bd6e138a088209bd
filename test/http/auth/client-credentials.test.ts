import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { readClientCredentials, readForm } from '../../../src/http/auth/client-credentials.ts';

const EMPTY: ReadonlyMap<string, string> = new Map();

function basic(pair: string): string {
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}

describe('readClientCredentials', () => {
  test('reads every pair that was form-encoded as Go does', () => {
    fc.assert(fc.property(fc.string({ minLength: 1 }), fc.string(), (clientId, clientSecret) => {
      const encode = (text: string): string => new URLSearchParams([['', text]]).toString().slice(1);
      assert.deepEqual(readClientCredentials(basic(`${encode(clientId)}:${encode(clientSecret)}`), EMPTY), { clientId, clientSecret });
    }));
  });

  test('reads what curl -u sends, colons and lone percent signs included', () => {
    assert.deepEqual(readClientCredentials(basic('id:a:b%'), EMPTY), { clientId: 'id', clientSecret: 'a:b%' });
  });

  test('is null for anything else, and never throws', () => {
    for (const header of [undefined, '', 'Basic', 'Basic !', 'Bearer abc', basic('no colon')]) assert.equal(readClientCredentials(header, EMPTY), null);
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => { readClientCredentials(`Basic ${text}`, EMPTY); }));
  });

  test('refuses both ways at once', () => {
    assert.equal(readClientCredentials(basic('a:b'), new Map([['client_secret', 'b']])), 'twice');
  });
});

describe('readForm', () => {
  test('reads fields and refuses one that comes twice', () => {
    assert.deepEqual([...(readForm('a=1&b=x%20y+z') ?? [])], [['a', '1'], ['b', 'x y z']]);
    assert.equal(readForm('a=1&a=1'), null);
  });
});
