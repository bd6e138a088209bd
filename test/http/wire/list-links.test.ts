import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { listLinks } from '../../../src/http/wire/list-links.ts';

const at = (target: string, page: { pageNumber: number; itemsPerPage: number } | null, totalCount: number): Record<string, string> =>
  Object.fromEntries(listLinks({ origin: 'http://h', target, includeCount: true, page, totalCount }).map(({ rel, href }) => [rel, href]));

describe('listLinks', () => {
  test('repeats the request in self and puts the page last in next, as recorded', () => {
    assert.deepEqual(at('/g?includeCount=true&pageNum=1&itemsPerPage=100', { pageNumber: 1, itemsPerPage: 100 }, 101), {
      self: 'http://h/g?includeCount=true&pageNum=1&itemsPerPage=100',
      next: 'http://h/g?includeCount=true&itemsPerPage=100&pageNum=2',
    });
  });

  test('adds to self what was not sent: clients read the page out of it', () => {
    assert.deepEqual(at('/g?pretty=true', { pageNumber: 1, itemsPerPage: 100 }, 5), { self: 'http://h/g?pretty=true&includeCount=true&pageNum=1&itemsPerPage=100' });
  });

  test('leads back from a later page', () => {
    assert.deepEqual(Object.keys(at('/g?pageNum=2', { pageNumber: 2, itemsPerPage: 10 }, 30)), ['self', 'previous', 'next']);
    assert.deepEqual(Object.keys(at('/g?pageNum=3', { pageNumber: 3, itemsPerPage: 10 }, 30)), ['self', 'previous']);
  });

  test('has self alone where nothing is paged', () => {
    assert.deepEqual(at('/g?a=b', null, 3), { self: 'http://h/g?a=b' });
    assert.deepEqual(at('/g', null, 3), { self: 'http://h/g' });
  });
});
