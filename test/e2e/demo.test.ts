import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

test('the demo proves what it says and ends with 0', async () => {
  const { code, text } = await runDemo();
  assert.equal(code, 0, text);
  const proven = text.slice(text.indexOf('What was proven'));
  for (const what of ['Every document is back', 'The snapshot is one instant', 'Indexes, options, views', 'The download is a whole mongodump folder', 'Commvault', 'Ops Manager']) {
    assert.ok(proven.includes(what), `${what}\n${text}`);
  }
});

test('the demo without a mongod that runs ends with 1 and names the cause', async () => {
  const { code, text } = await runDemo({ LEAFVAULT_MONGOD: '/no/such/mongod' });
  assert.equal(code, 1, text);
  assert.match(text, /LEAFVAULT_MONGOD names \/no\/such\/mongod, which does not run: /);
  assert.doesNotMatch(text, /What was proven/);
});

test('the demo whose servers fail ends with 1 and names the cause', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'leafvault-demo-test-'));
  try {
    const mongod = join(folder, 'mongod');
    await writeFile(mongod, '#!/bin/sh\n[ "$1" = --version ] && echo "db version v6.0.5" && exit 0\necho "the disk is on fire"\nexit 3\n', { mode: 0o755 });
    const { code, text } = await runDemo({ LEAFVAULT_MONGOD: mongod });
    assert.equal(code, 1, text);
    assert.match(text, /the disk is on fire/);
    assert.doesNotMatch(text, /What was proven/);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

async function runDemo(env: Readonly<Record<string, string>> = {}): Promise<{ readonly code: number; readonly text: string }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../../scripts/demo/demo.ts')], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (part: string) => { text += part; });
  const [code] = (await once(child, 'close')) as [number];
  return { code, text };
}
