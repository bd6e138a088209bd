// A repository on a small file system that is filled to the last byte; and, for who may not mount one, a store that says it is full.
import assert from 'node:assert/strict';
import { mkdir, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Repository } from '../../src/repository/index.ts';
import { LeafvaultError } from '../../src/foundation/errors.ts';
import { createLocalStorage, createMemoryStorage, openStorage, type Storage } from '../../src/storage/index.ts';
import { openTestRepository, randomChunks, readSnapshot, withTempDir, writeSnapshot, type Content } from '../support/repository-fixture.ts';
import { startS3, whyNot } from '../support/s3-servers.ts';
import { mountSmallDisk, type SmallDisk } from '../support/small-disk.ts';

const NEEDS_ROOT = process.getuid?.() === 0 ? false : 'only root can mount file systems';
const content = (kib: number): Content => ({ data: randomChunks(kib / 4, 4_096) });

async function withSmallDisk(t: TestContext, size: string, use: (place: string, disk: SmallDisk, folder: string) => Promise<void>): Promise<void> {
  await withTempDir(async (folder) => {
    const place = join(folder, 'disk');
    await mkdir(place);
    const disk = mountSmallDisk(t, place, size);
    if (disk === null) return;
    try {
      await use(place, disk, folder);
    } finally {
      disk.unmount();
    }
  });
}

async function onSmallDisk(t: TestContext, use: (repository: Repository, disk: SmallDisk, folder: string) => Promise<void>): Promise<void> {
  await withSmallDisk(t, '4m', async (place, disk, folder) => {
    const repository = await openTestRepository(createLocalStorage(join(place, 'repository')), { tempDir: join(folder, 'temp') });
    try {
      await use(repository, disk, place);
    } finally {
      await repository.close();
    }
  });
}

test('a full disk fails a snapshot by name, costs no finished one, and the next works once there is room', { skip: NEEDS_ROOT }, (t) =>
  onSmallDisk(t, async (repository, disk) => {
    const first = content(512);
    const root = await writeSnapshot(repository, first);
    disk.fill();
    const error = await writeSnapshot(repository, content(256)).then(() => assert.fail('it was stored'), (cause: unknown) => cause as { readonly code: string; readonly hint: string });
    assert.equal(error.code, 'STORAGE_FULL');
    assert.match(error.hint, /[Ff]ree disk space/);
    await disk.free();
    assert.deepEqual((await repository.check({ readData: true })).problems, []);
    assert.deepEqual(await readSnapshot(repository, root), first);
    const next = content(256);
    assert.deepEqual(await readSnapshot(repository, await writeSnapshot(repository, next)), next);
  }));

test('a disk that fills in the middle of a snapshot leaves packs that a prune takes away', { skip: NEEDS_ROOT }, (t) =>
  onSmallDisk(t, async (repository, disk) => {
    const root = await writeSnapshot(repository, content(512));
    await assert.rejects(writeSnapshot(repository, content(8_192)), { code: 'STORAGE_FULL' });
    // What a person can find anywhere, for a session, a generation and an index.
    disk.resize('4200k');
    const { freedBytes } = await repository.prune({ isOver: () => true });
    assert.ok(freedBytes > 2_000_000, `${freedBytes} bytes came back`);
    assert.deepEqual((await repository.check({ readData: true })).problems, []);
    assert.equal((await repository.loadSnapshot(root.id)).id, root.id);
  }));

test('a prune gives back what is dead although the disk has no room to write anything anew', { skip: NEEDS_ROOT }, (t) =>
  onSmallDisk(t, async (repository, disk, place) => {
    const kept = randomChunks(96, 4_096);
    // Each pack is half of what goes.
    const half = await writeSnapshot(repository, { both: kept.flatMap((chunk) => [chunk, ...randomChunks(1, 4_096)]) });
    const dead = await writeSnapshot(repository, content(1_024));
    const root = await writeSnapshot(repository, { kept });
    for (const { id } of [half, dead]) await repository.addFact({ snapshotId: id, kind: 'deleted', createdAt: new Date().toISOString(), body: {} });
    disk.fill();
    // What a person can find anywhere: some blocks for the session, the generation and an index.
    const filler = join(place, 'filler');
    await truncate(filler, (await stat(filler)).size - 48 * 1_024);
    const { freedBytes } = await repository.prune();
    assert.ok(freedBytes >= 1_000_000, `${freedBytes} bytes came back`);
    assert.deepEqual((await repository.check({ readData: true })).problems, []);
    assert.deepEqual(await readSnapshot(repository, root), { kept });
    // With the room that this made, the rest is written anew by the next one.
    assert.ok((await repository.prune()).freedBytes > 0);
    assert.deepEqual((await repository.check({ readData: true })).problems, []);
    assert.deepEqual(await readSnapshot(repository, root), { kept });
  }));

