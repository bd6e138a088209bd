// The backup schedule of a cluster, whatever door it came through, and the rules that it keeps (docs/design/schedules.md).
import { LeafvaultError } from '../foundation/errors.ts';
import { derivedId } from '../foundation/ids.ts';
import type { ScheduleExport } from './exports.ts';
import { FREQUENCIES, longestDays, type FrequencyType, type KeptItem, type PolicyItem } from './retention.ts';

/** Day of a monthly item: the last one. */
export const LAST_DAY = 40;
/** A hundred years: what lies beyond is a mistake, and dates stay dates. */
export const MOST_RETENTION_DAYS = 36_525;

export interface SnapshotSchedule {
  readonly clusterId: string;
  readonly policyId: string;
  /** Empty: nothing is taken. */
  readonly items: readonly PolicyItem[];
  /** UTC, 0 to 23. */
  readonly referenceHour: number;
  readonly referenceMinute: number;
  readonly restoreWindowDays: number;
  /** Days added to each retention of a frequency; `ondemand`: to those of snapshots on demand. */
  readonly extraDays: Readonly<Partial<Record<FrequencyType | 'ondemand', number>>>;
  /** What one form of the schedule has and no other, by form. */
  readonly forms: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Null: nothing is exported. */
  readonly export: ScheduleExport | null;
}

/** Which rule a schedule breaks, for doors that have a word for each. */
export type ScheduleRule =
  | 'policyId' | 'itemId' | 'itemType' | 'items' | 'interval' | 'retention' | 'order' | 'twice' | 'referenceHour' | 'referenceMinute' | 'restoreWindow' | 'extraDays' | 'export' | 'form';

const INTERVALS: Readonly<Record<FrequencyType, readonly number[]>> = {
  hourly: [1, 2, 4, 6, 8, 12, 24],
  daily: [1],
  weekly: range(7),
  monthly: [...range(28), LAST_DAY],
  yearly: range(12),
};
const LEAST_DAYS: Readonly<Record<FrequencyType, number>> = { hourly: 1, daily: 1, weekly: 7, monthly: 31, yearly: 31 };
/** Of these there is one item at most. */
const SINGLE: readonly FrequencyType[] = ['hourly', 'daily'];
const DEFAULT_WINDOW_DAYS = 7;

function range(most: number): readonly number[] {
  return Array.from({ length: most }, (_, index) => index + 1);
}

/** The same for ever, so that a cluster without a row has it too. */
export function policyIdOf(clusterId: string): string {
  return derivedId(`schedule ${clusterId}`);
}

/** Nothing is taken; the reference time is `now`'s. */
export function emptySchedule(clusterId: string, now: Date): SnapshotSchedule {
  return {
    clusterId, policyId: policyIdOf(clusterId), items: [], referenceHour: now.getUTCHours(), referenceMinute: now.getUTCMinutes(),
    restoreWindowDays: DEFAULT_WINDOW_DAYS, extraDays: {}, forms: {}, export: null,
  };
}

/** What Atlas gives a new cluster, as recorded. */
export function defaultSchedule(clusterId: string, now: Date, newItemId: () => string): SnapshotSchedule {
  const item = (frequencyType: FrequencyType, frequencyInterval: number, retentionValue: number, retentionUnit: PolicyItem['retentionUnit']): PolicyItem =>
    ({ id: newItemId(), frequencyType, frequencyInterval, retentionUnit, retentionValue });
  return {
    ...emptySchedule(clusterId, now),
    items: [item('hourly', 6, 7, 'days'), item('daily', 1, 7, 'days'), item('weekly', 6, 4, 'weeks'), item('monthly', LAST_DAY, 12, 'months'), item('yearly', 12, 1, 'years')],
  };
}

