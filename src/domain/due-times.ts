// When the items of a schedule are due. All in UTC: no day has 23 or 25 hours (docs/design/schedules.md, "Due").
import { daysOfMonth, type PolicyItem } from './retention.ts';
import { LAST_DAY, type SnapshotSchedule } from './schedule.ts';

/** One snapshot, for all items that are due in this minute. */
export interface DueTime { readonly at: Date; readonly items: readonly PolicyItem[] }

type Timing = Pick<SnapshotSchedule, 'items' | 'referenceHour' | 'referenceMinute'>;

const HOUR_MS = 3_600_000;
const HOURS_OF_DAY = 24;
const DAY_MS = HOURS_OF_DAY * HOUR_MS;
/** Longer than any item waits: one of a month that has just begun. */
const LONGEST_WAIT_MS = 367 * DAY_MS;

/** Behind `after`, up to and with `until`, oldest first. */
export function* dueTimes(schedule: Timing, after: Date, until: Date): Generator<DueTime> {
  const { items } = schedule;
  if (items.length === 0) return;
  const step = stepHours(items) * HOUR_MS;
  const anchor = referenceBefore(schedule, after);
  const first = anchor + (Math.floor((after.getTime() - anchor) / step) + 1) * step;
  for (let time = first; time <= until.getTime(); time += step) {
    const hours = Math.round((time - anchor) / HOUR_MS) % HOURS_OF_DAY;
    const at = new Date(time);
    const due = items.filter((item) => isDue(item, hours, at));
    if (due.length > 0) yield { at, items: due };
  }
}

/** The first one behind `after`; null where nothing is ever due. */
export function nextDue(schedule: Timing, after: Date): DueTime | null {
  const [next] = dueTimes(schedule, after, new Date(after.getTime() + LONGEST_WAIT_MS));
  return next ?? null;
}

/** The last reference time at or before. */
function referenceBefore({ referenceHour, referenceMinute }: Timing, time: Date): number {
  const ofDay = Date.UTC(time.getUTCFullYear(), time.getUTCMonth(), time.getUTCDate(), referenceHour, referenceMinute);
  return ofDay <= time.getTime() ? ofDay : ofDay - DAY_MS;
}

/** Every interval of hours divides the day, so all of them meet at the reference hour. */
function stepHours(items: readonly PolicyItem[]): number {
  return items.filter(({ frequencyType }) => frequencyType === 'hourly').reduce((step, { frequencyInterval }) => commonDivisor(step, frequencyInterval), HOURS_OF_DAY);
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
}

/** @param hours since the reference time, 0 to 23 */
function isDue({ frequencyType, frequencyInterval }: PolicyItem, hours: number, at: Date): boolean {
  if (frequencyType === 'hourly') return hours % frequencyInterval === 0;
  if (hours !== 0) return false;
  switch (frequencyType) {
    case 'daily': return true;
    case 'weekly': return (at.getUTCDay() + 6) % 7 + 1 === frequencyInterval;
    case 'monthly': return at.getUTCDate() === dayOf(frequencyInterval, at);
    case 'yearly': return at.getUTCDate() === 1 && at.getUTCMonth() + 1 === frequencyInterval;
  }
}

function dayOf(interval: number, at: Date): number {
  return interval === LAST_DAY ? daysOfMonth(at.getUTCFullYear(), at.getUTCMonth()) : interval;
}
