// A temp folder in memory for the servers of a test run: they wait for the disk at each commit, and what they write is thrown away.
import { chmod, mkdtemp, readdir, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { availableMemory } from 'node:process';
import { isProcessAlive } from '../../src/foundation/process-alive.ts';

const TMPFS = 0x0102_1994;
const PREFIX = 'leafvault-tests-';

export interface MemoryFolderOptions {
  /** A file system in memory, where the platform has one. */
  readonly root?: string;
  /** What has to be free, of the file system and of the memory. */
  readonly neededBytes: number;
}

/**
 * A fresh folder of this process below `root`, or null where that is no file system in memory or has too little room.
 * Folders that killed runs left there are removed: they would hold memory for ever.
 */
export async function makeMemoryFolder({ root = '/dev/shm', neededBytes }: MemoryFolderOptions): Promise<string | null> {
  const system = await statfs(root).catch(() => null);
  if (system === null || system.type !== TMPFS) return null;
  await removeAbandoned(root);
  const { bavail, bsize } = await statfs(root);
  if (Math.min(bavail * bsize, availableMemory()) < neededBytes) return null;
  const folder = await mkdtemp(join(root, `${PREFIX}${process.pid}-`)).catch(() => null);
  // As a temp folder is: a server may run as another user.
  if (folder !== null) await chmod(folder, 0o1777);
  return folder;
}

async function removeAbandoned(root: string): Promise<void> {
  for (const name of await readdir(root)) {
    if (!name.startsWith(PREFIX)) continue;
    const pid = Number(name.slice(PREFIX.length).split('-')[0]);
    if (pid > 0 && !isProcessAlive(pid)) await rm(join(root, name), { recursive: true, force: true }).catch(() => undefined);
  }
}
