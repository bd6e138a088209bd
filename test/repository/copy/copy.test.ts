// What a copier copies, what it refuses, what it takes away, and what may not be done to a copy.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { newId } from '../../../src/foundation/ids.ts';
import { snapshotName } from '../../../src/repository/format/names.ts';
import { sealJson } from '../../../src/repository/format/sealed-json.ts';
import { openRepository } from '../../../src/repository/index.ts';
import { unlock } from '../../../src/repository/unlock.ts';
import { createMemoryStorage, type Storage } from '../../../src/storage/index.ts';
import { add, assertSame, assertWholeCopy, copyTo, goOn, isOver, makeSource, PACKS, type Source } from '../../support/copy-fixture.ts';
import { collect, copyToMemory, MASTER_KEY, objectNames, openTestRepository, randomChunks, readSnapshot, writeSnapshot } from '../../support/repository-fixture.ts';

async function withSource(use: (source: Source, to: Storage) => Promise<void>): Promise<void> {
  const source = await makeSource();
  await use(source, createMemoryStorage());
  await source.repository.close();
}

const isSnapshot = (name: string): boolean => name.startsWith('snapshots/');
const flip = (bytes: Buffer, at = bytes.length >> 1): Buffer => Buffer.concat([bytes.subarray(0, at), Buffer.from([(bytes[at] ?? 0) ^ 1]), bytes.subarray(at + 1)]);

/** The source as another process sees it: with an object changed (null: without it). */
const changed = (source: Source, which: (name: string) => boolean, change: (bytes: Buffer) => Buffer | null = flip): Promise<Storage> =>
  copyToMemory(source.storage, (name, bytes) => (which(name) ? change(bytes) : bytes));

describe('a copy', () => {
  test('has the same objects, opens, checks clean, and the next run copies only what is new', () => withSource(async (source, to) => {
    const first = await copyTo(source.storage, to);
    await assertSame(source.storage, to);
    assert.deepEqual(await assertWholeCopy(to, source.contents, 'first'), [...source.live].sort());
    assert.deepEqual([first.snapshots, first.skipped, first.deleted, first.postponed], [2, 0, 0, false]);
    const again = await copyTo(source.storage, to);
    assert.deepEqual([again.objects, again.bytes], [0, 0]);
    await goOn(source);
    const later = await copyTo(source.storage, to);
    assert.ok(later.objects > 0 && later.deleted > 0 && later.skipped > 0);
    await assertSame(source.storage, to);
    assert.deepEqual(await assertWholeCopy(to, source.contents, 'later'), [...source.live].sort());
  }));

  test('keeps its key slots when the source has lost all of its own, and tells', () => withSource(async (source, to) => {
    await copyTo(source.storage, to);
    const slotsOf = async (storage: Storage): Promise<string[]> => (await objectNames(storage)).filter((name) => name.startsWith('keys/'));
    const slots = await slotsOf(to);
    assert.ok(slots.length > 0);
    for (const name of slots) await source.storage.delete(name);
    // Whoever has the repository open goes on without them.
    const report = await source.repository.copyTo({ to });
    assert.ok(report.damaged.some(({ object }) => object === 'keys/'), JSON.stringify(report.damaged));
    assert.deepEqual(await slotsOf(to), slots);
  }));

  test('that was not brought up to date for long takes in a chain whose front went meanwhile', () => withSource(async (source, to) => {
    await copyTo(source.storage, to);
    await goOn(source, { slices: 20 });
    await copyTo(source.storage, to);
    await assertSame(source.storage, to);
    await assertWholeCopy(to, source.contents, 'later');
  }));

  test('is told beforehand by a dry run, which puts nothing', () => withSource(async (source, to) => {
    const told = await copyTo(source.storage, to, { dryRun: true });
    assert.deepEqual(await objectNames(to), []);
    const done = await copyTo(source.storage, to);
    assert.deepEqual([told.objects, told.snapshots], [done.objects, done.snapshots]);
    await goOn(source);
    const names = await objectNames(to);
    const toldLater = await copyTo(source.storage, to, { dryRun: true });
    assert.deepEqual(await objectNames(to), names);
    const doneLater = await copyTo(source.storage, to);
    assert.deepEqual([toldLater.objects, toldLater.bytes, toldLater.snapshots], [doneLater.objects, doneLater.bytes, doneLater.snapshots]);
  }));

  test('is written to by copiers alone, until it is taken into use', () => withSource(async (source, to) => {
    await copyTo(source.storage, to);
    const copy = await openTestRepository(to, PACKS);
    for (const write of [
      () => copy.openWriter(), () => copy.prune(), () => copy.dumps.trim(() => true), () => copy.chains.begin({ series: 's', from: '0'.repeat(16), body: {} }),
      () => copy.addFact({ snapshotId: [...source.live][0] ?? '', kind: 'pin', createdAt: new Date().toISOString(), body: {} }), () => copy.heal({ from: source.storage, objects: [] }),
    ]) await assert.rejects(write, { code: 'REPOSITORY_IS_COPY' });
    await copy.promote();
    await copy.close();
    const used = await openTestRepository(to, PACKS);
    assert.equal(used.isCopy, false);
    const content = { new: randomChunks(3, 1_000) };
    const root = await writeSnapshot(used, content);
    await used.prune({ isOver });
    assert.deepEqual(await readSnapshot(used, root), content);
    assert.deepEqual((await used.check({ readData: true })).problems, []);
    await used.close();
    const names = await objectNames(to);
    await assert.rejects(copyTo(source.storage, to), { code: 'REPOSITORY_COPY_REFUSED' });
    await assert.rejects(copyTo(to, source.storage), { code: 'REPOSITORY_COPY_REFUSED' }, 'swapped addresses');
    assert.deepEqual(await objectNames(to), names);
  }));
});

