import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { PolicyItem } from '../../src/domain/retention.ts';
import { checkSchedule, defaultSchedule, emptySchedule, keptItems, policyIdOf, type SnapshotSchedule } from '../../src/domain/schedule.ts';
import { newId } from '../../src/foundation/ids.ts';

const CLUSTER = '5f0000000000000000000004';
const NOW = new Date('2026-11-27T04:07:09Z');

describe('the rules of a schedule', () => {
  const schedule = (change: Partial<SnapshotSchedule>): SnapshotSchedule => ({ ...emptySchedule(CLUSTER, NOW), ...change });
  const items = (...given: readonly (readonly [PolicyItem['frequencyType'], number, number, PolicyItem['retentionUnit']])[]): Partial<SnapshotSchedule> => ({
    items: given.map(([frequencyType, frequencyInterval, retentionValue, retentionUnit], index) => ({ id: String(index), frequencyType, frequencyInterval, retentionUnit, retentionValue })),
  });

  for (const [what, change] of [
    ['nothing at all', {}],
    ['the example of the Terraform provider', items(['hourly', 1, 1, 'days'], ['daily', 1, 2, 'days'], ['weekly', 4, 3, 'weeks'], ['monthly', 5, 4, 'months'], ['yearly', 1, 1, 'years'])],
    ['every 24 hours, as another form has it', items(['hourly', 24, 5, 'days'])],
    ['twelve months below a year', items(['monthly', 40, 12, 'months'], ['yearly', 12, 1, 'years'])],
    ['two days of the week', items(['weekly', 1, 4, 'weeks'], ['weekly', 5, 2, 'weeks'])],
    ['a century', items(['yearly', 1, 100, 'years'])],
  ] as const) {
    test(`allow ${what}`, () => checkSchedule(schedule(change)));
  }

  for (const [rule, change] of [
    ['referenceHour', { referenceHour: 24 }],
    ['referenceHour', { referenceHour: -1 }],
    ['referenceMinute', { referenceMinute: 60 }],
    ['restoreWindow', { restoreWindowDays: 0 }],
    ['extraDays', { extraDays: { daily: -1 } }],
    ['interval', items(['hourly', 3, 5, 'days'])],
    ['interval', items(['daily', 2, 5, 'days'])],
    ['interval', items(['weekly', 8, 5, 'weeks'])],
    ['interval', items(['monthly', 29, 5, 'months'])],
    ['interval', items(['yearly', 13, 5, 'years'])],
    ['retention', items(['daily', 1, 0, 'days'])],
    ['retention', items(['daily', 1, 1.5, 'days'])],
    ['retention', items(['yearly', 1, 101, 'years'])],
    ['retention', items(['daily', 1, 2_147_483_647, 'months'])],
    ['retention', items(['weekly', 1, 6, 'days'])],
    ['retention', items(['monthly', 1, 4, 'weeks'])],
    ['order', items(['daily', 1, 8, 'days'], ['weekly', 1, 1, 'weeks'])],
    ['order', items(['hourly', 6, 32, 'days'], ['monthly', 1, 1, 'months'])],
    ['twice', items(['daily', 1, 8, 'days'], ['daily', 1, 9, 'days'])],
    ['twice', items(['hourly', 1, 8, 'days'], ['hourly', 2, 9, 'days'])],
    ['twice', items(['weekly', 3, 2, 'weeks'], ['weekly', 3, 4, 'weeks'])],
  ] as const) {
    test(`refuse by ${rule}: ${JSON.stringify('items' in change ? change.items?.map(({ id: _, ...item }) => Object.values(item).join(' ')) : change)}`, () => {
      assert.throws(() => checkSchedule(schedule(change)), (error: { readonly code: string; readonly details: { readonly rule: string } }) => error.code === 'SCHEDULE_INVALID' && error.details.rule === rule);
    });
  }

  test('hold for what a new cluster gets, at any minute', () => {
    const made = defaultSchedule(CLUSTER, NOW, newId);
    checkSchedule(made);
    assert.deepEqual([made.referenceHour, made.referenceMinute, made.restoreWindowDays], [4, 7, 7]);
    assert.deepEqual(made.items.map(({ id: _, ...item }) => Object.values(item).join(' ')), ['hourly 6 days 7', 'daily 1 days 7', 'weekly 6 weeks 4', 'monthly 40 months 12', 'yearly 12 years 1']);
    assert.equal(new Set(made.items.map(({ id }) => id)).size, 5);
  });

  test('give a cluster one policy id for ever, as an id looks', () => {
    assert.match(policyIdOf(CLUSTER), /^[0-9a-f]{24}$/);
    assert.equal(emptySchedule(CLUSTER, new Date()).policyId, policyIdOf(CLUSTER));
    assert.notEqual(policyIdOf(CLUSTER), policyIdOf('5f0000000000000000000005'));
  });

  test('add extra days by frequency', () => {
    const made = schedule({ ...items(['daily', 1, 7, 'days'], ['weekly', 1, 1, 'weeks']), extraDays: { weekly: 3 } });
    assert.deepEqual(keptItems(made, made.items).map(({ extraDays }) => extraDays), [0, 3]);
  });
});