/** Items with the days that are added to them: what a snapshot keeps. */
export function keptItems({ extraDays }: Pick<SnapshotSchedule, 'extraDays'>, items: readonly PolicyItem[]): readonly KeptItem[] {
  return items.map((item) => ({ ...item, extraDays: extraDays[item.frequencyType] ?? 0 }));
}

/** @throws SCHEDULE_INVALID, details {rule, reason, value, frequencyType}: the first rule that is broken */
export function checkSchedule(schedule: SnapshotSchedule): void {
  const { items, referenceHour, referenceMinute, restoreWindowDays, extraDays } = schedule;
  if (!isWithin(referenceHour, 0, 23)) throw broken('referenceHour', 'the reference hour is 0 to 23', referenceHour);
  if (!isWithin(referenceMinute, 0, 59)) throw broken('referenceMinute', 'the reference minute is 0 to 59', referenceMinute);
  if (!isWithin(restoreWindowDays, 1, MOST_RETENTION_DAYS)) throw broken('restoreWindow', `the restore window is 1 to ${MOST_RETENTION_DAYS} days`, restoreWindowDays);
  for (const days of Object.values(extraDays)) if (!isWithin(days, 0, MOST_RETENTION_DAYS)) throw broken('extraDays', `extra retention is 0 to ${MOST_RETENTION_DAYS} days`, days);
  for (const item of items) checkItem(item);
  refuseTwins(items);
  refuseShorter(items);
}

function checkItem(item: PolicyItem): void {
  const { frequencyType, frequencyInterval, retentionValue, retentionUnit } = item;
  const intervals = INTERVALS[frequencyType];
  if (!intervals.includes(frequencyInterval)) throw broken('interval', `the interval of ${article(frequencyType)} item is one of ${intervals.join(', ')}`, frequencyInterval);
  // Before months are counted: their number would be.
  const days = isWithin(retentionValue, 1, MOST_RETENTION_DAYS) ? longestDays(item) : 0;
  if (!isWithin(days, 1, MOST_RETENTION_DAYS)) throw broken('retention', `retention is 1 to ${MOST_RETENTION_DAYS} days`, retentionValue, frequencyType);
  if (days < LEAST_DAYS[frequencyType]) throw broken('retention', `${article(frequencyType)} item keeps at least ${LEAST_DAYS[frequencyType]} days, not ${retentionValue} ${retentionUnit}`, retentionValue, frequencyType);
}

function refuseTwins(items: readonly PolicyItem[]): void {
  const seen = new Set<string>();
  for (const { id, frequencyType, frequencyInterval } of items) {
    const key = SINGLE.includes(frequencyType) ? frequencyType : `${frequencyType} ${frequencyInterval}`;
    if (seen.has(key) || seen.has(id)) throw broken('twice', `there are two items of ${key}`, frequencyInterval);
    seen.add(key).add(id);
  }
}

/** A less frequent item keeps at least as long as every more frequent one. */
function refuseShorter(items: readonly PolicyItem[]): void {
  for (const less of items) {
    for (const more of items) {
      if (FREQUENCIES.indexOf(less.frequencyType) <= FREQUENCIES.indexOf(more.frequencyType) || longestDays(less) >= longestDays(more)) continue;
      throw broken('order', `the ${less.frequencyType} item keeps ${less.retentionValue} ${less.retentionUnit}, shorter than the ${more.frequencyType} one with ${more.retentionValue} ${more.retentionUnit}`, less.retentionValue, less.frequencyType);
    }
  }
}

function article(frequency: FrequencyType): string {
  return frequency === 'hourly' ? `an ${frequency}` : `a ${frequency}`;
}

function isWithin(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

/** @param reason continues "the schedule is refused: …" */
export function broken(rule: ScheduleRule, reason: string, value: unknown, frequencyType?: FrequencyType): LeafvaultError {
  return new LeafvaultError('SCHEDULE_INVALID', `Changing a schedule failed: ${reason}`, { details: { rule, reason, value, ...(frequencyType === undefined ? {} : { frequencyType }) } });
}
