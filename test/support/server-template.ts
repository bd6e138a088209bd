// What a fresh server needs before its first use, made once for a whole test run and copied from then on: making the
// data folder and the tables costs a CPU second, a copy a tenth of it.
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Template {
  readonly name: string;
  /** Fills a fresh folder, which nothing uses when it resolves. */
  readonly make: (folder: string) => Promise<void>;
  /** What of that folder is the template. */
  readonly of: string;
  /** Holds the templates of the test run; without it, and on Windows, each server is made from nothing. */
  readonly folder?: string | undefined;
}

/**
 * Copies a template to `target`, which must not be there yet, with its owners and modes.
 * @returns false: there is none, or another process is at it
 */
export async function copyTemplate({ name, make, of, folder = process.env['LEAFVAULT_TEST_TEMPLATES'] }: Template, target: string): Promise<boolean> {
  if (!folder || process.platform === 'win32') return false;
  const template = join(folder, name);
  if (!(await isThere(template)) && !(await makeTemplate(folder, template, of, make))) return false;
  await run('cp', ['-a', template, target]);
  return true;
}

async function makeTemplate(folder: string, template: string, of: string, make: (folder: string) => Promise<void>): Promise<boolean> {
  // Whoever comes meanwhile is sooner done alone than by waiting.
  const first = await mkdir(`${template}.made`).then(() => true, () => false);
  if (!first) return false;
  const staging = await mkdtemp(join(folder, 'staging-'));
  try {
    // The account of a server may not be ours.
    await chmod(staging, 0o755);
    await make(staging);
    await rename(join(staging, of), template);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  return true;
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(() => true, () => false);
}
