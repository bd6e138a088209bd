import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { httpDay, isoSeconds, isoSecondsOrUnset } from '../../../src/http/wire/time-text.ts';

describe('isoSeconds', () => {
  test('drops the fraction', () => assert.equal(isoSeconds(new Date('2026-01-01T00:00:00.999Z')), '2026-01-01T00:00:00Z'));
  test('is unset for no time', () => assert.equal(isoSecondsOrUnset(null), undefined));
});

describe('httpDay', () => {
  test('leaves the day of the month unpadded', () => assert.equal(httpDay('2024-08-05'), 'Mon, 5 Aug 2024 00:00:00 GMT'));
  test('keeps a day of two digits and an hour of zeros', () => assert.equal(httpDay('2026-01-22'), 'Thu, 22 Jan 2026 00:00:00 GMT'));
  test('agrees with the recorded header', () => assert.equal(httpDay('2027-07-01'), 'Thu, 1 Jul 2027 00:00:00 GMT'));
});
