// The files that a change of the master key touches: the key file, the new key before the swap, the old one after it.
import { randomBytes } from 'node:crypto';
import { readdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { systemClock } from '../foundation/clock.ts';
import { LeafvaultError } from '../foundation/errors.ts';
import { masterKeyOf, readKey, syncFolder, writeKey, type MasterKey } from './master-key.ts';

export interface KeyFiles {
  /** null: there is none. @throws MASTER_KEY_UNREADABLE, MASTER_KEY_DAMAGED, MASTER_KEY_EXPOSED */
  read(path: string): Promise<MasterKey | null>;
  /** False when there is a file already. Whole, durable and of mode 0600, or not there. It gets the owner of the file `like`. */
  write(path: string, key: MasterKey, like?: string): Promise<boolean>;
  /** `from` takes the place of `to`, at once and durably. */
  replace(from: string, to: string): Promise<void>;
  /** Durably; a file that is not there is no error. */
  remove(path: string): Promise<void>;
  /** Ids of the old keys that lie beside. */
  oldOnes(path: string): Promise<readonly string[]>;
  /** Removes half-made files of processes that died, which hold keys, too. */
  removeLeavings(path: string): Promise<void>;
}

/** The file itself where the path is a link to it: that one is replaced, not the link. */
export const realKeyFile = (path: string): Promise<string> => realpath(path).catch(() => path);
/** Where a rotation keeps the new key until it is proven. */
export const newKeyFile = (path: string): string => `${path}.new`;
/** Where the key that was replaced lies until it is retired. */
export const oldKeyFile = (path: string, id: string): string => `${path}.old-${id}`;

/** Of one that still runs nothing is taken: making a file takes moments. */
const LEAVINGS_AFTER_MS = 3_600_000;

export const keyFiles: KeyFiles = {
  read: readKey,
  write: writeKey,
  async replace(from, to) {
    try {
      await rename(from, to);
      await syncFolder(dirname(to));
    } catch (cause) {
      throw new LeafvaultError('MASTER_KEY_UNREADABLE', `Putting the new master key ${from} in the place of ${to} failed`, {
        cause, hint: 'The key file is good as it is. A file that is mounted by itself cannot be replaced: mount its folder, then run `leafvault keys rotate --resume`',
      });
    }
  },
  async remove(path) {
    await rm(path, { force: true });
    await syncFolder(dirname(path));
  },
  async oldOnes(path) {
    const prefix = basename(oldKeyFile(path, ''));
    const names = await readdir(dirname(path));
    return names.filter((name) => name.startsWith(prefix) && /^[0-9a-f]{16}$/.test(name.slice(prefix.length))).map((name) => name.slice(prefix.length)).sort();
  },
  async removeLeavings(path) {
    const isLeaving = (name: string): boolean => name.startsWith(basename(path)) && /^(\.new|\.old-[0-9a-f]{16})?\.[0-9a-f]{12}$/.test(name.slice(basename(path).length));
    for (const each of (await readdir(dirname(path))).filter(isLeaving)) {
      const leaving = join(dirname(path), each);
      const age = systemClock.now().getTime() - (await stat(leaving).then(({ mtimeMs }) => mtimeMs, () => Number.POSITIVE_INFINITY));
      if (age > LEAVINGS_AFTER_MS) await rm(leaving, { force: true });
    }
  },
};

/** A key that nobody has yet. */
export function newMasterKey(): MasterKey {
  return masterKeyOf(randomBytes(32));
}

/** At a start: a rotation that was struck is ended by a person, who hears of it here. */
export async function warnOfRotation(path: string, warn: (text: string) => void): Promise<void> {
  const begun = newKeyFile(await realKeyFile(path));
  if (!(await stat(begun).then(() => true, () => false))) return;
  warn(`A rotation of the master key was begun and not ended (${begun}); the key file is good. Run \`leafvault keys rotate --resume\``);
}
