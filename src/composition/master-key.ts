// The master key: 32 bytes in one file of mode 0600, written as text that a person can keep on paper.
// Its text is the recovery key: whoever has it can make the file again.
import { randomBytes } from 'node:crypto';
import { link, open, readFile, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { MasterKeyInHand } from '../catalog/index.ts';
import { isLeafvaultError, LeafvaultError } from '../foundation/errors.ts';
import { makeFolder } from '../foundation/make-folder.ts';
import { masterKeyIdOf } from '../repository/index.ts';
import { masterKeyFrom, recoveryKeyOf } from '../services/index.ts';

export interface MasterKey {
  readonly bytes: Uint8Array;
  /** 16 hex digits that tell nothing about the key, as key slots name it. */
  readonly id: string;
  /** `LV1-…`: the content of the file. Secret. */
  readonly recoveryKey: string;
  /** Made by this call. */
  readonly fresh: boolean;
}

const KEY_BYTES = 32;

/**
 * Reads the key, or makes file and key where there is none.
 * @param options `make: false` refuses to make one
 * @throws MASTER_KEY_UNREADABLE, MASTER_KEY_DAMAGED, MASTER_KEY_EXPOSED
 */
export async function loadMasterKey(path: string, options: { readonly make?: boolean } = {}): Promise<MasterKey> {
  const found = await readKey(path);
  if (found !== null) return found;
  if (options.make === false) raise('MASTER_KEY_UNREADABLE', `Reading the master key ${path} failed: there is no such file`, 'Name it with --master-key-file, or write the recovery key into it (chmod 600)');
  const bytes = randomBytes(KEY_BYTES);
  // Of two first starts at once the slower one takes the key of the faster one.
  const made = masterKeyOf(bytes);
  if (await writeKey(path, made)) return { ...made, fresh: true };
  return (await readKey(path)) ?? raise('MASTER_KEY_UNREADABLE', `Reading the master key ${path} failed: it vanished`);
}

/**
 * Opens the catalog with the master key. A key that this start had just made is removed again where the catalog has another one, so that the right one
 * can take its place.
 * @param open hands the key to `openCatalog`
 * @throws MASTER_KEY_OTHER, and what `open` throws
 */
export async function openWithMasterKey<T>(key: MasterKey, path: string, open: (key: MasterKeyInHand) => Promise<T>): Promise<T> {
  try {
    return await open({ bytes: key.bytes, id: key.id });
  } catch (cause) {
    if (!isLeafvaultError(cause, 'CATALOG_KEY_OTHER')) throw cause;
    if (key.fresh) await rm(path, { force: true });
    throw new LeafvaultError('MASTER_KEY_OTHER', `Opening the catalog was refused: it was made with another master key than ${path}, or that one was replaced and retired`, {
      cause, hint: 'Copy the master key file that the other processes start with (after a rotation: the new one), or write its recovery key into this file (chmod 600)',
    });
  }
}

/** null where there is no such file. @throws as `loadMasterKey` */
export async function readKey(path: string): Promise<MasterKey | null> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new LeafvaultError('MASTER_KEY_UNREADABLE', `Reading the master key ${path} failed`, { cause, hint: 'Start Leafvault as the user that made its home' });
  }
  const bytes = parse(text, path);
  if (process.platform !== 'win32' && ((await stat(path)).mode & 0o077) !== 0) {
    raise('MASTER_KEY_EXPOSED', `Using the master key ${path} was refused: others of this machine may read it`, `chmod 600 ${path}`);
  }
  return masterKeyOf(bytes);
}

/** A key in memory, not made by this call. @param bytes 32 */
export function masterKeyOf(bytes: Uint8Array): MasterKey {
  return { bytes, id: masterKeyIdOf(bytes), recoveryKey: recoveryKeyOf(bytes), fresh: false };
}

function parse(text: string, path: string): Uint8Array {
  try {
    return masterKeyFrom(text);
  } catch (cause) {
    throw new LeafvaultError('MASTER_KEY_DAMAGED', `Reading the master key ${path} failed: the file does not hold a whole key`, { cause, hint: 'Write the recovery key of the first start into this file' });
  }
}

/**
 * False when there is a file already. Whole and durable, or not there at all.
 * @param like the file belongs to whom this one belongs: an administrator may change the key of a service
 * @throws MASTER_KEY_UNREADABLE
 */
export async function writeKey(path: string, { recoveryKey }: MasterKey, like?: string): Promise<boolean> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    await makeFolder(dirname(path));
    const file = await open(temporary, 'wx', 0o600);
    try {
      const owner = like === undefined ? null : await stat(like);
      if (owner !== null && owner.uid !== (await file.stat()).uid) await file.chown(owner.uid, owner.gid);
      await file.writeFile(`${recoveryKey}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await link(temporary, path);
    await syncFolder(dirname(path));
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw new LeafvaultError('MASTER_KEY_UNREADABLE', `Making the master key ${path} failed`, { cause, hint: 'Choose a home folder that this user may write to, with --home' });
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Makes names in a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  await folder.sync().finally(() => folder.close());
}

function raise(code: string, message: string, hint?: string): never {
  throw new LeafvaultError(code, message, hint === undefined ? {} : { hint });
}
