// How long what snapshots need is held, by a clock that a test moves; what a prune does with what is held.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { LockReport, NeededUntil, Repository, SnapshotRoot } from '../../../src/repository/index.ts';
import { createVariants } from '../../support/delta-fixture.ts';
import { fakeClock, type FakeClock } from '../../support/fake-clock.ts';
import { createLockingStorage, type LockingStorage } from '../../support/locking-storage.ts';
import { assertWhole, remove } from '../../support/prune-fixture.ts';
import { objectNames, openTestRepository, randomChunks, readSnapshot, writeSnapshot } from '../../support/repository-fixture.ts';

const DAY_MS = 86_400_000;
const DAYS = 30;

interface World {
  readonly clock: FakeClock;
  readonly storage: LockingStorage;
  readonly repository: Repository;
  /** Days from now; a snapshot that is not told of is needed for ever. */
  readonly needs: Map<string, number>;
  extend(expected?: readonly string[]): Promise<LockReport>;
  /** Days that an object is still held, by its name's beginning, the shortest of them. */
  heldDays(prefix: string): number;
}

async function withWorld(use: (world: World) => Promise<void>): Promise<void> {
  const clock = fakeClock();
  const storage = createLockingStorage(clock, DAYS);
  const repository = await openTestRepository(storage, { clock });
  const needs = new Map<string, number>();
  const neededUntil: NeededUntil = ({ id }) => (needs.has(id) ? new Date(clock.now().getTime() + (needs.get(id) ?? 0) * DAY_MS) : null);
  await use({
    clock, storage, repository, needs,
    async extend(expected = []) {
      const report = await repository.extendLocks({ neededUntil, expected: { snapshots: expected } });
      assert.ok(report !== null);
      return report;
    },
    heldDays: (prefix) => Math.min(...[...storage.holds].filter(([name]) => name.startsWith(prefix)).map(([, until]) => (until.getTime() - clock.now().getTime()) / DAY_MS)),
  });
  await repository.close();
}

const packsOf = (storage: LockingStorage, known: ReadonlySet<string> = new Set()) => [...storage.holds.keys()].filter((name) => name.startsWith('packs/') && !known.has(name));

