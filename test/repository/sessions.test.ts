// Sessions, generations and fences: what a prune will rely on is written, and obeyed, from the start.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { LeafvaultError } from '../../src/foundation/errors.ts';
import { newId } from '../../src/foundation/ids.ts';
import type { Repository } from '../../src/repository/index.ts';
import { deriveKeys, type RepositoryKeys } from '../../src/repository/format/keys.ts';
import { generationName, sessionEndName, sessionName, snapshotName } from '../../src/repository/format/names.ts';
import { openJson, sealJson } from '../../src/repository/format/sealed-json.ts';
import { openKeySlot, parseKeySlot } from '../../src/repository/format/key-slot.ts';
import { parseRepositoryFile } from '../../src/repository/format/repository-file.ts';
import { createLocalStorage, createMemoryStorage, type Storage } from '../../src/storage/index.ts';
import { createFaultyStorage } from '../support/faulty-storage.ts';
import { collect, MASTER_KEY, objectNames, openTestRepository, randomChunks, readSnapshot, withTempDir, writeEntries, writeSnapshot } from '../support/repository-fixture.ts';

const CONTENT = { a: randomChunks(60, 3_000) };

/** On both kinds of stores, one after the other. */
async function withRepository(use: (repository: Repository, storage: Storage, keys: RepositoryKeys) => Promise<void>): Promise<void> {
  await withTempDir(async (folder) => {
    for (const storage of [createMemoryStorage(), createLocalStorage(join(folder, 'repository'))]) {
      const repository = await openTestRepository(storage);
      await use(repository, storage, await keysOf(storage));
      await repository.close();
    }
  });
}

for (const [kind, at] of [['writer', 'openWriter'], ['reader', 'openReader']] as const) {
  test(`the session of a ${kind} whose first try comes to the store when it is over is taken away by its process`, async () => {
    const storage = createMemoryStorage();
    await (await openTestRepository(storage)).close();
    const faulty = createFaultyStorage(storage, 1, 'last');
    const repository = await openTestRepository(faulty);
    const opened = await repository[at]();
    await ('abort' in opened ? opened.abort() : opened.close());
    const sessions = async (): Promise<number> => (await objectNames(storage)).filter((name) => name.startsWith('sessions/')).length;
    assert.equal(await sessions(), 0);
    await repository.endLeftSessions();
    await faulty.arrive();
    assert.equal(await sessions(), 1);
    await repository.endLeftSessions();
    assert.equal(await sessions(), 0);
    await repository.close();
  });
}

describe('a session that an outage left', () => {
  /** Sessions can't be taken away while `isDown`. */
  function unsteady(): { readonly inner: Storage; readonly storage: Storage; isDown: boolean; sessions(): Promise<number> } {
    const inner = createMemoryStorage();
    const world = {
      inner, isDown: false,
      storage: { ...inner, delete: (name: string) => (world.isDown && name.startsWith('sessions/') ? Promise.reject(new Error('an outage')) : inner.delete(name)) },
      sessions: async () => (await objectNames(inner)).filter((name) => name.startsWith('sessions/')).length,
    };
    return world;
  }

  test('is taken away by the next reader of a process that only reads', async () => {
    const world = unsteady();
    const repository = await openTestRepository(world.storage);
    const reader = await repository.openReader();
    world.isDown = true;
    await reader.close();
    world.isDown = false;
    assert.equal(await world.sessions(), 1);
    await (await repository.openReader()).close();
    assert.equal(await world.sessions(), 0);
    await repository.close();
  });

  test('keeps its own process from no work that tolerates no other', async () => {
    const world = unsteady();
    const repository = await openTestRepository(world.storage);
    const copy = createMemoryStorage();
    await repository.copyTo({ to: copy });
    world.isDown = true;
    await repository.heal({ from: copy, objects: [] });
    world.isDown = false;
    assert.equal(await world.sessions(), 1);
    await repository.heal({ from: copy, objects: [], isOver: () => false });
    assert.equal(await world.sessions(), 0);
    await repository.close();
  });

  test('or that may still come is looked for by one list, however many there are', async () => {
    const inner = createMemoryStorage();
    await (await openTestRepository(inner)).close();
    const calls: string[] = [];
    let failsOnce = false;
    const repository = await openTestRepository({
      ...inner,
      put(name, bytes, options) {
        failsOnce = !failsOnce && name.startsWith('sessions/');
        if (failsOnce) return Promise.reject(new LeafvaultError('STORAGE_FAILED', 'busy', { retryable: true }));
        return inner.put(name, bytes, options);
      },
      async delete(name) { calls.push(`delete ${name}`); await inner.delete(name); },
      async *list(prefix) { calls.push(`list ${prefix}`); yield* inner.list(prefix); },
    });
    for (let readers = 0; readers < 5; readers += 1) await (await repository.openReader()).close();
    calls.length = 0;
    await repository.endLeftSessions();
    assert.deepEqual(calls, ['list sessions/']);
    await repository.close();
  });
});

