// Times as the wire has them.

const DAY_SECONDS = 86_400;
const TWO_DIGITS = Array.from({ length: 60 }, (_, n) => String(n).padStart(2, '0'));
/** Lists tell thousands of times, of few days: their texts are kept. */
const days = new Map<number, string>();
const MOST_DAYS = 1_000;

/** `2026-01-01T00:00:00Z`: UTC, whole seconds. @throws RangeError for no time at all */
export function isoSeconds(date: Date): string {
  const seconds = Math.floor(date.getTime() / 1000);
  const day = Math.floor(seconds / DAY_SECONDS);
  const rest = seconds - day * DAY_SECONDS;
  return `${days.get(day) ?? textOfDay(day, date)}T${TWO_DIGITS[Math.floor(rest / 3600)]}:${TWO_DIGITS[Math.floor(rest / 60) % 60]}:${TWO_DIGITS[rest % 60]}Z`;
}

function textOfDay(day: number, date: Date): string {
  const text = date.toISOString().split('T')[0] ?? '';
  if (days.size >= MOST_DAYS) days.clear();
  days.set(day, text);
  return text;
}

/** The same, or `undefined` so that the member is left out. */
export function isoSecondsOrUnset(date: Date | null): string | undefined {
  return date === null ? undefined : isoSeconds(date);
}

/** `2024-08-05` as the vendor writes it in `Deprecation` and `Sunset`: `Mon, 5 Aug 2024 00:00:00 GMT`, the day not padded. */
export function httpDay(day: string): string {
  return new Date(`${day}T00:00:00Z`).toUTCString().replace(/, 0/, ', ');
}
