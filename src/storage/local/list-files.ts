// Streams the objects below a folder whose name begins with a prefix.
import { opendir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Dir } from 'node:fs';
import type { ObjectInfo } from '../storage.ts';
import { errnoOf, localError } from './local-error.ts';
import { TEMP_FOLDER } from './temp-files.ts';

export async function* listFiles(root: string, prefix: string): AsyncGenerator<ObjectInfo> {
  const slash = prefix.lastIndexOf('/');
  yield* walk(root, slash < 0 ? '' : prefix.slice(0, slash), prefix);
}

async function* walk(root: string, folder: string, prefix: string): AsyncGenerator<ObjectInfo> {
  const opened = await openFolder(root, folder);
  if (opened === null) return;
  for await (const item of opened) {
    if (item.name === TEMP_FOLDER) continue;
    const name = folder === '' ? item.name : `${folder}/${item.name}`;
    if (item.isDirectory()) {
      if (`${name}/`.startsWith(prefix) || prefix.startsWith(`${name}/`)) yield* walk(root, name, prefix);
    } else if (item.isFile() && name.startsWith(prefix)) {
      const sizeBytes = await sizeOf(root, name);
      if (sizeBytes !== null) yield { name, sizeBytes };
    }
  }
}

async function openFolder(root: string, folder: string): Promise<Dir | null> {
  try {
    return await opendir(join(root, folder));
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT' || errnoOf(cause) === 'ENOTDIR') return null;
    throw localError('Listing', folder === '' ? 'the store' : folder, root, cause);
  }
}

/** null for a file that was deleted while the listing ran. */
async function sizeOf(root: string, name: string): Promise<number | null> {
  try {
    return (await stat(join(root, name))).size;
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return null;
    throw localError('Listing', name, root, cause);
  }
}