describe('a copier refuses', () => {
  test('its own source, another repository, and a place that holds something', () => withSource(async (source, to) => {
    await assert.rejects(copyTo(source.storage, source.storage), /REFUSED|is the store that is to be copied/);
    await (await openTestRepository(to)).close();
    await assert.rejects(copyTo(source.storage, to), { code: 'REPOSITORY_COPY_REFUSED' });
    const full = createMemoryStorage();
    await full.put('holiday/pictures', Buffer.from('x'));
    await assert.rejects(copyTo(source.storage, full), /it is not empty \(holiday\/pictures\)/);
    const other = await makeSource();
    const copyOfOther = createMemoryStorage();
    await copyTo(other.storage, copyOfOther);
    await other.repository.close();
    const before = await objectNames(copyOfOther);
    await assert.rejects(copyTo(source.storage, copyOfOther), /another repository/);
    assert.deepEqual(await objectNames(copyOfOther), before);
  }));

  test('to empty a copy because its source shows nothing, unless that is asked for', () => withSource(async (source, to) => {
    await copyTo(source.storage, to);
    const empty = await changed(source, (name) => isSnapshot(name) || name.startsWith('facts/'), () => null);
    await assert.rejects(copyTo(empty, to), { code: 'REPOSITORY_COPY_REFUSED', hint: /--allow-empty-source/ });
    await assertSame(source.storage, to);
    await copyTo(empty, to, { allowEmptySource: true });
    assert.deepEqual((await objectNames(to)).filter(isSnapshot), []);
  }));

  test('a source that was wiped under it, whatever was put there since', () => withSource(async (source, to) => {
    await copyTo(source.storage, to);
    const names = await objectNames(to);
    for (const name of await objectNames(source.storage)) await source.storage.delete(name);
    await add(source, { since: randomChunks(2, 500) });
    await assert.rejects(source.repository.copyTo({ to, isOver }), { code: 'REPOSITORY_OBJECT_MISSING' });
    assert.deepEqual(await objectNames(to), names);
  }));

  test('to work beside another copier, and ends a dead one', () => withSource(async (source, to) => {
    await copyTo(source.storage, to);
    await goOn(source);
    let beside: unknown;
    // The listing of the packs is the middle of a run.
    const slow: Storage = { ...to, async *list(prefix) { if (prefix === 'packs/') beside ??= await copyTo(source.storage, to, { isOver: () => false }).catch((error: unknown) => error); yield* to.list(prefix); } };
    await copyTo(source.storage, slow);
    assert.equal((beside as { code?: string }).code, 'REPOSITORY_BUSY');
    await assertSame(source.storage, to);
  }));
});

