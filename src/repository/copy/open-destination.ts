// Whether a store may be written to as a copy of this repository. Everything here is asked before a byte is put.
import { LeafvaultError } from '../../foundation/errors.ts';
import type { Storage } from '../../storage/index.ts';
import { parseCopyFile } from '../format/copy-file.ts';
import { COPY_FILE, KEYS, REPOSITORY_FILE, sessionName, SESSIONS } from '../format/names.ts';
import { parseRepositoryFile } from '../format/repository-file.ts';
import { readObjectIfAny } from '../read-object.ts';

/**
 * @param sourceSession id of a session that is open in the source: found here, too, both are one store
 * @returns whether it is a copy already; else it is empty, but for what a copier left that was struck at its first steps
 * @throws REPOSITORY_COPY_REFUSED
 */
export async function examineDestination(to: Storage, repositoryId: string, sourceSession: string): Promise<{ readonly isCopy: boolean }> {
  if ((await to.stat(sessionName(sourceSession))) !== null) throw refused(to, 'it is the store that is to be copied', 'Name another store');
  const mark = await readObjectIfAny(to, COPY_FILE);
  const descriptor = await readObjectIfAny(to, REPOSITORY_FILE);
  const other = 'it holds another repository';
  if (descriptor !== null && parseRepositoryFile(descriptor).id !== repositoryId) throw refused(to, other, 'Name an empty place; each repository has copies of its own');
  if (mark !== null && parseCopyFile(mark) !== repositoryId) throw refused(to, other, 'Name an empty place; each repository has copies of its own');
  if (mark !== null) return { isCopy: true };
  if (descriptor !== null) {
    throw refused(to, 'the repository in it is no copy: it was taken into use, or is the one that others were copied from', 'Are the two addresses swapped? To begin a copy anew, name an empty place');
  }
  for await (const { name } of to.list('')) {
    // A bucket is asked once what it can, by an object of its own.
    if (![KEYS, SESSIONS, 'probe-'].some((prefix) => name.startsWith(prefix))) throw refused(to, `it is not empty (${name})`, 'Name an empty place, or a folder of its own: file:<folder>/<name>, s3://<bucket>/<prefix>');
  }
  return { isCopy: false };
}

export function refused({ address }: Pick<Storage, 'address'>, why: string, hint: string): LeafvaultError {
  return new LeafvaultError('REPOSITORY_COPY_REFUSED', `Copying to ${address} was refused: ${why}`, { hint });
}
