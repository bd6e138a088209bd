// Reads an object that has to be there.
import { isLeafvaultError, LeafvaultError } from '../foundation/errors.ts';
import type { Storage } from '../storage/index.ts';

/** @throws REPOSITORY_OBJECT_MISSING where the store has none */
export async function readObject(storage: Storage, name: string): Promise<Buffer> {
  const bytes = await readObjectIfAny(storage, name);
  if (bytes !== null) return bytes;
  throw new LeafvaultError('REPOSITORY_OBJECT_MISSING', `Reading ${name} failed: the store has no such object`, {
    details: { object: name },
    hint: 'Run `leafvault check` to see what it costs',
  });
}

/** null where the store has none. */
export async function readObjectIfAny(storage: Storage, name: string): Promise<Buffer | null> {
  try {
    return await storage.get(name);
  } catch (cause) {
    if (isLeafvaultError(cause, 'STORAGE_OBJECT_MISSING')) return null;
    throw cause;
  }
}
