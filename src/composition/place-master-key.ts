// Writes a master key that somebody has in hand into the file that a start reads.
import { isLeafvaultError, LeafvaultError } from '../foundation/errors.ts';
import { link, open, rm } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { dirname } from 'node:path';
import { makeFolder } from '../foundation/make-folder.ts';
import { recoveryKeyOf } from '../services/index.ts';
import { loadMasterKey, type MasterKey } from './master-key.ts';

/**
 * Mode 0600, whole and durable or not there at all. A file that is there is never written over.
 * @throws RESCUE_KEY_OTHER where it holds another key; what `loadMasterKey` throws
 */
export async function placeMasterKey(path: string, bytes: Uint8Array): Promise<MasterKey> {
  const found = await existing(path);
  if (found !== null) return sameOrRefuse(found, bytes, path);
  const temporary = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    await makeFolder(dirname(path));
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(`${recoveryKeyOf(bytes)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await link(temporary, path);
    const folder = await open(dirname(path), 'r');
    await folder.sync().finally(() => folder.close());
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw new LeafvaultError('MASTER_KEY_UNREADABLE', `Writing the master key ${path} failed`, { cause, hint: 'Choose a home folder that this user may write to, with --home' });
    }
  } finally {
    await rm(temporary, { force: true });
  }
  return sameOrRefuse(await loadMasterKey(path, { make: false }), bytes, path);
}

/** @throws RESCUE_KEY_OTHER where a file with another key is there already */
export async function refuseOtherKey(path: string, bytes: Uint8Array): Promise<void> {
  const found = await existing(path);
  if (found !== null) sameOrRefuse(found, bytes, path);
}

async function existing(path: string): Promise<MasterKey | null> {
  return loadMasterKey(path, { make: false }).catch((error: unknown) => {
    if (isLeafvaultError(error, 'MASTER_KEY_UNREADABLE') && error.cause === undefined) return null;
    throw error;
  });
}

function sameOrRefuse(found: MasterKey, bytes: Uint8Array, path: string): MasterKey {
  if (Buffer.compare(found.bytes, bytes) === 0) return found;
  throw new LeafvaultError('RESCUE_KEY_OTHER', `Writing the master key was refused: ${path} holds another one`, { hint: 'Choose an empty home with --home, or another file with --master-key-file' });
}
