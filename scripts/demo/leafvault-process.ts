// Leafvault as its users run it: a child process with a settings file, ready when /readyz says so.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export interface LeafvaultProcess {
  readonly origin: string;
  readonly logFile: string;
  /** SIGTERM, and gone when it resolves. @throws Error when it does not end well */
  stop(): Promise<void>;
  /** Leaves it running on its own. */
  release(): void;
}

const ROOT = join(import.meta.dirname, '../..');
const READY_MS = 60_000;
const STOP_MS = 20_000;

/** Prints `{ backup, restore }`, the two roles, as `leafvault roles` gives them. */
export async function readRoles(): Promise<readonly Record<string, unknown>[]> {
  const child = spawn(process.execPath, [join(ROOT, 'src/main.ts'), 'roles', '--json'], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => { text += part; });
  const [code] = (await once(child, 'close')) as [number];
  if (code !== 0) throw new Error(`leafvault roles ended with ${code}`);
  return JSON.parse(text) as readonly Record<string, unknown>[];
}

/** @param settings what leafvault.yaml holds (JSON is YAML) */
export async function startLeafvault(options: { readonly folder: string; readonly port: number; readonly settings: unknown }): Promise<LeafvaultProcess> {
  const { folder, port, settings } = options;
  const config = join(folder, 'leafvault.yaml');
  const logFile = join(folder, 'leafvault.log');
  await writeFile(config, JSON.stringify(settings, null, 2), { mode: 0o600 });
  const log = createWriteStream(logFile);
  await once(log, 'open');
  // Its own group: Ctrl-C reaches the demo, which then stops it in order.
  const child = spawn(process.execPath, [join(ROOT, 'src/main.ts'), 'serve', '--config', config], { stdio: ['ignore', log, log], detached: true, cwd: folder, env: environment() });
  const origin = `http://127.0.0.1:${port}`;
  try {
    await ready(child, origin);
  } catch (error) {
    child.kill('SIGKILL');
    throw new Error(`Leafvault did not become ready; its log is ${logFile}`, { cause: error });
  }
  return { origin, logFile, stop: () => stop(child), release: () => child.unref() };
}

/** Settings of the person's own Leafvault must not reach into the demo. */
function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('LEAFVAULT_')));
}

async function ready(child: ChildProcess, origin: string): Promise<void> {
  const deadline = performance.now() + READY_MS;
  while (performance.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`It ended with exit code ${child.exitCode}`);
    const answer = await fetch(`${origin}/readyz`).catch(() => null);
    if (answer?.status === 200) return;
    await delay(50);
  }
  throw new Error(`${origin}/readyz was not 200 within ${READY_MS / 1000} s`);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  const [code, signal] = (await gone) as [number | null, string | null];
  clearTimeout(timer);
  if (code !== 0) throw new Error(`Leafvault ended with ${code ?? signal} on SIGTERM`);
}
