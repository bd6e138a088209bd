import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { checkPolicy, forbidWeaker, keepsAtLeast, raised, shortfallOf, type CompliancePolicy } from '../../src/domain/compliance.ts';
import { retainedUntil, RETENTION_UNITS, type FrequencyType, type PolicyItem, type Retention, type RetentionUnit } from '../../src/domain/retention.ts';
import { checkSchedule, defaultSchedule, emptySchedule, type SnapshotSchedule } from '../../src/domain/schedule.ts';

const NOW = new Date('2026-11-27T04:07:09Z');
const CLUSTER = '5f0000000000000000000004';
let serial = 0;
const newItemId = (): string => String(++serial).padStart(24, '0');
const item = (frequencyType: FrequencyType, frequencyInterval: number, retentionValue: number, retentionUnit: RetentionUnit): PolicyItem => ({ id: newItemId(), frequencyType, frequencyInterval, retentionValue, retentionUnit });
const policy = (change: Partial<CompliancePolicy> = {}): CompliancePolicy => ({
  projectId: '5f0000000000000000000003', authorizedEmail: 'legal@example.com', authorizedUserFirstName: null, authorizedUserLastName: null, copyProtectionEnabled: false, encryptionAtRestEnabled: false,
  pitEnabled: false, restoreWindowDays: 0, onDemandItem: null, scheduledItems: [], ...change,
});
const onDemand = (retentionValue: number): CompliancePolicy['onDemandItem'] => ({ id: newItemId(), frequencyInterval: 0, retentionUnit: 'days', retentionValue });

describe('a compliance policy', () => {
  for (const [what, change] of [
    ['an address that is none', { authorizedEmail: 'nobody' }],
    ['two items of one frequency', { scheduledItems: [item('weekly', 1, 4, 'weeks'), item('weekly', 2, 4, 'weeks')] }],
    ['an interval that there is not', { scheduledItems: [item('hourly', 5, 4, 'days')] }],
    ['a window longer than the hourly retention', { restoreWindowDays: 3, scheduledItems: [item('hourly', 6, 2, 'days')] }],
    ['no days on demand', { onDemandItem: onDemand(0) }],
  ] as const) {
    test(`refuses ${what}`, () => assert.throws(() => checkPolicy(policy(change)), { code: 'COMPLIANCE_INVALID' }));
  }

  test('may be made stronger, never weaker', () => {
    const [hourly, daily] = [item('hourly', 6, 2, 'days'), item('daily', 1, 7, 'days')];
    const old = policy({ scheduledItems: [hourly, daily], onDemandItem: onDemand(7), restoreWindowDays: 2, pitEnabled: true, encryptionAtRestEnabled: true, copyProtectionEnabled: true });
    forbidWeaker(old, { ...old, scheduledItems: [{ ...hourly, frequencyInterval: 4, retentionValue: 3 }, daily, item('weekly', 6, 4, 'weeks')], onDemandItem: onDemand(8), restoreWindowDays: 3 });
    for (const weaker of [
      { scheduledItems: [hourly] }, { scheduledItems: [{ ...hourly, retentionValue: 1 }, daily] }, { scheduledItems: [{ ...hourly, frequencyInterval: 8 }, daily] }, { onDemandItem: null }, { onDemandItem: onDemand(6) },
      { restoreWindowDays: 1 }, { pitEnabled: false }, { encryptionAtRestEnabled: false }, { copyProtectionEnabled: false },
    ]) assert.throws(() => forbidWeaker(old, { ...old, ...weaker }), { code: 'COMPLIANCE_PROTECTED' }, JSON.stringify(weaker));
  });

  test('compares retentions so that the longer one can never end first', () => {
    const retention = fc.record({ retentionUnit: fc.constantFrom(...RETENTION_UNITS), retentionValue: fc.integer({ min: 1, max: 40 }) }) satisfies fc.Arbitrary<Retention>;
    fc.assert(fc.property(retention, retention, fc.date({ min: new Date('2024-01-01'), max: new Date('2032-01-01'), noInvalidDate: true }), (one, other, from) => {
      if (keepsAtLeast(one, other)) assert.ok(retainedUntil(from, one) >= retainedUntil(from, other));
    }));
    assert.equal(keepsAtLeast({ retentionUnit: 'months', retentionValue: 1 }, { retentionUnit: 'days', retentionValue: 29 }), false, 'a February');
    assert.equal(keepsAtLeast({ retentionUnit: 'months', retentionValue: 12 }, { retentionUnit: 'years', retentionValue: 1 }), true);
  });

  test('raises any schedule to one that keeps its rules and lowers nothing', () => {
    const least = { hourly: 1, daily: 1, weekly: 7, monthly: 31, yearly: 31 } as const;
    const given = fc.uniqueArray(fc.constantFrom(...(Object.keys(least) as FrequencyType[]))).chain((kinds) => fc.tuple(...kinds.map((kind) => fc.record({ kind: fc.constant(kind), days: fc.integer({ min: least[kind], max: 400 }) }))));
    const itemsOf = (drawn: readonly { readonly kind: FrequencyType; readonly days: number }[]): PolicyItem[] => drawn.map(({ kind, days }) => item(kind, kind === 'hourly' ? 6 : 1, days, 'days'));
    fc.assert(fc.property(given, given, (asked, own) => {
      const wanted = policy({ scheduledItems: itemsOf(asked) });
      const schedule: SnapshotSchedule = { ...emptySchedule(CLUSTER, NOW), items: itemsOf(own) };
      try {
        checkSchedule(schedule);
        checkPolicy(wanted);
      } catch {
        return;
      }
      const after = raised(wanted, schedule, newItemId);
      checkSchedule(after);
      assert.equal(shortfallOf(wanted, after), null);
      for (const before of schedule.items) assert.ok(keepsAtLeast(after.items.find(({ id }) => id === before.id)!, before));
      assert.deepEqual(raised(wanted, after, newItemId), after, 'once is enough');
    }));
  });

  test('finds what the default schedule lacks, in words', () => {
    const own = defaultSchedule(CLUSTER, NOW, newItemId);
    assert.equal(shortfallOf(policy({ scheduledItems: [item('hourly', 6, 7, 'days')], restoreWindowDays: 7 }), own), null);
    assert.match(String(shortfallOf(policy({ scheduledItems: [item('hourly', 1, 1, 'days')] }), own)?.reason), /less often than every 1 hours/);
    assert.match(String(shortfallOf(policy({ scheduledItems: [item('daily', 1, 8, 'days')] }), own)?.reason), /daily item keeps less than 8 days/);
    assert.deepEqual(shortfallOf(policy({ restoreWindowDays: 8 }), own)?.rule, 'restoreWindow');
  });
});
