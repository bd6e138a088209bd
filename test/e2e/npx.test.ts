import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { leafvaultFolder } from '../support/leafvault.ts';
import { PATIENCE_MS } from '../support/patience.ts';

const ROOT = join(import.meta.dirname, '../..');

interface Started {
  readonly child: ChildProcess;
  /** Resolves when every process that holds its output is gone. */
  readonly closed: Promise<unknown>;
  text(): string;
}

function start(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Started {
  const child = spawn(command, args, { cwd: ROOT, detached: true, stdio: ['ignore', 'pipe', 'pipe'], env: { ...ownEnvironment(), ...env } });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (part: string) => { text += part; });
  return { child, closed: once(child, 'close'), text: () => text };
}

/** As a shell has it: what npm told this test's own process is not handed on. */
function ownEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(npm_|LEAFVAULT_|NODE_)/.test(name)));
}

async function says(started: Started, words: RegExp): Promise<void> {
  for (const end = performance.now() + PATIENCE_MS; performance.now() < end; await delay(50)) if (words.test(started.text())) return;
  throw new Error(`Waiting for ${String(words)} failed:\n${started.text()}`);
}

for (const [how, command, args] of [['npx', 'npx', ['leafvault']], ['npm run', 'npm', ['run', 'leafvault', '--']]] as const) {
  test(`a worker that ${how} started ends in order when ${how} gets SIGTERM`, async () => {
    await using folder = await leafvaultFolder();
    const worker = start(command, [...args, 'worker', '--home', join(folder.path, 'home')]);
    try {
      await says(worker, /waits for jobs/);
      worker.child.kill('SIGTERM');
      await worker.closed;
      assert.match(worker.text(), /Stopped/);
    } finally {
      endGroup(worker.child);
    }
  });
}

test('a worker that a shell started in the background lives on when the shell is gone', async () => {
  await using folder = await leafvaultFolder();
  const pidFile = join(folder.path, 'pid');
  const script = `"${process.execPath}" "${join(ROOT, 'bin/leafvault')}" worker --home "${join(folder.path, 'home')}" & echo $! > "${pidFile}"`;
  // The shell ends at once; its worker is an orphan before it has read a line.
  const worker = start('/bin/sh', ['-c', script], { npm_lifecycle_script: 'sh start-in-background.sh' });
  try {
    await says(worker, /waits for jobs/);
    const pid = Number(await readFile(pidFile, 'utf8'));
    process.kill(pid, 'SIGTERM');
    await worker.closed;
    assert.match(worker.text(), /Stopped/);
  } finally {
    endGroup(worker.child);
  }
});

function endGroup(leader: ChildProcess): void {
  try {
    process.kill(-(leader.pid ?? 0), 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