describe('what went from the source', () => {
  test('stays while somebody reads in the copy, and goes with the next run', () => withSource(async (source, to) => {
    await copyTo(source.storage, to);
    const copy = await openTestRepository(to, PACKS);
    const reader = await copy.openReader();
    const roots = await collect(copy.listSnapshots());
    await goOn(source);
    const report = await copyTo(source.storage, to, { isOver: () => false });
    assert.equal(report.postponed, true);
    for (const root of roots) for await (const { lists } of reader.entries(root)) for (const list of Object.values(lists)) assert.ok((await collect(reader.chunks(list))).length > 0);
    await reader.close();
    await copy.close();
    await assertWholeCopy(to, source.contents, 'postponed');
    assert.equal((await copyTo(source.storage, to)).postponed, false);
    await assertSame(source.storage, to);
  }));

  test('goes with all that was said of it, also where a fence stays in the place of its root', () => withSource(async (source, to) => {
    const [id, { keys }] = [newId(), await unlock(source.storage, MASTER_KEY)];
    await source.storage.put(snapshotName(id), sealJson(keys, { kind: 'snapshot', name: snapshotName(id) }, { id, fenced: newId() }));
    await writeSnapshot(source.repository, { fenced: randomChunks(3, 1_000) }, id);
    await source.repository.addFact({ snapshotId: id, kind: 'deleted', createdAt: new Date().toISOString(), body: {} });
    await copyTo(source.storage, to);
    for (let rounds = 0; rounds < 2; rounds += 1) await source.repository.prune({ isOver });
    await copyTo(source.storage, to);
    await assertSame(source.storage, to);
    assert.ok((await objectNames(to)).includes(snapshotName(id)), 'the fence is there');
  }));

  test('is asked for by name before it goes: a listing that passes objects by takes nothing away', () => withSource(async (source, to) => {
    await copyTo(source.storage, to);
    const forgetful: Storage = { ...source.storage, async *list(prefix) { let n = 0; for await (const object of source.storage.list(prefix)) if ((n += 1) % 2 === 1) yield object; } };
    const names = await objectNames(to);
    await copyTo(forgetful, to).catch(() => null);
    assert.deepEqual(await objectNames(to), names);
  }));
});

describe('what was lost in the source, by whatever it was', () => {
  for (const prefix of ['packs/', 'indexes/', 'snapshots/', 'facts/', 'oplog/']) {
    test(`stays in the copy: ${prefix}`, () => withSource(async (source, to) => {
      await copyTo(source.storage, to);
      const names = await objectNames(to);
      for (const name of names.filter((each) => each.startsWith(prefix))) {
        const poor = await changed(source, (each) => each === name, () => null);
        const report = await copyTo(poor, to);
        assert.deepEqual(await objectNames(to), names, name);
        if (['packs/', 'indexes/', 'snapshots/'].includes(prefix)) assert.deepEqual(report.damaged.map(({ object }) => object), [name]);
      }
      await assertWholeCopy(to, source.contents, prefix);
    }));
  }
});

describe('a chain', () => {
  test('that lost something in the source is copied as far as it goes, and told, also where it ended', () => withSource(async (source, to) => {
    await goOn(source);
    const chain = (await objectNames(source.storage)).filter((name) => name.startsWith('oplog/'));
    const slices = chain.filter((name) => /\/[0-9]{10}$/.test(name));
    const lost = [...slices, ...chain.filter((name) => name.endsWith('/head'))];
    assert.ok(slices.length >= 3, `${slices.length} slices`);
    for (const name of lost) {
      const poor = await changed(source, (each) => each === name, () => null);
      const fresh = createMemoryStorage();
      const { damaged } = await copyTo(poor, fresh);
      assert.deepEqual(damaged.map(({ object }) => object), [name]);
      if (!name.endsWith('/head')) await assertWholeCopy(fresh, source.contents, name);
      assert.deepEqual((await copyTo(source.storage, fresh)).damaged, [], 'it is back');
      await assertSame(source.storage, fresh, name);
    }
    await copyTo(source.storage, to);
    await assertSame(source.storage, to);
  }));

  test('is copied whole where the store names things twice', () => withSource(async (source, to) => {
    await goOn(source);
    const twice: Storage = { ...source.storage, async *list(prefix) {
      const names = await collect(source.storage.list(prefix));
      yield* [...names, ...names];
    } };
    const { damaged, withheld } = await copyTo(twice, to);
    assert.deepEqual([damaged, withheld], [[], []]);
    await assertSame(source.storage, to);
  }));
});

