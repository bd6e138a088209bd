// Sessions in the way of a prune: of those at work, of those whose owners are gone, and of those that an outage left.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { LeafvaultError } from '../../../src/foundation/errors.ts';
import { newId } from '../../../src/foundation/ids.ts';
import { snapshotName } from '../../../src/repository/format/names.ts';
import { sealJson } from '../../../src/repository/format/sealed-json.ts';
import type { SnapshotRoot } from '../../../src/repository/index.ts';
import { unlock } from '../../../src/repository/unlock.ts';
import { createLocalStorage, type Storage } from '../../../src/storage/index.ts';
import { readIndependently } from '../../../tools/read-repository.ts';
import { A, assertWhole, B, bytesOf, open, remove, withRepository } from '../../support/prune-fixture.ts';
import { MASTER_KEY, objectNames, readContent, withTempDir, writeEntries, writeSnapshot, type Content } from '../../support/repository-fixture.ts';

describe('a prune beside a long writer', () => {
  test('leaves what the writer has named so far, though no root needs it yet', () => withRepository(async (repository, storage) => {
    const gone = await writeSnapshot(repository, { b: B });
    const packs = { packBytes: 8 * 1024 };
    const [other, pruning] = [await open(storage, packs), await open(storage, packs)];
    const writer = await other.openWriter();
    const list = writer.openList();
    for (const chunk of A) await list.append(await writer.putChunk(chunk, 1));
    assert.ok((await objectNames(storage)).filter((name) => name.startsWith('indexes/')).length > 1, 'some packs are named');
    const named = (await objectNames(storage)).filter((name) => name.startsWith('packs/'));
    await remove(gone, repository);
    await pruning.prune();
    await writer.addEntry({ name: 'a', body: {}, lists: { data: await list.finish() } });
    const root = await writer.commit({ id: newId(), createdAt: new Date().toISOString(), series: 'test', body: {} });
    await other.close();
    const { rewrittenBytes } = await pruning.prune();
    assert.ok(rewrittenBytes < 40_000, `${rewrittenBytes} bytes: at most the packs of the snapshot that went, and small ones`);
    await pruning.close();
    const there = await objectNames(storage);
    assert.ok(named.filter((name) => there.includes(name)).length >= 16);
    await assertWhole(storage, [[root, { a: A }]]);
  }));
});

