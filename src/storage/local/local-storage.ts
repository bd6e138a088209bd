// A store in a local folder. An object appears under its name whole or not at all, by linking a
// finished, fsynced file; `link` refuses a taken name atomically, across processes.
import { open, rm, stat, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { throwIfAborted } from '../../foundation/abort.ts';
import { LeafvaultError } from '../../foundation/errors.ts';
import { assertObjectName } from '../object-name.ts';
import type { Storage } from '../storage.ts';
import { createFolders } from './folders.ts';
import { errnoOf, localError } from './local-error.ts';
import { listFiles } from './list-files.ts';
import { readRange } from './read-range.ts';
import { createTempFiles } from './temp-files.ts';
import { linkDurably, writeDurably } from './write-file.ts';

/** A store below `folder`, which is made by the first put. */
export function createLocalStorage(folder: string): Storage {
  const root = resolve(folder);
  const folders = createFolders(root);
  const temps = createTempFiles(root, folders);
  const pathOf = (name: string): string => {
    assertObjectName(name);
    return join(root, name);
  };

  return {
    address: `file:${root}`,
    conditionalPut: () => Promise.resolve(true),

    async put(name, bytes, options) {
      const path = pathOf(name);
      throwIfAborted(options?.signal);
      let temp: string | null = null;
      try {
        temp = await temps.reserve();
        await writeDurably(temp, bytes instanceof Uint8Array ? [bytes] : bytes, options?.signal);
        await folders.ensure(dirname(path));
        throwIfAborted(options?.signal);
        await linkDurably(temp, path, folders);
      } catch (cause) {
        if (options?.signal?.aborted === true && cause === options.signal.reason) throw cause;
        if (errnoOf(cause) === 'EEXIST') {
          throw new LeafvaultError('STORAGE_OBJECT_EXISTS', `Storing ${name} failed: it exists already`, { details: { name } });
        }
        throw localError('Storing', name, root, cause);
      } finally {
        // A leftover never shows in a listing; the next open of a later process sweeps it.
        if (temp !== null) await rm(temp, { force: true }).catch(() => undefined);
      }
    },

    async get(name, range, options) {
      const path = pathOf(name);
      throwIfAborted(options?.signal);
      try {
        await using file = await open(path, 'r');
        return await readRange(file, name, range, options?.signal);
      } catch (cause) {
        if (cause instanceof LeafvaultError || (options?.signal?.aborted === true && cause === options.signal.reason)) throw cause;
        if (isMissing(cause)) {
          throw new LeafvaultError('STORAGE_OBJECT_MISSING', `Reading ${name} failed: there is no such object`, { details: { name } });
        }
        throw localError('Reading', name, root, cause);
      }
    },

    async stat(name) {
      try {
        const found = await stat(pathOf(name));
        return found.isFile() ? { name, sizeBytes: found.size } : null;
      } catch (cause) {
        if (isMissing(cause)) return null;
        throw cause instanceof LeafvaultError ? cause : localError('Looking up', name, root, cause);
      }
    },

    list: (prefix) => listFiles(root, prefix),

    async delete(name) {
      const path = pathOf(name);
      try {
        await unlink(path);
        await folders.sync(dirname(path));
      } catch (cause) {
        if (!isMissing(cause)) throw localError('Deleting', name, root, cause);
      }
    },

    async close() {
      await temps.close();
    },
  };
}

function isMissing(cause: unknown): boolean {
  const code = errnoOf(cause);
  return code === 'ENOENT' || code === 'ENOTDIR';
}
