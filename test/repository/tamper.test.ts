// Altered, cut, swapped and lost objects: always an error that names the object, never wrong data.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { LeafvaultError } from '../../src/foundation/errors.ts';
import type { SnapshotRoot } from '../../src/repository/index.ts';
import { createMemoryStorage, type Storage } from '../../src/storage/index.ts';
import {
  collect, copyToMemory, objectNames, openTestRepository, randomChunks, readSnapshot, writeEntries, writeSnapshot, type Content,
} from '../support/repository-fixture.ts';

const CONTENT: Content = {
  soft: Array.from({ length: 30 }, (_, i) => Buffer.from(`record ${i} `.repeat(300))),
  hard: randomChunks(30, 2_000),
};

let sound: Storage;
let root: SnapshotRoot;
/** One object of each kind: kind to name. */
const samples = new Map<string, string>();
/** Packs of the sound repository. */
const soundPacks = new Set<string>();

before(async () => {
  sound = createMemoryStorage();
  const repository = await openTestRepository(sound);
  root = await writeSnapshot(repository, CONTENT);
  await repository.addFact({ snapshotId: root.id, kind: 'pin', createdAt: '2026-01-01T00:00:00Z', body: { why: 'a test' } });
  const open = await repository.openWriter();
  await writeEntries(open, { other: [Buffer.from('x')] });
  for (const name of await objectNames(sound)) samples.set(name.split('/')[0] ?? '', name);
  await repository.close();
  // The session above is gone again; a copy of what it was has to be tampered with too.
  const lingering = await openTestRepository(sound);
  await lingering.openReader();
  for (const name of await objectNames(sound)) if (name.startsWith('sessions/')) samples.set('sessions', name);
  sound = await copyToMemory(sound);
  for (const name of await objectNames(sound)) if (name.startsWith('packs/')) soundPacks.add(name);
  await lingering.close();
});

test('a sample of every kind of object is at hand', () => {
  assert.deepEqual([...samples.keys()].sort(), ['facts', 'indexes', 'keys', 'packs', 'repository.json', 'sessions', 'snapshots']);
});

describe('a flipped byte', () => {
  for (const kind of ['facts', 'indexes', 'keys', 'packs', 'repository.json', 'sessions', 'snapshots']) {
    test(`anywhere in ${kind} is noticed by check and never gives wrong data`, async () => {
      const name = samples.get(kind) ?? assert.fail();
      const length = (await sound.get(name)).length;
      // Every byte of what is small, every byte of header and trailer and a spread of the rest of what is not.
      const places = length < 500 ? range(length) : [...range(70), ...range(40).map((i) => length - 1 - i), ...range(40).map((i) => Math.floor((i * length) / 40))];
      for (const at of places) await assertNoticed(await copyToMemory(sound, (each, bytes) => (each === name ? flipped(bytes, at) : bytes)), name, `byte ${at}`);
    });
  }
});

describe('a truncated object', () => {
  for (const kind of ['facts', 'indexes', 'keys', 'packs', 'repository.json', 'sessions', 'snapshots']) {
    test(`of ${kind} is noticed by check and never gives wrong data`, async () => {
      const name = samples.get(kind) ?? assert.fail();
      const length = (await sound.get(name)).length;
      for (const keep of [0, 1, 20, 64, Math.floor(length / 2), length - 1]) {
        await assertNoticed(await copyToMemory(sound, (each, bytes) => (each === name ? bytes.subarray(0, keep) : bytes)), name, `${keep} bytes left`);
      }
      await assertNoticed(await copyToMemory(sound, (each, bytes) => (each === name ? Buffer.concat([bytes, Buffer.alloc(7)]) : bytes)), name, '7 bytes more');
    });
  }
});

describe('a lost object', () => {
  test('of packs is named with the entries that it costs', async () => {
    const lost = samples.get('packs') ?? assert.fail();
    const repository = await openTestRepository(await copyToMemory(sound, (name, bytes) => (name === lost ? null : bytes)));
    const { problems } = await repository.check();
    const [problem] = problems.filter(({ object }) => object === lost);
    assert.equal(problem?.code, 'REPOSITORY_OBJECT_MISSING');
    assert.ok(problem.affects.length > 0 && problem.affects.every(({ snapshotId }) => snapshotId === root.id));
    await repository.close();
  });

  test('of indexes costs nothing: the packs know what they hold', async () => {
    const repository = await openTestRepository(await copyToMemory(sound, (name, bytes) => (name.startsWith('indexes/') ? null : bytes)));
    assert.deepEqual(await readSnapshot(repository, root), CONTENT);
    const { problems } = await repository.check({ readData: true });
    assert.deepEqual(problems.map(({ object, affects }) => ({ object, affects })), [{ object: 'indexes/', affects: [] }]);
    await repository.close();
  });
});

describe('a repository without its indexes', () => {
  test('is whole again after the next snapshot of the same data', async () => {
    const storage = await copyToMemory(sound, (name, bytes) => (name.startsWith('indexes/') ? null : bytes));
    const repository = await openTestRepository(storage);
    assert.deepEqual(await readSnapshot(repository, root), CONTENT);
    const again = await writeSnapshot(repository, CONTENT);
    assert.equal(again.stats.newChunks, again.stats.chunks, 'nothing rests on a pack that no index names');
    assert.deepEqual((await repository.check({ readData: true })).problems, []);
    await repository.close();
    // As a prune would: packs that no index names go.
    const fresh = await openTestRepository(await copyToMemory(storage, (name, bytes) => (name.startsWith('packs/') && soundPacks.has(name) ? null : bytes)));
    for (const each of [root, again]) assert.deepEqual(await readSnapshot(fresh, each), CONTENT);
    await fresh.close();
  });
});

