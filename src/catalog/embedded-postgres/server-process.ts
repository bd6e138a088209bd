// Starting and stopping the server process itself.
import { once } from 'node:events';
import { closeSync, openSync, renameSync, statSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sleep } from '../../foundation/abort.ts';
import { canReach, type Account } from './account.ts';
import type { Binaries } from './binaries.ts';
import { fileError, startError } from './data-folder.ts';
import { isServerAlive, readPostmaster } from './postmaster-file.ts';
import { startProgram } from './run-program.ts';

export interface ServerPlace {
  readonly folder: string;
  readonly data: string;
  readonly binaries: Binaries;
  readonly account: Account | null;
}

const PORT = 5432;
const POLL_MS = 20;
const STOP_PATIENCE_MS = 20_000;
const LOG_LIMIT_BYTES = 8 * 1024 * 1024;
const SOCKET_FOLDER = /\/leafvault-pg-[A-Za-z0-9]{6}$/;
// PostgreSQL refuses a longer path of the socket itself.
const LONGEST_SOCKET_PATH = 107;
const SETTINGS = [
  // Nothing but the socket in a private folder.
  'listen_addresses=', 'unix_socket_permissions=0700', `port=${PORT}`,
  'max_connections=200', 'shared_buffers=64MB', 'max_wal_size=512MB', 'min_wal_size=64MB', 'autovacuum_naptime=15s', 'jit=off', 'timezone=UTC', 'log_timezone=UTC',
  // Statements carry what people store; the log is for the server's own life.
  'log_min_error_statement=panic', 'log_statement=none', 'log_checkpoints=off',
] as const;

/** Somebody else's start or end is under way: look again. */
export const RACED = Symbol('raced');

/**
 * Starts a server and waits until it is ready. Resolves with RACED when another one holds the folder.
 * `socketFolder`: the one to use again; null: a new one. @throws CATALOG_SERVER_FAILED, CATALOG_DISK_FULL
 */
export async function startServer(place: ServerPlace, socketFolder: string | null): Promise<typeof RACED | null> {
  const { folder, data, binaries, account } = place;
  const sockets = await makeSocketFolder(account, socketFolder);
  const log = openLog(folder);
  const options = [...SETTINGS, `unix_socket_directories=${sockets}`].flatMap((setting) => ['-c', setting]);
  const child = startProgram(binaries.postgres, options, { folder: data, account, reachable: await canReach(account, data) }, log.fd);
  closeSync(log.fd);
  let failure = '';
  const ended = once(child, 'exit').then(() => true, (error: Error) => { failure = error.message; return true; });
  while (!(await Promise.race([ended, sleep(POLL_MS).then(() => false)]))) {
    const postmaster = await readPostmaster(data);
    if (postmaster !== null && postmaster.pid === child.pid && postmaster.ready) {
      child.unref();
      return null;
    }
  }
  const output = await readFrom(join(folder, 'server.log'), log.size);
  if (socketFolder === null) await removeSocketFolder(sockets);
  if (/lock file .* already exists|pre-existing shared memory block|is another postmaster/i.test(output)) return RACED;
  throw await startError(output + failure, 'Starting the embedded PostgreSQL', data);
}

/** Ends the server of this data folder and waits for it; one that does not answer is cut off. */
export async function stopServer(data: string): Promise<void> {
  const postmaster = await readPostmaster(data);
  if (postmaster === null) return;
  signal(postmaster.pid, 'SIGINT');
  const patience = performance.now() + STOP_PATIENCE_MS;
  while (await isServerAlive(postmaster.pid)) {
    if (performance.now() > patience) signal(postmaster.pid, 'SIGQUIT');
    await sleep(POLL_MS);
  }
  await removeSocketFolder(postmaster.socketFolder);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // Gone already.
  }
}

async function makeSocketFolder(account: Account | null, again: string | null): Promise<string> {
  try {
    const sockets = again ?? (await mkdtemp(join(shortTemp(), 'leafvault-pg-')));
    await mkdir(sockets, { recursive: true });
    await chmod(sockets, 0o700);
    if (account !== null) await chown(sockets, account.uid, account.gid);
    return sockets;
  } catch (cause) {
    throw fileError(cause, 'Making a folder for the catalog\'s socket');
  }
}

function shortTemp(): string {
  const length = Buffer.byteLength(join(tmpdir(), 'leafvault-pg-XXXXXX', `.s.PGSQL.${PORT}.lock`));
  return length <= LONGEST_SOCKET_PATH ? tmpdir() : '/tmp';
}

/** Only a folder that is ours by its name and holds nothing but sockets. */
export async function removeSocketFolder(sockets: string): Promise<void> {
  if (!SOCKET_FOLDER.test(sockets)) return;
  const names = await readdir(sockets).catch(() => null);
  if (names?.every((name) => name.startsWith('.s.PGSQL.'))) await rm(sockets, { recursive: true, force: true });
}

function openLog(folder: string): { readonly fd: number; readonly size: number } {
  const path = join(folder, 'server.log');
  try {
    if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > LOG_LIMIT_BYTES) renameSync(path, `${path}.1`);
    const fd = openSync(path, 'a', 0o600);
    return { fd, size: statSync(path).size };
  } catch (cause) {
    throw fileError(cause, `Opening ${path}`);
  }
}

async function readFrom(path: string, offset: number): Promise<string> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(Math.max(0, size - offset)), 0, Math.max(0, size - offset), offset);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}
