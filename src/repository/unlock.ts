// From a store and a master key or a passphrase to the repository's keys.
import { LeafvaultError } from '../foundation/errors.ts';
import type { Storage } from '../storage/index.ts';
import { damaged } from './format/damage.ts';
import { masterKeyIdOf, openKeySlot, openPassphraseSlot, parseKeySlot, type KeySlot } from './format/key-slot.ts';
import { deriveKeys, type RepositoryKeys } from './format/keys.ts';
import { idOfName, KEYS, REPOSITORY_FILE } from './format/names.ts';
import { stretch } from './format/passphrase.ts';
import { parseRepositoryFile, type RepositoryFile } from './format/repository-file.ts';
import { assertMasterKey } from './master-key.ts';
import { readObject, readObjectIfAny } from './read-object.ts';

/** What opens a repository: 32 bytes of master key, or a passphrase. */
export type Opener = Uint8Array | { readonly passphrase: string };

export interface Unlocked {
  readonly file: RepositoryFile;
  readonly keys: RepositoryKeys;
}

/** A try costs half a second and 128 MiB: of a store with more slots than anybody makes, these many are tried. */
const MOST_PASSPHRASE_SLOTS = 16;

/** @throws REPOSITORY_MISSING, REPOSITORY_KEY_WRONG, REPOSITORY_OBJECT_DAMAGED, REPOSITORY_FORMAT_NEWER */
export async function unlock(storage: Storage, opener: Opener): Promise<Unlocked> {
  const { file, repositoryKey } = await findRepositoryKey(storage, opener);
  return { file, keys: deriveKeys(repositoryKey) };
}

/** The repository's own secret and the slot that gave it. @throws as `unlock` */
export async function findRepositoryKey(
  storage: Storage, opener: Opener, except?: string,
): Promise<{ readonly file: RepositoryFile; readonly repositoryKey: Buffer; readonly slotId: string }> {
  if (opener instanceof Uint8Array) assertMasterKey(opener);
  const file = await readRepositoryFile(storage);
  const open = slotOpener(file, opener);
  let failure: { readonly error: unknown } | null = null;
  for await (const { name } of storage.list(KEYS)) {
    const id = idOfName(name);
    if (id === null || id === except) continue;
    try {
      const slot = parseKeySlot(id, await readObject(storage, name));
      const repositoryKey = await open(slot);
      if (repositoryKey !== null) return { file, repositoryKey, slotId: id };
      if (opener instanceof Uint8Array && slot.masterKeyId === masterKeyIdOf(opener) && slot.repositoryId === file.id) failure ??= { error: unopened(slot) };
    } catch (error) {
      failure ??= { error }; // Another slot may open; this one is told of when none does.
    }
  }
  if (failure !== null) throw failure.error;
  throw wrongKey(storage.address, opener);
}

/** @throws REPOSITORY_MISSING, REPOSITORY_OBJECT_DAMAGED, REPOSITORY_FORMAT_NEWER */
export async function readRepositoryFile(storage: Storage): Promise<RepositoryFile> {
  const bytes = await readObjectIfAny(storage, REPOSITORY_FILE);
  if (bytes !== null) return parseRepositoryFile(bytes);
  throw new LeafvaultError('REPOSITORY_MISSING', `Opening the repository in ${storage.address} failed: there is no ${REPOSITORY_FILE}`, {
    hint: 'Check the address of the store; a new repository is made by the first start of `leafvault serve`',
  });
}

/** Tries one slot after the other with the same key; null: not this one. */
export function slotOpener(file: RepositoryFile, opener: Opener): (slot: KeySlot) => Promise<Buffer | null> {
  let tries = 0;
  return async (slot) => {
    if (slot.repositoryId !== file.id) return null; // Of a beginning that was interrupted.
    if (opener instanceof Uint8Array) return slot.kdf === null && slot.masterKeyId === masterKeyIdOf(opener) ? openKeySlot(file, slot, opener) : null;
    if (slot.kdf === null || ++tries > MOST_PASSPHRASE_SLOTS) return null;
    return openPassphraseSlot(file, slot, await stretch(opener.passphrase, slot.salt, slot.kdf));
  };
}

function wrongKey(address: string, opener: Opener): LeafvaultError {
  const what = opener instanceof Uint8Array ? 'master key' : 'passphrase';
  return new LeafvaultError('REPOSITORY_KEY_WRONG', `Opening the repository in ${address} failed: the ${what} fits none of its key slots`, {
    hint: opener instanceof Uint8Array
      ? 'Start Leafvault with the master key that this repository was made with, or with one that was added by a rotation; without it the data cannot be read'
      : 'Case, spaces and every character count; a passphrase opens only what `leafvault keys add-passphrase` was run for. The master key opens it as well',
  });
}

function unopened(slot: KeySlot): LeafvaultError {
  return damaged(slot.name, 'it was made for this master key, but was altered, or repository.json was');
}