describe('what snapshots need', () => {
  test('is held from its put, extended once less than half is left, and costs a request no oftener', () => withWorld(async ({ clock, storage, repository, extend, heldDays }) => {
    const root = await writeSnapshot(repository, { a: randomChunks(20, 3_000) });
    await repository.addFact({ snapshotId: root.id, kind: 'pin', createdAt: clock.now().toISOString(), body: {} });
    const kept = (await objectNames(storage)).filter((name) => !name.startsWith('sessions/'));
    assert.deepEqual([...storage.holds.keys()].sort(), kept, 'sessions are not held');
    let extensions = 0;
    for (let day = 1; day <= 100; day += 1) {
      clock.advance(DAY_MS);
      const { extended, objects, failed } = await extend();
      assert.deepEqual([objects, failed], [kept.length, []]);
      extensions += extended;
      assert.ok(heldDays('') >= DAYS / 2, `day ${day}: ${heldDays('')}`);
    }
    assert.ok(extensions <= kept.length * Math.ceil(100 / (DAYS / 2)), `${extensions} of ${kept.length} objects in 100 days`);
    assert.deepEqual((await objectNames(storage)).filter((name) => name.startsWith('sessions/')), []);
  }));

  test('is held no longer than the snapshot that needs it longest, packs that two share by the later one', () => withWorld(async ({ clock, storage, repository, needs, extend, heldDays }) => {
    const shared = randomChunks(20, 3_000);
    const long = await writeSnapshot(repository, { a: shared });
    const known = new Set(packsOf(storage));
    const short = await writeSnapshot(repository, { a: shared, b: randomChunks(20, 3_000) });
    const own = packsOf(storage, known);
    clock.advance(25 * DAY_MS);
    needs.set(short.id, 2);
    needs.set(long.id, 20);
    await extend();
    assert.deepEqual([...own].map(heldDays), own.map(() => 5), 'what it was put with is enough');
    for (const name of known) assert.equal(heldDays(name), 20);
    assert.deepEqual([heldDays(`snapshots/${short.id}`), heldDays(`snapshots/${long.id}`), heldDays('repository.json'), heldDays('keys/')], [5, 20, DAYS, DAYS]);
    needs.set(short.id, 400);
    await extend();
    for (const name of own) assert.equal(heldDays(name), DAYS, 'its retention was made longer');
  }));

  test('includes what deltas rest on, though only another snapshot put it', () => withWorld(async ({ clock, storage, repository, needs, extend, heldDays }) => {
    const { near, vary } = createVariants();
    const chunks = randomChunks(20, 3_000);
    const base = await writeSnapshot(repository, { a: chunks }, undefined, near);
    const bases = packsOf(storage);
    const delta = await writeSnapshot(repository, { a: chunks.map((chunk) => vary(chunk)) }, undefined, near);
    clock.advance(25 * DAY_MS);
    needs.set(base.id, 1);
    needs.set(delta.id, 300);
    await extend();
    for (const name of bases) assert.equal(heldDays(name), DAYS);
  }));

  test('and is missing, hidden or can not be read is told; all packs are held then, and nothing goes for good', () => withWorld(async ({ clock, storage, repository, extend, heldDays, needs }) => {
    const sound = await writeSnapshot(repository, { a: randomChunks(20, 3_000) });
    const known = new Set(packsOf(storage));
    const hurt = await writeSnapshot(repository, { b: randomChunks(20, 3_000) });
    clock.advance(20 * DAY_MS);
    assert.deepEqual((await extend([sound.id, hurt.id])).failed, []);
    assert.equal(storage.purges.length, 1);
    assert.equal(clock.now().getTime() - (storage.purges[0]?.getTime() ?? 0), DAYS * DAY_MS, 'what was hidden for as long as a lock is');
    clock.advance(20 * DAY_MS);
    needs.set(sound.id, 1);
    await storage.lose(packsOf(storage, known)[0] ?? '');
    const { failed, purged } = await extend([sound.id, hurt.id, '5f00000000000000000000ff']);
    assert.deepEqual(failed.map(({ object }) => object).filter((object) => object.startsWith('snapshots/')).sort(), [`snapshots/${hurt.id}`, 'snapshots/5f00000000000000000000ff'].sort());
    assert.deepEqual([purged, storage.purges.length], [null, 1]);
    for (const name of known) assert.equal(heldDays(name), DAYS, 'also what its own snapshot needs for a day only');
  }));

  test('is held for the next run, too, where a snapshot begins to rest on it as the last one that needed it ends', () => withWorld(async ({ clock, storage, repository, needs, extend, heldDays }) => {
    const shared = randomChunks(20, 3_000);
    const ending = await writeSnapshot(repository, { a: shared });
    const packs = packsOf(storage);
    await writeSnapshot(repository, { b: randomChunks(3, 3_000) });
    clock.advance(29.5 * DAY_MS);
    needs.set(ending.id, 0.5);
    await extend();
    clock.advance(0.6 * DAY_MS);
    needs.set(ending.id, -0.1);
    await writeSnapshot(repository, { c: shared });
    assert.deepEqual(packs.filter((name) => heldDays(name) <= 0), [], 'until the next run is through');
    clock.advance(0.4 * DAY_MS);
    await extend();
    for (const name of packs) assert.equal(heldDays(name), DAYS);
  }));

  test('includes what no snapshot reads: a hidden slice, a hidden end of a chain, a hidden dump and its parts, and what was put over are told', () => withWorld(async ({ clock, storage, repository, needs }) => {
    const at = (n: number): string => n.toString(16).padStart(16, '0');
    const chain = await repository.chains.begin({ series: 's', from: at(0), body: {} });
    for (let n = 1; n <= 4; n += 1) await chain.append({ to: at(n), records: 1, raw: Buffer.from(`slice ${n}`), body: {} });
    const dump = () => repository.dumps.write((async function* parts() { yield Buffer.from('one'); yield Buffer.from('two'); })(), () => ({}));
    const old = await dump();
    clock.advance(DAY_MS);
    const newest = await dump();
    const root = await writeSnapshot(repository, { a: randomChunks(3, 3_000) });
    needs.set(root.id, 100);
    const expected = { snapshots: [root.id], chains: [{ id: chain.head.id, slices: 4 }], dumpedAt: clock.now() };
    const failed = async (): Promise<string[]> => ((await repository.extendLocks({ neededUntil: () => null, expected }))?.failed ?? []).map(({ object }) => object);
    assert.deepEqual(await failed(), []);
    const slice = (n: number): string => [...storage.holds.keys()].find((name) => name.startsWith(`oplog/${chain.head.id}/`) && name.endsWith(String(n).padStart(10, '0'))) ?? assert.fail();
    for (const [hidden, told] of [
      [slice(2), slice(2)], [slice(4), slice(4)], [`catalog/${old.id}/0000000002`, `catalog/${old.id}/manifest`], [`catalog/${newest.id}/manifest`, 'catalog/'],
    ] as const) {
      const bytes = await storage.get(hidden);
      await storage.lose(hidden);
      assert.deepEqual(await failed(), [told]);
      await storage.put(hidden, bytes);
    }
    const [slot = ''] = [...storage.holds.keys()].filter((name) => name.startsWith('keys/'));
    const rubbish = [slice(3), `catalog/${old.id}/0000000001`];
    for (const name of rubbish) {
      const { length } = await storage.get(name);
      await storage.lose(name);
      await storage.put(name, Buffer.alloc(length, 7));
    }
    storage.overwritten.push(...rubbish, slice(2), slot, 'sessions/of-somebody');
    assert.deepEqual((await failed()).sort(), [...rubbish, slot].sort(), 'not what is sound again');
    assert.equal(storage.purges.length, 1, 'nothing went for good since');
  }));

  test('and lay in a pack that is gone costs one request for the pack, not two for each chunk', () => withWorld(async ({ storage, repository, extend }) => {
    await writeSnapshot(repository, { a: randomChunks(40, 3_000) });
    const [pack = ''] = packsOf(storage);
    await storage.lose(pack);
    let asked = 0;
    const { stat } = storage;
    storage.stat = async (name) => {
      if (name === pack) asked += 1;
      return stat(name);
    };
    assert.ok((await extend()).failed.length > 0);
    assert.equal(asked, 1);
  }));

  test('in a store that holds nothing is no affair of it', async () => {
    const repository = await openTestRepository(createLockingStorageWithout());
    assert.equal(await repository.extendLocks({ neededUntil: () => null }), null);
    await repository.close();
  });
});

