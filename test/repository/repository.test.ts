// A repository as its users see it, on both kinds of stores: written, read back, opened again.
import assert from 'node:assert/strict';
import { hash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { newId } from '../../src/foundation/ids.ts';
import { initRepository, openOrInitRepository, openRepository, type Repository } from '../../src/repository/index.ts';
import { createLocalStorage, createMemoryStorage, type Storage } from '../../src/storage/index.ts';
import {
  collect, copyToMemory, MASTER_KEY, objectNames, openTestRepository, randomChunks, readContent, readSnapshot, withTempDir, writeSnapshot,
} from '../support/repository-fixture.ts';

const KINDS: Readonly<Record<string, (folder: string) => Storage>> = {
  memory: () => createMemoryStorage(),
  'local folder': (folder) => createLocalStorage(join(folder, 'repository')),
};

for (const [kind, makeStorage] of Object.entries(KINDS)) {
  describe(`repository on ${kind}`, () => {
    const on = (name: string, run: (repository: Repository, storage: Storage, folder: string) => Promise<void>, threads = 0): void => {
      test(name, () => withTempDir(async (folder) => {
        const storage = makeStorage(folder);
        const repository = await openTestRepository(storage, { tempDir: join(folder, 'temp'), threads });
        try {
          await run(repository, storage, folder);
        } finally {
          await repository.close();
        }
      }));
    };

    on('a snapshot reads back chunk by chunk after opening anew', async (repository, storage, folder) => {
      const content = { 'shop.orders': randomChunks(60, 5_000), 'shop.items': [Buffer.from('x')], 'shop.empty': [] };
      const root = await writeSnapshot(repository, content);
      await repository.close();
      const again = await openTestRepository(storage, { tempDir: join(folder, 'temp2') });
      const [listed] = await collect(again.listSnapshots());
      assert.deepEqual(listed, root);
      assert.deepEqual(await again.loadSnapshot(root.id), root);
      assert.deepEqual(await readSnapshot(again, root), content);
      await again.close();
    });

    on('worker threads store and read the same as the caller\'s own', async (repository) => {
      const soft = Array.from({ length: 200 }, (_, i) => Buffer.from(`line ${i} of a text that shrinks `.repeat(400)));
      const content = { soft, hard: randomChunks(100, 30_000), large: [randomBytes(3_000_000), Buffer.alloc(5_000_000, 'abc')] };
      const root = await writeSnapshot(repository, content);
      assert.deepEqual(await readSnapshot(repository, root), content);
      assert.ok(root.stats.storedBytes < root.stats.rawBytes - 7_000_000, 'what shrinks is stored small');
    }, 2);

    on('a second unchanged write stores under half a percent', async (repository) => {
      const content = { a: randomChunks(400, 4_000), b: randomChunks(100, 2_000) };
      const first = await writeSnapshot(repository, content);
      const second = await writeSnapshot(repository, content);
      assert.equal(second.stats.newChunks, 0);
      assert.equal(second.stats.chunks, first.stats.chunks);
      assert.ok(second.stats.storedBytes < first.stats.storedBytes * 0.005, `${second.stats.storedBytes} of ${first.stats.storedBytes}`);
      assert.deepEqual(await readSnapshot(repository, second), content);
    });

    on('no object is ever put twice nor deleted, sessions aside', async (repository, storage) => {
      await writeSnapshot(repository, { a: randomChunks(10, 1_000) });
      const before = await objectNames(storage);
      await writeSnapshot(repository, { a: randomChunks(10, 1_000) });
      const after = await objectNames(storage);
      assert.deepEqual(before.filter((name) => !after.includes(name)), []);
      assert.deepEqual(after.filter((name) => name.startsWith('sessions/')), []);
    });

    on('check finds nothing wrong with what was written', async (repository) => {
      await writeSnapshot(repository, { a: randomChunks(100, 3_000), b: randomChunks(5, 100) });
      await writeSnapshot(repository, { a: randomChunks(50, 3_000) });
      const structure = await repository.check();
      assert.deepEqual({ snapshots: structure.snapshots, problems: structure.problems }, { snapshots: 2, problems: [] });
      const bytes = await repository.check({ readData: true });
      assert.deepEqual(bytes.problems, []);
      assert.ok(bytes.bytesRead > 450_000 && structure.bytesRead < 50_000);
      assert.equal(bytes.packs, structure.packs);
    });
  });
}

describe('writer', () => {
  test('stores the same bytes once when they are handed in at the same time', async () => {
    const repository = await openTestRepository(createMemoryStorage(), { threads: 2 });
    const writer = await repository.openWriter();
    const chunk = randomBytes(50_000);
    const refs = await Promise.all(Array.from({ length: 20 }, () => writer.putChunk(chunk, 3)));
    assert.equal(new Set(refs.map(({ id }) => id.toString('hex'))).size, 1);
    assert.deepEqual([writer.stats.chunks, writer.stats.newChunks, writer.stats.newRawBytes], [20, 1, 50_000]);
    await writer.abort();
    await repository.close();
  });

  test('lets the caller use its buffer again once the chunk was taken', async () => {
    const repository = await openTestRepository(createMemoryStorage(), { threads: 2 });
    const buffer = Buffer.alloc(40_000);
    const writer = await repository.openWriter();
    const list = writer.openList();
    for (let i = 0; i < 20; i += 1) {
      buffer.fill(i);
      await list.append(await writer.putChunk(buffer, 1));
    }
    await writer.addEntry({ name: 'a', body: {}, lists: { data: await list.finish() } });
    const root = await writer.commit({ id: newId(), createdAt: '2026-01-01T00:00:00Z', series: 's', body: {} });
    const content = await readSnapshot(repository, root);
    assert.deepEqual(content['a'], Array.from({ length: 20 }, (_, i) => Buffer.alloc(40_000, i)));
    await repository.close();
  });

  test('refuses chunks of no bytes and of more than 32 MiB and goes on', async () => {
    const repository = await openTestRepository(createMemoryStorage());
    const writer = await repository.openWriter();
    await assert.rejects(writer.putChunk(Buffer.alloc(0), 0), { code: 'REPOSITORY_CHUNK_INVALID' });
    await assert.rejects(writer.putChunk(Buffer.alloc(32 * 1024 * 1024 + 1), 1), { code: 'REPOSITORY_CHUNK_INVALID' });
    const ref = await writer.putChunk(Buffer.alloc(32 * 1024 * 1024), 1);
    assert.equal(ref.rawBytes, 32 * 1024 * 1024);
    await writer.abort();
    await repository.close();
  });

  test('throws its first failure ever after', async () => {
    const storage = createMemoryStorage();
    const repository = await openTestRepository(storage);
    const stop = new AbortController();
    const writer = await repository.openWriter({ signal: stop.signal });
    await writer.putChunk(Buffer.from('one'), 1);
    const reason = new Error('cancelled by a person');
    stop.abort(reason);
    await assert.rejects(writer.putChunk(Buffer.from('two'), 1), reason);
    await assert.rejects(writer.addEntry({ name: 'a', body: {}, lists: {} }), reason);
    await assert.rejects(writer.commit({ id: newId(), createdAt: '', series: '', body: {} }), reason);
    await writer.abort();
    await writer.abort();
    assert.deepEqual((await objectNames(storage)).filter((name) => /^(sessions|snapshots)\//.test(name)), []);
    await repository.close();
  });

  test('leaves the chunks of a cancelled writer to the next one', async () => {
    const repository = await openTestRepository(createMemoryStorage());
    const chunks = randomChunks(200, 5_000);
    const stop = new AbortController();
    const writer = await repository.openWriter({ signal: stop.signal });
    for (const chunk of chunks) await writer.putChunk(chunk, 1);
    stop.abort(new Error('cancelled'));
    await writer.abort();
    const root = await writeSnapshot(repository, { a: chunks });
    assert.ok(root.stats.newChunks < 30, `${root.stats.newChunks} of 200 were stored again`);
    await repository.close();
  });

  test('refuses a second snapshot of the same id', async () => {
    const repository = await openTestRepository(createMemoryStorage());
    const root = await writeSnapshot(repository, { a: [Buffer.from('one')] });
    await assert.rejects(writeSnapshot(repository, { a: [Buffer.from('two')] }, root.id), { code: 'REPOSITORY_SNAPSHOT_EXISTS' });
    assert.deepEqual(await readSnapshot(repository, await repository.loadSnapshot(root.id)), { a: [Buffer.from('one')] });
    await repository.close();
  });

  test('shares a store with other writers, and duplicates do no harm', async () => {
    const storage = createMemoryStorage();
    const [one, two] = [await openTestRepository(storage), await openTestRepository(storage)];
    const shared = randomChunks(80, 3_000);
    const roots = await Promise.all([one, one, two, two].map((repository, i) => writeSnapshot(repository, { a: [...shared, Buffer.from(`own ${i}`)] })));
    for (const [i, root] of roots.entries()) assert.deepEqual(await readSnapshot(i % 2 ? one : two, root), { a: [...shared, Buffer.from(`own ${i}`)] });
    assert.deepEqual((await one.check({ readData: true })).problems, []);
    const later = await writeSnapshot(await openTestRepository(storage), { a: shared });
    assert.ok(later.stats.newChunks <= 4, 'only pages are new');
    await one.close();
    await two.close();
  });

  test('is ended by closing the repository', async () => {
    const storage = createMemoryStorage();
    const repository = await openTestRepository(storage);
    const writer = await repository.openWriter();
    const reader = await repository.openReader();
    await repository.close();
    await repository.close();
    await assert.rejects(writer.putChunk(Buffer.from('x'), 1), { code: 'REPOSITORY_WRITER_CLOSED' });
    await assert.rejects(reader.readChunk(Buffer.alloc(32)), { code: 'REPOSITORY_READER_CLOSED' });
    await assert.rejects(repository.openWriter(), { code: 'REPOSITORY_CLOSED' });
    assert.deepEqual((await objectNames(storage)).filter((name) => name.startsWith('sessions/')), []);
  });
});

describe('reader', () => {
  test('goes on reading a snapshot that was deleted meanwhile', async () => {
    const repository = await openTestRepository(createMemoryStorage());
    const content = { a: randomChunks(50, 2_000) };
    const root = await writeSnapshot(repository, content);
    const reader = await repository.openReader();
    await repository.addFact({ snapshotId: root.id, kind: 'deleted', createdAt: '2026-01-01T00:00:00Z', body: {} });
    assert.deepEqual(await collect(repository.listSnapshots()), []);
    await assert.rejects(repository.loadSnapshot(root.id), { code: 'REPOSITORY_SNAPSHOT_MISSING' });
    assert.deepEqual(await readContent(reader, root), content);
    await reader.close();
    await repository.close();
  });

  test('finds chunks of snapshots that other processes made after it was opened', async () => {
    const storage = createMemoryStorage();
    const [mine, theirs] = [await openTestRepository(storage), await openTestRepository(storage)];
    const reader = await mine.openReader();
    const content = { a: randomChunks(10, 500) };
    const root = await writeSnapshot(theirs, content);
    assert.deepEqual(await readContent(reader, await mine.loadSnapshot(root.id)), content);
    await mine.close();
    await theirs.close();
  });

  test('stops when its signal fires', async () => {
    const repository = await openTestRepository(createMemoryStorage());
    const root = await writeSnapshot(repository, { a: randomChunks(50, 2_000) });
    const reader = await repository.openReader();
    const [entry] = await collect(reader.entries(root));
    const stop = new AbortController();
    const reason = new Error('enough');
    let seen = 0;
    await assert.rejects(async () => {
      for await (const _chunk of reader.chunks(entry?.lists['data'] ?? assert.fail(), { signal: stop.signal })) {
        seen += 1;
        if (seen === 5) stop.abort(reason);
      }
    }, reason);
    assert.equal(seen, 5);
    await repository.close();
  });

  test('names a chunk that is nowhere', async () => {
    const repository = await openTestRepository(createMemoryStorage());
    const reader = await repository.openReader();
    await assert.rejects(reader.readChunk(Buffer.alloc(32, 0xab)), { code: 'REPOSITORY_CHUNK_MISSING', message: /abababab/ });
    await repository.close();
  });
});

describe('opening', () => {
  test('refuses a wrong master key with a hint and names nothing secret', async () => {
    const storage = createMemoryStorage();
    await initRepository({ storage, masterKey: MASTER_KEY });
    const wrong = { storage, masterKey: Buffer.alloc(32, 9), tempDir: '/nonexistent' };
    await assert.rejects(openRepository(wrong), (error: Error & { code: string; hint: string }) => {
      assert.equal(error.code, 'REPOSITORY_KEY_WRONG');
      assert.match(error.hint, /master key/);
      assert.doesNotMatch(JSON.stringify([error.message, error.hint]), /0909|CQkJ/);
      return true;
    });
    await assert.rejects(openRepository({ ...wrong, masterKey: Buffer.alloc(31) }), { code: 'REPOSITORY_KEY_WRONG' });
  });

  test('tells an empty store from a repository', async () => {
    const storage = createMemoryStorage();
    await assert.rejects(openRepository({ storage, masterKey: MASTER_KEY, tempDir: '/nonexistent' }), { code: 'REPOSITORY_MISSING' });
    const { created, repository } = await openOrInitRepository({ storage, masterKey: MASTER_KEY, tempDir: '/nonexistent' });
    assert.equal(created, true);
    await assert.rejects(initRepository({ storage, masterKey: MASTER_KEY }), { code: 'REPOSITORY_EXISTS' });
    assert.equal((await openOrInitRepository({ storage, masterKey: MASTER_KEY, tempDir: '/nonexistent' })).created, false);
    await repository.close();
  });

  test('gives everybody the same seed and id', async () => {
    const storage = createMemoryStorage();
    const [one, two] = [await openTestRepository(storage), await openTestRepository(storage)];
    assert.deepEqual([one.id, one.hashSeed], [two.id, two.hashSeed]);
    assert.equal(one.hashSeed.length, 32);
    const other = await openTestRepository(createMemoryStorage());
    assert.notDeepEqual(other.hashSeed, one.hashSeed);
    for (const repository of [one, two, other]) await repository.close();
  });

  test('lets one of several that make it at the same time win', async () => {
    const storage = createMemoryStorage();
    const opened = await Promise.all(Array.from({ length: 5 }, () => openTestRepository(storage)));
    assert.equal(new Set(opened.map(({ id }) => id)).size, 1);
    for (const repository of opened) await repository.close();
  });

  test('does not take a store without its descriptor for an empty one', async () => {
    const storage = createMemoryStorage();
    const repository = await openTestRepository(storage);
    await writeSnapshot(repository, { a: [Buffer.from('x')] });
    await repository.close();
    const headless = await copyToMemory(storage, (name, bytes) => (name === 'repository.json' ? null : bytes));
    await assert.rejects(openTestRepository(headless), { code: 'REPOSITORY_OBJECT_MISSING', hint: /keys\// });
  });

  test('refuses a newer format by name', async () => {
    const storage = createMemoryStorage();
    await (await openTestRepository(storage)).close();
    const newer = await copyToMemory(storage, (name, bytes) => (name === 'repository.json' ? newerDescriptor(bytes) : bytes));
    await assert.rejects(openTestRepository(newer), { code: 'REPOSITORY_FORMAT_NEWER', message: /repository\.json.*version 2/ });
  });
});

describe('facts', () => {
  test('are listed by snapshot and as a whole', async () => {
    const repository = await openTestRepository(createMemoryStorage());
    const [a, b] = [newId(), newId()];
    const pinned = await repository.addFact({ snapshotId: a, kind: 'pin', createdAt: '2026-01-01T00:00:00Z', body: { by: 'someone' } });
    await repository.addFact({ snapshotId: b, kind: 'expiry', createdAt: '2026-01-01T00:00:00Z', body: { at: '2027-01-01' } });
    assert.deepEqual(await collect(repository.listFacts(a)), [pinned]);
    assert.equal((await collect(repository.listFacts())).length, 2);
    await assert.rejects(repository.addFact({ snapshotId: a, kind: 'Not OK', createdAt: '', body: {} }), { code: 'REPOSITORY_FACT_INVALID' });
    await assert.rejects(repository.addFact({ snapshotId: '../x', kind: 'pin', createdAt: '', body: {} }), { code: 'REPOSITORY_FACT_INVALID' });
    await repository.close();
  });

  test('keep a snapshot as pin or hold, from whoever says that it is deleted and from every prune, until the last one is taken back', async () => {
    const storage = createMemoryStorage();
    const repository = await openTestRepository(storage);
    const [content, second] = [{ a: [Buffer.from('what has to stay')] }, { a: [Buffer.from('another')] }];
    const { id } = await writeSnapshot(repository, content);
    const other = await writeSnapshot(repository, second);
    let days = 0;
    const say = async (kind: string, body: Readonly<Record<string, unknown>>): Promise<void> => {
      days += 1;
      await repository.addFact({ snapshotId: id, kind, createdAt: new Date(days * 86_400_000).toISOString(), body });
    };
    const shown = async (): Promise<boolean> => {
      for (let round = 0; round < 2; round += 1) await repository.prune();
      const ids = (await collect(repository.listSnapshots())).map((root) => root.id);
      assert.ok(ids.includes(other.id));
      assert.deepEqual((await repository.check({ readData: true })).problems, []);
      return ids.includes(id);
    };
    await say('pin', { kept: true, by: 'one', reason: null });
    await say('deleted', {});
    assert.equal(await shown(), true);
    await say('hold', { kept: true, by: 'two', reason: 'case 12' });
    await say('pin', { kept: false, by: 'one' });
    assert.equal(await shown(), true, 'the hold is there');
    assert.deepEqual(await readSnapshot(repository, await repository.loadSnapshot(id)), content);
    // One that can't be read keeps, too: which of both it was nobody knows.
    const holds = (await objectNames(storage)).filter((name) => name.startsWith(`facts/${id}/hold-`));
    const damaged = await openTestRepository(await copyToMemory(storage, (name, bytes) => (holds.includes(name) ? Buffer.from('rubbish') : bytes)));
    assert.ok((await collect(damaged.listSnapshots({ onUnreadable: () => undefined }))).some((root) => root.id === id));
    await damaged.close();
    await say('hold', { kept: false, by: 'two' });
    assert.equal(await shown(), false, 'what was said before counts');
    assert.deepEqual((await objectNames(storage)).filter((name) => name.includes(id)), [], 'nothing of it stays');
    await repository.close();
  });
});

function newerDescriptor(bytes: Buffer): Buffer {
  const { checksum: _checksum, ...rest } = JSON.parse(bytes.toString()) as Record<string, unknown>;
  const head = JSON.stringify({ ...rest, version: 2 }).slice(0, -1);
  return Buffer.from(`${head},"checksum":"${hash('sha256', head)}"}`);
}
