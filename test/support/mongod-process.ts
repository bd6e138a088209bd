// One mongod: started on a free port of 127.0.0.1, ready when it answers, killed without ceremony.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from './free-port.ts';
import { PATIENCE_MS } from './patience.ts';

export interface MongodProcess {
  readonly port: number;
  /** 127.0.0.1:port */
  readonly host: string;
  readonly pid: number;
  readonly running: boolean;
  /** Where its files are; made anew by `restart` when it is gone. */
  readonly dataFolder: string;
  /** SIGKILL, and gone when it resolves. Safe to call twice. */
  kill(): Promise<void>;
  /** SIGSTOP / SIGCONT: a server that hangs. */
  pause(): void;
  resume(): void;
  /** Starts it again on the same data and port. */
  restart(): Promise<void>;
}

export interface MongodOptions {
  readonly binary: string;
  /** Holds data folder and log of this server. */
  readonly folder: string;
  readonly args: readonly string[];
  readonly onPid: (pid: number) => void;
}

const PORT_TRIES = 5;
/** mongod's own exit code for an address in use. */
const EXIT_NET_ERROR = 48;

/** @throws Error with the last lines of the log when the server ends or stays silent */
export async function startMongod(options: MongodOptions): Promise<MongodProcess> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const child = await launch(options, port);
    if (child !== 'port taken') return asProcess(options, port, child);
    if (attempt === PORT_TRIES) throw new Error(`Starting mongod failed: no free port in ${PORT_TRIES} tries`);
  }
}

function asProcess(options: MongodOptions, port: number, first: ChildProcess): MongodProcess {
  let child = first;
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
  return {
    port,
    host: `127.0.0.1:${port}`,
    dataFolder: join(options.folder, 'data'),
    get pid() {
      return child.pid ?? 0;
    },
    get running() {
      return isRunning();
    },
    async kill() {
      if (!isRunning()) return;
      // Unreferenced while it runs, so that a forgotten server does not hold the test process.
      child.ref();
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    async restart() {
      const next = await launch(options, port);
      if (next === 'port taken') throw new Error(`Restarting mongod failed: port ${port} was taken meanwhile`);
      child = next;
    },
  };
}

async function launch(options: MongodOptions, port: number): Promise<ChildProcess | 'port taken'> {
  const data = join(options.folder, 'data');
  const log = join(options.folder, 'mongod.log');
  await mkdir(data, { recursive: true });
  const args = ['--dbpath', data, '--logpath', log, '--logappend', '--bind_ip', '127.0.0.1', '--port', String(port), '--nounixsocket', ...options.args];
  // A group of its own: Ctrl-C is for whoever started it, which then ends it in order.
  // What it says before it has its log (an option that it does not know, a library that is missing) goes there too.
  await using output = await open(log, 'a');
  const child = spawn(options.binary, args, { stdio: ['ignore', output.fd, output.fd], detached: true });
  child.on('error', () => undefined);
  if (child.pid !== undefined) options.onPid(child.pid);
  child.unref();
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await answers(port))) {
    if (child.exitCode === EXIT_NET_ERROR) return 'port taken';
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined || performance.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`Starting ${options.binary} failed (exit ${child.exitCode ?? child.signalCode ?? 'none'}):\n${await tailOf(log)}`);
    }
    await delay(25);
  }
  // Someone else's server may answer on a port that ours lost.
  if (child.exitCode !== null) return 'port taken';
  return child;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

async function tailOf(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => '(no log)');
  return text.trim().split('\n').slice(-8).join('\n');
}
