// PostgreSQL's own record of the running server, `postmaster.pid` in the data folder: where the address of the
// server stands in the home.
import { randomBytes } from 'node:crypto';
import { link, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  /** Empty in the first moments of a start. */
  readonly socketFolder: string;
  readonly ready: boolean;
}

/** null: no server says that it runs. */
export async function readPostmaster(dataFolder: string): Promise<Postmaster | null> {
  const text = await readFile(join(dataFolder, 'postmaster.pid'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return null;
  const [pid, , , port, socketFolder, , , status] = text.split('\n');
  return { pid: Number(pid), port: Number(port), socketFolder: socketFolder?.trim() ?? '', ready: status?.trim() === 'ready' };
}

/**
 * Whether the process of this id may be that server. A process that ended and was not collected by its parent
 * still answers to signals, and an id is used again after a restart of the machine or container: PostgreSQL itself
 * would refuse to start for both.
 */
export async function isServerAlive(pid: number): Promise<boolean> {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch {
    // Also without the right to signal it: then it is another user's, and the server is not.
    return false;
  }
  if (process.platform !== 'linux') return true;
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  if (stat === null) return false;
  const [, name, state] = /\((.*)\) (\S)/s.exec(stat) ?? [];
  return name === 'postgres' && state !== 'Z' && state !== 'X';
}

/**
 * Forgets a server that is gone. Between the look and the removal another process may have started one, so the
 * record is taken aside, looked at again, and put back if it is not the one that was judged.
 */
export async function forgetPostmaster(dataFolder: string, gone: Postmaster): Promise<void> {
  const path = join(dataFolder, 'postmaster.pid');
  const aside = `${path}.${randomBytes(4).toString('hex')}`;
  try {
    await rename(path, aside);
  } catch {
    // Another process forgot it first.
    return;
  }
  const [pid] = (await readFile(aside, 'utf8')).split('\n');
  if (Number(pid) !== gone.pid) await link(aside, path).catch(() => undefined);
  await rm(aside, { force: true });
}
