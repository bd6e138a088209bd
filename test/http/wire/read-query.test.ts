import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parameter, readMmsQuery, readMmsQueryOfFailure, readPage } from '../../../src/http/wire/read-query.ts';

describe('readMmsQuery', () => {
  test('has the defaults of the docs', () => assert.deepEqual(readMmsQuery({}), { envelope: false, pretty: false, includeCount: true }));
  test('takes true and false in any case', () => {
    assert.deepEqual(readMmsQuery({ envelope: 'TRUE', pretty: 'true', includeCount: 'False' }), { envelope: true, pretty: true, includeCount: false });
  });
  for (const [name, value] of [['envelope', 'yes'], ['includeCount', '0'], ['pretty', '']] as const) {
    test(`refuses ${name}=${value}`, () => assert.throws(() => readMmsQuery({ [name]: value }), { code: 'QUERY_INVALID', details: { name, value } }));
  }
  test('leaves the default for other words where a failure is answered', () => assert.deepEqual(readMmsQueryOfFailure({ envelope: 'yes', pretty: 'TRUE' }), { envelope: false, pretty: true }));
});

describe('readPage', () => {
  test('has the defaults of the docs', () => assert.deepEqual(readPage({}), { pageNumber: 1, itemsPerPage: 100 }));
  test('takes the largest page', () => assert.deepEqual(readPage({ pageNum: '7', itemsPerPage: '500' }), { pageNumber: 7, itemsPerPage: 500 }));
  for (const query of [{ pageNum: '0' }, { pageNum: '-1' }, { pageNum: '1.5' }, { pageNum: '' }, { pageNum: 'x' }, { pageNum: '99999999999' }, { itemsPerPage: '0' }, { itemsPerPage: '501' }, { itemsPerPage: '1e2' }]) {
    test(`refuses ${JSON.stringify(query)}`, () => assert.throws(() => readPage(query), { code: 'QUERY_INVALID', details: { name: Object.keys(query)[0], value: Object.values(query)[0] } }));
  }
});

describe('parameter', () => {
  test('takes the first of several', () => assert.equal(parameter({ a: ['x', 'y'] }, 'a'), 'x'));
  test('is undefined where there is none', () => assert.equal(parameter(null, 'a'), undefined));
});
