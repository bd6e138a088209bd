// Whether repository and master key would be lost together.
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** True when both lie on one file system; false as well when either cannot be looked at. */
export async function onSameFileSystem(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([deviceOf(one), deviceOf(other)]);
  return a !== null && a === b;
}

/** Device of the path, or of its nearest folder that exists. */
async function deviceOf(path: string): Promise<number | null> {
  for (let at = path; ; at = dirname(at)) {
    const found = await stat(at).catch(() => null);
    if (found !== null) return found.dev;
    if (dirname(at) === at) return null;
  }
}
