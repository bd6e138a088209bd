// Bad copies are written down: nothing new rests on them, and the next snapshot of the same data heals the old ones.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CheckReport, Repository } from '../../../src/repository/index.ts';
import { createMemoryStorage, type Storage } from '../../../src/storage/index.ts';
import { createFaultyStorage, FAULT_MODES } from '../../support/faulty-storage.ts';
import { assertWhole, open, remove } from '../../support/prune-fixture.ts';
import { collect, copyToMemory, objectNames, randomChunks, readSnapshot, writeSnapshot, type Content } from '../../support/repository-fixture.ts';

const CONTENT: Content = { a: randomChunks(40, 3_000), b: randomChunks(40, 3_000) };
const PACKS = { packBytes: 48 * 1024 };
const CHUNK_IN_PACK = 100;
const isLong = process.env['LEAFVAULT_LONG_TESTS'] === '1';

const startRepository = (storage: Storage) => open(storage, PACKS);
/** In the order in which they were written: the first holds the first chunks of `a`. */
const packsOf = async (storage: Storage): Promise<string[]> => (await objectNames(storage)).filter((name) => name.startsWith('packs/')).sort((a, b) => (a.slice(-24) < b.slice(-24) ? -1 : 1));
const recordsOf = async (storage: Storage): Promise<string[]> => (await objectNames(storage)).filter((name) => name.startsWith('bad/'));
const sortedCosts = ({ problems }: CheckReport): string[] => problems.flatMap(({ affects }) => affects.map(({ snapshotId, entry }) => `${snapshotId} ${entry ?? ''}`)).sort();

/** As a disk that rots does it: the same object with other bytes. `at` negative: from the end. */
async function flip(storage: Storage, name: string, at: number): Promise<Buffer> {
  const sound = await storage.get(name);
  const bytes = Buffer.from(sound);
  const place = at < 0 ? bytes.length + at : at;
  bytes[place] = (bytes[place] ?? 0) ^ 1;
  await replace(storage, name, bytes);
  return sound;
}

async function replace(storage: Storage, name: string, bytes: Buffer): Promise<void> {
  await storage.delete(name);
  await storage.put(name, bytes);
}

const quarantine = (repository: Repository): Promise<CheckReport> => repository.check({ readData: true, quarantine: true });

describe('a chunk whose bytes rotted', () => {
  test('is named with what it costs, and alone is stored anew by the next snapshot, which heals the old one', async () => {
    const storage = createMemoryStorage();
    const repository = await startRepository(storage);
    const old = await writeSnapshot(repository, CONTENT);
    await flip(storage, (await packsOf(storage))[0] ?? assert.fail(), CHUNK_IN_PACK);
    const found = await quarantine(repository);
    assert.deepEqual([found.problems.length, found.quarantinedPacks, found.quarantinedCopies], [1, 1, 1]);
    assert.deepEqual(sortedCosts(found), [`${old.id} a`]);
    await assert.rejects(readSnapshot(repository, old), { code: 'REPOSITORY_CHUNK_DAMAGED' });

    const structure = await repository.check();
    assert.deepEqual(sortedCosts(structure), [`${old.id} a`], 'a check without data knows what an earlier one found');
    const again = await quarantine(repository);
    assert.deepEqual([again.quarantinedPacks, (await recordsOf(storage)).length], [0, 1], 'it is written down once');

    const next = await writeSnapshot(repository, CONTENT);
    assert.equal(next.stats.newChunks, 1, 'the bad chunk; its neighbours stay where they are');
    await assertWhole(storage, [[old, CONTENT], [next, CONTENT]]);
    await repository.close();
  });

  test('is not stored anew before a check has found it', async () => {
    const storage = createMemoryStorage();
    const repository = await startRepository(storage);
    await writeSnapshot(repository, CONTENT);
    await flip(storage, (await packsOf(storage))[0] ?? assert.fail(), CHUNK_IN_PACK);
    assert.equal((await repository.check({ readData: true })).quarantinedPacks, 0, 'a check changes nothing where it was not asked to');
    assert.deepEqual([await recordsOf(storage), (await writeSnapshot(repository, CONTENT)).stats.newChunks], [[], 0]);
    await repository.close();
  });

  test('counts as sound again when its pack was brought back', async () => {
    const storage = createMemoryStorage();
    const repository = await startRepository(storage);
    const old = await writeSnapshot(repository, CONTENT);
    const pack = (await packsOf(storage))[0] ?? assert.fail();
    const sound = await flip(storage, pack, CHUNK_IN_PACK);
    await quarantine(repository);
    await replace(storage, pack, sound);
    assert.equal((await repository.check()).problems.length, 1, 'who does not read the bytes believes what is written down');
    const report = await quarantine(repository);
    assert.deepEqual([report.problems, report.releasedPacks, await recordsOf(storage)], [[], 1, []]);
    assert.equal((await writeSnapshot(repository, CONTENT)).stats.newChunks, 0);
    await assertWhole(storage, [[old, CONTENT], ...(await others(repository, old.id))]);
    await repository.close();
  });
});

