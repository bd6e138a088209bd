// The data folder: made under another name and then renamed, so that a kill in between leaves nothing half made.
import { randomBytes } from 'node:crypto';
import { chown, mkdir, open, readdir, readFile, rename, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { LeafvaultError } from '../../foundation/errors.ts';
import { makeFolder } from '../../foundation/make-folder.ts';
import { isProcessAlive } from '../../foundation/process-alive.ts';
import { canReach, expectedOwner, type Account } from './account.ts';
import { EMBEDDED_MAJOR, type Binaries } from './binaries.ts';
import { runProgram } from './run-program.ts';

// Less than one WAL segment: the server can't run.
const NO_SPACE_BYTES = 4 * 1024 * 1024;
const STAGING = /^init-(\d+)-[0-9a-f]+$/;

/** `<home>/postgres`, made if need be. @throws CATALOG_HOME_UNUSABLE, CATALOG_DISK_FULL */
export async function makePostgresFolder(home: string): Promise<string> {
  const folder = join(home, 'postgres');
  try {
    await makeFolder(folder, { mode: 0o755 });
    return folder;
  } catch (cause) {
    throw fileError(cause, `Making the catalog's folder ${folder}`);
  }
}

/**
 * `<folder>/data` of our version and our account; made if it is missing.
 * @throws CATALOG_HOME_FOREIGN, CATALOG_HOME_UNUSABLE, CATALOG_DATA_VERSION, CATALOG_DISK_FULL, CATALOG_SERVER_FAILED
 */
export async function ensureDataFolder(folder: string, binaries: Binaries, account: Account | null): Promise<string> {
  const data = join(folder, 'data');
  if (await exists(data)) await checkDataFolder(data, account);
  else await makeDataFolder(folder, data, binaries, account);
  return data;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(() => true, (error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return false;
    throw fileError(error, `Looking at ${path}`);
  });
}

async function checkDataFolder(data: string, account: Account | null): Promise<void> {
  const owner = expectedOwner(account);
  const { uid } = await stat(data);
  if (owner !== null && uid !== owner) {
    throw new LeafvaultError('CATALOG_HOME_FOREIGN', `Opening the catalog was refused: ${data} belongs to uid ${uid}, and the server would run as uid ${owner}`, {
      hint: `Start Leafvault as the user that made this home, or hand it over: chown -R ${owner} ${data}`, details: { folder: data, uid, expected: owner },
    });
  }
  const version = (await readFile(join(data, 'PG_VERSION'), 'utf8').catch((cause: unknown) => {
    throw fileError(cause, `Reading the version of ${data}`);
  })).trim();
  if (version === EMBEDDED_MAJOR) return;
  throw new LeafvaultError('CATALOG_DATA_VERSION', `Opening the catalog was refused: ${data} was made by PostgreSQL ${version}, and this Leafvault runs ${EMBEDDED_MAJOR}`, {
    hint: `Start the Leafvault that made it, or carry the data over: pg_dump with PostgreSQL ${version}, restore into a new home`,
    details: { folder: data, version, expected: EMBEDDED_MAJOR },
  });
}

async function makeDataFolder(folder: string, data: string, binaries: Binaries, account: Account | null): Promise<void> {
  const staging = join(folder, `init-${process.pid}-${randomBytes(4).toString('hex')}`);
  try {
    await removeAbandoned(folder);
    await mkdir(staging, { mode: 0o700 });
    if (account !== null) await chown(staging, account.uid, account.gid);
    await initialise(staging, binaries, account);
    // A data folder can't be replaced by a rename: of two processes that made one, the second takes the first's.
    await rename(staging, data).catch(async (error: unknown) => {
      if (!(await exists(join(data, 'PG_VERSION')))) throw error;
    });
    await syncFolder(folder);
  } catch (cause) {
    throw fileError(cause, `Making the catalog's data folder in ${folder}`);
  } finally {
    await rm(staging, { recursive: true, force: true }).catch(() => undefined);
  }
}

/** What killed processes left. An initdb that outlived its process may still write there: it gives up once its files are gone. */
async function removeAbandoned(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const pid = Number(STAGING.exec(name)?.[1] ?? process.pid);
    if (pid !== process.pid && !isProcessAlive(pid)) await rm(join(folder, name), { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  }
}

async function initialise(staging: string, binaries: Binaries, account: Account | null): Promise<void> {
  const options = ['--username=leafvault', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-instructions'];
  const { code, output } = await runProgram(binaries.initdb, options, { folder: staging, account, reachable: await canReach(account, staging) });
  if (code === 0) return;
  throw await startError(output, 'Making the catalog\'s database', staging);
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** What a program of PostgreSQL said, as an error of ours. On a full disk it may have had no place to say it. */
export async function startError(output: string, operation: string, folder: string): Promise<LeafvaultError> {
  const last = output.trim().split('\n').slice(-4).join(' | ');
  const { bavail, bsize } = await statfs(folder).catch(() => ({ bavail: Infinity, bsize: 1 }));
  if (/No space left on device|Disk quota exceeded/i.test(output) || bavail * bsize < NO_SPACE_BYTES) return diskFull(operation);
  const hint = /could not look up effective user ID/i.test(output)
    ? 'The user that runs the server needs an entry in /etc/passwd; add one, or set LEAFVAULT_DATABASE_URL'
    : 'The whole story is in postgres/server.log in the home; LEAFVAULT_DATABASE_URL takes another PostgreSQL';
  return new LeafvaultError('CATALOG_SERVER_FAILED', `${operation} failed: ${last}`, { hint });
}

function diskFull(operation: string): LeafvaultError {
  return new LeafvaultError('CATALOG_DISK_FULL', `${operation} failed: no space is left on its file system`, {
    hint: 'Free at least 100 MB on the file system of the home, then start again',
  });
}

/** A failed call to the file system as an error of ours; errors of ours as they are. */
export function fileError(error: unknown, operation: string): LeafvaultError {
  if (error instanceof LeafvaultError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') return diskFull(operation);
  if (code === 'EACCES' || code === 'EPERM') {
    return new LeafvaultError('CATALOG_HOME_FOREIGN', `${operation} failed: the folder belongs to another user (${code})`, {
      cause: error, hint: 'Start Leafvault as the user that made this home, or choose another home',
    });
  }
  return new LeafvaultError('CATALOG_HOME_UNUSABLE', `${operation} failed: ${message}`, {
    cause: error, hint: 'Choose a home on a local file system that can be written to',
  });
}