describe('session', () => {
  test('of a writer and of a reader stands while they are open and names its generation', () => withRepository(async (repository, storage, keys) => {
    const [writer, reader] = [await repository.openWriter(), await repository.openReader()];
    const sessions = (await objectNames(storage)).filter((name) => name.startsWith('sessions/'));
    assert.equal(sessions.length, 2);
    const bodies = await Promise.all(sessions.map(async (name) => openJson(keys, { kind: 'session', name }, await storage.get(name))));
    assert.deepEqual(bodies.map(({ kind, generation }) => ({ kind, generation })).sort((a, b) => (String(a.kind) < String(b.kind) ? -1 : 1)), [
      { kind: 'reader', generation: 0 }, { kind: 'writer', generation: 0 },
    ]);
    assert.ok(sessions.includes(sessionName(writer.sessionId)));
    await writer.abort();
    await reader.close();
    await reader.close();
    assert.deepEqual((await objectNames(storage)).filter((name) => name.startsWith('sessions/')), []);
  }));

  test('names the generation that stands after it was put, even when one begins in between', async () => {
    const storage = createMemoryStorage();
    await (await openTestRepository(storage)).close();
    const keys = await keysOf(storage);
    let meddled = false;
    const meddling: Storage = {
      ...storage,
      async put(name, bytes, options) {
        // A prune begins just before the session is there: it may not see it.
        if (name.startsWith('sessions/') && !meddled) {
          meddled = true;
          await putGeneration(storage, keys, 1, []);
        }
        await storage.put(name, bytes, options);
      },
    };
    const repository = await openTestRepository(meddling);
    const writer = await repository.openWriter();
    const name = sessionName(writer.sessionId);
    assert.equal(openJson(keys, { kind: 'session', name }, await storage.get(name))['generation'], 1);
    assert.equal((await objectNames(storage)).filter((each) => each.startsWith('sessions/')).length, 1, 'the first try was taken back');
    await repository.close();
  });
});

describe('condemned packs', () => {
  test('give no chunk to a writer and every chunk to a reader', () => withRepository(async (repository, storage, keys) => {
    const first = await writeSnapshot(repository, CONTENT);
    const packs = (await objectNames(storage)).filter((name) => name.startsWith('packs/')).map((name) => name.slice(-24));
    await putGeneration(storage, keys, 1, packs);
    const second = await writeSnapshot(repository, CONTENT);
    assert.equal(second.stats.newChunks, first.stats.newChunks, 'every chunk was stored anew');
    for (const root of [first, second]) assert.deepEqual(await readSnapshot(repository, root), CONTENT);
    const third = await writeSnapshot(repository, CONTENT);
    assert.equal(third.stats.newChunks, 0, 'the new copies serve');
    // What a sweep would do: the condemned packs and the indexes that name them go.
    for (const pack of packs) await storage.delete(`packs/${pack.slice(-2)}/${pack}`);
    const fresh = await openTestRepository(storage);
    assert.deepEqual(await readSnapshot(fresh, second), CONTENT);
    await fresh.close();
  }));

  test('of a generation that cannot be read may be all: a writer rests on none, and a prune is refused with the way out', () => withRepository(async (repository, storage) => {
    const first = await writeSnapshot(repository, CONTENT);
    await storage.put(generationName(1), Buffer.from('garbage'));
    const second = await writeSnapshot(repository, CONTENT);
    assert.equal(second.stats.newChunks, first.stats.newChunks, 'every chunk was stored anew');
    await assert.rejects(repository.prune(), { code: 'REPOSITORY_PRUNE_REFUSED', message: /generations\/0000000001/, hint: /^Stop everything .* delete generations\/0000000001/ });
    assert.deepEqual((await objectNames(storage)).filter((name) => name.startsWith('sessions/')), []);
    await storage.delete(generationName(1));
    assert.ok((await repository.prune()).freedBytes > 60 * 2_000, 'one copy of each chunk is enough');
    for (const root of [first, second]) assert.deepEqual(await readSnapshot(repository, root), CONTENT);
  }));
});

