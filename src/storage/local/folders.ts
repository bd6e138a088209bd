// Makes folders so that they survive a power cut: each parent is fsynced once before it is relied on.
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf } from './local-error.ts';

export interface Folders {
  /** Resolves when `path` exists and its name is durable in its parent. */
  ensure(path: string): Promise<void>;
  /** Makes the names inside `path` durable. */
  sync(path: string): Promise<void>;
}

/** @param root absolute; folders above it are made too when they are missing */
export function createFolders(root: string): Folders {
  // At most some hundred entries: the repository has 256 pack folders and a handful of others.
  const known = new Map<string, Promise<void>>();

  const make = async (path: string): Promise<void> => {
    if (path !== root && path.startsWith(root)) await ensure(dirname(path));
    let created = true;
    try {
      await mkdir(path, { mode: 0o700 });
    } catch (cause) {
      if (errnoOf(cause) === 'ENOENT') {
        known.delete(dirname(path));
        // It was there: somebody took it away, or its disk. What is put now would lie below, on another one.
        if (path !== root && path.startsWith(root)) throw cause;
        await ensure(dirname(path));
        return make(path);
      }
      if (errnoOf(cause) !== 'EEXIST') throw cause;
      created = false;
    }
    // Another process may have made it a moment ago and not yet fsynced: so also for a folder that was there.
    if (created || path.startsWith(root)) await syncFolder(dirname(path), created);
  };

  const ensure = (path: string): Promise<void> => {
    let making = known.get(path);
    if (making === undefined) {
      making = make(path);
      known.set(path, making);
      making.catch(() => known.delete(path));
    }
    return making;
  };

  return { ensure, sync: (path) => syncFolder(path, true) };
}

async function syncFolder(path: string, needed: boolean): Promise<void> {
  // Windows has no handle on a folder; its file system journals names by itself.
  if (process.platform === 'win32') return;
  try {
    await using handle = await open(path, 'r');
    await handle.sync();
  } catch (cause) {
    // A parent that we may not read and did not change (`/srv` of root) was made durable by whoever owns it.
    if (!needed && errnoOf(cause) === 'EACCES') return;
    throw cause;
  }
}
