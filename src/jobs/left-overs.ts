// What dead workers leave: jobs that are still theirs on paper, and private folders.
import { readdir, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Catalog, LostJob, WorkerProcess } from '../catalog/index.ts';
import { endThrowaways } from '../engine/index.ts';
import { isDead } from './process-identity.ts';

// A worker says every second that it is there.
const SILENT_SECONDS = 600;
const OLD_MS = 3_600_000;

/** Takes jobs from leases that ran out and, without waiting for that, from dead processes of this machine. */
export async function takeFromDeadWorkers(catalog: Catalog, self: WorkerProcess, maxLosses: number): Promise<readonly LostJob[]> {
  const dead: string[] = [];
  for (const worker of await catalog.workers.list()) {
    if (worker.host === self.host && (await isDead(worker))) dead.push(worker.id);
  }
  const lost = await catalog.leases.giveUp({ deadOwners: dead, maxLosses });
  if (dead.length > 0) await catalog.workers.remove(dead);
  await catalog.workers.removeSilent(SILENT_SECONDS);
  return lost;
}

/** The private folder of a worker below `tempRoot`. */
export function workerFolder(tempRoot: string, workerId: string): string {
  return join(tempRoot, `worker-${workerId}`);
}

/**
 * Removes folders of workers that are registered no more; servers that still run on them end first. Those of another name are of a container that
 * was replaced, or of a machine on the same home: they go when they are old, for a worker makes its folder before it is registered.
 */
export async function removeOldFolders(catalog: Catalog, tempRoot: string, now: Date): Promise<void> {
  const known = new Set((await catalog.workers.list()).map(({ id }) => `worker-${id}`));
  for (const name of await readdir(tempRoot).catch(() => [])) {
    if (!name.startsWith('worker-') || known.has(name)) continue;
    if (name.startsWith(`worker-${hostname()}-`) || (await isOld(join(tempRoot, name), now))) {
      await endThrowaways(join(tempRoot, name)).catch(() => undefined);
      await rm(join(tempRoot, name), { recursive: true, force: true }).catch(() => undefined);
    }
  }
}

async function isOld(folder: string, now: Date): Promise<boolean> {
  return stat(folder).then(({ mtimeMs }) => now.getTime() - mtimeMs > OLD_MS, () => false);
}
