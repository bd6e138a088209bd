// Schedules at random: what the rules allow, and nothing else.
import { isLeafvaultError } from '../../src/foundation/errors.ts';
import { RETENTION_UNITS, type FrequencyType, type PolicyItem } from '../../src/domain/retention.ts';
import { checkSchedule, emptySchedule, LAST_DAY, type SnapshotSchedule } from '../../src/domain/schedule.ts';
import type { Random } from '../engine/backup/random.ts';

/** Several weekly, monthly and yearly ones, so that they meet often. */
const KINDS: readonly FrequencyType[] = ['hourly', 'daily', 'weekly', 'weekly', 'monthly', 'monthly', 'yearly', 'yearly'];

export function randomSchedule(random: Random, from: Date): SnapshotSchedule {
  for (;;) {
    const schedule: SnapshotSchedule = {
      ...emptySchedule('5f0000000000000000000004', from), referenceHour: random.below(24), referenceMinute: random.below(60),
      items: KINDS.filter(() => random.next() < 0.6).map((kind, index) => randomItem(random, kind, index)),
    };
    if (schedule.items.length > 0 && isAllowed(schedule)) return schedule;
  }
}

function randomItem(random: Random, frequencyType: FrequencyType, index: number): PolicyItem {
  const interval: Readonly<Record<FrequencyType, () => number>> = {
    hourly: () => random.pick([1, 2, 4, 6, 8, 12, 24]), daily: () => 1, weekly: () => 1 + random.below(7),
    monthly: () => random.pick([1, 15, 28, LAST_DAY]), yearly: () => 1 + random.below(12),
  };
  return { id: index.toString(16).padStart(24, '0'), frequencyType, frequencyInterval: interval[frequencyType](), retentionUnit: random.pick(RETENTION_UNITS), retentionValue: 1 + random.below(14) };
}

function isAllowed(schedule: SnapshotSchedule): boolean {
  try {
    checkSchedule(schedule);
    return true;
  } catch (error) {
    if (isLeafvaultError(error, 'SCHEDULE_INVALID')) return false;
    throw error;
  }
}
