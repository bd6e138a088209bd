import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { openHome } from '../../src/composition/home.ts';

let folder: string;
beforeEach(async () => { folder = await mkdtemp(join(tmpdir(), 'leafvault-home-')); });
afterEach(() => rm(folder, { recursive: true, force: true }));

test('openHome removes what dead processes of this machine left, and nothing else', async () => {
  const { pid: dead } = spawnSync(process.execPath, ['--version']);
  const alive = await openHome(folder);
  const left = [`${hostname()}-${dead}-00000000`, `elsewhere-${dead}-00000000`, 'jobs', 'notes'];
  for (const name of left) await mkdir(join(folder, 'tmp', name), { recursive: true });
  const home = await openHome(folder);
  const names = (await readdir(join(folder, 'tmp'))).map((name) => join(folder, 'tmp', name)).sort();
  assert.deepEqual(names, [alive.own, home.own, ...left.slice(1).map((name) => join(folder, 'tmp', name))].sort());
  await home.close();
  await alive.close();
  assert.deepEqual((await readdir(join(folder, 'tmp'))).sort(), left.slice(1).sort());
});

test('openHome gives up below a place where no folder can be made', { skip: process.platform === 'linux' ? false : 'only Linux has /proc' }, async () => {
  await assert.rejects(openHome('/proc/leafvault/home'), { code: 'HOME_UNUSABLE' });
});

test('openHome names a folder that cannot be made', async () => {
  await writeFile(join(folder, 'file'), '');
  await assert.rejects(openHome(join(folder, 'file', 'home')), { code: 'HOME_UNUSABLE', message: `Using the home folder ${join(folder, 'file', 'home')} failed` });
});
