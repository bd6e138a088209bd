// The two roles, asked of the program that needs them.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const MAIN = join(import.meta.dirname, '../../src/main.ts');

/** `createRole` commands, as `leafvault roles --json` prints them. */
export async function readRoles(): Promise<readonly Record<string, unknown>[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, 'roles', '--json']);
  return JSON.parse(stdout) as readonly Record<string, unknown>[];
}
