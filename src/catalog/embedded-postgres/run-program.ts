// Runs a program of PostgreSQL on a data folder, as the server's account. A folder below one that only root may
// enter (/root/…) is handed over as an open file: the account can't walk there, but may use what it was given.
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { LeafvaultError } from '../../foundation/errors.ts';
import type { Account } from './account.ts';

export interface ProgramPlace {
  /** The data folder: `-D`. */
  readonly folder: string;
  readonly account: Account | null;
  /** Whether the account can walk to the folder. */
  readonly reachable: boolean;
}

/** Where a handed-over folder appears to the program and its children. */
export const HANDED_OVER = '/proc/self/fd/3';

/** @throws CATALOG_HOME_UNUSABLE when the folder can neither be reached nor handed over */
export function startProgram(
  program: string, options: readonly string[], { folder, account, reachable }: ProgramPlace, output: 'pipe' | number,
): ChildProcess {
  const handle = reachable ? null : handOver(folder);
  try {
    const stdio: StdioOptions = ['ignore', output, output, ...(handle === null ? [] : [handle])];
    return spawn(program, ['-D', handle === null ? folder : HANDED_OVER, ...options], {
      ...(account ?? {}),
      stdio,
      cwd: '/',
      // A group of its own: Ctrl-C at the terminal is ours to handle, not the server's.
      detached: true,
      env: { PATH: '/usr/bin:/bin', LANG: 'C', LC_ALL: 'C', TZ: 'UTC' },
    });
  } finally {
    if (handle !== null) closeSync(handle);
  }
}

function handOver(folder: string): number {
  if (process.platform === 'linux') return openSync(folder, 'r');
  throw new LeafvaultError('CATALOG_HOME_UNUSABLE', `Starting the embedded PostgreSQL failed: its unprivileged user can't reach ${folder}`, {
    hint: 'Choose a home below folders that every user may enter, or start Leafvault as an ordinary user',
  });
}

/** Runs to the end; `output` is what it said on both channels. */
export function runProgram(program: string, options: readonly string[], place: ProgramPlace): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = startProgram(program, options, place, 'pipe');
  let output = '';
  child.stdout?.on('data', (part: Buffer) => { output += part.toString('utf8'); });
  child.stderr?.on('data', (part: Buffer) => { output += part.toString('utf8'); });
  return new Promise((resolve, reject) => {
    child.on('error', (cause) => reject(new LeafvaultError('CATALOG_SERVER_FAILED', `Running ${program} failed: ${cause.message}`, { cause })));
    child.on('close', (code) => resolve({ code, output }));
  });
}
