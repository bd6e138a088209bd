// Where objects are written before they get their name. Names carry host and process, so that what a
// dead process left can be told from what a living one is writing.
import { createHash, randomBytes } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { isProcessAlive } from '../../foundation/process-alive.ts';
import type { Folders } from './folders.ts';

/** Not a legal segment of an object name, so it never collides and never lists. */
export const TEMP_FOLDER = '~tmp';

export interface TempFiles {
  /** A fresh path in the same file system as the objects. */
  reserve(): Promise<string>;
  close(): Promise<void>;
}

export function createTempFiles(root: string, folders: Folders): TempFiles {
  const folder = join(root, TEMP_FOLDER);
  const host = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);
  let swept: Promise<void> | null = null;
  return {
    async reserve() {
      await folders.ensure(folder);
      swept ??= sweep(folder, host);
      return join(folder, `${host}-${process.pid}-${randomBytes(9).toString('hex')}`);
    },
    async close() {
      await swept;
    },
  };
}

/** Removes what dead processes of this host left. A file of another host, or of a reused pid, stays a little longer. */
async function sweep(folder: string, host: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const [owner, pid] = name.split('-');
    if (owner === host && isDead(Number(pid))) await rm(join(folder, name), { force: true }).catch(() => undefined);
  }
}

function isDead(pid: number): boolean {
  return Number.isInteger(pid) && pid > 0 && !isProcessAlive(pid);
}