describe('a session that a living process could not take away', () => {
  const failing = (inner: Storage): { storage: Storage; isDown: boolean } => {
    const world = {
      isDown: false,
      storage: {
        ...inner,
        delete: (name: string) => (world.isDown && name.startsWith('sessions/') ? Promise.reject(new Error('an outage')) : inner.delete(name)),
        put: (...args: Parameters<Storage['put']>) => (world.isDown && args[0].startsWith('snapshots/') ? Promise.reject(new LeafvaultError('STORAGE_FAILED', 'an outage', { retryable: true })) : inner.put(...args)),
      },
    };
    return world;
  };

  test('is ended by its own prune', () => withRepository(async (_, storage) => {
    const world = failing(storage);
    const repository = await open(world.storage);
    const gone = await writeSnapshot(repository, { a: A });
    const reader = await repository.openReader();
    world.isDown = true;
    await reader.close();
    world.isDown = false;
    await remove(gone, repository);
    const report = await repository.prune();
    assert.deepEqual([report.ended.map(({ kind }) => kind), report.inTheWay, report.waitingBytes], [['reader'], [], 0]);
    await repository.close();
  }));

  test('is ended by the next writer, and the same snapshot can be taken again, by every reader\'s eyes', () => withTempDir(async (folder) => {
    const place = createLocalStorage(join(folder, 'repository'));
    const world = failing(place);
    const repository = await open(world.storage);
    const id = newId();
    world.isDown = true;
    await assert.rejects(writeSnapshot(repository, { a: A }, id), { code: 'STORAGE_FAILED' });
    world.isDown = false;
    const again = await writeSnapshot(repository, { a: A }, id);
    assert.deepEqual((await objectNames(place)).filter((name) => /^(?:sessions|snapshots)\//.test(name)), [`snapshots/${id}`, `snapshots/${id}.2`]);
    await assertWhole(place, [[again, { a: A }]]);
    await assert.rejects(writeSnapshot(repository, { a: A }, id), { code: 'REPOSITORY_SNAPSHOT_EXISTS' });
    const outside = readIndependently(join(folder, 'repository'), MASTER_KEY);
    assert.deepEqual(outside.snapshots().map((each) => each.id), [id]);
    await remove(again, repository);
    assert.deepEqual(readIndependently(join(folder, 'repository'), MASTER_KEY).snapshots(), []);
    await repository.prune();
    assert.deepEqual((await objectNames(place)).filter((name) => /^(?:sessions|snapshots|packs|facts)\//.test(name)), [`snapshots/${id}`], 'the fence stays: whoever it keeps out may wake up at any time');
    await repository.close();
  }));
});

describe('a root that comes behind a fence', () => {
  /** A first try that an outage cut off; the next writer is open. */
  async function secondTry(storage: Storage): Promise<{ commit(content: Content): Promise<SnapshotRoot>; close(): Promise<void> }> {
    const id = newId();
    let isDown = true;
    const late = await open({
      ...storage,
      put: (...args) => (isDown && args[0].startsWith('snapshots/') ? Promise.reject(new LeafvaultError('STORAGE_FAILED', 'an outage', { retryable: true })) : storage.put(...args)),
    });
    await assert.rejects(writeSnapshot(late, { b: B }, id), { code: 'STORAGE_FAILED' });
    isDown = false;
    const writer = await late.openWriter();
    assert.ok((await objectNames(storage)).includes(`snapshots/${id}`), 'the fence of the first try');
    return {
      async commit(content) {
        await writeEntries(writer, content);
        return writer.commit({ id, createdAt: new Date().toISOString(), series: 'test', body: {} });
      },
      close: () => late.close(),
    };
  }

  test('while a prune is at work is seen like any other', () => withRepository(async (_, storage) => {
    let commit = async (): Promise<unknown> => undefined;
    const pruning = await open({
      ...storage,
      async put(name, ...rest) {
        await storage.put(name, ...rest);
        // The packs were chosen; the writer that was there before ends now.
        if (name.startsWith('generations/')) await commit();
      },
    });
    const gone = await writeSnapshot(pruning, { a: A });
    const second = await secondTry(storage);
    let root: SnapshotRoot | undefined;
    commit = async () => { root ??= await second.commit({ a: A }); };
    await remove(gone, pruning);
    await pruning.prune();
    assert.ok(root !== undefined && root.stats.newChunks < A.length, 'it rests on packs that were about to go');
    for (const each of [second, pruning]) await each.close();
    await assertWhole(storage, [[root, { a: A }]]);
  }));

  for (const work of ['check', 'prune'] as const) {
    test(`after a ${work} has read the indexes is none of its affair`, () => withRepository(async (_, storage) => {
      let commit = async (): Promise<unknown> => undefined;
      const looking = await open({
        ...storage,
        async get(name, ...rest) {
          if (name.startsWith('snapshots/')) await commit();
          return storage.get(name, ...rest);
        },
      });
      const kept = await writeSnapshot(looking, { b: B });
      const second = await secondTry(storage);
      let root: SnapshotRoot | undefined;
      commit = async () => {
        commit = async () => undefined;
        root = await second.commit({ a: A });
      };
      if (work === 'check') assert.deepEqual((await looking.check({ readData: true })).problems, []);
      else await looking.prune();
      for (const each of [second, looking]) await each.close();
      assert.ok(root !== undefined);
      await assertWhole(storage, [[kept, { b: B }], [root, { a: A }]]);
    }));
  }
});

describe('a fence in the place of a root', () => {
  test('stays when its snapshot is deleted: the put that it keeps out may still come', () => withRepository(async (repository, storage) => {
    const [asleep, woken] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const id = newId();
    const frozen = await open({
      ...storage,
      async put(name, ...rest) {
        if (name.startsWith('snapshots/')) {
          asleep.resolve();
          await woken.promise;
        }
        await storage.put(name, ...rest);
      },
    }, { owner: 'frozen' });
    const committing = writeSnapshot(frozen, { a: A }, id);
    await asleep.promise;
    await repository.prune({ isOver: ({ owner }) => owner === 'frozen' });
    const again = await writeSnapshot(repository, { a: A }, id);
    await remove(again, repository);
    for (let rounds = 0; rounds < 2; rounds += 1) await repository.prune();
    woken.resolve();
    await assert.rejects(committing, { code: 'REPOSITORY_SESSION_FENCED' });
    await frozen.close();
    await assertWhole(storage, []);
    await repository.prune();
  }));

  test('that is damaged hides no root behind it', () => withRepository(async (repository, storage) => {
    const id = newId();
    await storage.put(`snapshots/${id}`, Buffer.from('once a fence'));
    await assert.rejects(repository.loadSnapshot(id), { code: 'REPOSITORY_OBJECT_DAMAGED' });
    const place = `snapshots/${id}.2`;
    await storage.put(place, Buffer.from('taken'));
    await assert.rejects(repository.loadSnapshot(id), { code: 'REPOSITORY_OBJECT_DAMAGED', message: new RegExp(`${id}\\.2`) });
    await storage.delete(place);
  }));

  test('that a repair moved aside and died before it put another hides no root behind it, from readers, checks and prunes', () => withRepository(async (repository, storage) => {
    const id = newId();
    const { keys } = await unlock(storage, MASTER_KEY);
    await storage.put(snapshotName(id), sealJson(keys, { kind: 'snapshot', name: snapshotName(id) }, { id, fenced: newId() }));
    const root = await writeSnapshot(repository, { a: A }, id);
    assert.ok((await objectNames(storage)).includes(snapshotName(id, 2)));
    await storage.delete(snapshotName(id));
    await remove(await writeSnapshot(repository, { b: B }), repository);
    for (let rounds = 0; rounds < 2; rounds += 1) await repository.prune();
    await assertWhole(storage, [[root, { a: A }]]);
  }));

  test('a deleted snapshot stays hidden while a writer that claimed its root is at work', () => withRepository(async (repository, storage) => {
    const [asleep, woken] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const id = newId();
    let isFirst = true;
    const slow = await open({
      ...storage,
      async put(name, ...rest) {
        if (name.startsWith('snapshots/') && isFirst) {
          isFirst = false;
          asleep.resolve();
          await woken.promise;
        }
        await storage.put(name, ...rest);
      },
    });
    const committing = writeSnapshot(slow, { a: A }, id);
    await asleep.promise;
    await remove(await writeSnapshot(repository, { a: A }, id), repository);
    await repository.prune();
    woken.resolve();
    await committing;
    await slow.close();
    await assertWhole(storage, []);
    for (let rounds = 0; rounds < 2; rounds += 1) await repository.prune();
    assert.equal(await bytesOf(storage, 'packs/'), 0);
  }));
});

describe('a session whose owner is gone', () => {
  const isOver = () => true;

  test('of a reader is ended, and holds nothing back any more', () => withRepository(async (repository, storage) => {
    const gone = await writeSnapshot(repository, { a: A });
    const dead = await open(storage, { owner: 'dead' });
    await dead.openReader();
    await remove(gone, repository);
    const report = await repository.prune({ isOver: ({ owner }) => owner === 'dead' });
    assert.deepEqual(report.ended.map(({ kind, owner }) => ({ kind, owner })), [{ kind: 'reader', owner: 'dead' }]);
    assert.ok(report.freedBytes > 60 * 3_000);
    assert.deepEqual((await objectNames(storage)).filter((name) => name.startsWith('sessions/')), []);
  }));

  test('of a reader that wakes up again finds what was given another place', () => withRepository(async (repository, storage) => {
    const mixed = await writeSnapshot(repository, { mixed: A.flatMap((chunk, i) => [chunk, B[i] as Buffer]) });
    const half = await writeSnapshot(repository, { a: A });
    const frozen = await open(storage);
    const reader = await frozen.openReader();
    await remove(mixed, repository);
    const { rewrittenBytes, waitingBytes } = await repository.prune({ isOver });
    assert.ok(rewrittenBytes > 50 * 3_000 && waitingBytes === 0);
    assert.deepEqual(await readContent(reader, half), { a: A });
    await frozen.close();
  }));

  test('of a writer that wakes up again can not be committed any more', () => withRepository(async (repository, storage) => {
    const gone = await writeSnapshot(repository, { a: A });
    const frozen = await open(storage);
    const writer = await frozen.openWriter();
    await writeEntries(writer, { a: A });
    await remove(gone, repository);
    await repository.prune({ isOver });
    await assert.rejects(writer.commit({ id: newId(), createdAt: new Date().toISOString(), series: 'test', body: {} }), { code: 'REPOSITORY_SESSION_FENCED' });
    await writer.abort();
    const again = await writeSnapshot(frozen, { a: A });
    await frozen.close();
    await assertWhole(storage, [[again, { a: A }]]);
  }));

  test('of a writer that had said which root comes: that root never comes', () => withRepository(async (repository, storage) => {
    const woken = Promise.withResolvers<void>();
    const asleep = Promise.withResolvers<void>();
    const id = newId();
    const frozen = await open({
      ...storage,
      async put(name, bytes, options) {
        if (name === `snapshots/${id}`) {
          asleep.resolve();
          await woken.promise;
        }
        await storage.put(name, bytes, options);
      },
    });
    const committing = writeSnapshot(frozen, { a: A }, id);
    await asleep.promise;
    const { ended } = await repository.prune({ isOver });
    assert.equal(ended.length, 1);
    woken.resolve();
    await assert.rejects(committing, { code: 'REPOSITORY_SESSION_FENCED' });
    await frozen.close();
    await repository.prune();
    await assertWhole(storage, []);
    assert.equal(await bytesOf(storage, 'packs/'), 0);
  }));

  test('that can not be read holds everything back, until it is said to be over', () => withRepository(async (repository, storage) => {
    const gone = await writeSnapshot(repository, { a: A });
    await storage.put(`sessions/${newId()}`, Buffer.from('torn'));
    await remove(gone, repository);
    assert.equal((await repository.prune()).freedBytes, 0);
    assert.ok((await repository.prune({ isOver })).freedBytes > 60 * 3_000);
  }));

  test('of a prune lets the next one go on; two never go on at once', () => withRepository(async (repository, storage) => {
    const gone = await writeSnapshot(repository, { a: A });
    await remove(gone, repository);
    const asleep = Promise.withResolvers<void>();
    const woken = Promise.withResolvers<void>();
    const slow = await open({
      ...storage,
      async delete(name) {
        if (name.startsWith('packs/')) {
          asleep.resolve();
          await woken.promise;
        }
        await storage.delete(name);
      },
    }, { owner: 'slow' });
    const first = slow.prune();
    await asleep.promise;
    await assert.rejects(repository.prune(), { code: 'REPOSITORY_PRUNE_REFUSED', message: /another prune is at work since .*slow/, details: { busy: true } });
    await repository.prune({ isOver: ({ owner }) => owner === 'slow' });
    woken.resolve();
    await first;
    await slow.close();
    await assertWhole(storage, []);
    assert.equal(await bytesOf(storage, 'packs/'), 0);
  }));
});
