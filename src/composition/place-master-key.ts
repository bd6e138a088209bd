// Writes a master key that somebody has in hand into the file that a start reads.
import { LeafvaultError } from '../foundation/errors.ts';
import { loadMasterKey, masterKeyOf, readKey, writeKey, type MasterKey } from './master-key.ts';

/**
 * Mode 0600, whole and durable or not there at all. A file that is there is never written over.
 * @throws RESCUE_KEY_OTHER where it holds another key; what `loadMasterKey` throws
 */
export async function placeMasterKey(path: string, bytes: Uint8Array): Promise<MasterKey> {
  const found = await readKey(path);
  if (found !== null) return sameOrRefuse(found, bytes, path);
  await writeKey(path, masterKeyOf(bytes));
  return sameOrRefuse(await loadMasterKey(path, { make: false }), bytes, path);
}

/** @throws RESCUE_KEY_OTHER where a file with another key is there already */
export async function refuseOtherKey(path: string, bytes: Uint8Array): Promise<void> {
  const found = await readKey(path);
  if (found !== null) sameOrRefuse(found, bytes, path);
}

function sameOrRefuse(found: MasterKey, bytes: Uint8Array, path: string): MasterKey {
  if (Buffer.compare(found.bytes, bytes) === 0) return found;
  throw new LeafvaultError('RESCUE_KEY_OTHER', `Writing the master key was refused: ${path} holds another one`, { hint: 'Choose an empty home with --home, or another file with --master-key-file' });
}
