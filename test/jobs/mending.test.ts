// What rotted in the first store is fetched again from a second copy without anybody's doing: found by a check, or by a read that fell over.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { Catalog } from '../../src/catalog/index.ts';
import { checkKey, type CheckState } from '../../src/domain/check-state.ts';
import { checkOnSchedule, createMendingChore } from '../../src/jobs/index.ts';
import { openWithCopies, type Repository } from '../../src/repository/index.ts';
import { createUpkeep } from '../../src/services/index.ts';
import { createMemoryStorage, type Storage } from '../../src/storage/index.ts';
import { insertCompleted, makeInventory, OUTCOME } from '../support/catalog-rows.ts';
import { makeEveryKind, type EveryKind } from '../support/every-kind.ts';
import { fakeClock, type FakeClock } from '../support/fake-clock.ts';
import { createFaultyStorage } from '../support/faulty-storage.ts';
import { createLockingStorage } from '../support/locking-storage.ts';
import { emptyCatalog, silent, startEmbedded, type TestDatabase } from '../support/postgres.ts';
import { copyToMemory, MASTER_KEY, objectNames, openTestRepository, readSnapshot } from '../support/repository-fixture.ts';

const DAY_MS = 24 * 3_600_000;
/** Kinds of which a copy has the same object, and whose place may be empty for a moment. */
const KINDS = ['snapshots/first place', 'snapshots/behind a fence', 'packs', 'indexes', 'facts/other', 'facts/deleted', 'keys', 'oplog/head', 'oplog/slice', 'oplog/end', 'oplog/from', 'catalog/manifest', 'catalog/part'];

