// A folder that exports are written to. An object appears whole, by renaming a finished, fsynced file over what is there.
import { randomBytes } from 'node:crypto';
import { rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { throwIfAborted } from '../../foundation/abort.ts';
import { assertExportKey } from '../export-key.ts';
import type { ExportPlace, ExportStore } from '../export-store.ts';
import { createFolders } from './folders.ts';
import { errnoOf, localError } from './local-error.ts';
import { writeDurably } from './write-file.ts';

export function createLocalExportStore({ path, bucket }: Extract<ExportPlace, { kind: 'folder' }>): ExportStore {
  const root = resolve(path, bucket);
  const folders = createFolders(root);
  const fileOf = (key: string): string => {
    assertExportKey(key);
    return join(root, key);
  };
  return {
    address: `file:${root}`,
    region: null,
    async put(key, bytes, options) {
      const file = fileOf(key);
      const temp = join(dirname(file), `.${randomBytes(8).toString('hex')}.part`);
      try {
        await folders.ensure(dirname(file));
        await writeDurably(temp, [bytes], options?.signal);
        throwIfAborted(options?.signal);
        await rename(temp, file);
        await folders.sync(dirname(file));
      } catch (cause) {
        await rm(temp, { force: true }).catch(() => undefined);
        if (options?.signal?.aborted === true && cause === options.signal.reason) throw cause;
        throw localError('Exporting', key, root, cause);
      }
    },
    async has(key) {
      try {
        return (await stat(fileOf(key))).isFile();
      } catch (cause) {
        if (errnoOf(cause) === 'ENOENT' || errnoOf(cause) === 'ENOTDIR') return false;
        throw localError('Looking up', key, root, cause);
      }
    },
    close: () => Promise.resolve(),
  };
}
