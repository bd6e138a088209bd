import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { cutPage } from '../../../src/domain/cut-page.ts';
import { readEveryPage } from '../../../src/http/wire/read-every-page.ts';

describe('readEveryPage', () => {
  test('reads to the end', async () => {
    const all = Array.from({ length: 1203 }, (_, index) => index);
    const pages: number[] = [];
    const found = await readEveryPage(async (page) => {
      pages.push(page.pageNumber);
      return cutPage(all, page);
    });
    assert.deepEqual(found, all);
    assert.deepEqual(pages, [1, 2, 3]);
  });

  test('ends when a list shrinks while it is read', async () => {
    const found = await readEveryPage(async ({ pageNumber }) => ({ items: pageNumber === 1 ? [1, 2] : [], totalCount: 600 }));
    assert.deepEqual(found, [1, 2]);
  });
});