test('a full disk below a server of S3 fails a snapshot by name, costs no finished one, and a prune makes room', { skip: NEEDS_ROOT || (await whyNot('versitygw')) || false }, (t) =>
  withSmallDisk(t, '6m', async (place, disk, folder) => {
    await using server = await startS3('versitygw', { data: place });
    const storage = openStorage(await server.newStore());
    const repository = await openTestRepository(storage, { tempDir: join(folder, 'temp') });
    const first = content(512);
    const root = await writeSnapshot(repository, first);
    const dead = await writeSnapshot(repository, content(1_024));
    await assert.rejects(writeSnapshot(repository, content(8_192)), (error: Error & { readonly code: string }) => {
      assert.equal(error.code, 'STORAGE_FULL', error.stack);
      assert.match(error.message, /^Storing \S+ at s3:\/\/store-1/);
      return true;
    });
    assert.deepEqual(await readSnapshot(repository, root), first);
    // What a person can find anywhere, for a session, a generation and an index.
    disk.resize('6300k');
    await repository.addFact({ snapshotId: dead.id, kind: 'deleted', createdAt: new Date().toISOString(), body: {} });
    const { freedBytes } = await repository.prune({ isOver: () => true });
    assert.ok(freedBytes > 4_000_000, `${freedBytes} bytes came back`);
    assert.deepEqual((await repository.check({ readData: true })).problems, []);
    assert.deepEqual(await readSnapshot(repository, root), first);
    const next = content(1_024);
    assert.deepEqual(await readSnapshot(repository, await writeSnapshot(repository, next)), next);
    await repository.close();
    await storage.close();
  }));

/** Takes no object of this kind once it is full. */
function filling(isRefused: (name: string) => boolean): { readonly storage: Storage; isFull: boolean } {
  const memory = createMemoryStorage();
  const world = {
    isFull: false,
    storage: {
      ...memory,
      put: (...args: Parameters<Storage['put']>) => {
        if (world.isFull && isRefused(args[0])) return Promise.reject(new LeafvaultError('STORAGE_FULL', `Storing ${args[0]} failed: no room is left`));
        return memory.put(...args);
      },
    },
  };
  return world;
}

test('a prune of a full store takes what is dead, tells what it left, and the next one has it', async () => {
  const world = filling((name) => name.startsWith('packs/'));
  const repository = await openTestRepository(world.storage);
  const kept = randomChunks(96, 4_096);
  const half = await writeSnapshot(repository, { both: kept.flatMap((chunk) => [chunk, ...randomChunks(1, 4_096)]) });
  const dead = await writeSnapshot(repository, content(1_024));
  const root = await writeSnapshot(repository, { kept });
  for (const { id } of [half, dead]) await repository.addFact({ snapshotId: id, kind: 'deleted', createdAt: new Date().toISOString(), body: {} });
  world.isFull = true;
  const first = await repository.prune();
  assert.ok(first.freedBytes >= 1_000_000 && first.postponedPacks > 0, JSON.stringify(first));
  world.isFull = false;
  const next = await repository.prune();
  assert.ok(next.rewrittenBytes > 0 && next.postponedPacks === 0, JSON.stringify(next));
  assert.deepEqual((await repository.check({ readData: true })).problems, []);
  assert.deepEqual(await readSnapshot(repository, root), { kept });
  await repository.close();
});

test('a prune that has nothing dead to take and no room says that the store is full', async () => {
  const world = filling((name) => name.startsWith('packs/'));
  const repository = await openTestRepository(world.storage);
  const kept = randomChunks(96, 4_096);
  const half = await writeSnapshot(repository, { both: kept.flatMap((chunk) => [chunk, ...randomChunks(1, 4_096)]) });
  await writeSnapshot(repository, { kept });
  await repository.addFact({ snapshotId: half.id, kind: 'deleted', createdAt: new Date().toISOString(), body: {} });
  world.isFull = true;
  await assert.rejects(repository.prune(), { code: 'STORAGE_FULL' });
  await repository.close();
});

test('a prune of a full store takes what was condemned before, although there is no room to rewrite', async () => {
  const world = filling((name) => name.startsWith('packs/'));
  const repository = await openTestRepository(world.storage);
  const kept = randomChunks(96, 4_096);
  const half = await writeSnapshot(repository, { both: kept.flatMap((chunk) => [chunk, ...randomChunks(1, 4_096)]) });
  const dead = await writeSnapshot(repository, content(1_024));
  await writeSnapshot(repository, { kept });
  const reader = await repository.openReader();
  await repository.addFact({ snapshotId: dead.id, kind: 'deleted', createdAt: new Date().toISOString(), body: {} });
  assert.equal((await repository.prune()).freedBytes, 0);
  await reader.close();
  await repository.addFact({ snapshotId: half.id, kind: 'deleted', createdAt: new Date().toISOString(), body: {} });
  world.isFull = true;
  assert.ok((await repository.prune()).freedBytes >= 1_000_000);
  await repository.close();
});
