// Commvault's patterns of a schedule and items of the one schedule of a cluster (docs/design/schedules.md). What an item can't say is refused by name.
import type { z } from 'zod';
import { LAST_DAY, type SnapshotSchedule } from '../../../../domain/schedule.ts';
import { FREQUENCIES, type FrequencyType, type PolicyItem } from '../../../../domain/retention.ts';
import { unsupported } from '../errors.ts';
import type { patternBody } from '../schemas.ts';
import { requireUtc } from '../time-text.ts';
import { TIME_ZONE } from '../tree/present-tree.ts';

type Pattern = z.infer<typeof patternBody>;
export type Frequency = Pick<PolicyItem, 'frequencyType' | 'frequencyInterval'>;

export interface Times {
  /** Each is an item. */
  readonly items: readonly Frequency[];
  readonly referenceHour: number;
  readonly referenceMinute: number;
}

const HOUR_SECONDS = 3600;
/** A day that is repeated in ends at its last minute at the latest. */
const LAST_MINUTE_SECONDS = 86_340;
/** Bits from Sunday on; ours begin with Monday as 1. */
const SUNDAY = 7;
const [DAILY, WEEKLY, MONTHLY, MONTHLY_RELATIVE, YEARLY] = ['4', '8', '16', '32', '64'] as const;
const WORDS: Readonly<Record<string, string>> = { daily: DAILY, weekly: WEEKLY, monthly: MONTHLY, monthly_relative: MONTHLY_RELATIVE, yearly: YEARLY };
/** "last" "day" of a relative pattern. */
const LAST = 5;
const ANY_DAY = 8;

/** @throws TASK_UNSUPPORTED: what of the pattern no item can say */
export function parsePattern(pattern: Pattern): Times {
  const { active_start_time: start = 0, timeZone, active_end_date: endDate = 0, active_end_occurence: occurrences = 0, repeatPattern = [] } = pattern;
  requireUtc(timeZone?.TimeZoneName, 'A schedule');
  if (endDate > 0 || occurrences > 0) throw unsupported('A schedule that ends by itself');
  if (repeatPattern.length > 0) throw unsupported('A schedule with exceptions');
  if (start % 60 !== 0) throw unsupported('A schedule to the second');
  return { items: itemsOf(pattern), referenceHour: Math.floor(start / HOUR_SECONDS), referenceMinute: Math.floor(start / 60) % 60 };
}

function itemsOf(pattern: Pattern): readonly Frequency[] {
  const { freq_type: type, freq_interval: interval = 0, freq_recurrence_factor: every = 1, freq_relative_interval: relative = 0, freq_subday_interval: subday = 0 } = pattern;
  const word = String(type).toLowerCase();
  const kind = WORDS[word] ?? word;
  if (subday > 0 && kind !== DAILY) throw unsupported('A pattern that repeats within chosen days');
  if (kind !== YEARLY && every > 1) throw unsupported(`A pattern of every ${every}th time`);
  switch (kind) {
    case DAILY: return [subday > 0 ? hourly(pattern, subday) : { frequencyType: 'daily', frequencyInterval: 1 }];
    case WEEKLY: return weekdays(interval);
    case MONTHLY: return [{ frequencyType: 'monthly', frequencyInterval: interval }];
    case MONTHLY_RELATIVE:
      if (relative === LAST && interval === ANY_DAY) return [{ frequencyType: 'monthly', frequencyInterval: LAST_DAY }];
      throw unsupported('A day of the month that is not counted from its first, nor its last,');
    case YEARLY:
      if (interval !== 1) throw unsupported('A yearly pattern on another day than the first of a month');
      return [{ frequencyType: 'yearly', frequencyInterval: every }];
    default: throw unsupported(`A pattern of the type ${word}`);
  }
}

function hourly({ active_end_time: end = 0, active_start_time: start = 0 }: Pattern, subday: number): Frequency {
  const hours = subday / HOUR_SECONDS;
  // Ours goes on through the night: a day that ends early is another thing.
  if (end > 0 && end < LAST_MINUTE_SECONDS && end !== start) throw unsupported('A pattern that repeats in a part of the day');
  if (!Number.isInteger(hours)) throw unsupported('A pattern that repeats in other steps than whole hours');
  return { frequencyType: 'hourly', frequencyInterval: hours };
}

function weekdays(bits: number): readonly Frequency[] {
  const days = Array.from({ length: 7 }, (_, bit) => bit).filter((bit) => (bits & (1 << bit)) !== 0);
  if (days.length === 0 || bits >= 128) throw unsupported('A weekly pattern without days');
  return days.map((bit) => ({ frequencyType: 'weekly' as const, frequencyInterval: bit === 0 ? SUNDAY : bit }));
}

export function presentPattern({ frequencyType, frequencyInterval }: Frequency, { referenceHour, referenceMinute }: Pick<SnapshotSchedule, 'referenceHour' | 'referenceMinute'>): object {
  const common = { active_start_time: referenceHour * HOUR_SECONDS + referenceMinute * 60, freq_recurrence_factor: 1, freq_interval: 0, freq_relative_interval: 0, timeZone: TIME_ZONE };
  switch (frequencyType) {
    case 'hourly': return { ...common, freq_type: Number(DAILY), freq_subday_interval: frequencyInterval * HOUR_SECONDS, active_end_time: LAST_MINUTE_SECONDS };
    case 'daily': return { ...common, freq_type: Number(DAILY) };
    case 'weekly': return { ...common, freq_type: Number(WEEKLY), freq_interval: 1 << (frequencyInterval % SUNDAY) };
    case 'monthly': return frequencyInterval === LAST_DAY
      ? { ...common, freq_type: Number(MONTHLY_RELATIVE), freq_interval: ANY_DAY, freq_relative_interval: LAST }
      : { ...common, freq_type: Number(MONTHLY), freq_interval: frequencyInterval };
    case 'yearly': return { ...common, freq_type: Number(YEARLY), freq_interval: 1, freq_recurrence_factor: frequencyInterval };
  }
}

/** In the order in which a schedule's items are compared. */
export function rankOf(frequencyType: FrequencyType): number {
  return FREQUENCIES.indexOf(frequencyType);
}
