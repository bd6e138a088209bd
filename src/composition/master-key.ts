// The master key: 32 bytes in one file of mode 0600, written as text that a person can keep on paper.
// Its text is the recovery key: whoever has it can make the file again.
import { createHmac, randomBytes } from 'node:crypto';
import { link, open, readFile, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { CatalogStore } from '../catalog/index.ts';
import { LeafvaultError } from '../foundation/errors.ts';
import { makeFolder } from '../foundation/make-folder.ts';
import { masterKeyFrom, recoveryKeyOf } from '../services/index.ts';

export interface MasterKey {
  readonly bytes: Uint8Array;
  /** `LV1-…`: the content of the file. Secret. */
  readonly recoveryKey: string;
  /** Made by this call. */
  readonly fresh: boolean;
}

const KEY_BYTES = 32;
const FINGERPRINT = 'masterKeyFingerprint';

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
  if (await writeKey(path, recoveryKeyOf(bytes))) return { bytes, recoveryKey: recoveryKeyOf(bytes), fresh: true };
  return (await readKey(path)) ?? raise('MASTER_KEY_UNREADABLE', `Reading the master key ${path} failed: it vanished`);
}

/**
 * A catalog belongs to the first master key that it was opened with.
 * @throws MASTER_KEY_OTHER; a key that this start had just made is removed again, so that the right one can take its place
 */
export async function assertMasterKeyOf(catalog: Pick<CatalogStore, 'settings'>, key: MasterKey, path: string): Promise<void> {
  const fingerprint = fingerprintOf(key.bytes);
  if ((await catalog.settings.getOrSet(FINGERPRINT, fingerprint)) === fingerprint) return;
  if (key.fresh) await rm(path, { force: true });
  raise('MASTER_KEY_OTHER', `Opening the catalog was refused: it was made with another master key than ${path}`, 'Copy the master key file of the first start, or write its recovery key into this file (chmod 600)');
}

/** Tells two master keys apart without giving anything of them away. */
function fingerprintOf(bytes: Uint8Array): string {
  return createHmac('sha256', bytes).update('leafvault master key fingerprint v1').digest('hex').slice(0, 32);
}

async function readKey(path: string): Promise<MasterKey | null> {
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
  return { bytes, recoveryKey: recoveryKeyOf(bytes), fresh: false };
}

function parse(text: string, path: string): Uint8Array {
  try {
    return masterKeyFrom(text);
  } catch (cause) {
    throw new LeafvaultError('MASTER_KEY_DAMAGED', `Reading the master key ${path} failed: the file does not hold a whole key`, { cause, hint: 'Write the recovery key of the first start into this file' });
  }
}

/** False when there is a file meanwhile. Whole and durable, or not there at all. */
async function writeKey(path: string, text: string): Promise<boolean> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    await makeFolder(dirname(path));
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(`${text}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await link(temporary, path);
    const folder = await open(dirname(path), 'r');
    await folder.sync().finally(() => folder.close());
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw new LeafvaultError('MASTER_KEY_UNREADABLE', `Making the master key ${path} failed`, { cause, hint: 'Choose a home folder that this user may write to, with --home' });
  } finally {
    await rm(temporary, { force: true });
  }
}

function raise(code: string, message: string, hint?: string): never {
  throw new LeafvaultError(code, message, hint === undefined ? {} : { hint });
}
