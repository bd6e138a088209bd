import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { httpDay, isoSeconds, isoSecondsOrUnset } from '../../../src/http/wire/time-text.ts';

describe('isoSeconds', () => {
  test('drops the fraction', () => assert.equal(isoSeconds(new Date('2026-01-01T00:00:00.999Z')), '2026-01-01T00:00:00Z'));
  test('is what the time says by itself, whatever day was told before', () => {
    // Steps that are prime to a day, there and back, before and behind 1970, around leap days and the ends of years.
    const times = [0, -1, -86_400_000, Date.UTC(2024, 1, 29, 23, 59, 59, 999), Date.UTC(2024, 2, 1), Date.UTC(2026, 11, 31, 23, 59, 59), Date.UTC(1600, 1, 29), Date.UTC(9999, 11, 31)]
      .concat(Array.from({ length: 5000 }, (_, n) => Date.UTC(2026, 0, 1) + (n % 2 === 0 ? 1 : -1) * n * 7_919_333));
    for (const time of times) assert.equal(isoSeconds(new Date(time)), new Date(time).toISOString().replace(/\.\d{3}Z$/, 'Z'));
    for (const day of ['2026-01-01', '2026-01-02', '2026-01-01']) assert.equal(isoSeconds(new Date(`${day}T10:00:00Z`)), `${day}T10:00:00Z`);
  });
  test('refuses what is no time', () => assert.throws(() => isoSeconds(new Date(Number.NaN)), RangeError));
  test('is unset for no time', () => assert.equal(isoSecondsOrUnset(null), undefined));
});

describe('httpDay', () => {
  test('leaves the day of the month unpadded', () => assert.equal(httpDay('2024-08-05'), 'Mon, 5 Aug 2024 00:00:00 GMT'));
  test('keeps a day of two digits and an hour of zeros', () => assert.equal(httpDay('2026-01-22'), 'Thu, 22 Jan 2026 00:00:00 GMT'));
  test('agrees with the recorded header', () => assert.equal(httpDay('2027-07-01'), 'Thu, 1 Jul 2027 00:00:00 GMT'));
});
