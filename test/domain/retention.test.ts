// Ends of snapshots against a calendar that is walked day by day, in a zone with summer time.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { expiryOf, frequencyOf, joinItems, longestDays, renewed, retainedUntil, RETENTION_UNITS, type KeptItem, type Retention } from '../../src/domain/retention.ts';
import { createRandom } from '../engine/backup/random.ts';

const DAY_MS = 86_400_000;

/** The first instant, whole days on, by which so many months have gone by. */
function walked(from: Date, { retentionUnit, retentionValue }: Retention): Date {
  if (retentionUnit === 'days' || retentionUnit === 'weeks') return new Date(from.getTime() + retentionValue * (retentionUnit === 'weeks' ? 7 : 1) * DAY_MS);
  const wanted = retentionUnit === 'years' ? 12 * retentionValue : retentionValue;
  const [year, month, day] = from.toISOString().slice(0, 10).split('-').map(Number) as [number, number, number];
  // Not one of them is shorter than 28 days.
  for (let at = from.getTime() + 28 * wanted * DAY_MS; ; at += DAY_MS) {
    const [y, m, d] = new Date(at).toISOString().slice(0, 10).split('-').map(Number) as [number, number, number];
    const gone = (y - year) * 12 + m - month;
    if (gone > wanted || (gone === wanted && d >= day)) return new Date(at);
  }
}

describe('retention', () => {
  const zone = process.env['TZ'];
  before(() => { process.env['TZ'] = 'America/New_York'; });
  after(() => {
    if (zone === undefined) delete process.env['TZ'];
    else process.env['TZ'] = zone;
  });

  for (const [from, retentionValue, retentionUnit, until] of [
    ['2026-01-31T03:45:00.123Z', 1, 'months', '2026-03-01T03:45:00.123Z'],
    ['2028-01-31T03:45:00.000Z', 1, 'months', '2028-03-01T03:45:00.000Z'],
    ['2028-01-29T03:45:00.000Z', 1, 'months', '2028-02-29T03:45:00.000Z'],
    ['2028-02-29T00:00:00.000Z', 1, 'years', '2029-03-01T00:00:00.000Z'],
    ['2028-02-29T00:00:00.000Z', 4, 'years', '2032-02-29T00:00:00.000Z'],
    ['2026-12-31T23:59:59.999Z', 1, 'months', '2027-01-31T23:59:59.999Z'],
    ['2026-12-31T23:59:59.999Z', 2, 'months', '2027-03-01T23:59:59.999Z'],
    ['2026-08-31T12:00:00.000Z', 1, 'months', '2026-10-01T12:00:00.000Z'],
    ['2026-03-07T07:30:00.000Z', 1, 'days', '2026-03-08T07:30:00.000Z'],
    ['2026-10-31T05:30:00.000Z', 1, 'weeks', '2026-11-07T05:30:00.000Z'],
  ] as const) {
    test(`of ${retentionValue} ${retentionUnit} from ${from} ends ${until}`, () => {
      assert.equal(retainedUntil(new Date(from), { retentionUnit, retentionValue }).toISOString(), until);
    });
  }

  test('is what a calendar says that is walked day by day', () => {
    assert.notEqual(new Date('2026-07-01T00:00:00Z').getTimezoneOffset(), new Date('2026-01-01T00:00:00Z').getTimezoneOffset(), 'the zone has summer time');
    for (let seed = 1; seed <= 500; seed += 1) {
      const random = createRandom(seed);
      const from = new Date(Date.UTC(2024, 0, 1) + random.below(8 * 366 * DAY_MS));
      const retention = { retentionUnit: random.pick(RETENTION_UNITS), retentionValue: 1 + random.below(30) };
      assert.equal(retainedUntil(from, retention).toISOString(), walked(from, retention).toISOString(), `seed ${seed}: ${from.toISOString()} ${JSON.stringify(retention)}`);
    }
  });

  test('is never longer than the longest that is told of it, and somewhere as long', () => {
    for (const [retentionValue, retentionUnit, days] of [[1, 'months', 31], [2, 'months', 62], [12, 'months', 366], [1, 'years', 366], [3, 'weeks', 21], [5, 'days', 5]] as const) {
      assert.equal(longestDays({ retentionUnit, retentionValue }), days);
    }
    for (const retentionValue of [1, 2, 3, 6, 7, 12, 13, 36]) {
      const retention = { retentionUnit: 'months', retentionValue } as const;
      let longest = 0;
      for (let day = 0; day < 1_461; day += 1) {
        const from = new Date(Date.UTC(2025, 0, 1 + day));
        longest = Math.max(longest, (walked(from, retention).getTime() - from.getTime()) / DAY_MS);
      }
      assert.equal(longestDays(retention), longest, `${retentionValue} months`);
    }
  });
});

describe('a snapshot that stands for several items', () => {
  const item = (id: string, frequencyType: KeptItem['frequencyType'], retentionValue: number, retentionUnit: KeptItem['retentionUnit'], extraDays = 0): KeptItem =>
    ({ id, frequencyType, frequencyInterval: 1, retentionUnit, retentionValue, extraDays });
  const from = new Date('2026-01-31T00:00:00Z');

  test('lives as long as the longest of them, extra days with it', () => {
    const items = [item('a', 'hourly', 2, 'days'), item('b', 'monthly', 1, 'months'), item('c', 'daily', 29, 'days')];
    assert.equal(expiryOf(from, items).toISOString(), '2026-03-01T00:00:00.000Z');
    assert.equal(expiryOf(from, [...items, item('d', 'daily', 28, 'days', 5)]).toISOString(), '2026-03-05T00:00:00.000Z');
  });

  test('is named by the least frequent, and holds each once', () => {
    const first = [item('a', 'hourly', 2, 'days'), item('b', 'monthly', 1, 'months')];
    assert.equal(frequencyOf(first), 'monthly');
    assert.equal(frequencyOf([]), null);
    assert.deepEqual(joinItems(first, [item('b', 'monthly', 3, 'months')]).map(({ id, retentionValue }) => [id, retentionValue]), [['a', 2], ['b', 3]]);
  });
});

describe('a new retention of items', () => {
  const from = new Date('2026-03-01T12:00:00Z');
  const end = (days: number): Date => new Date(from.getTime() + days * DAY_MS);
  const item = (id: string, retentionValue: number): KeptItem => ({ id, frequencyType: 'daily', frequencyInterval: 1, retentionUnit: 'days', retentionValue, extraDays: 0 });

  for (const [what, expiresAt, changed, expected] of [
    ['of no item of the snapshot changes nothing', end(9), [item('z', 2)], null],
    ['lengthens the end', end(9), [item('a', 12)], end(12)],
    ['shortens it, as far as the other items let it', end(9), [item('b', 1)], end(2)],
    ['leaves an end that was longer than the items say', end(40), [item('a', 12)], end(40)],
    ['cuts such an end where an item is kept shorter', end(40), [item('a', 1), item('b', 20)], end(20)],
    ['leaves it where an item is as long as the snapshot has it already', end(40), [item('a', 2)], end(40)],
  ] as const) {
    test(what, () => assert.deepEqual(renewed({ from, items: [item('a', 2), item('b', 9)], expiresAt }, changed)?.expiresAt ?? null, expected));
  }
});
