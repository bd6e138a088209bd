import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../support/mongod.ts';
import { PATIENCE_MS } from '../support/patience.ts';

const ROOT = join(import.meta.dirname, '../..');

/** Status of `/readyz`, null when nobody answers. */
async function readyz(port: number): Promise<number | null> {
  return fetch(`http://127.0.0.1:${port}/readyz`).then(({ status }) => status, () => null);
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + PATIENCE_MS; performance.now() < end; await delay(50)) if (await holds()) return;
  throw new Error(`Waiting failed: ${what}`);
}

for (const [how, target] of [['to npm alone', (pid: number) => pid], ['to the whole group at once', (pid: number) => -pid]] as const) {
  test(`npm start stops cleanly on a signal ${how}`, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'leafvault-npm-'));
    const port = await freePort();
    const config = join(folder, 'leafvault.yaml');
    await writeFile(config, JSON.stringify({ home: join(folder, 'home'), listen: { host: '127.0.0.1', port } }), { mode: 0o600 });
    const npm = spawn('npm', ['start', '--', '--config', config], { cwd: ROOT, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    const closed = once(npm, 'close');
    let text = '';
    for (const stream of [npm.stdout, npm.stderr]) stream.setEncoding('utf8').on('data', (part: string) => { text += part; });
    try {
      await until(`npm start is ready: ${text}`, async () => (await readyz(port)) === 200);
      process.kill(target(npm.pid ?? 0), 'SIGTERM');
      // The pipes close when the last process that holds them is gone: nothing runs on behind npm's back.
      await closed;
      assert.equal(await readyz(port), null);
      assert.match(text, /Stopped/);
    } finally {
      if (npm.exitCode === null && npm.signalCode === null) process.kill(-(npm.pid ?? 0), 'SIGKILL');
      await rm(folder, { recursive: true, force: true });
    }
  });
}