describe('a snapshot that is pinned, and that a fact from elsewhere says is deleted,', () => {
  const say = async ({ repository }: Source, snapshotId: string, kind: string, minute: number, body: Record<string, unknown> = {}): Promise<void> =>
    void (await repository.addFact({ snapshotId, kind, createdAt: `2026-01-01T00:0${minute}:00.000Z`, body }));
  const pinned = async (source: Source): Promise<string> => {
    const [id] = source.live;
    assert.ok(id);
    await say(source, id, 'pin', 1, { kept: true, by: 'one', reason: null });
    await say(source, id, 'deleted', 2);
    return id;
  };

  test('comes into the copy, and goes once nothing keeps it any more', () => withSource(async (source, to) => {
    const id = await pinned(source);
    await copyTo(source.storage, to);
    assert.deepEqual(await assertWholeCopy(to, source.contents, 'pinned'), [...source.live].sort());
    await say(source, id, 'pin', 3, { kept: false, by: 'one' });
    source.live.delete(id);
    for (let rounds = 0; rounds < 3; rounds += 1) await source.repository.prune({ isOver });
    const { damaged, postponed } = await copyTo(source.storage, to);
    assert.deepEqual([damaged, postponed], [[], false]);
    await assertSame(source.storage, to);
    assert.deepEqual(await assertWholeCopy(to, source.contents, 'unpinned'), [...source.live].sort());
  }));

  test('stays in the copy, and is told, when the source has lost it', () => withSource(async (source, to) => {
    const id = await pinned(source);
    await copyTo(source.storage, to);
    const poor = await changed(source, (name) => name === snapshotName(id), () => null);
    const { damaged } = await copyTo(poor, to);
    assert.deepEqual(damaged.map(({ object }) => object), [snapshotName(id)]);
    assert.deepEqual(await assertWholeCopy(to, source.contents, 'lost'), [...source.live].sort());
  }));
});

describe('what is damaged in the source', () => {
  test('is told and not copied, and the roots that need it are withheld, the others are not', () => withSource(async (source, to) => {
    await copyTo(source.storage, to);
    const packs = new Set((await objectNames(source.storage)).filter((name) => name.startsWith('packs/')));
    const [hit, fine] = [await add(source, { x: randomChunks(4, 2_000) }), await add(source, { y: randomChunks(4, 2_000) })];
    const [root] = (await collect(source.repository.listSnapshots())).filter(({ id }) => id === hit);
    assert.ok(root);
    const fresh = (await objectNames(source.storage)).filter((name) => name.startsWith('packs/') && !packs.has(name));
    // Ids begin with the second, then grow: the first new pack is that of the first new snapshot.
    const victim = fresh.toSorted((a, b) => (a.slice(9) < b.slice(9) ? -1 : 1))[0] ?? '';
    const damaged = await changed(source, (name) => name === victim, (bytes) => flip(bytes, 500));
    const report = await copyTo(damaged, to);
    assert.deepEqual(report.damaged.map(({ object }) => object), [victim]);
    const withheld = report.withheld.map((name) => name.slice('snapshots/'.length));
    assert.equal(withheld.length, 1);
    assert.ok([hit, fine].includes(withheld[0] ?? ''));
    const shown = await assertWholeCopy(to, source.contents, 'withheld');
    assert.deepEqual(shown, [...source.live].filter((id) => id !== withheld[0]).sort());
    const mended = await copyTo(source.storage, to);
    assert.deepEqual([mended.damaged, mended.withheld], [[], []]);
    await assertSame(source.storage, to);
  }));

  test('withholds every new root when it is an index, and takes nothing away', () => withSource(async (source, to) => {
    await copyTo(source.storage, to);
    await goOn(source);
    const there = new Set(await objectNames(to));
    const before = [...there].filter(isSnapshot);
    const damaged = await changed(source, (name) => name.startsWith('indexes/') && !there.has(name));
    const report = await copyTo(damaged, to);
    assert.ok(report.damaged.length > 0 && report.withheld.length > 0 && report.postponed);
    assert.deepEqual((await objectNames(to)).filter(isSnapshot), before);
    await assertWholeCopy(to, source.contents, 'index');
  }));

  test('is mended from the copy, with the damaged bytes kept', () => withSource(async (source, to) => {
    await copyTo(source.storage, to);
    for (const prefix of ['packs/', 'indexes/', 'snapshots/', 'facts/', 'oplog/', 'catalog/']) {
      const [name] = (await objectNames(source.storage)).filter((each) => each.startsWith(prefix));
      for (const change of [flip, () => null]) {
        const broken = await changed(source, (each) => each === name, change);
        const repository = await openTestRepository(broken, PACKS);
        const objects = prefix === 'snapshots/' || prefix === 'facts/' ? [name ?? ''] : (await repository.check({ readData: true })).problems.map(({ object }) => object);
        const { healed, failed } = await repository.heal({ from: to, objects });
        assert.deepEqual([failed, healed.map((one) => one.name)], [[], [name]]);
        assert.deepEqual((await repository.check({ readData: true })).problems, []);
        assert.equal((await objectNames(broken)).filter((each) => each.startsWith('quarantine/')).length, change === flip ? 1 : 0);
        await repository.close();
      }
    }
  }));
});

