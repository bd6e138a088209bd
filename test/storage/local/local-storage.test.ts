// What only a store in a folder has to get right: half-written files, folders, permissions, errors in words.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { createLocalStorage } from '../../../src/storage/index.ts';
import { localError } from '../../../src/storage/local/local-error.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'leafvault-local-'));
});

afterEach(async () => {
  await chmod(folder, 0o700);
  await rm(folder, { recursive: true, force: true });
});

async function names(of: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of createLocalStorage(of).list('')) found.push(name);
  return found.sort();
}

describe('local storage', () => {
  test('makes nothing until something is put', async () => {
    const root = join(folder, 'repository');
    const storage = createLocalStorage(root);
    assert.equal(await storage.stat('a'), null);
    assert.deepEqual(await names(root), []);
    await assert.rejects(stat(root), { code: 'ENOENT' });
  });

  test('keeps files and folders to its own user', async () => {
    const root = join(folder, 'repository');
    await createLocalStorage(root).put('packs/ab/one', Buffer.from('x'));
    for (const [path, mode] of [[root, 0o700], [join(root, 'packs'), 0o700], [join(root, 'packs/ab/one'), 0o600]] as const) {
      assert.equal((await stat(path)).mode & 0o777, mode, path);
    }
  });

  test('leaves no file behind where a put fails', async () => {
    const storage = createLocalStorage(folder);
    await storage.put('a', Buffer.from('x'));
    await assert.rejects(storage.put('a', Buffer.from('y')), { code: 'STORAGE_OBJECT_EXISTS' });
    const stop = new AbortController();
    const putting = storage.put('big', Buffer.alloc(30_000_000), { signal: stop.signal });
    stop.abort(new Error('cancelled'));
    await assert.rejects(putting, /cancelled/);
    assert.deepEqual(await readdir(join(folder, '~tmp')), []);
    assert.deepEqual(await names(folder), ['a']);
  });

  test('never lists what a dead process left half-written, and removes it with the next put', async () => {
    const storage = createLocalStorage(folder);
    await storage.put('a', Buffer.from('x'));
    const [, temp = ''] = /^(.*)$/.exec(await tempNameOf(folder)) ?? [];
    const dead = spawnSync(process.execPath, ['-e', 'console.log(process.pid)']).stdout.toString().trim();
    const leftover = join(folder, '~tmp', temp.replace(/-\d+-/, `-${dead}-`));
    const living = join(folder, '~tmp', temp.replace(/-\d+-/, `-${process.pid}-`));
    for (const path of [leftover, living]) await writeFile(path, 'half');
    assert.deepEqual(await names(folder), ['a']);
    const next = createLocalStorage(folder);
    await next.put('b', Buffer.from('y'));
    await next.close();
    await assert.rejects(stat(leftover), { code: 'ENOENT' });
    assert.ok(await stat(living), 'what a living process writes stays');
  });

  test('tells of missing rights in words, with what to do', async () => {
    const root = join(folder, 'locked');
    await mkdir(root, { mode: 0o500 });
    await chmod(folder, 0o755);
    await chmod(root, 0o555);
    await asOrdinaryUser(async () => {
      const storage = createLocalStorage(root);
      await assert.rejects(storage.put('a', Buffer.from('x')), { code: 'STORAGE_DENIED', message: new RegExp(`Storing a failed: .*${root}`), hint: /write access/ });
    });
  });

  test('tells of a full disk as such', () => {
    const full = localError('Storing', 'packs/x', '/data', Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' }));
    assert.deepEqual([full.code, full.retryable], ['STORAGE_FULL', false]);
    assert.match(full.message, /Storing packs\/x failed: no room is left below \/data/);
    assert.match(full.hint ?? '', /Free disk space/);
  });

  test('tells whether trying again may help', () => {
    const errorOf = (code: string): boolean => localError('Reading', 'a', '/data', Object.assign(new Error(code), { code })).retryable;
    assert.deepEqual(['EMFILE', 'EBUSY', 'ESTALE', 'EIO', 'ENOTDIR'].map(errorOf), [true, true, true, false, false]);
  });
});

/** A name as the store gives its temporary files: seen by racing a put. */
async function tempNameOf(root: string): Promise<string> {
  const storage = createLocalStorage(root);
  const putting = storage.put('slow', Buffer.alloc(50_000_000));
  let seen: string | undefined;
  while (seen === undefined) [seen] = await readdir(join(root, '~tmp'));
  await putting;
  await storage.delete('slow');
  return seen;
}

/** Root may write everywhere: as root, become nobody for a while. */
async function asOrdinaryUser(run: () => Promise<void>): Promise<void> {
  if (process.geteuid?.() !== 0) return run();
  process.seteuid?.(65_534);
  try {
    await run();
  } finally {
    process.seteuid?.(0);
  }
}
