// What the first store can not give is read from a copy: single chunks, and everything.
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { LeafvaultError } from '../../../src/foundation/errors.ts';
import { createLogger } from '../../../src/foundation/logger.ts';
import { openWithCopies, type Repository } from '../../../src/repository/index.ts';
import { createLocalStorage, createMemoryStorage, type Storage } from '../../../src/storage/index.ts';
import { copyTo, makeSource, PACKS, type Source } from '../../support/copy-fixture.ts';
import { collect, copyToMemory, MASTER_KEY, objectNames, openTestRepository, readContent, readSnapshot, withTempDir, writeSnapshot } from '../../support/repository-fixture.ts';

const open = (storage: Storage, copies: readonly Storage[]): Promise<Repository> => openWithCopies({
  storage, copies, masterKey: MASTER_KEY, tempDir: '/tmp/leafvault-test-index', threads: 0, retry: { attempts: 2, firstDelayMs: 1 }, log: createLogger('silent'), ...PACKS,
});

async function withCopy(use: (source: Source, to: Storage) => Promise<void>): Promise<void> {
  const source = await makeSource();
  const to = createMemoryStorage();
  await copyTo(source.storage, to);
  await source.repository.close();
  await use(source, to);
}

async function assertReadable(repository: Repository, source: Source): Promise<void> {
  const roots = await collect(repository.listSnapshots());
  assert.equal(roots.length, source.contents.size);
  for (const { id } of roots) assert.deepEqual(await readSnapshot(repository, await repository.loadSnapshot(id)), source.contents.get(id));
  assert.equal((await collect(repository.listFacts())).length, 2);
  for (const { head } of await collect(repository.chains.list())) assert.equal((await collect(repository.chains.read(head.id))).length, 4);
}

/** A store that fails as long as `isDown` says so. */
function failing(inner: Storage, state: { isDown: boolean }): Storage & { readonly calls: () => number } {
  let calls = 0;
  const guard = <T>(run: () => Promise<T>): Promise<T> => {
    calls += 1;
    return state.isDown ? Promise.reject(new LeafvaultError('STORAGE_FAILED', 'the store is down', { retryable: true })) : run();
  };
  return {
    ...inner, calls: () => calls,
    put: (...args) => guard(() => inner.put(...args)), get: (...args) => guard(() => inner.get(...args)), stat: (name) => guard(() => inner.stat(name)), delete: (name) => guard(() => inner.delete(name)),
    async *list(prefix) { await guard(() => Promise.resolve()); yield* inner.list(prefix); },
  };
}

describe('a repository with a copy', () => {
  test('gives every chunk of packs that are damaged, cut off or gone, and a check still names them', () => withCopy(async (source, to) => {
    for (const change of [(bytes: Buffer) => Buffer.concat([bytes.subarray(0, 200), Buffer.alloc(bytes.length - 200)]), (bytes: Buffer) => bytes.subarray(0, 300), () => null]) {
      const broken = await copyToMemory(source.storage, (name, bytes) => (name.startsWith('packs/') ? change(bytes) : bytes));
      const alone = await openTestRepository(broken, PACKS);
      const [root] = await collect(alone.listSnapshots());
      assert.ok(root);
      await assert.rejects(readSnapshot(alone, root), (error) => error instanceof LeafvaultError && error.code.startsWith('REPOSITORY_CHUNK_'));
      await alone.close();
      const repository = await open(broken, [to]);
      await assertReadable(repository, source);
      assert.ok((await repository.check({ readData: true })).problems.length > 0, 'a check is not deceived by the copy');
      await repository.close();
    }
    assert.deepEqual((await objectNames(to)).filter((name) => name.startsWith('sessions/')), []);
  }));

  test('does not give a damaged chunk of the copy either', () => withCopy(async (source, to) => {
    const ruin = (storage: Storage): Promise<Storage> => copyToMemory(storage, (name, bytes) => (name.startsWith('packs/') ? Buffer.concat([bytes.subarray(0, 100), Buffer.alloc(bytes.length - 100)]) : bytes));
    const repository = await open(await ruin(source.storage), [await ruin(to)]);
    const [root] = await collect(repository.listSnapshots());
    assert.ok(root);
    await assert.rejects(readSnapshot(repository, root), (error) => error instanceof LeafvaultError && error.code.startsWith('REPOSITORY_CHUNK_'));
    await repository.close();
  }));

  test('opens and is read when the first store is gone, fails or has another descriptor; writers are told why, and go on when it is back', () => withCopy(async (source, to) => {
    const empty = createMemoryStorage();
    const broken = await copyToMemory(source.storage, (name, bytes) => (name === 'repository.json' ? bytes.subarray(1) : bytes));
    const state = { isDown: true };
    for (const first of [empty, broken, failing(source.storage, state)]) {
      const repository = await open(first, [to]);
      assert.equal(repository.isCopy, false);
      await assertReadable(repository, source);
      await assert.rejects(repository.openWriter(), { code: 'REPOSITORY_READ_ONLY', retryable: true });
      await assert.rejects(repository.addFact({ snapshotId: [...source.live][0] ?? '', kind: 'pin', createdAt: '', body: {} }), { code: 'REPOSITORY_READ_ONLY' });
      await repository.close();
    }
    const repository = await open(failing(source.storage, state), [to]);
    state.isDown = false;
    const root = await writeSnapshot(repository, { back: [Buffer.from('again')] });
    assert.deepEqual(await readSnapshot(repository, root), { back: [Buffer.from('again')] });
    await repository.close();
    assert.deepEqual((await objectNames(to)).filter((name) => name.startsWith('sessions/')), []);
  }));

  test('goes on reading when the first store fails in the middle, and does not wait for it at every chunk', () => withCopy(async (source, to) => {
    const state = { isDown: false };
    const first = failing(source.storage, state);
    const repository = await open(first, [to]);
    const roots = await collect(repository.listSnapshots());
    const reader = await repository.openReader();
    state.isDown = true;
    const before = first.calls();
    for (const root of roots) assert.deepEqual(await readContent(reader, root), source.contents.get(root.id));
    assert.ok(first.calls() - before < 10, `${first.calls() - before} calls to a store that is down`);
    await assertReadable(repository, source);
    await assert.rejects(repository.openWriter(), { code: 'STORAGE_FAILED' });
    state.isDown = false;
    await reader.close();
    await repository.close();
  }));

  test('is read when the folder of the first store is wiped under a process that has it open', () => withTempDir(async (folder) => {
    const local = createLocalStorage(join(folder, 'first'));
    const source = await makeSource(local);
    const to = createLocalStorage(join(folder, 'second'));
    await copyTo(local, to);
    await source.repository.close();
    const repository = await open(local, [to]);
    await rm(join(folder, 'first'), { recursive: true });
    await assertReadable(repository, source);
    await assert.rejects(repository.openWriter(), { code: 'REPOSITORY_READ_ONLY' });
    assert.equal(await local.stat('repository.json'), null);
    await repository.close();
    await to.close();
    await local.close();
  }));

  test('fails with the first store\'s failure when no copy opens either', () => withCopy(async (source) => {
    const state = { isDown: true };
    await assert.rejects(open(failing(source.storage, state), [createMemoryStorage()]), { code: 'STORAGE_FAILED' });
  }));
});
