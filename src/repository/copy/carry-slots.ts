// A key that is new opens the copies, too, before the copier comes by: one that opens with a retired key alone is lost with its first store.
import type { RetryOptions, Storage } from '../../storage/index.ts';
import { parseCopyFile } from '../format/copy-file.ts';
import { COPY_FILE, keyName } from '../format/names.ts';
import { prepareStorage } from '../prepare-storage.ts';
import { putSame } from '../put-same.ts';
import { readObject, readObjectIfAny } from '../read-object.ts';
import { listSlots } from '../slots.ts';
import { findRepositoryKey, readRepositoryFile } from '../unlock.ts';
import { refused } from './open-destination.ts';

/**
 * Puts the slots that open with this key into a copy, and proves that it opens with one. A slot is written once under a name of its own, so a copier that
 * is at work there is not disturbed.
 * @throws REPOSITORY_MISSING, REPOSITORY_COPY_REFUSED where it is no copy of this repository, and what the stores throw
 */
export async function carrySlots({ from: source, to: copy, masterKey, retry }: { readonly from: Storage; readonly to: Storage; readonly masterKey: Uint8Array; readonly retry?: RetryOptions | undefined }): Promise<void> {
  const [from, to] = [prepareStorage(source, retry), prepareStorage(copy, retry)];
  const { id } = await readRepositoryFile(from);
  const there = await readRepositoryFile(to);
  const mark = await readObjectIfAny(to, COPY_FILE);
  if (there.id !== id || mark === null || parseCopyFile(mark) !== id) throw refused(to, 'it holds no copy of this repository', 'Name the stores of copies alone in repository.copies');
  for (const slot of await listSlots(from, masterKey)) {
    if (slot.opens === true && (await to.stat(keyName(slot.id))) === null) await putSame(to, keyName(slot.id), await readObject(from, keyName(slot.id)));
  }
  await findRepositoryKey(to, masterKey);
}
