// Rows in columns, with lines of their own below each.

/**
 * @param rows the titles first
 * @param notes lines below row `at`, counted without the titles
 */
export function tableText(rows: readonly (readonly string[])[], notes: (at: number) => readonly string[] = () => []): string {
  const clean = rows.map((row) => row.map(plain));
  const widths = (clean[0] ?? []).map((_, column) => Math.max(...clean.map((row) => row[column]?.length ?? 0)));
  const lines = clean.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd());
  return lines.flatMap((line, at) => [line, ...(at === 0 ? [] : notes(at - 1))]).map((line) => `${line}\n`).join('');
}

/** `2026-03-01T12:00:00Z` */
export function secondsText(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, 'Z');
}

/** On one line, and no control characters: names of collections and words of servers can hold any. */
export function plain(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/\p{Cc}/gu, '\uFFFD');
}
