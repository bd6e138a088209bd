// Makes a new repository: the key slot first, `repository.json` last, so that a crash leaves either none or
// a whole one.
import { randomBytes } from 'node:crypto';
import { systemClock, type Clock } from '../foundation/clock.ts';
import { isLeafvaultError, LeafvaultError } from '../foundation/errors.ts';
import { newId } from '../foundation/ids.ts';
import type { Storage } from '../storage/index.ts';
import { makeKeySlot } from './format/key-slot.ts';
import { CATALOG, keyName, OPLOG, PACKS, REPOSITORY_FILE, SNAPSHOTS } from './format/names.ts';
import { makeRepositoryFile } from './format/repository-file.ts';
import { assertMasterKey } from './master-key.ts';
import { prepareStorage } from './prepare-storage.ts';

export interface InitOptions {
  readonly storage: Storage;
  /** 32 bytes; without it nothing in the repository can ever be read again. */
  readonly masterKey: Uint8Array;
  readonly clock?: Clock;
}

/**
 * @returns the new repository's id
 * @throws REPOSITORY_EXISTS; REPOSITORY_OBJECT_MISSING where packs, snapshots, chains or dumps stand without a `repository.json`
 */
export async function initRepository({ storage: plainStorage, masterKey, clock = systemClock }: InitOptions): Promise<{ readonly id: string }> {
  assertMasterKey(masterKey);
  const storage = prepareStorage(plainStorage);
  if ((await storage.stat(REPOSITORY_FILE)) !== null) throw existing(storage.address);
  await refuseOrphans(storage);
  const now = clock.now();
  const file = makeRepositoryFile(newId(now), now.toISOString());
  const slotId = newId(now);
  await storage.put(keyName(slotId), makeKeySlot(file, { id: slotId, createdAt: now.toISOString() }, { masterKey, repositoryKey: randomBytes(32) }));
  try {
    await storage.put(REPOSITORY_FILE, file.bytes);
  } catch (cause) {
    if (isLeafvaultError(cause, 'STORAGE_OBJECT_EXISTS')) throw existing(storage.address, cause);
    throw cause;
  }
  return { id: file.id };
}

/** A lost `repository.json` must not look like an empty store. */
async function refuseOrphans(storage: Storage): Promise<void> {
  for (const prefix of [SNAPSHOTS, PACKS, OPLOG, CATALOG]) {
    for await (const { name } of storage.list(prefix)) {
      throw new LeafvaultError('REPOSITORY_OBJECT_MISSING', `Making a repository in ${storage.address} failed: ${name} of another one is there, but its ${REPOSITORY_FILE} is gone`, {
        details: { object: REPOSITORY_FILE },
        hint: `Put ${REPOSITORY_FILE} back (every object under keys/ holds a copy in "repository"), or choose an empty place`,
      });
    }
  }
}

function existing(address: string, cause?: unknown): LeafvaultError {
  return new LeafvaultError('REPOSITORY_EXISTS', `Making a repository in ${address} failed: there is one already`, { cause, hint: 'Open it, or choose an empty place' });
}
