// What only a store in a folder has to get right: half-written files, folders, permissions, errors in words.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, fstatSync, statSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, open, readdir, rename, rm, rmdir, stat, writeFile, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test, type TestContext } from 'node:test';
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

  test('makes no folder anew that somebody took away, and goes on when it is back', async () => {
    const [root, aside] = [join(folder, 'repository'), join(folder, 'aside')];
    const storage = createLocalStorage(root);
    await storage.put('packs/aa/one', Buffer.from('x'));
    for (const gone of ['packs', '.']) {
      await rename(join(root, gone), aside);
      if (gone === '.') await mkdir(root);
      for (const name of ['packs/aa/two', 'packs/bb/two', 'facts/two']) {
        const put = storage.put(name, Buffer.from('y'));
        if (gone === 'packs' && name.startsWith('facts/')) await put;
        else await assert.rejects(put, { code: 'STORAGE_FAILED', message: /a folder below .* is gone/ }, `${gone} ${name}`);
      }
      if (gone === '.') {
        assert.deepEqual(await readdir(root), [], 'nothing is put below a disk that was unmounted');
        await rmdir(root);
      }
      await rename(aside, join(root, gone));
      await storage.put(`packs/cc/behind-${gone.length}-${gone === '.' ? 'all' : 'packs'}`, Buffer.from('z'));
      await storage.delete('facts/two');
    }
    assert.deepEqual(await names(root), ['packs/aa/one', 'packs/cc/behind-1-all', 'packs/cc/behind-5-packs']);
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

describe('local storage, before it answers,', () => {
  test('brings the bytes of an object to the disk, then its name and every folder on the way', async (context) => {
    const root = join(folder, 'repository');
    const object = join(root, 'packs/ab/one');
    const synced = await watchSync(context, object);
    await createLocalStorage(root).put('packs/ab/one', Buffer.alloc(5_000_000));
    const file = synced.find(({ inode }) => inode === statSync(object).ino);
    assert.deepEqual([file?.bytes, file?.isNamed], [5_000_000, false], 'whole, and before it has its name');
    assert.equal(synced.at(-1)?.inode, statSync(join(root, 'packs/ab')).ino, 'the name is the last');
    assert.equal(synced.at(-1)?.isNamed, true);
    // The name of each folder lies in the one above it.
    for (const above of [folder, root, join(root, 'packs')]) assert.ok(synced.some(({ inode }) => inode === statSync(above).ino), above);
  });

  test('brings a name to the disk that was taken already, and the end of one that is deleted', async (context) => {
    const storage = createLocalStorage(folder);
    await storage.put('packs/one', Buffer.from('x'));
    const synced = await watchSync(context, join(folder, 'packs/one'));
    await assert.rejects(storage.put('packs/one', Buffer.from('x')), { code: 'STORAGE_OBJECT_EXISTS' });
    await storage.delete('packs/one');
    const above = statSync(join(folder, 'packs')).ino;
    assert.deepEqual(synced.filter(({ inode }) => inode === above).map(({ isNamed }) => isNamed), [true, false]);
  });
});

/** One fsync: of what, how long it was then, and whether `object` had its name. */
interface Synced { readonly inode: number; readonly bytes: number; readonly isNamed: boolean }

/** Listens to every fsync of this process, which still is done. */
async function watchSync(context: TestContext, object: string): Promise<readonly Synced[]> {
  const synced: Synced[] = [];
  await using any = await open(import.meta.filename);
  const prototype = Object.getPrototypeOf(any) as FileHandle;
  const { sync } = prototype;
  context.mock.method(prototype, 'sync', async function (this: FileHandle) {
    await sync.call(this);
    const { ino, size } = fstatSync(this.fd);
    synced.push({ inode: ino, bytes: size, isNamed: existsSync(object) });
  });
  return synced;
}

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
