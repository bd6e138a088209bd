// What a download of a snapshot holds, unpacked.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { streamArchive, TOP_FOLDER } from '../../src/engine/archive/index.ts';
import type { Repository, SnapshotRoot } from '../../src/repository/repository.ts';

/** Of everything that the snapshot holds. @returns the folder of the dump, below `folder` */
export async function unpackArchive(repository: Repository, root: SnapshotRoot, folder: string): Promise<string> {
  const reader = await repository.openReader();
  const archive = streamArchive({
    reader, root, hashSeed: repository.hashSeed, selection: { databases: [], collections: [], renames: [] }, tempDir: folder, signal: new AbortController().signal,
  });
  await pipeline(archive, createWriteStream(join(folder, 'a.tar.gz')));
  await promisify(execFile)('tar', ['xzf', 'a.tar.gz'], { cwd: folder });
  await reader.close();
  return join(folder, TOP_FOLDER);
}

/** SHA-256 of each file below a folder, by its path in there, in order. */
export async function digests(folder: string): Promise<Record<string, string>> {
  const found: [string, string][] = [];
  for (const item of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(item.parentPath, item.name);
    if (item.isFile()) found.push([path.slice(folder.length + 1), createHash('sha256').update(await readFile(path)).digest('hex')]);
  }
  return Object.fromEntries(found.sort());
}
