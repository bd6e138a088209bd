// Who is taken for gone: no clock of another machine, and no clock that was set, ends a session.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { thisProcess } from '../../src/jobs/process-identity.ts';
import { ownersThatAreGone, SESSION_ENDS_AFTER_MS, sessionOwner } from '../../src/jobs/session-owner.ts';
import type { OpenSession } from '../../src/repository/index.ts';
import { createMemoryStorage } from '../../src/storage/index.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { openTestRepository, randomChunks, readContent, writeSnapshot } from '../support/repository-fixture.ts';

const HOUR_MS = 3_600_000;
const ELSEWHERE = { host: 'elsewhere', pid: 7, processStart: '1' };
const afterMs = SESSION_ENDS_AFTER_MS;
const sessionOf = (createdAt: Date, owner = JSON.stringify(ELSEWHERE), id = '5'.repeat(24)): OpenSession => ({ id, kind: 'reader', generation: 1, createdAt: createdAt.toISOString(), owner });

describe('a session of a process of which nothing is known', () => {
  test('is over when it was seen for a day, whatever its own clock says', async () => {
    for (const offBy of [-25 * HOUR_MS, 0, 25 * HOUR_MS]) {
      const clock = fakeClock();
      const session = sessionOf(new Date(clock.now().getTime() + offBy));
      // Each prune asks anew.
      const isOver = async (): Promise<boolean> => (await ownersThatAreGone({ clock, afterMs }))(session);
      assert.equal(await isOver(), false, 'at first sight');
      clock.advance(24 * HOUR_MS);
      assert.equal(await isOver(), false);
      clock.advance(1);
      assert.equal(await isOver(), true);
      assert.equal(await (await ownersThatAreGone({ clock, afterMs }))(sessionOf(clock.now(), undefined, '6'.repeat(24))), false, 'another one has a day of its own');
    }
  });

  test('is not over because the clock here was set', async () => {
    const clock = fakeClock();
    let setBy = 0;
    const wall = { ...clock, now: () => new Date(clock.now().getTime() + setBy) };
    const isOver = await ownersThatAreGone({ clock: wall, afterMs });
    const session = sessionOf(clock.now());
    assert.equal(await isOver(session), false);
    setBy = 48 * HOUR_MS;
    assert.equal(await isOver(session), false);
  });

  test('is over by its own instant where a person says so, and never without a time', async () => {
    const clock = fakeClock();
    const session = sessionOf(new Date(clock.now().getTime() - 25 * HOUR_MS));
    assert.equal(await (await ownersThatAreGone({ clock, afterMs, since: 'created' }))(session), true);
    assert.equal(await (await ownersThatAreGone({ clock, afterMs: null }))(session), false);
  });

  test('keeps what it reads, also where its clock is a day behind', async () => {
    const clock = fakeClock();
    const storage = createMemoryStorage();
    const content = { a: randomChunks(20, 3_000) };
    const here = await openTestRepository(storage, { clock });
    const there = await openTestRepository(storage, { clock: fakeClock(new Date(clock.now().getTime() - 25 * HOUR_MS)), owner: JSON.stringify(ELSEWHERE) });
    const root = await writeSnapshot(here, content);
    const reader = await there.openReader();
    await here.addFact({ snapshotId: root.id, kind: 'deleted', createdAt: clock.now().toISOString(), body: {} });
    for (let round = 0; round < 3; round += 1) {
      clock.advance(7 * HOUR_MS);
      const { ended, inTheWay } = await here.prune({ isOver: await ownersThatAreGone({ clock, workers: () => Promise.resolve([]), afterMs }) });
      assert.deepEqual([ended.length, inTheWay.length], [0, 1]);
    }
    assert.deepEqual(await readContent(reader, root), content);
    await reader.close();
    await there.close();
    await here.close();
  });
});

test('a session of this machine is over when its process is gone, that of a worker that is heard of never', async () => {
  const clock = fakeClock();
  const isOver = await ownersThatAreGone({ clock, afterMs, workers: () => Promise.resolve([ELSEWHERE]) });
  assert.equal(await isOver(sessionOf(clock.now(), await sessionOwner())), false);
  assert.equal(await isOver(sessionOf(clock.now(), JSON.stringify({ ...(await thisProcess()), processStart: '1', pid: 2 ** 22 + 1 }))), true);
  assert.equal(await isOver(sessionOf(clock.now())), false);
  clock.advance(48 * HOUR_MS);
  assert.equal(await isOver(sessionOf(clock.now())), false);
});
