import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readTimeSeries } from '../../../src/http/wire/read-time-series.ts';

describe('the header Leafvault-Time-Series', () => {
  test('may be absent', () => assert.equal(readTimeSeries({}), undefined));
  for (const choice of ['refuse', 'beside', 'replace']) test(`takes ${choice}`, () => assert.equal(readTimeSeries({ 'leafvault-time-series': choice }), choice));
  for (const value of ['', 'REPLACE', 'yes']) {
    test(`refuses ${JSON.stringify(value)}`, () => assert.throws(() => readTimeSeries({ 'leafvault-time-series': value }), { code: 'QUERY_INVALID', details: { name: 'Leafvault-Time-Series', value } }));
  }
});
