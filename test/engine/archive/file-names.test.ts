import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fileNameOf } from '../../../src/engine/archive/file-names.ts';

describe('file names of an archive', () => {
  test('leave plain names alone and encode the rest', () => {
    assert.equal(fileNameOf('orders-2026_a.b~c'), 'orders-2026_a.b~c');
    assert.equal(fileNameOf('a b/c%d+é\n'), 'a%20b%2Fc%25d%2B%C3%A9%0A');
    assert.equal(decodeURIComponent(fileNameOf('a b/c%d+é\n')), 'a b/c%d+é\n');
  });

  test('cut a long name to 238 bytes with the hash of the whole', () => {
    assert.equal(fileNameOf('x'.repeat(238)), 'x'.repeat(238));
    const long = fileNameOf('x'.repeat(239));
    assert.equal(long.length, 238);
    assert.match(long, /^x{208}%24[A-Za-z0-9_-]{27}$/);
    assert.notEqual(long, fileNameOf('x'.repeat(240)));
  });
});
