// Times as the wire has them.

/** `2026-01-01T00:00:00Z`: UTC, whole seconds. */
export function isoSeconds(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}

/** The same, or `undefined` so that the member is left out. */
export function isoSecondsOrUnset(date: Date | null): string | undefined {
  return date === null ? undefined : isoSeconds(date);
}

/** `2024-08-05` as the vendor writes it in `Deprecation` and `Sunset`: `Mon, 5 Aug 2024 00:00:00 GMT`, the day not padded. */
export function httpDay(day: string): string {
  return new Date(`${day}T00:00:00Z`).toUTCString().replace(/, 0/, ', ');
}