describe('a repository with a second copy', () => {
  let server: TestDatabase;
  let catalog: Catalog;
  let clock: FakeClock;
  let sound: EveryKind;
  let copy: Storage;
  let needed: string;
  let slot: string;
  let open: Repository[] = [];

  before(async () => {
    server = await startEmbedded();
    clock = fakeClock(OUTCOME.capturedAt);
    catalog = await server.open({ clock });
    sound = await makeEveryKind();
    copy = createMemoryStorage('copy');
    const repository = await openTestRepository(await copyToMemory(sound.storage));
    assert.deepEqual((await repository.copyTo({ to: copy })).damaged, []);
    await repository.close();
    needed = await neededPack();
    for (const name of sound.kinds.get('keys') ?? []) if ((await sound.storage.get(name)).includes('"masterKeyId":"passphrase"')) slot = name;
  });
  after(async () => {
    await catalog.close();
    await server.stop();
  });
  beforeEach(async () => {
    await emptyCatalog(catalog);
    open = [];
  });
  const closing = (work: () => Promise<void>) => (): Promise<void> => work().finally(async () => { for (const each of open) await each.close(); });

  /** The last object of a kind that somebody misses: the repository opens without it, and a check looks at it. */
  const lastOf = (kind: string): string => {
    const all = sound.kinds.get(kind) ?? [];
    if (kind === 'packs') return needed;
    if (kind === 'keys') return slot;
    if (kind === 'snapshots/first place') return all.findLast((name) => sound.contents.has(name.slice(-24)) && sound.kinds.get('snapshots/behind a fence')?.includes(`${name}.2`) === false) ?? assert.fail(kind);
    return all.at(-1) ?? assert.fail(kind);
  };
  /** Of one that is condemned, or that no index names, nobody misses anything. */
  const neededPack = async (): Promise<string> => {
    for (const pack of sound.kinds.get('packs') ?? []) {
      const repository = await openTestRepository(await copyToMemory(sound.storage, (name, bytes) => (name === pack ? flipped(bytes) : bytes)));
      const { problems } = await repository.check({ readData: true });
      await repository.close();
      if (problems.some(({ object, affects }) => object.startsWith(pack) && affects.length > 0)) return pack;
    }
    return assert.fail('no pack is needed');
  };
  const flipped = (bytes: Buffer): Buffer => {
    const other = Buffer.from(bytes);
    other[bytes.length >> 1]! ^= 4;
    return other;
  };
  const openOver = async (storage: Storage, copies: readonly Storage[] = [copy]): Promise<Repository> => {
    const repository = await openWithCopies({ storage, copies, masterKey: MASTER_KEY, tempDir: '/tmp', clock, log: silent, threads: 0 });
    open.push(repository);
    return repository;
  };
  const check = async (repository: Repository): Promise<CheckState> => {
    const chore = checkOnSchedule({ catalog, clock, log: silent, repositories: () => Promise.resolve([repository]), everyHours: 24, parts: 1 });
    if ((await catalog.settings.get(checkKey(repository.id))) === undefined) await chore.run(new AbortController().signal);
    clock.advance(DAY_MS);
    await chore.run(new AbortController().signal);
    return (await catalog.settings.get(checkKey(repository.id))) as CheckState;
  };
  const isSound = async (storage: Storage, name: string): Promise<boolean> => (await storage.stat(name)) !== null && (await storage.get(name)).equals(await sound.storage.get(name));

  test('has every kind of damaged object in its place again after a check, which tells it, and keeps what was damaged aside', closing(async () => {
    const names = KINDS.map(lastOf);
    const storage = await copyToMemory(sound.storage, (name, bytes) => (names.includes(name) ? flipped(bytes) : bytes));
    const { last, mending } = await check(await openOver(storage));
    for (const name of names) {
      assert.ok(await isSound(storage, name), name);
      assert.deepEqual(await storage.get(`quarantine/${name}`), flipped(await sound.storage.get(name)));
    }
    assert.deepEqual([last?.problems, last?.mended, last?.damaged, mending], [0, names.length, [], undefined]);
    await catalog.settings.set('repositoryId', sound.repositoryId);
    const { mended } = await createUpkeep({ catalog, clock }).read(null);
    assert.deepEqual([mended?.objects, [...mended?.names ?? []].sort()], [names.length, names.toSorted()]);
  }));

  test('has a missing pack, index and slice again, and no root and no fact that may have been deleted since', closing(async () => {
    const gone = ['packs', 'indexes', 'oplog/slice'].map(lastOf);
    const root = lastOf('snapshots/behind a fence');
    const id = root.split('/')[1]?.slice(0, 24) ?? '';
    const storage = await copyToMemory(sound.storage, (name, bytes) => (gone.includes(name) || name.includes(id) ? null : bytes));
    const repository = await openOver(storage);
    const { healed } = await repository.healFromCopies({ objects: [...gone, ...(await objectNames(sound.storage)).filter((name) => name.includes(id) && name.startsWith('facts/')), root] });
    assert.deepEqual(healed.map(({ name }) => name).sort(), gone.toSorted());
    assert.deepEqual((await repository.check({ readData: true })).problems.map(({ object }) => object), []);
  }));

  test('has the root of a snapshot again that the catalog keeps, also one behind a fence', closing(async () => {
    const inventory = await makeInventory(catalog);
    const roots = [lastOf('snapshots/first place'), lastOf('snapshots/behind a fence')];
    const storage = await copyToMemory(sound.storage, (name, bytes) => (roots.includes(name) ? null : bytes));
    const repository = await openOver(storage);
    for (const root of roots) {
      const { snapshotId } = await insertCompleted(catalog, inventory, { snapshotId: root.slice('snapshots/'.length, 'snapshots/'.length + 24) });
      await repository.addFact({ snapshotId, kind: 'expiry', createdAt: clock.now().toISOString(), body: {} });
    }
    const { last } = await check(repository);
    assert.deepEqual([last?.problems, last?.mended, last?.lostSnapshots], [0, 2, []]);
    for (const root of roots) assert.ok(await isSound(storage, root), root);
  }));

  test('goes on with what a worker that died had moved aside, though no check misses it', closing(async () => {
    const root = lastOf('snapshots/behind a fence');
    const pack = lastOf('packs');
    const damaged = await copyToMemory(sound.storage, (name, bytes) => (name === root || name === pack ? flipped(bytes) : bytes));
    let struck = 0;
    for (let call = 1; ; call += 4) {
      const storage = await copyToMemory(damaged);
      const faulty = createFaultyStorage(storage, call, 'stop after');
      await emptyCatalog(catalog);
      await openOver(faulty, [copy]).then(check).catch(() => null);
      if (!faulty.struck) break;
      struck += 1;
      // The dead one's session of a repair is in the way until it was seen for 24 hours, its check for 15 minutes.
      clock.advance(2 * DAY_MS);
      const repository = await openOver(storage);
      await check(repository);
      clock.advance(2 * DAY_MS);
      const { last, mending } = await check(repository);
      assert.deepEqual([last?.problems, mending], [0, undefined], `call ${call}`);
      assert.ok((await isSound(storage, root)) && (await isSound(storage, pack)), `call ${call}`);
      await open.pop()?.close();
    }
    assert.ok(struck > 10, `${struck}`);
  }));

  test('gets nothing again that went as it should after a worker had written it down and died', closing(async () => {
    const gone = ['keys', 'catalog/manifest', 'catalog/part', 'indexes', 'oplog/end'].map(lastOf);
    // A dump goes whole.
    const dump = gone.find((name) => name.endsWith('manifest'))?.slice(0, -'manifest'.length) ?? '';
    const storage = await copyToMemory(sound.storage, (name, bytes) => (gone.includes(name) || name.startsWith(dump) ? null : bytes));
    const repository = await openOver(storage);
    const names = await objectNames(storage);
    await check(repository);
    const state = (await catalog.settings.get(checkKey(repository.id))) as CheckState;
    await catalog.settings.set(checkKey(repository.id), { ...state, mending: gone });
    const { mending } = await check(repository);
    assert.equal(mending, undefined);
    const back = (await objectNames(storage)).filter((name) => !names.includes(name) && !/^(sessions|generations)\//.test(name));
    assert.deepEqual(back, []);
  }));

  test('has an index again only where it has all packs that this one names: else a prune took it', closing(async () => {
    const index = lastOf('indexes');
    const repository = await openOver(await copyToMemory(sound.storage, (name, bytes) => (name === index || name.startsWith('packs/') ? null : bytes)));
    assert.deepEqual((await repository.healFromCopies({ objects: [index] })).healed, []);
    const packs = (await objectNames(copy)).filter((name) => name.startsWith('packs/'));
    const { healed } = await repository.healFromCopies({ objects: [index, ...packs] });
    assert.deepEqual(healed.map(({ name }) => name).sort(), [index, ...packs].sort());
  }));

  test('is mended also in a bucket that holds its objects; where one that is held is not even let go, that is told and the others are mended', closing(async () => {
    for (const refuses of [false, true]) {
      await emptyCatalog(catalog);
      const storage = createLockingStorage(clock);
      const [held, free] = [lastOf('packs'), lastOf('facts/other')];
      for (const name of await objectNames(sound.storage)) {
        const bytes = await sound.storage.get(name);
        await storage.put(name, name === held || name === free ? flipped(bytes) : bytes, { passing: name === free });
      }
      storage.refuses = refuses;
      // Longer than the check waits.
      storage.holds.set(held, new Date(clock.now().getTime() + 90 * DAY_MS));
      const { last } = await check(await openOver(storage));
      assert.deepEqual([await isSound(storage, free), await isSound(storage, held)], [true, !refuses]);
      assert.deepEqual([last?.mended, last?.objects.some((name) => name.startsWith(held))], [refuses ? 1 : 2, refuses]);
    }
  }));

  test('has a pack again that a read fell over', closing(async () => {
    const packs = sound.kinds.get('packs') ?? [];
    const storage = await copyToMemory(sound.storage, (name, bytes) => (packs.includes(name) ? flipped(bytes) : bytes));
    const repository = await openOver(storage);
    const [[id, content] = assert.fail()] = [...sound.contents];
    assert.deepEqual(await readSnapshot(repository, await repository.loadSnapshot(id)), content);
    const fell = repository.readFromCopies();
    assert.ok(fell.length > 0);
    const chore = createMendingChore({ catalog, clock, log: silent, repositories: () => Promise.resolve([repository]) });
    await chore.run(new AbortController().signal);
    for (const name of fell) assert.ok(await isSound(storage, name), name);
    assert.deepEqual(repository.readFromCopies(), []);
    const alone = await openTestRepository(storage);
    open.push(alone);
    assert.deepEqual(await readSnapshot(alone, await alone.loadSnapshot(id)), content, 'without the copy');
  }));

  test('leaves what the first copy has damaged to the next one, and what nobody has as it is', closing(async () => {
    const [pack, index] = [lastOf('packs'), lastOf('indexes')];
    const storage = await copyToMemory(sound.storage, (name, bytes) => (name === pack || name === index ? flipped(bytes) : bytes));
    const broken = await copyToMemory(copy, (name, bytes) => (name === pack ? flipped(bytes) : bytes));
    const lost = await copyToMemory(copy, (name, bytes) => (name === index ? null : bytes));
    const repository = await openOver(storage, [createMemoryStorage('empty'), await copyToMemory(broken, (name, bytes) => (name === index ? null : bytes)), lost]);
    const { healed, failed } = await repository.healFromCopies({ objects: [pack, index] });
    assert.deepEqual([healed.map(({ name }) => name), failed.map(({ object }) => object)], [[pack], [index]]);
    assert.deepEqual([await isSound(storage, pack), await isSound(storage, index)], [true, false]);
  }));
});
