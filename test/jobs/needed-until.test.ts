// How long what a snapshot rests on is held, by what the repository itself says of it: retention, pins and holds, on a store that holds objects.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Catalog } from '../../src/catalog/index.ts';
import { hiddenSnapshots } from '../../src/jobs/hidden-snapshots.ts';
import { readNeededUntil } from '../../src/jobs/needed-until.ts';
import type { Repository } from '../../src/repository/index.ts';
import { fakeClock, type FakeClock } from '../support/fake-clock.ts';
import { createLockingStorage, type LockingStorage } from '../support/locking-storage.ts';
import { openTestRepository, randomChunks, writeSnapshot } from '../support/repository-fixture.ts';

const DAY_MS = 86_400_000;

interface World {
  readonly clock: FakeClock;
  readonly storage: LockingStorage;
  readonly repository: Repository;
  /** Its retention ends in 20 days; there is a newer one of its series. */
  readonly old: string;
  say(kind: string, body?: Record<string, unknown>): Promise<string>;
  /** Holds what is needed. @returns for how many days from now on the root of the old one is held */
  hold(): Promise<number>;
}

async function withWorld(use: (world: World) => Promise<void>): Promise<void> {
  const clock = fakeClock(new Date('2026-03-01T00:00:00Z'));
  const storage = createLockingStorage(clock, 30);
  const repository = await openTestRepository(storage, { clock });
  const { id: old } = await writeSnapshot(repository, { a: randomChunks(4, 3_000) });
  clock.advance(1000);
  await writeSnapshot(repository, { b: randomChunks(4, 3_000) });
  const say = async (kind: string, body: Record<string, unknown> = {}): Promise<string> => {
    clock.advance(1);
    const fact = await repository.addFact({ snapshotId: old, kind, createdAt: clock.now().toISOString(), body });
    return `facts/${old}/${kind}-${fact.id}`;
  };
  await say('expiry', { expiresAt: new Date(clock.now().getTime() + 20 * DAY_MS).toISOString() });
  await use({
    clock, storage, repository, old, say,
    async hold() {
      await repository.extendLocks({ neededUntil: await readNeededUntil(repository, clock) });
      return Math.round(((storage.holds.get(`snapshots/${old}`)?.getTime() ?? 0) - clock.now().getTime()) / DAY_MS);
    },
  });
  await repository.close();
}

for (const kind of ['pin', 'hold'] as const) {
  test(`a snapshot with a ${kind} is held on behind the end of its retention, and by that end again once nothing keeps it`, () => withWorld(async ({ clock, hold, say }) => {
    await say(kind, { kept: true, by: 'one', reason: 'an audit' });
    clock.advance(18 * DAY_MS);
    assert.equal(await hold(), 30);
    clock.advance(29 * DAY_MS);
    assert.equal(await hold(), 30, 'long after the end');
    await say(kind, { kept: false, by: 'one' });
    await say('expiry', { expiresAt: new Date(clock.now().getTime() + 18 * DAY_MS).toISOString() });
    clock.advance(16 * DAY_MS);
    assert.equal(await hold(), 14, 'what it is held is enough, and not extended');
  }));
}

test('nothing ends as long as a fact can not be read, which may be a hold', () => withWorld(async ({ clock, storage, hold, say }) => {
  const name = await say('hold', { kept: true, by: 'one', reason: 'an audit' });
  await storage.lose(name);
  await storage.put(name, Buffer.from('rotten'));
  clock.advance(18 * DAY_MS);
  assert.equal(await hold(), 30);
}));

test('a snapshot that is held and has no root is missed, whatever says that it was deleted', () => withWorld(async ({ storage, repository, old, say }) => {
  const snapshots = { allKept: () => Promise.resolve([old]) } as unknown as Catalog['snapshots'];
  await say('deleted');
  await storage.lose(`snapshots/${old}`);
  assert.deepEqual(await hiddenSnapshots({ snapshots }, repository), []);
  await say('hold', { kept: true, by: 'one', reason: 'an audit' });
  assert.deepEqual(await hiddenSnapshots({ snapshots }, repository), [old]);
}));