async function others(repository: Repository, id: string) {
  return (await collect(repository.listSnapshots())).filter((root) => root.id !== id).map((root) => [root, CONTENT] as const);
}

describe('a pack that is bad as a whole', () => {
  const spoil: Readonly<Record<string, (storage: Storage, pack: string) => Promise<unknown>>> = {
    'its header': (storage, pack) => flip(storage, pack, 20),
    'its directory': (storage, pack) => flip(storage, pack, -60),
    'its trailer': (storage, pack) => flip(storage, pack, -1),
    'its end, cut off': async (storage, pack) => replace(storage, pack, (await storage.get(pack)).subarray(0, 20_000)),
    'all of it, gone': (storage, pack) => storage.delete(pack),
  };
  for (const [what, ruin] of Object.entries(spoil)) {
    test(`(${what}) is stored anew by the next snapshot, and the old one is whole`, async () => {
      const storage = createMemoryStorage();
      const repository = await startRepository(storage);
      const old = await writeSnapshot(repository, CONTENT);
      const [pack = assert.fail()] = await packsOf(storage);
      await ruin(storage, pack);
      const found = await quarantine(repository);
      assert.ok(found.problems.some(({ object }) => object.startsWith(pack)) && sortedCosts(found).includes(`${old.id} a`), JSON.stringify(found.problems));
      const next = await writeSnapshot(repository, CONTENT);
      assert.ok(next.stats.newChunks > 5 && next.stats.newChunks < 30, `${next.stats.newChunks} chunks`);
      await assertWhole(storage, [[old, CONTENT], [next, CONTENT]]);
      await repository.close();
    });
  }
});

describe('a prune', () => {
  test('keeps the sound copy, not the bad one, and takes the record with the pack', async () => {
    const storage = createMemoryStorage();
    const repository = await startRepository(storage);
    const old = await writeSnapshot(repository, CONTENT);
    const [pack = assert.fail()] = await packsOf(storage);
    await flip(storage, pack, CHUNK_IN_PACK);
    await quarantine(repository);
    const next = await writeSnapshot(repository, CONTENT);
    // Of many sound neighbours the pack stays as it is; the copy beside is all that may be kept of the bad chunk.
    await repository.prune();
    await repository.prune();
    await assertWhole(storage, [[old, CONTENT], [next, CONTENT]]);
    assert.equal((await recordsOf(storage)).length, 1);

    // Now hardly anything of the pack is needed: it is rewritten, the bad chunk out of its other copy.
    const few: Content = { a: (CONTENT['a'] ?? []).slice(0, 3) };
    const last = await writeSnapshot(repository, few);
    for (const root of [old, next]) await remove(root, repository);
    await repository.prune();
    await repository.prune();
    assert.ok(!(await packsOf(storage)).includes(pack));
    assert.deepEqual(await recordsOf(storage), []);
    await assertWhole(storage, [[last, few]]);
    await repository.close();
  });

  test('saves the sound copy out of a condemned pack rather than to keep the bad one', async () => {
    const storage = createMemoryStorage();
    const repository = await startRepository(storage);
    const few: Content = { a: (CONTENT['a'] ?? []).slice(0, 12) };
    const first = await writeSnapshot(repository, CONTENT);
    // A writer that began before the condemnation, in another process, rests on the pack that goes.
    const late = await startRepository(storage);
    const writer = await late.openWriter();
    await remove(first, repository);
    await repository.prune();
    const before = new Set(await packsOf(storage));
    const second = await writeSnapshot(repository, few);
    const list = writer.openList();
    for (const chunk of few['a'] ?? []) await list.append(await writer.putChunk(chunk, 1));
    await writer.addEntry({ name: 'a', body: { of: 'a' }, lists: { data: await list.finish() } });
    const third = await writer.commit({ id: 'f'.repeat(24), createdAt: new Date().toISOString(), series: 'test', body: {} });
    // The newer copy rots; the sound one lies in a condemned pack.
    const fresh = (await packsOf(storage)).filter((name) => !before.has(name));
    await flip(storage, fresh[0] ?? assert.fail(), CHUNK_IN_PACK);
    await quarantine(repository);
    for (let rounds = 0; rounds < 3; rounds += 1) await repository.prune();
    await late.close();
    await assertWhole(storage, [[second, few], [third, few]]);
    await repository.close();
  });

  test('keeps the only copy though it is bad: the pack may be brought back', async () => {
    const storage = createMemoryStorage();
    const repository = await startRepository(storage);
    const old = await writeSnapshot(repository, CONTENT);
    const [pack = assert.fail()] = await packsOf(storage);
    const sound = await flip(storage, pack, CHUNK_IN_PACK);
    await quarantine(repository);
    await repository.prune();
    await repository.prune();
    await replace(storage, pack, sound);
    await quarantine(repository);
    await assertWhole(storage, [[old, CONTENT]]);
    await repository.close();
  });
});

