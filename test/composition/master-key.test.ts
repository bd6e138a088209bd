import assert from 'node:assert/strict';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { loadMasterKey, openWithMasterKey } from '../../src/composition/master-key.ts';
import { LeafvaultError } from '../../src/foundation/errors.ts';

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'leafvault-key-'));
  path = join(folder, 'home', 'master.key');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('loadMasterKey', () => {
  test('makes a file that only its owner may read, and reads the same key again', async () => {
    const made = await loadMasterKey(path);
    assert.equal(made.fresh, true);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    const again = await loadMasterKey(path);
    assert.deepEqual([...again.bytes], [...made.bytes]);
    assert.equal(again.fresh, false);
    assert.deepEqual(await readdir(join(folder, 'home')), ['master.key']);
  });

  test('keeps the recovery key as the content of the file', async () => {
    const { recoveryKey } = await loadMasterKey(path);
    assert.equal((await readFile(path, 'utf8')).trim(), recoveryKey);
    await rm(path);
    await writeFile(path, `  ${recoveryKey.toLowerCase()}\r\n`, { mode: 0o600 });
    assert.equal((await loadMasterKey(path)).recoveryKey, recoveryKey);
  });

  test('gives one key to all when several start at once', async () => {
    const keys = await Promise.all(Array.from({ length: 8 }, () => loadMasterKey(path)));
    assert.equal(new Set(keys.map(({ recoveryKey }) => recoveryKey)).size, 1);
    assert.equal(keys.filter(({ fresh }) => fresh).length, 1);
  });

  test('refuses a key with a wrong letter', async () => {
    const { recoveryKey } = await loadMasterKey(path);
    await writeFile(path, recoveryKey.replace(/.$/, (last) => (last === '7' ? '8' : '7')));
    await assert.rejects(loadMasterKey(path), { code: 'MASTER_KEY_DAMAGED' });
  });

  test('refuses a file that others may read', async () => {
    await loadMasterKey(path);
    await chmod(path, 0o640);
    await assert.rejects(loadMasterKey(path), { code: 'MASTER_KEY_EXPOSED', hint: `chmod 600 ${path}` });
  });

  test('makes none when it was told not to', async () => {
    await assert.rejects(loadMasterKey(path, { make: false }), { code: 'MASTER_KEY_UNREADABLE' });
  });
});

describe('openWithMasterKey', () => {
  const refuse = () => Promise.reject(new LeafvaultError('CATALOG_KEY_OTHER', 'not this one'));

  test('hands the key to whoever opens the catalog', async () => {
    const key = await loadMasterKey(path);
    assert.equal(await openWithMasterKey(key, path, ({ bytes, id }) => Promise.resolve(bytes === key.bytes && id === key.id)), true);
  });

  test('takes a fresh key away again where the catalog has another one, and no other', async () => {
    await assert.rejects(openWithMasterKey(await loadMasterKey(path), path, refuse), { code: 'MASTER_KEY_OTHER' });
    await assert.rejects(stat(path), { code: 'ENOENT' });
    await loadMasterKey(path);
    await assert.rejects(openWithMasterKey(await loadMasterKey(path), path, refuse), { code: 'MASTER_KEY_OTHER' });
    await stat(path);
  });
});
