// How long a snapshot is kept: by the calendar, in UTC, and never shorter than the words say (docs/design/schedules.md, "Retention").

/** Most frequent first. */
export const FREQUENCIES = ['hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const;
export type FrequencyType = (typeof FREQUENCIES)[number];

export const RETENTION_UNITS = ['days', 'weeks', 'months', 'years'] as const;
export type RetentionUnit = (typeof RETENTION_UNITS)[number];

export interface Retention {
  readonly retentionUnit: RetentionUnit;
  /** From 1 up. */
  readonly retentionValue: number;
}

/** One line of a schedule. */
export interface PolicyItem extends Retention {
  readonly id: string;
  readonly frequencyType: FrequencyType;
  /** Hours; the weekday from Monday = 1; the day of the month, or 40 for its last; the month. */
  readonly frequencyInterval: number;
}

/** An item as a snapshot keeps it, whatever becomes of the schedule. */
export interface KeptItem extends PolicyItem {
  /** Added to the retention. */
  readonly extraDays: number;
}

const DAY_MS = 86_400_000;
const MONTHS_OF_YEAR = 12;

/**
 * Days and weeks are 24 hours and seven times that; months and years go to the same day and time, or, where the month lacks
 * that day, to the first of the next.
 */
export function retainedUntil(from: Date, { retentionUnit, retentionValue }: Retention): Date {
  switch (retentionUnit) {
    case 'days': return new Date(from.getTime() + retentionValue * DAY_MS);
    case 'weeks': return new Date(from.getTime() + 7 * retentionValue * DAY_MS);
    case 'months': return addMonths(from, retentionValue);
    case 'years': return addMonths(from, MONTHS_OF_YEAR * retentionValue);
  }
}

function addMonths(from: Date, months: number): Date {
  const first = new Date(from);
  first.setUTCDate(1);
  first.setUTCMonth(first.getUTCMonth() + months);
  const day = from.getUTCDate();
  const isThere = day <= daysOfMonth(first.getUTCFullYear(), first.getUTCMonth());
  if (isThere) first.setUTCDate(day);
  else first.setUTCMonth(first.getUTCMonth() + 1);
  return first;
}

/** @param month from 0 */
export function daysOfMonth(year: number, month: number): number {
  return new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
}

/** The latest end of all items that a snapshot of this instant stands for. There has to be one. */
export function expiryOf(from: Date, items: readonly KeptItem[]): Date {
  return new Date(Math.max(...items.map((item) => retainedUntil(from, item).getTime() + item.extraDays * DAY_MS)));
}

/** The most days that they may be: of a snapshot that stands for them. There has to be one. */
export function daysKept(items: readonly KeptItem[]): number {
  return Math.max(...items.map((item) => longestDays(item) + item.extraDays));
}

/**
 * What a snapshot of `from` stands for, and until when, once items of its schedule have another retention. An end that was
 * longer than the items say stays, unless one of them is kept shorter now.
 *
 * @param changed items of the schedule with a new retention; others leave what the snapshot keeps as it is
 * @returns null: nothing of it changes
 */
export function renewed(
  { from, items, expiresAt }: { readonly from: Date; readonly items: readonly KeptItem[]; readonly expiresAt: Date }, changed: readonly KeptItem[],
): { readonly items: readonly KeptItem[]; readonly expiresAt: Date } | null {
  const news = changed.filter(({ id }) => items.some((item) => item.id === id));
  if (news.length === 0) return null;
  const isShorter = news.some((item) => expiryOf(from, [item]) < expiryOf(from, items.filter(({ id }) => id === item.id)));
  const joined = joinItems(items, news);
  const counted = expiryOf(from, joined);
  return { items: joined, expiresAt: isShorter || counted > expiresAt ? counted : expiresAt };
}

/** The least frequent of them: by that one a snapshot is named. */
export function frequencyOf(items: readonly Pick<PolicyItem, 'frequencyType'>[]): FrequencyType | null {
  return FREQUENCIES.findLast((frequency) => items.some(({ frequencyType }) => frequencyType === frequency)) ?? null;
}

/** Items of both, each once; of the same item the second counts. */
export function joinItems<Item extends PolicyItem>(first: readonly Item[], second: readonly Item[]): readonly Item[] {
  return [...new Map([...first, ...second].map((item) => [item.id, item])).values()];
}

/** The same, but of an item that is in both the one that keeps longer from this instant on: what was promised stays. */
export function joinLonger(first: readonly KeptItem[], second: readonly KeptItem[], from: Date): readonly KeptItem[] {
  return joinItems(first, second.filter((item) => first.every((each) => each.id !== item.id || expiryOf(from, [each]) <= expiryOf(from, [item]))));
}

/** The most days that it can be, wherever it begins: a month 31, a year 366. */
export function longestDays(retention: Retention): number {
  return Math.max(...lengthsInDays(retention));
}

/** The fewest: a month 28, a year 365. */
export function shortestDays(retention: Retention): number {
  return Math.min(...lengthsInDays(retention));
}

function lengthsInDays(retention: Retention): readonly number[] {
  if (retention.retentionUnit === 'days') return [retention.retentionValue];
  if (retention.retentionUnit === 'weeks') return [7 * retention.retentionValue];
  // Four years of first days meet every length that a run of months can have.
  const starts = Array.from({ length: 48 }, (_, month) => new Date(Date.UTC(2024, month, 1)));
  return starts.map((start) => Math.round((retainedUntil(start, retention).getTime() - start.getTime()) / DAY_MS));
}
