import assert from 'node:assert/strict';
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { test } from 'node:test';
import { runCurl } from '../support/run-curl.ts';

const PROVEN = ['Every document is back', 'The snapshot is one instant', 'Indexes, options, views', 'The download is a whole mongodump folder', 'Commvault', 'Ops Manager'];

// With --keep it does the same and more: the short form runs it once.
test('the demo proves what it says and ends with 0', { skip: process.env['LEAFVAULT_LONG_TESTS'] === '1' ? false : 'long: the one with --keep proves the same' }, async () => {
  const { code, text } = await runDemo();
  assert.equal(code, 0, text);
  const proven = text.slice(text.indexOf('What was proven'));
  for (const what of PROVEN) assert.ok(proven.includes(what), `${what}\n${text}`);
});

test('the demo with --keep proves what it says, and leaves everything running, with the address and keys that it prints, until Ctrl-C', async () => {
  const child = startDemo({}, ['--keep']);
  let text = '';
  const isReady = Promise.withResolvers<void>();
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part;
    if (/Ctrl-C[^]*^ *folder +\/\S+\n/m.test(text)) isReady.resolve();
  });
  const ended = once(child, 'close');
  await Promise.race([isReady.promise, ended.then(() => { throw new Error(`it ended\n${text.slice(-2_000)}`); })]);
  for (const what of PROVEN) assert.ok(text.slice(text.indexOf('What was proven')).includes(what), `${what}\n${text}`);
  const told = (name: string): string => new RegExp(`^ *${name} +(\\S+)`, 'm').exec(text.slice(text.indexOf('Ctrl-C')))?.[1] ?? '';
  assert.equal((await fetch(`${told('Leafvault')}/readyz`)).status, 200, text.slice(-2_000));
  const { status, body } = await runCurl(['--digest', '--user', `${told('public key')}:${told('private key')}`, `${told('Leafvault')}/api/public/v1.0/groups`]);
  assert.equal(status, 200, body);
  assert.match(body, /"results"/);
  child.kill('SIGINT');
  assert.deepEqual(await ended, [0, null]);
  assert.equal(existsSync(told('folder')), false, 'nothing is left');
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
  const child = startDemo(env);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (part: string) => { text += part; });
  const [code] = (await once(child, 'close')) as [number];
  return { code, text };
}

function startDemo(env: Readonly<Record<string, string>>, args: readonly string[] = []): ChildProcessByStdio<null, Readable, Readable> {
  return spawn(process.execPath, [join(import.meta.dirname, '../../scripts/demo/demo.ts'), ...args], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
}
