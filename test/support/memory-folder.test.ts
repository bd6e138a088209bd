import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, readdir, rm, statfs, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { tmpdir } from 'node:os';
import { describe, test } from 'node:test';
import { makeMemoryFolder } from './memory-folder.ts';

const TMPFS = 0x0102_1994;
const SHARED = '/dev/shm';
const missing = (await statfs(SHARED).catch(() => null))?.type === TMPFS ? false : 'this platform has no file system in memory';

describe('a temp folder in memory', () => {
  test('is none where there is no file system in memory', async () => {
    assert.equal(await makeMemoryFolder({ root: '/proc', neededBytes: 0 }), null);
    assert.equal(await makeMemoryFolder({ root: join(tmpdir(), 'nothing', 'here'), neededBytes: 0 }), null);
  });

  test('is none where it has too little room', { skip: missing }, async () => {
    assert.equal(await makeMemoryFolder({ neededBytes: 2 ** 50 }), null);
  });

  test('goes when the run that made it is gone, and not before', { skip: missing }, async () => {
    const dead = spawnSync(process.execPath, ['--eval', '']).pid;
    const abandoned = join(SHARED, `leafvault-tests-${dead}-abcdef`);
    await mkdir(abandoned);
    await writeFile(join(abandoned, 'data'), 'x');
    const mine = await makeMemoryFolder({ neededBytes: 0 });
    const second = await makeMemoryFolder({ neededBytes: 0 });
    try {
      assert.ok(mine !== null && second !== null && dirname(mine) === SHARED);
      const names = (await readdir(SHARED)).map((name) => join(SHARED, name));
      assert.deepEqual([names.includes(abandoned), names.includes(mine), names.includes(second)], [false, true, true]);
    } finally {
      for (const folder of [mine, second]) await rm(folder ?? abandoned, { recursive: true, force: true });
    }
  });
});