test('an object of the copy with another size is moved aside and put again', () => withSource(async (source, to) => {
  await copyTo(source.storage, to);
  const pack = (await objectNames(to)).find((name) => name.startsWith('packs/')) ?? '';
  const torn = await copyToMemory(to, (name, bytes) => (name === pack ? bytes.subarray(0, 100) : bytes));
  const report = await copyTo(source.storage, torn);
  assert.deepEqual(report.replaced, [pack]);
  await assertSame(source.storage, torn);
}));

describe('what rotted in a copy', () => {
  /** One object of each kind, with a flipped bit. */
  async function rot(copy: Storage): Promise<{ readonly rotten: Storage; readonly names: string[] }> {
    const kinds = Map.groupBy((await objectNames(copy)).filter((name) => name.includes('/')), (name) => name.slice(0, name.indexOf('/')));
    const names = [...kinds.values()].map(([name]) => name ?? '').sort();
    return { rotten: await copyToMemory(copy, (name, bytes) => (names.includes(name) ? flip(bytes) : bytes)), names };
  }

  test('is not seen by sizes, is found when it is read back, and put anew from the source', () => withSource(async (source, to) => {
    await copyTo(source.storage, to);
    const { rotten, names } = await rot(to);
    assert.ok(['facts', 'indexes', 'keys', 'oplog', 'packs', 'snapshots'].every((kind) => names.some((name) => name.startsWith(kind))), names.join());
    const bySize = await copyTo(source.storage, rotten);
    assert.deepEqual([bySize.rotted, bySize.readBytes], [[], 0]);
    const found: string[] = [];
    let readBytes = 0;
    for (const part of [1, 2, 3]) {
      const report = await copyTo(source.storage, rotten, { readData: { part, of: 3 } });
      found.push(...report.rotted);
      readBytes += report.readBytes;
      assert.deepEqual([report.damaged, report.replaced], [[], []]);
    }
    assert.deepEqual(found.sort(), names, 'each by one of the parts');
    await assertSame(source.storage, rotten);
    assert.equal((await objectNames(rotten)).filter((name) => name.startsWith('quarantine/')).length, names.length);
    const again = await copyTo(source.storage, rotten, { readData: true });
    assert.deepEqual([again.rotted, again.objects, again.readBytes], [[], 0, readBytes], 'all parts together are everything');
  }));

  test('and in the source, too, is told and left as it is', () => withSource(async (source, to) => {
    await copyTo(source.storage, to);
    const pack = (await objectNames(to)).find((name) => name.startsWith('packs/')) ?? '';
    const rotten = await copyToMemory(to, (name, bytes) => (name === pack ? flip(bytes) : bytes));
    const report = await copyTo(await changed(source, (name) => name === pack), rotten, { readData: true });
    assert.deepEqual([report.rotted, report.damaged.map(({ object }) => object)], [[], [pack]]);
    assert.deepEqual((await objectNames(rotten)).filter((name) => name.startsWith('quarantine/')), []);
  }));

  test('is told by a check there, which writes nothing down: only a copier writes to a copy', () => withSource(async (source, to) => {
    await copyTo(source.storage, to);
    const pack = (await objectNames(to)).find((name) => name.startsWith('packs/'));
    const rotten = await copyToMemory(to, (name, bytes) => (name === pack ? flip(bytes) : bytes));
    const before = await objectNames(rotten);
    const copy = await openTestRepository(rotten);
    await assert.rejects(copy.check({ readData: true, quarantine: true }), { code: 'REPOSITORY_IS_COPY', hint: /leafvault copy --read-data/ });
    assert.ok((await copy.check({ readData: true })).problems.length > 0);
    await copy.close();
    assert.deepEqual(await objectNames(rotten), before);
  }));
});

test('a copy opens with the master key of its source, and with no other', () => withSource(async (source, to) => {
  await copyTo(source.storage, to);
  await assert.rejects(openRepository({ storage: to, masterKey: Buffer.alloc(32, 8), tempDir: '/tmp' }), { code: 'REPOSITORY_KEY_WRONG' });
  await (await openRepository({ storage: to, masterKey: MASTER_KEY, tempDir: '/tmp', threads: 0 })).close();
}));
