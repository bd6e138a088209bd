// From a store and a master key to the repository's keys.
import { LeafvaultError } from '../foundation/errors.ts';
import type { Storage } from '../storage/index.ts';
import { damaged } from './format/damage.ts';
import { masterKeyIdOf, openKeySlot, parseKeySlot, type KeySlot } from './format/key-slot.ts';
import { deriveKeys, type RepositoryKeys } from './format/keys.ts';
import { idOfName, KEYS, REPOSITORY_FILE } from './format/names.ts';
import { parseRepositoryFile, type RepositoryFile } from './format/repository-file.ts';
import { assertMasterKey } from './master-key.ts';
import { readObject, readObjectIfAny } from './read-object.ts';

export interface Unlocked {
  readonly file: RepositoryFile;
  readonly keys: RepositoryKeys;
}

/** @throws REPOSITORY_MISSING, REPOSITORY_KEY_WRONG, REPOSITORY_OBJECT_DAMAGED, REPOSITORY_FORMAT_NEWER */
export async function unlock(storage: Storage, masterKey: Uint8Array): Promise<Unlocked> {
  assertMasterKey(masterKey);
  const bytes = await readObjectIfAny(storage, REPOSITORY_FILE);
  if (bytes === null) {
    throw new LeafvaultError('REPOSITORY_MISSING', `Opening the repository in ${storage.address} failed: there is no ${REPOSITORY_FILE}`, {
      hint: 'Check the address of the store; a new repository is made by the first start of Leafvault or by `leafvault repository init`',
    });
  }
  const file = parseRepositoryFile(bytes);
  return { file, keys: deriveKeys(await findRepositoryKey(storage, file, masterKey)) };
}

async function findRepositoryKey(storage: Storage, file: RepositoryFile, masterKey: Uint8Array): Promise<Buffer> {
  const wanted = masterKeyIdOf(masterKey);
  let failure: { readonly error: unknown } | null = null;
  for await (const { name } of storage.list(KEYS)) {
    const id = idOfName(name);
    if (id === null) continue;
    try {
      const slot = parseKeySlot(id, await readObject(storage, name));
      const key = slot.masterKeyId === wanted ? openKeySlot(file, slot, masterKey) : null;
      if (key !== null) return key;
      if (slot.masterKeyId === wanted && slot.repositoryId === file.id) failure ??= { error: unopened(slot) };
    } catch (error) {
      failure ??= { error }; // Another slot may open; this one is told of when none does.
    }
  }
  if (failure !== null) throw failure.error;
  throw new LeafvaultError('REPOSITORY_KEY_WRONG', `Opening the repository in ${storage.address} failed: the master key fits none of its key slots`, {
    hint: 'Start Leafvault with the master key that this repository was made with, or with one that was added by a rotation; without it the data cannot be read',
  });
}

function unopened(slot: KeySlot): LeafvaultError {
  return damaged(slot.name, 'it was made for this master key, but was altered, or repository.json was');
}
