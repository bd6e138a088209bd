import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { issueNonce, readNonce } from '../../../src/http/auth/nonce.ts';

const KEY = randomBytes(32);
const NOW = new Date('2026-03-01T12:00:00.123Z');

describe('nonce', () => {
  test('is 32 base64 characters and never the same', () => {
    const made = new Set(Array.from({ length: 500 }, () => issueNonce(KEY, NOW)));
    assert.equal(made.size, 500);
    for (const nonce of made) assert.match(nonce, /^[A-Za-z0-9+/]{32}$/);
  });

  test('tells when it was issued', () => {
    assert.deepEqual(readNonce(KEY, issueNonce(KEY, NOW)), NOW);
  });

  test('is not read with another key', () => {
    assert.equal(readNonce(randomBytes(32), issueNonce(KEY, NOW)), null);
  });

  test('is not read once any bit was changed', () => {
    const bytes = Buffer.from(issueNonce(KEY, NOW), 'base64');
    fc.assert(fc.property(fc.nat(bytes.length * 8 - 1), (bit) => {
      const altered = Buffer.from(bytes);
      altered.writeUInt8(altered.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      assert.equal(readNonce(KEY, altered.toString('base64')), null);
    }));
  });

  test('refuses any other text', () => {
    fc.assert(fc.property(fc.string({ maxLength: 64 }), (text) => assert.equal(readNonce(KEY, text), null)));
  });
});
