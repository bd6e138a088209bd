// The customer's pages as example bodies (test/fixtures/pages), and the names in them to compare answers with.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** An example body of a page, by the name of its file. */
export function pageExample(name: string): Record<string, unknown> {
  return JSON.parse(readFileSync(join(import.meta.dirname, '../fixtures/pages', `${name}.json`), 'utf8')) as Record<string, unknown>;
}

/** Every name of a body as a path, elements of arrays under `[]`: `results[].links[].href`. */
export function keyPaths(value: unknown, at = ''): string[] {
  if (Array.isArray(value)) return [...new Set(value.flatMap((each) => keyPaths(each, `${at}[]`)))];
  if (value === null || typeof value !== 'object') return [];
  const dot = at === '' ? '' : `${at}.`;
  return [...new Set(Object.entries(value).flatMap(([name, each]) => [`${dot}${name}`, ...keyPaths(each, `${dot}${name}`)]))];
}
