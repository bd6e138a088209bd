// Which Leafvault this is.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');
const UNKNOWN_COMMIT = '0'.repeat(40);

/** Version of package.json, and the commit of a checkout (zeros where there is none). */
export function leafvaultVersion(): { readonly text: string; readonly gitHash: string } {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { readonly version: string };
  return { text: version, gitHash: commitOf(ROOT) };
}

function commitOf(folder: string): string {
  try {
    const text = execFileSync('git', ['-C', folder, 'rev-parse', 'HEAD'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 2_000 }).trim();
    return /^[0-9a-f]{40}$/.test(text) ? text : UNKNOWN_COMMIT;
  } catch {
    return UNKNOWN_COMMIT;
  }
}
