// The home folder and the private folders below it.
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { LeafvaultError } from '../foundation/errors.ts';
import { makeFolder } from '../foundation/make-folder.ts';
import { isProcessAlive } from '../foundation/process-alive.ts';

export interface Home {
  readonly path: string;
  /** Files of jobs; each worker has a folder of its own below it. */
  readonly jobs: string;
  /** A folder of this process alone; gone after `close`. */
  readonly own: string;
  close(): Promise<void>;
}

/** Makes what is missing and removes what processes of this machine left that are no more. @throws HOME_UNUSABLE */
export async function openHome(path: string): Promise<Home> {
  const temporary = join(path, 'tmp');
  const own = join(temporary, `${hostname()}-${process.pid}-${randomBytes(4).toString('hex')}`);
  const jobs = join(temporary, 'jobs');
  try {
    await makeFolder(jobs);
    await removeLeftOvers(temporary);
    await mkdir(own, { mode: 0o700 });
  } catch (cause) {
    throw new LeafvaultError('HOME_UNUSABLE', `Using the home folder ${path} failed`, { cause, hint: 'Choose a folder that this user may write to, with --home or LEAFVAULT_HOME' });
  }
  return { path, jobs, own, close: () => rm(own, { recursive: true, force: true }) };
}

async function removeLeftOvers(folder: string): Promise<void> {
  const prefix = `${hostname()}-`;
  for (const name of await readdir(folder)) {
    const pid = name.startsWith(prefix) ? Number(/^(\d+)-[0-9a-f]+$/.exec(name.slice(prefix.length))?.[1]) : Number.NaN;
    if (Number.isInteger(pid) && !isProcessAlive(pid)) await rm(join(folder, name), { recursive: true, force: true });
  }
}