describe('a swapped object', () => {
  test('under the name of another of its kind is refused', async () => {
    const storage = await copyToMemory(sound);
    const repository = await openTestRepository(storage);
    const other = await writeSnapshot(repository, { other: randomChunks(40, 2_000) });
    await repository.close();
    for (const prefix of ['packs/', 'indexes/', 'snapshots/']) {
      const [a = '', b = ''] = (await objectNames(storage)).filter((name) => name.startsWith(prefix));
      const [bytesOfA, bytesOfB] = [await storage.get(a), await storage.get(b)];
      const swapped = await copyToMemory(storage, (name, bytes) => (name === a ? bytesOfB : name === b ? bytesOfA : bytes));
      const again = await openTestRepository(swapped);
      const { problems } = await again.check({ readData: true });
      for (const name of [a, b]) assert.ok(problems.some(({ object }) => object.startsWith(name)), `${name} is named`);
      if (prefix === 'snapshots/') for (const { id } of [root, other]) await assert.rejects(again.loadSnapshot(id), { code: 'REPOSITORY_OBJECT_DAMAGED' });
      await again.close();
    }
  });

  test('from another repository with the same master key is refused', async () => {
    const foreign = createMemoryStorage();
    const theirs = await openTestRepository(foreign);
    const their = await writeSnapshot(theirs, CONTENT);
    await theirs.close();
    const bytes = await foreign.get(`snapshots/${their.id}`);
    const storage = await copyToMemory(sound);
    await storage.put(`snapshots/${their.id}`, bytes);
    const repository = await openTestRepository(storage);
    await assert.rejects(repository.loadSnapshot(their.id), { code: 'REPOSITORY_OBJECT_DAMAGED', message: new RegExp(their.id) });
    await repository.close();
  });
});

describe('a damaged chunk', () => {
  test('is named with its pack, and with every entry that it costs', async () => {
    const pack = (await largestPack(sound)) ?? assert.fail();
    const repository = await openTestRepository(await copyToMemory(sound, (name, bytes) => (name === pack ? flipped(bytes, 70) : bytes)));
    await assert.rejects(readSnapshot(repository, root), (error: LeafvaultError) => {
      assert.equal(error.code, 'REPOSITORY_CHUNK_DAMAGED');
      assert.ok(error.message.includes(pack) && /chunk [0-9a-f]{64}/.test(error.message));
      return true;
    });
    assert.deepEqual((await repository.check()).problems, [], 'structure does not read the bytes of chunks');
    const { problems } = await repository.check({ readData: true });
    assert.equal(problems.length, 1);
    assert.ok(problems[0]?.object.startsWith(`${pack} chunk `));
    assert.deepEqual(problems[0]?.affects.map(({ snapshotId }) => snapshotId), [root.id]);
    await repository.close();
  });

  test('is read from another pack that holds it too', async () => {
    const storage = createMemoryStorage();
    const [one, two] = [await openTestRepository(storage), await openTestRepository(storage)];
    const shared = { a: randomChunks(10, 2_000) };
    const writers = [await one.openWriter(), await two.openWriter()];
    for (const writer of writers) await writeEntries(writer, shared);
    const roots: SnapshotRoot[] = [];
    for (const [i, writer] of writers.entries()) {
      roots.push(await writer.commit({ id: `5f000000000000000000000${i}`, createdAt: '2026-01-01T00:00:00Z', series: 's', body: {} }));
    }
    const [pack = ''] = (await objectNames(storage)).filter((name) => name.startsWith('packs/'));
    const repository = await openTestRepository(await copyToMemory(storage, (name, bytes) => (name === pack ? flipped(bytes, 500) : bytes)));
    for (const each of roots) assert.deepEqual(await readSnapshot(repository, each), shared);
    const { problems } = await repository.check({ readData: true });
    assert.deepEqual(problems.map(({ affects }) => affects), [[]], 'it is named and costs nothing');
    for (const each of [one, two, repository]) await each.close();
  });
});

/** Opening, reading or checking names the object; what reads, reads right. */
async function assertNoticed(storage: Storage, name: string, what: string): Promise<void> {
  const where = `${name}, ${what}`;
  let repository: Awaited<ReturnType<typeof openTestRepository>>;
  try {
    repository = await openTestRepository(storage);
  } catch (error) {
    assertNamed(error, where);
    return;
  }
  try {
    const { problems } = await repository.check({ readData: true });
    assert.ok(problems.some(({ object }) => object.includes(name)), `${where}: check names it, not only ${JSON.stringify(problems)}`);
    try {
      const [listed] = await collect(repository.listSnapshots());
      assert.deepEqual(listed && (await readSnapshot(repository, listed)), CONTENT, where);
      for await (const fact of repository.listFacts()) assert.deepEqual(fact.body, { why: 'a test' });
    } catch (error) {
      assertNamed(error, where);
    }
  } finally {
    await repository.close();
  }
}

function assertNamed(error: unknown, where: string): void {
  assert.ok(error instanceof LeafvaultError && error.code.startsWith('REPOSITORY_'), `${where}: ${String(error)}`);
}

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 0x41;
  return copy;
}

function range(length: number): number[] {
  return Array.from({ length }, (_, i) => i);
}

async function largestPack(storage: Storage): Promise<string | undefined> {
  return (await collect(storage.list('packs/'))).sort((a, b) => b.sizeBytes - a.sizeBytes)[0]?.name;
}