describe('fence', () => {
  test('put before the commit stops the writer, and its next try succeeds', () => withRepository(async (repository, storage, keys) => {
    const writer = await repository.openWriter();
    await writeEntries(writer, CONTENT);
    const name = sessionEndName(writer.sessionId);
    await storage.put(name, sealJson(keys, { kind: 'sessionEnd', name }, { id: writer.sessionId, outcome: 'fenced' }));
    await assert.rejects(commit(writer), { code: 'REPOSITORY_SESSION_FENCED', retryable: true });
    await writer.abort();
    assert.deepEqual(await collect(repository.listSnapshots()), []);
    assert.deepEqual(await readSnapshot(repository, await writeSnapshot(repository, CONTENT)), CONTENT);
  }));

  test('that was cleaned up already stops a writer that wakes up late', () => withRepository(async (repository, storage) => {
    const writer = await repository.openWriter();
    await writeEntries(writer, CONTENT);
    await storage.delete(sessionName(writer.sessionId));
    await assert.rejects(commit(writer), { code: 'REPOSITORY_SESSION_FENCED' });
    await writer.abort();
    assert.deepEqual(await collect(repository.listSnapshots()), []);
  }));

  test('under the name of the root stops a writer that had begun its commit, and the next one takes the next place', async () => {
    const storage = createMemoryStorage();
    const id = newId();
    let fenced = '';
    const repository = await openTestRepository({
      ...storage,
      async put(name, bytes, options) {
        await storage.put(name, bytes, options);
        if (!name.endsWith('.end') || fenced !== '') return;
        fenced = name.slice('sessions/'.length, -'.end'.length);
        const keys = await keysOf(storage);
        await storage.put(snapshotName(id), sealJson(keys, { kind: 'snapshot', name: snapshotName(id) }, { id, fenced }));
      },
    });
    const writer = await repository.openWriter();
    await writeEntries(writer, CONTENT);
    await assert.rejects(commit(writer, id), { code: 'REPOSITORY_SESSION_FENCED', retryable: true });
    await writer.abort();
    assert.deepEqual(await collect(repository.listSnapshots()), [], 'a fence is no snapshot');
    await assert.rejects(repository.loadSnapshot(id), { code: 'REPOSITORY_SNAPSHOT_MISSING' });
    assert.deepEqual((await repository.check({ readData: true })).problems, []);
    const again = await writeSnapshot(repository, CONTENT, id);
    assert.deepEqual((await objectNames(storage)).filter((name) => name.startsWith('snapshots/')), [snapshotName(id), snapshotName(id, 2)]);
    assert.deepEqual((await collect(repository.listSnapshots())).map((root) => root.id), [id]);
    assert.deepEqual(await readSnapshot(repository, again), CONTENT);
    assert.deepEqual((await repository.check({ readData: true })).problems, []);
    await repository.close();
  });

  test('stays possible for a root without a clear answer: its session is left open', async () => {
    const inner = createMemoryStorage();
    const unclear: Storage = {
      ...inner,
      async put(name, bytes, options) {
        if (name.startsWith('snapshots/')) throw new LeafvaultError('STORAGE_FAILED', 'timed out', { retryable: true });
        await inner.put(name, bytes, options);
      },
    };
    const repository = await openTestRepository(unclear);
    await assert.rejects(writeSnapshot(repository, CONTENT), { code: 'STORAGE_FAILED' });
    await repository.close();
    assert.equal((await objectNames(inner)).filter((name) => name.startsWith('sessions/')).length, 2, 'the session and its intent');
  });

  test('of a commit names the root, and goes with the session', async () => {
    const storage = createMemoryStorage();
    const seen: string[] = [];
    const watched: Storage = {
      ...storage,
      async put(name, bytes, options) {
        seen.push(name);
        await storage.put(name, bytes, options);
      },
    };
    const repository = await openTestRepository(watched);
    const root = await writeSnapshot(repository, CONTENT);
    const kinds = seen.map((name) => (name.endsWith('.end') ? 'end' : (name.split('/')[0] ?? '')));
    assert.deepEqual([...new Set(kinds)], ['keys', 'repository.json', 'sessions', 'packs', 'indexes', 'end', 'snapshots']);
    assert.equal(seen.at(-1), snapshotName(root.id), 'the root is the last write');
    assert.ok(kinds.lastIndexOf('packs') < kinds.lastIndexOf('indexes'), 'packs before the last index');
    assert.deepEqual((await objectNames(storage)).filter((name) => name.startsWith('sessions/')), []);
    await repository.close();
  });
});

function commit(writer: Awaited<ReturnType<Repository['openWriter']>>, id: string = newId()): Promise<unknown> {
  return writer.commit({ id, createdAt: '2026-01-01T00:00:00Z', series: 's', body: {} });
}

async function putGeneration(storage: Storage, keys: RepositoryKeys, generation: number, condemned: readonly string[]): Promise<void> {
  const name = generationName(generation);
  await storage.put(name, sealJson(keys, { kind: 'generation', name }, { generation, createdAt: '2026-01-01T00:00:00Z', condemned }));
}

async function keysOf(storage: Storage): Promise<RepositoryKeys> {
  const file = parseRepositoryFile(await storage.get('repository.json'));
  const [slot = ''] = (await objectNames(storage)).filter((name) => name.startsWith('keys/'));
  const key = openKeySlot(file, parseKeySlot(slot.slice(-24), await storage.get(slot)), MASTER_KEY);
  return deriveKeys(key ?? assert.fail('the slot opens'));
}
