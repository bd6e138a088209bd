// The key of each pack, from the salt in its header; the last few thousand are remembered.
import type { Storage } from '../../storage/index.ts';
import { isLeafvaultError, LeafvaultError } from '../../foundation/errors.ts';
import { damaged } from '../format/damage.ts';
import type { RepositoryKeys } from '../format/keys.ts';
import { packName } from '../format/names.ts';
import { PACK_HEADER_BYTES, readPackHeader } from '../format/pack.ts';

export interface PackKeys {
  /** @throws REPOSITORY_OBJECT_MISSING, REPOSITORY_OBJECT_DAMAGED, REPOSITORY_FORMAT_NEWER */
  of(packId: string): Promise<Buffer>;
  /** From header bytes in hand. */
  fromHeader(packId: string, bytes: Buffer): Buffer;
}

const KEPT = 4096;

export function createPackKeys(storage: Storage, keys: RepositoryKeys): PackKeys {
  const known = new Map<string, Promise<Buffer>>();
  const remember = (packId: string, key: Promise<Buffer>): Promise<Buffer> => {
    known.set(packId, key);
    key.catch(() => known.delete(packId));
    for (const oldest of known.keys()) {
      if (known.size <= KEPT) break;
      known.delete(oldest);
    }
    return key;
  };
  const fromHeader = (packId: string, bytes: Buffer): Buffer => keys.packKey(readPackHeader(packId, bytes).salt);
  return {
    of: (packId) => known.get(packId) ?? remember(packId, readHeader(storage, packId).then((bytes) => fromHeader(packId, bytes))),
    fromHeader,
  };
}

async function readHeader(storage: Storage, packId: string): Promise<Buffer> {
  const name = packName(packId);
  try {
    return await storage.get(name, { offset: 0, length: PACK_HEADER_BYTES });
  } catch (cause) {
    if (isLeafvaultError(cause, 'STORAGE_RANGE_INVALID')) throw damaged(name, 'it is cut off', cause);
    if (!isLeafvaultError(cause, 'STORAGE_OBJECT_MISSING')) throw cause;
    throw new LeafvaultError('REPOSITORY_OBJECT_MISSING', `Reading ${name} failed: the store has no such object`, { cause, details: { object: name } });
  }
}
