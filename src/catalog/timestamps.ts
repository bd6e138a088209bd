// timestamptz as PostgreSQL sends it to a session in UTC: `2026-11-22 17:43:07.123456+00`. The client's own parser
// takes every format and 1.8 µs; a page of 500 snapshots holds 3,500 of them.

const FORM = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?\+00$/;
const ZERO = 48;
const POINT = 46;

/** Cut to milliseconds. `otherwise` takes what is written in another way (years beyond 9999, infinity). */
export function parseTimestamp<T>(text: string, otherwise: (text: string) => T): Date | T {
  if (!FORM.test(text)) return otherwise(text);
  const two = (index: number): number => text.charCodeAt(index) * 10 + text.charCodeAt(index + 1) - ZERO * 11;
  // Trailing zeros are not sent: `.5` is 500 milliseconds.
  const milliseconds = text.charCodeAt(19) === POINT ? Number(text.slice(20, -3).slice(0, 3).padEnd(3, '0')) : 0;
  const year = two(0) * 100 + two(2);
  // Date.UTC takes years below 100 for the 20th century.
  return year < 100 ? otherwise(text) : new Date(Date.UTC(year, two(5) - 1, two(8), two(11), two(14), two(17), milliseconds));
}
