import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bearerToken, sessionToken } from '../../../src/http/auth/tokens.ts';

describe('sessionToken', () => {
  for (const [what, headers, token] of [
    ['as login gave it', { authtoken: 'QSDK 0af1' }, '0af1'],
    ['bare', { authtoken: '0af1' }, '0af1'],
    ['with the prefix twice', { authtoken: 'QSDK QSDK 0af1' }, '0af1'],
    ['with Bearer in its own header', { authtoken: 'Bearer 0af1' }, '0af1'],
    ['in the Authorization header', { authorization: 'Bearer 0af1' }, '0af1'],
    ['from its own header before the other', { authtoken: '0af1', authorization: 'Bearer ffff' }, '0af1'],
    ['as nothing when the header is empty', { authtoken: ' ' }, null],
    ['as nothing when there is none', {}, null],
    ['as one that nobody has when it cannot be read', { authtoken: 'SAML <x>' }, ''],
  ] as const) {
    test(`is read ${what}`, () => assert.equal(sessionToken(headers), token));
  }
});

describe('bearerToken', () => {
  test('is read in any case of its scheme', () => {
    assert.equal(bearerToken({ authorization: 'bearer  a.b-c_d' }), 'a.b-c_d');
    assert.equal(bearerToken({ authorization: 'Digest a="b"' }), null);
    assert.equal(bearerToken({ authorization: 'Bearer a b' }), null);
  });
});