function createLockingStorageWithout() {
  const { objectLock: _, ...rest } = createLockingStorage(fakeClock());
  return rest;
}

test('a prune of a store that refuses to delete what is held goes on, says what stays, and takes it when the lock is over', () => withWorld(async ({ clock, storage, repository, extend }) => {
  const chunks = randomChunks(40, 3_000);
  const gone: SnapshotRoot = await writeSnapshot(repository, { a: chunks });
  const kept = await writeSnapshot(repository, { a: chunks.slice(0, 5), b: randomChunks(10, 3_000) });
  clock.advance(DAY_MS);
  await remove(gone, repository);
  storage.refuses = true;
  clock.advance(DAY_MS);
  const report = await repository.prune();
  assert.ok(report.stuck.includes(`snapshots/${gone.id}`) && report.stuck.some((name) => name.startsWith('packs/')), report.stuck.join());
  assert.equal(report.forgotten, 0, 'its root is there still');
  for (let day = 0; day < 3; day += 1) {
    clock.advance(DAY_MS);
    await repository.prune();
    await extend();
    await assertWhole(storage, [[kept, { a: chunks.slice(0, 5), b: (await readSnapshot(repository, kept))['b'] ?? [] }]]);
  }
  assert.ok((await objectNames(storage)).includes(`snapshots/${gone.id}`));
  clock.advance(2 * DAYS * DAY_MS);
  for (let rounds = 0; rounds < 3; rounds += 1) {
    clock.advance(DAY_MS);
    await repository.prune();
  }
  const last = await repository.prune();
  assert.deepEqual([last.stuck.filter((name) => !name.startsWith('indexes/')), last.waitingBytes, last.deadBytes], [[], 0, 0]);
  assert.deepEqual((await objectNames(storage)).filter((name) => name.includes(gone.id)), []);
  await assertWhole(storage, [[kept, { a: chunks.slice(0, 5), b: (await readSnapshot(repository, kept))['b'] ?? [] }]]);
}));
