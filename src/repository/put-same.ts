// A put that may have been done before.
import { isLeafvaultError } from '../foundation/errors.ts';
import type { Storage } from '../storage/index.ts';
import { readObject } from './read-object.ts';

/** A name that is taken by the same bytes is success: an earlier try. @throws STORAGE_OBJECT_EXISTS where other bytes have the name */
export async function putSame(storage: Storage, name: string, bytes: Buffer, signal?: AbortSignal): Promise<void> {
  try {
    await storage.put(name, bytes, { ...(signal === undefined ? {} : { signal }) });
  } catch (error) {
    if (!isLeafvaultError(error, 'STORAGE_OBJECT_EXISTS') || !(await readObject(storage, name)).equals(bytes)) throw error;
  }
}