describe('records of bad copies', () => {
  test('that rot themselves speak of the whole pack, are named, and are replaced by what is true', async () => {
    const storage = createMemoryStorage();
    const repository = await startRepository(storage);
    const old = await writeSnapshot(repository, CONTENT);
    await flip(storage, (await packsOf(storage))[0] ?? assert.fail(), CHUNK_IN_PACK);
    await quarantine(repository);
    const [record = assert.fail()] = await recordsOf(storage);
    const length = (await storage.get(record)).length;
    for (let at = 0; at < length; at += isLong || at < 48 ? 1 : 7) {
      const rotten = await copyToMemory(storage, (name, bytes) => (name === record ? flipped(bytes, at) : bytes));
      const other = await startRepository(rotten);
      const { problems } = await other.check();
      assert.ok(problems.some(({ object }) => object === record), `byte ${at}`);
      await (await other.openWriter()).abort();
      await other.close();
    }
    await flip(storage, record, 60);
    const next = await writeSnapshot(repository, CONTENT);
    assert.ok(next.stats.newChunks > 5, 'the whole pack is not trusted');
    assert.deepEqual(await readSnapshot(repository, old), CONTENT);
    await quarantine(repository);
    const now = await recordsOf(storage);
    assert.ok(now.length === 1 && now[0] !== record);
    await assertWhole(storage, [[old, CONTENT], [next, CONTENT]]);
    await repository.close();
  });

  for (const mode of FAULT_MODES.filter((each) => isLong || each === 'stop after' || each === 'tear')) {
    test(`are whole or not there, struck at any call of a check (${mode}); the next check and snapshot heal`, async () => {
      const base = createMemoryStorage();
      const first = await startRepository(base);
      const old = await writeSnapshot(first, CONTENT);
      await first.close();
      for (const pack of (await packsOf(base)).slice(0, 3)) await flip(base, pack, CHUNK_IN_PACK);
      let call = 1;
      for (; ; call += 1) {
        const storage = await copyToMemory(base);
        const faulty = createFaultyStorage(storage, call, mode);
        await startRepository(faulty).then(async (repository) => quarantine(repository).finally(() => repository.close())).catch(() => undefined);
        if (!faulty.struck) break;
        const repository = await startRepository(storage);
        await quarantine(repository);
        const next = await writeSnapshot(repository, CONTENT);
        for (const root of [old, next]) assert.deepEqual(await readSnapshot(repository, root), CONTENT, `call ${call}`);
        const { problems } = await repository.check({ readData: true });
        // What is torn stays named; it costs nothing.
        assert.ok(problems.length <= (mode === 'tear' ? 1 : 0) && problems.every(({ affects }) => affects.length === 0), `call ${call}: ${JSON.stringify(problems)}`);
        await repository.close();
      }
      assert.ok(call > 20, `only ${call - 1} calls`);
    });
  }
});

/** The second bit: of a version it makes a newer one. */
function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 2;
  return copy;
}
