// Leafvault as its users run it: a child process. Killed with everything it left when this process dies.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { PATIENCE_MS } from './patience.ts';
import { startWatchdog } from './watchdog.ts';

export interface LeafvaultFolder extends AsyncDisposable {
  /** Everything of one installation: settings, home, logs. */
  readonly path: string;
  /** Kills what still runs in it, then removes it. Safe to call twice. */
  remove(): Promise<void>;
  /** Counts a process among those that end with the folder. */
  adopt(child: ChildProcess): void;
}

export interface LeafvaultProcess {
  readonly pid: number;
  /** `http://127.0.0.1:port`; of a worker the same text, where nothing answers. */
  readonly origin: string;
  /** Standard output and error, in that file. */
  readonly logFile: string;
  /** Standard output so far. */
  output(): string;
  log(): Promise<string>;
  /** Resolves when the process is gone. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  /** SIGTERM; gives the exit code. SIGKILL when that takes too long. */
  stop(): Promise<number | null>;
  /** SIGKILL. */
  kill(): Promise<void>;
}

export interface LeafvaultOptions {
  readonly folder: LeafvaultFolder;
  /** `serve` by default. */
  readonly command?: 'serve' | 'worker';
  readonly port: number;
  /** Content of leafvault.yaml (JSON is YAML); none: no file. */
  readonly settings?: unknown;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Names the log of this process among others in the folder. */
  readonly name?: string;
}

const MAIN = join(import.meta.dirname, '../../src/main.ts');

/** A fresh folder below the temp folder that goes, with the processes in it, when this process dies. */
export async function leafvaultFolder(prefix = 'leafvault-run-'): Promise<LeafvaultFolder> {
  const path = await mkdtemp(join(tmpdir(), prefix));
  const watchdog = startWatchdog(path);
  const children: ChildProcess[] = [];
  const remove = async (): Promise<void> => {
    for (const child of children.filter((each) => each.exitCode === null && each.signalCode === null)) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    watchdog.dismiss();
    await rm(path, { recursive: true, force: true, maxRetries: 5 });
  };
  const adopt = (child: ChildProcess): void => {
    children.push(child);
    if (child.pid !== undefined) watchdog.watch(child.pid);
  };
  return { path, remove, adopt, [Symbol.asyncDispose]: remove };
}

/** Starts it and waits for nothing. The environment is this one without any LEAFVAULT_ variable, and `env`. */
export async function spawnLeafvault(options: LeafvaultOptions): Promise<LeafvaultProcess> {
  const { folder, command = 'serve', port, settings, args = [], env = {}, name = command } = options;
  const config = join(folder.path, 'leafvault.yaml');
  if (settings !== undefined) await writeFile(config, JSON.stringify(settings, null, 2), { mode: 0o600 });
  const logFile = join(folder.path, `${name}.log`);
  const log = createWriteStream(logFile, { flags: 'a' });
  await once(log, 'open');
  const home = settings === undefined ? ['--home', join(folder.path, 'home')] : ['--config', config];
  // A group of its own: Ctrl-C reaches whoever started it, which then ends it in order.
  const child = spawn(process.execPath, [MAIN, command, ...home, '--listen-port', String(port), ...args], {
    cwd: folder.path, detached: true, stdio: ['ignore', 'pipe', 'pipe'], env: { ...ownEnvironment(), ...env },
  });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
    log.write(text);
  });
  child.stderr.on('data', (bytes: Buffer) => void log.write(bytes));
  folder.adopt(child);
  const ended = once(child, 'close').then(([code, signal]) => ({ code: code as number | null, signal: signal as NodeJS.Signals | null }));
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
    const { code } = await ended;
    clearTimeout(timer);
    return code;
  };
  return {
    pid: child.pid ?? 0, origin: `http://127.0.0.1:${port}`, logFile, ended,
    output: () => out,
    log: () => readFile(logFile, 'utf8'),
    stop: () => end('SIGTERM'),
    kill: async () => void (await end('SIGKILL')),
  };
}

/** The same, ready: /readyz is 200, or a worker has said that it waits. @throws Error with the end of its log */
export async function startLeafvault(options: LeafvaultOptions): Promise<LeafvaultProcess> {
  const leafvault = await spawnLeafvault(options);
  let isOver = false;
  void leafvault.ended.then(() => { isOver = true; });
  const isReady = async (): Promise<boolean> => {
    if (options.command === 'worker') return leafvault.output().includes('waits for jobs');
    return fetch(`${leafvault.origin}/readyz`).then((answer) => answer.status === 200, () => false);
  };
  for (const deadline = performance.now() + PATIENCE_MS; performance.now() < deadline && !isOver; await delay(50)) {
    if (await isReady()) return leafvault;
  }
  await leafvault.kill();
  throw new Error(`Leafvault did not become ready; the end of its log:\n${(await leafvault.log()).slice(-3_000)}`);
}

/** Settings of the person who runs the tests must not reach into them. */
function ownEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('LEAFVAULT_')));
}
