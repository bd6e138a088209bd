// Due times against a calendar that is read hour by hour, over years with leap days, in a zone with summer time.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { dueTimes, nextDue } from '../../src/domain/due-times.ts';
import type { PolicyItem } from '../../src/domain/retention.ts';
import { emptySchedule, LAST_DAY, type SnapshotSchedule } from '../../src/domain/schedule.ts';
import { createRandom } from '../engine/backup/random.ts';
import { randomSchedule } from '../support/random-schedules.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** By the written date alone. */
function isDueAt({ frequencyType, frequencyInterval }: PolicyItem, { referenceHour }: SnapshotSchedule, at: Date): boolean {
  const text = at.toISOString();
  const [month, day, hour] = [Number(text.slice(5, 7)), Number(text.slice(8, 10)), Number(text.slice(11, 13))];
  if (frequencyType === 'hourly') return (hour + 24 - referenceHour) % frequencyInterval === 0;
  if (hour !== referenceHour) return false;
  // 1 January 1970 was a Thursday.
  if (frequencyType === 'weekly') return (Math.floor(at.getTime() / DAY_MS) + 3) % 7 + 1 === frequencyInterval;
  if (frequencyType === 'monthly') return frequencyInterval === LAST_DAY ? new Date(at.getTime() + DAY_MS).toISOString().slice(8, 10) === '01' : day === frequencyInterval;
  return frequencyType === 'daily' || (day === 1 && month === frequencyInterval);
}

const scheduleOf = (...items: readonly (readonly [PolicyItem['frequencyType'], number])[]): SnapshotSchedule => ({
  ...emptySchedule('5f0000000000000000000004', new Date('2026-01-01T03:45:00Z')),
  items: items.map(([frequencyType, frequencyInterval], index) => ({ id: String(index), frequencyType, frequencyInterval, retentionUnit: 'years', retentionValue: 1 })),
});
const texts = (schedule: SnapshotSchedule, from: string, until: string): string[] => [...dueTimes(schedule, new Date(from), new Date(until))].map(({ at }) => at.toISOString().slice(0, 16));

describe('due times', () => {
  const zone = process.env['TZ'];
  before(() => { process.env['TZ'] = 'Europe/Berlin'; });
  after(() => {
    if (zone === undefined) delete process.env['TZ'];
    else process.env['TZ'] = zone;
  });

  test('are all that the calendar has, and no other, over years', () => {
    const from = new Date('2023-12-31T22:00:00Z');
    const until = new Date('2026-03-02T00:00:00Z');
    for (let seed = 1; seed <= 12; seed += 1) {
      const schedule = randomSchedule(createRandom(seed), from);
      const wanted: string[] = [];
      for (let at = Date.UTC(2023, 11, 31, 0, schedule.referenceMinute); at <= until.getTime(); at += HOUR_MS) {
        const time = new Date(at);
        const ids = schedule.items.filter((item) => isDueAt(item, schedule, time)).map(({ id }) => id);
        if (time > from && ids.length > 0) wanted.push(`${time.toISOString()} ${ids.join()}`);
      }
      assert.ok(wanted.length >= 5);
      assert.deepEqual([...dueTimes(schedule, from, until)].map(({ at, items }) => `${at.toISOString()} ${items.map(({ id }) => id).join()}`), wanted, `seed ${seed}`);
    }
  });

  test('of hours meet the reference hour every day, past midnight too', () => {
    assert.deepEqual(texts(scheduleOf(['hourly', 8]), '2026-03-28T03:45:00Z', '2026-03-29T20:00:00Z'), ['2026-03-28T11:45', '2026-03-28T19:45', '2026-03-29T03:45', '2026-03-29T11:45', '2026-03-29T19:45']);
  });

  test('of the last day are those of each month', () => {
    assert.deepEqual(texts(scheduleOf(['monthly', LAST_DAY]), '2028-01-01T00:00:00Z', '2028-06-01T00:00:00Z'), ['2028-01-31T03:45', '2028-02-29T03:45', '2028-03-31T03:45', '2028-04-30T03:45', '2028-05-31T03:45']);
    assert.deepEqual(texts(scheduleOf(['monthly', LAST_DAY]), '2027-02-01T00:00:00Z', '2027-03-01T00:00:00Z'), ['2027-02-28T03:45']);
  });

  test('of a week and a year are one when they meet', () => {
    const found = [...dueTimes(scheduleOf(['weekly', 1], ['yearly', 12], ['monthly', 1]), new Date('2025-11-25T00:00:00Z'), new Date('2025-12-08T23:00:00Z'))];
    assert.deepEqual(found.map(({ at, items }) => [at.toISOString().slice(0, 10), items.length]), [['2025-12-01', 3], ['2025-12-08', 1]]);
  });

  test('begin behind the given instant and end with it', () => {
    const daily = scheduleOf(['daily', 1]);
    assert.deepEqual(texts(daily, '2026-05-01T03:45:00Z', '2026-05-02T03:45:00Z'), ['2026-05-02T03:45']);
    assert.deepEqual(texts(daily, '2026-05-01T03:44:59.999Z', '2026-05-01T03:45:00Z'), ['2026-05-01T03:45']);
    assert.deepEqual(texts(daily, '2026-05-02T00:00:00Z', '2026-05-01T00:00:00Z'), []);
  });

  test('that come next are found however far, and there is none of nothing', () => {
    assert.equal(nextDue(scheduleOf(['yearly', 2]), new Date('2027-02-01T03:45:00Z'))?.at.toISOString(), '2028-02-01T03:45:00.000Z');
    assert.equal(nextDue(scheduleOf(), new Date()), null);
  });
});
