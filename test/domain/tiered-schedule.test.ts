import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { defaultSchedule } from '../../src/domain/schedule.ts';
import type { PolicyItem } from '../../src/domain/retention.ts';
import { tiersOf, withTiers, type Tiers } from '../../src/domain/tiered-schedule.ts';

let serial = 0;
const { items } = defaultSchedule('5f0000000000000000000004', new Date(0), () => String(++serial).padStart(24, '0'));
const weekly = (id: string, frequencyInterval: number, retentionValue: number): PolicyItem => ({ id, frequencyType: 'weekly', frequencyInterval, retentionUnit: 'weeks', retentionValue });

describe('the schedule as one number for each frequency', () => {
  test('tells what the items keep, in its own units', () => {
    assert.deepEqual(tiersOf(items), { intervalHours: 6, retentionDays: 7, dailyDays: 7, weeklyWeeks: 4, monthlyMonths: 12 });
    assert.deepEqual(tiersOf([]), { intervalHours: 0, retentionDays: 0, dailyDays: 0, weeklyWeeks: 0, monthlyMonths: 0 });
    assert.equal(tiersOf([weekly('a', 1, 3), weekly('b', 4, 9)]).weeklyWeeks, 9, 'the longest of a frequency counts');
    assert.equal(tiersOf([{ ...weekly('a', 1, 30), retentionUnit: 'days' }]).weeklyWeeks, 4, 'whole weeks that are kept for certain');
    assert.equal(tiersOf([{ id: 'a', frequencyType: 'monthly', frequencyInterval: 1, retentionUnit: 'years', retentionValue: 2 }]).monthlyMonths, 24);
  });

  test('changes nothing when what was told is sent back', () => {
    const numbers = fc.record({ weeks: fc.integer({ min: 1, max: 60 }), days: fc.integer({ min: 31, max: 4_000 }), hours: fc.constantFrom(1, 2, 4, 6, 8, 12, 24) });
    fc.assert(fc.property(numbers, ({ weeks, days, hours }) => {
      const mixed: PolicyItem[] = [
        { id: 'h', frequencyType: 'hourly', frequencyInterval: hours, retentionUnit: 'weeks', retentionValue: weeks }, weekly('a', 1, weeks), weekly('b', 5, weeks + 1),
        { id: 'm', frequencyType: 'monthly', frequencyInterval: 40, retentionUnit: 'days', retentionValue: days }, { id: 'y', frequencyType: 'yearly', frequencyInterval: 3, retentionUnit: 'years', retentionValue: 30 },
      ];
      assert.deepEqual(withTiers(mixed, tiersOf(mixed)), mixed);
    }), { numRuns: 50 });
  });

  test('touches the items of the changed frequency alone, and not their days', () => {
    const many = [...items.filter(({ frequencyType }) => frequencyType !== 'weekly'), weekly('a', 1, 3), weekly('b', 4, 5)];
    const changed = withTiers(many, { ...tiersOf(many), weeklyWeeks: 8 });
    assert.deepEqual(changed, [...many.slice(0, -2), weekly('a', 1, 8), weekly('b', 4, 8)]);
    assert.deepEqual(withTiers(items, { intervalHours: 12 }), items.map((item) => (item.frequencyType === 'hourly' ? { ...item, frequencyInterval: 12 } : item)));
    assert.ok(changed.some(({ frequencyType }) => frequencyType === 'yearly'), 'what the form lacks stays');
  });

  test('takes a tier away with 0 and makes a new one where there was none', () => {
    const without = withTiers(items, { dailyDays: 0 });
    assert.deepEqual(without, items.filter(({ frequencyType }) => frequencyType !== 'daily'));
    assert.deepEqual(withTiers(without as PolicyItem[], { dailyDays: 9 }).at(-1), { frequencyType: 'daily', frequencyInterval: 1, retentionUnit: 'days', retentionValue: 9 });
    assert.deepEqual(withTiers([], { intervalHours: 8, retentionDays: 3 } satisfies Partial<Tiers>), [{ frequencyType: 'hourly', frequencyInterval: 8, retentionUnit: 'days', retentionValue: 3 }]);
    assert.throws(() => withTiers([], { retentionDays: 3 }), { code: 'SCHEDULE_INVALID' });
    const hourlyDays = (change: Partial<Tiers>): number | undefined => withTiers([], { intervalHours: 8, ...change })[0]?.retentionValue;
    assert.deepEqual([hourlyDays({}), hourlyDays({ dailyDays: 3 }), hourlyDays({ weeklyWeeks: 4 })], [7, 3, 7], 'as in the default schedule, no longer than what is rarer');
  });
});
