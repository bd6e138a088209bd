// Starts `catalog-child.ts` or `worker-child.ts` as another process, also as another user, and speaks with it.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { canReach, type Account } from '../../src/catalog/embedded-postgres/account.ts';
import type { CatalogOptions } from '../../src/catalog/index.ts';
import type { DoorsChildOptions } from './doors-child.ts';
import type { SchedulerChildOptions } from './scheduler-child.ts';
import type { TailerChildOptions } from './tailer-child.ts';
import type { WorkerChildOptions } from './worker-child.ts';

export interface CatalogChild {
  readonly pid: number;
  /** The next line that it says. */
  next(): Promise<Record<string, unknown>>;
  /** `insert` or `close` to a catalog's, an instant to a scheduler's. */
  send(line: string): void;
  /** SIGKILL, and gone when it resolves. */
  kill(): Promise<void>;
  exited(): Promise<void>;
}

const ROOT = join(import.meta.dirname, '..', '..');
/** `daemon`: a user that every Linux and macOS has, and that is neither root nor the server's. */
export const ORDINARY: Account = { uid: 1, gid: 1 };

export function startCatalogChild(database: CatalogOptions['database'], { account, root = ROOT }: { readonly account?: Account; readonly root?: string } = {}): CatalogChild {
  const script = join(root, 'test', 'support', 'catalog-child.ts');
  const node = root === ROOT ? process.execPath : process.execPath.replace(ROOT, root);
  const child = spawn(node, [script, JSON.stringify(database)], { ...account, cwd: '/', stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, HOME: '/' } });
  child.stdin?.on('error', () => undefined);
  return speakWith(child);
}

/** Starts `worker-child.ts`. */
export function startWorkerChild(options: WorkerChildOptions): CatalogChild {
  return startScript('worker-child.ts', options);
}

/** Starts `tailer-child.ts`, whose `active` says how many clusters it follows, or how many jobs it runs. */
export function startTailerChild(options: TailerChildOptions): CatalogChild {
  return startScript('tailer-child.ts', options);
}

/** Starts `scheduler-child.ts`. */
export function startSchedulerChild(options: SchedulerChildOptions): CatalogChild {
  return startScript('scheduler-child.ts', options);
}

/** Starts `doors-child.ts`. */
export function startDoorsChild(options: DoorsChildOptions): CatalogChild {
  return startScript('doors-child.ts', options);
}

function startScript(name: string, options: object): CatalogChild {
  const script = join(ROOT, 'test', 'support', name);
  return speakWith(spawn(process.execPath, [script, JSON.stringify(options)], { cwd: '/', stdio: ['pipe', 'pipe', 'inherit'] }));
}

function speakWith(child: ChildProcess): CatalogChild {
  const lines: Record<string, unknown>[] = [];
  const waiting: ((line: Record<string, unknown>) => void)[] = [];
  const exit = once(child, 'exit').then(() => undefined);
  if (child.stdout !== null) {
    createInterface({ input: child.stdout }).on('line', (text) => {
      const line = JSON.parse(text) as Record<string, unknown>;
      const waiter = waiting.shift();
      if (waiter === undefined) lines.push(line);
      else waiter(line);
    });
  }
  return {
    pid: child.pid ?? 0,
    next: () => {
      const line = lines.shift();
      if (line !== undefined) return Promise.resolve(line);
      return Promise.race([
        new Promise<Record<string, unknown>>((resolve) => { waiting.push(resolve); }),
        exit.then(() => new Promise<Record<string, unknown>>((resolve) => { setTimeout(() => resolve(lines.shift() ?? { exited: true }), 50); })),
      ]);
    },
    send: (command) => void child.stdin?.write(`${command}\n`),
    async kill() {
      child.kill('SIGKILL');
      await exit;
    },
    exited: () => exit,
  };
}

/** The repository where an ordinary user can read it: itself, or a copy when it lies below a folder of root's. */
export async function readableRepository(): Promise<{ readonly root: string; remove(): Promise<void> }> {
  if (await canReach(ORDINARY, ROOT)) return { root: ROOT, remove: () => Promise.resolve() };
  const root = await mkdtemp(join(tmpdir(), 'leafvault-copy-'));
  spawnSync('chmod', ['755', root]);
  for (const name of ['package.json', 'src', 'test', 'node_modules']) {
    const linked = spawnSync('cp', ['-al', join(ROOT, name), root]);
    if (linked.status !== 0) spawnSync('cp', ['-a', join(ROOT, name), root]);
  }
  return { root, remove: () => rm(root, { recursive: true, force: true }) };
}
