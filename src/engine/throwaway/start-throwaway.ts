// Starts a mongod that one drill restores into: on loopback, with a password, gone with its folder however the drill ends.
// docs/design/drills.md, "mongod".
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { sleep, throwIfAborted } from '../../foundation/abort.ts';
import { LeafvaultError } from '../../foundation/errors.ts';
import { freePort } from '../../foundation/free-port.ts';
import type { StartThrowaway } from '../contracts.ts';
import { startGuard, type Guard } from './guard.ts';
import { createOwner } from './owner-account.ts';
import { DATA_FOLDER, LOG_FILE, PID_FILE } from './throwaway-files.ts';

const PORT_TRIES = 5;
const READY_MS = 60_000;
const LOOK_MS = 25;
/** mongod's own exit code for an address in use. */
const EXIT_NET_ERROR = 48;
/** Log id of "Waiting for connections", the same from 4.4 on. */
const LISTENS = '"id":23016';
const LINES_TOLD = 5;

/** @throws THROWAWAY_BINARY_UNUSABLE, THROWAWAY_START_FAILED, THROWAWAY_UNGUARDED; the signal's reason, and nothing is left then */
export const startThrowaway: StartThrowaway = async ({ binary, folder, signal }) => {
  for (let attempt = 1; ; attempt += 1) {
    await rm(folder, { recursive: true, force: true });
    await mkdir(join(folder, DATA_FOLDER), { recursive: true, mode: 0o700 });
    const server = await launch(binary, folder, await freePort()).catch(async (error: unknown) => {
      await rm(folder, { recursive: true, force: true }).catch(() => undefined);
      throw error;
    });
    try {
      const isUp = await server.listens(signal);
      if (!isUp && attempt < PORT_TRIES) {
        await server.stop();
        continue;
      }
      if (!isUp) throw startFailed(binary, `no free port was found in ${PORT_TRIES} tries`);
      const password = randomBytes(16).toString('hex');
      const uri = await createOwner(server.port, password, signal);
      return { uri, password, pid: server.pid, stop: server.stop };
    } catch (error) {
      await server.stop();
      throwIfAborted(signal);
      throw error;
    }
  }
};

interface Launched {
  readonly port: number;
  readonly pid: number;
  /** False where the port was taken in between. */
  listens(signal: AbortSignal): Promise<boolean>;
  stop(): Promise<void>;
}

async function launch(binary: string, folder: string, port: number): Promise<Launched> {
  const log = join(folder, LOG_FILE);
  const args = [
    '--dbpath', join(folder, DATA_FOLDER), '--logpath', log, '--logappend', '--pidfilepath', join(folder, PID_FILE),
    '--bind_ip', '127.0.0.1', '--port', String(port), '--nounixsocket', '--auth',
    // It shares a machine with a worker, whose own bound is 512 MiB.
    '--wiredTigerCacheSizeGB', '0.5', '--setParameter', 'diagnosticDataCollectionEnabled=false',
  ];
  const guard = await startGuard(folder);
  // What it says before it has its log (an option that it does not know, a library that is missing) goes there too.
  await using output = await open(log, 'a', 0o600).catch((error: unknown) => {
    guard.dismiss();
    throw error;
  });
  // A group of its own: Ctrl-C is for the worker, which then ends it in order.
  const child = spawn(binary, args, { stdio: ['ignore', output.fd, output.fd], detached: true });
  let spawnError: Error | null = null;
  child.on('error', (error) => { spawnError = error; });
  if (child.pid !== undefined) guard.watch(child.pid);
  child.unref();
  let stopping: Promise<void> | undefined;
  return {
    port,
    pid: child.pid ?? 0,
    async listens(signal) {
      for (const deadline = performance.now() + READY_MS; ; await sleep(LOOK_MS, signal)) {
        throwIfAborted(signal);
        // Asked first: what it said before its end is in the log then.
        const over = isOver(child);
        const said = await readFile(log, 'utf8').catch(() => '');
        if (spawnError !== null) throw unusable(binary, spawnError);
        if (over && child.exitCode === EXIT_NET_ERROR) return false;
        const why = over ? `it ended with ${child.exitCode ?? child.signalCode}` : performance.now() > deadline ? `it did not listen within ${READY_MS / 1000} s` : null;
        if (why !== null) throw startFailed(binary, said === '' ? why : `${why}; its log ends with: ${lastLines(said)}`);
        // Ours says so itself: another server on this port would have kept it from listening.
        if (said.includes(LISTENS)) return true;
      }
    },
    stop: () => (stopping ??= end(child, folder, guard)),
  };
}

async function end(child: ChildProcess, folder: string, guard: Guard): Promise<void> {
  if (child.pid !== undefined && !isOver(child)) {
    child.ref();
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  guard.dismiss();
}

function isOver(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** The messages of the last lines, which are JSON. */
function lastLines(log: string): string {
  return log.trim().split('\n').slice(-LINES_TOLD).map((line) => {
    try {
      const { msg, attr } = JSON.parse(line) as { readonly msg?: unknown; readonly attr?: { readonly error?: unknown } };
      return `${String(msg)}${attr?.error === undefined ? '' : ` (${JSON.stringify(attr.error).slice(0, 200)})`}`;
    } catch {
      return line.slice(0, 200);
    }
  }).join('; ');
}

function unusable(binary: string, cause: Error): LeafvaultError {
  return new LeafvaultError('THROWAWAY_BINARY_UNUSABLE', `Starting ${binary} for a drill failed`, {
    cause, details: { binary }, hint: 'Let `drills.mongod` name a mongod (5.0 or newer) that this user may run, on every machine with a worker; or set `drills.where` to scratch',
  });
}

function startFailed(binary: string, why: string): LeafvaultError {
  return new LeafvaultError('THROWAWAY_START_FAILED', `Starting ${binary} for a drill failed: ${why}`, {
    details: { binary }, hint: 'Run the binary by hand with --version on the machine of the worker; what it says there is in the way here, too',
  });
}
