import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import type { Catalog, TailerClaim } from '../../src/catalog/index.ts';
import { compareClusterTimes, type ClusterTime } from '../../src/domain/cluster-time.ts';
import { borderOf, type Instant } from '../../src/domain/instant.ts';
import type { LeaveOut } from '../../src/domain/leave-out.ts';
import type { Cluster } from '../../src/domain/records.ts';
import { isLeafvaultError, type LeafvaultError } from '../../src/foundation/errors.ts';
import { createContinuous } from '../../src/services/continuous.ts';
import { createOverview } from '../../src/services/index.ts';
import { makeInventory, type Inventory } from '../support/catalog-rows.ts';
import { at, claim, ended, saveBase, saveChain } from '../support/chain-rows.ts';
import { fakeClock, type FakeClock } from '../support/fake-clock.ts';
import { until } from '../support/job-rows.ts';
import { emptyCatalog, startEmbedded, type TestDatabase } from '../support/postgres.ts';

const NOW = 2_000;
const LAST = 0xffff_ffff;
const second = (t: number) => new Date(t * 1000);

describe('continuous', () => {
  let database: TestDatabase;
  let catalog: Catalog;
  let clock: FakeClock;
  let inventory: Inventory;
  let cluster: Cluster;

  before(async () => {
    database = await startEmbedded();
  });
  after(() => database.stop());
  beforeEach(async () => {
    clock = fakeClock(second(NOW));
    catalog = await database.open({ clock });
    inventory = await makeInventory(catalog);
    cluster = { ...inventory.cluster, continuousBackup: true };
  });
  afterEach(async () => {
    await emptyCatalog(catalog);
    await catalog.close();
  });

  const service = () => createContinuous({ catalog, clock });
  const missed = async (instant: Instant): Promise<LeafvaultError> => {
    const error: unknown = await service().findBase(cluster, instant).then(() => null, (thrown: unknown) => thrown);
    assert.ok(isLeafvaultError(error), String(error));
    return error;
  };
  const status = (position: ClusterTime, warning: string | null = null) =>
    ({ member: 'h:1', position, oldest: at(100), newest: at(NOW - 5), rolls: true, warning });

  /** Two chains: [1100.5 … 1200.5], its bases at 1100.5 and 1150.1; [1300.1 … 1990.7], base at 1310.4. */
  const twoChains = async () => {
    const first = await saveChain(catalog, inventory, at(1050), at(1200, 5), ended('FCV_CHANGED'));
    const second = await saveChain(catalog, inventory, at(1300), at(1990, 7));
    return {
      first, second, oldest: await saveBase(catalog, inventory, at(1100, 5)), newer: await saveBase(catalog, inventory, at(1150)), last: await saveBase(catalog, inventory, at(1310, 4)),
    };
  };

  test('finds the newest base that is not behind the instant', async () => {
    const { first, second: open, oldest, newer, last } = await twoChains();
    const found = async (instant: Instant) => {
      const { snapshot, chainId, border } = await service().findBase(cluster, instant);
      assert.deepEqual(border, borderOf(instant));
      return [snapshot.id, chainId];
    };
    assert.deepEqual(await found({ border: at(1100, 5) }), [oldest, first.id]);
    assert.deepEqual(await found({ border: at(1150, 0) }), [oldest, first.id]);
    assert.deepEqual(await found({ border: at(1150, 1) }), [newer, first.id]);
    assert.deepEqual(await found({ border: at(1200, 5) }), [newer, first.id]);
    assert.deepEqual(await found({ time: second(1101) }), [oldest, first.id]);
    assert.deepEqual(await found({ time: new Date(1_150_999) }), [oldest, first.id]);
    assert.deepEqual(await found({ time: second(1151) }), [newer, first.id]);
    assert.deepEqual(await found({ time: second(1200) }), [newer, first.id]);
    assert.deepEqual(await found({ time: second(1990) }), [last, open.id]);
  });

  test('names the nearest instants of one that can not be restored', async () => {
    await twoChains();
    const [start, end, next, newest] = [
      { border: at(1100, 5), time: second(1101) }, { border: at(1200, 5), time: second(1200) }, { border: at(1310, 4), time: second(1311) }, { border: at(1990, 7), time: second(1990) },
    ];
    const cases: readonly [Instant, string, unknown][] = [
      [{ border: at(1100, 4) }, 'CONTINUOUS_OUTSIDE_WINDOW', { before: null, after: start }],
      [{ time: second(1100) }, 'CONTINUOUS_OUTSIDE_WINDOW', { before: null, after: start }],
      [{ time: second(-5) }, 'CONTINUOUS_OUTSIDE_WINDOW', { before: null, after: start }],
      [{ border: at(1200, 6) }, 'CONTINUOUS_IN_GAP', { before: end, after: next, reason: 'FCV_CHANGED' }],
      [{ time: second(1201) }, 'CONTINUOUS_IN_GAP', { before: end, after: next, reason: 'FCV_CHANGED' }],
      [{ border: at(1310, 3) }, 'CONTINUOUS_IN_GAP', { before: end, after: next, reason: 'FCV_CHANGED' }],
      [{ border: at(1990, 8) }, 'CONTINUOUS_NOT_YET', { before: newest, after: null }],
      [{ time: second(1991) }, 'CONTINUOUS_NOT_YET', { before: newest, after: null }],
      [{ time: second(NOW) }, 'CONTINUOUS_NOT_YET', { before: newest, after: null }],
      [{ time: second(NOW + 1) }, 'CONTINUOUS_IN_FUTURE', { before: newest, after: null }],
      [{ border: at(NOW + 1) }, 'CONTINUOUS_IN_FUTURE', { before: newest, after: null }],
    ];
    for (const [instant, code, details] of cases) {
      const error = await missed(instant);
      assert.deepEqual([error.code, error.details], [code, details], JSON.stringify(instant));
      // What it names can be restored, in both forms.
      const { before, after: behind } = error.details as { before: typeof start | null; after: typeof start | null };
      for (const named of [before, behind].filter((each) => each !== null)) {
        await service().findBase(cluster, { border: named.border });
        await service().findBase(cluster, { time: named.time });
      }
    }
  });

  test('says that the last window is over once the chain has ended', async () => {
    await saveChain(catalog, inventory, at(1000), at(1100), ended('STOPPED'));
    await saveBase(catalog, inventory, at(1050));
    assert.equal((await missed({ time: second(1500) })).code, 'CONTINUOUS_OUTSIDE_WINDOW');
  });

  test('offers no time of a window that is shorter than a second', async () => {
    await saveChain(catalog, inventory, at(1000), at(1050, 9));
    await saveBase(catalog, inventory, at(1050, 2));
    assert.deepEqual((await missed({ time: second(1050) })).details, { before: null, after: null });
    assert.deepEqual((await missed({ border: at(1050, 1) })).details, { before: null, after: { border: at(1050, 2), time: null } });
    assert.ok((await service().findBase(cluster, { border: at(1050, 9) })).snapshot);
  });

  test('says that there is no window, and in what state it is', async () => {
    assert.deepEqual((await missed({ time: second(1500) })).details, { state: 'starting' });
    cluster = { ...cluster, continuousBackup: false };
    const error = await missed({ border: at(1500) });
    assert.deepEqual([error.code, error.details], ['CONTINUOUS_NO_WINDOW', { state: 'off' }]);
    assert.match(error.hint ?? '', /continuousBackup: true/);
  });

  test('counts nothing of a second that has begun, to the last increment', async () => {
    await saveChain(catalog, inventory, at(1000), at(1099, LAST));
    await saveBase(catalog, inventory, at(1050));
    assert.ok((await service().findBase(cluster, { time: second(1100) })).snapshot, 'the second 1099 is whole');
    assert.equal((await missed({ time: second(1101) })).code, 'CONTINUOUS_NOT_YET');
  });

  test('takes a base from before everything that is left out, and says when there is none', async () => {
    const chain = await saveChain(catalog, inventory, at(1000), at(5000));
    const [early, late] = [await saveBase(catalog, inventory, at(1100)), await saveBase(catalog, inventory, at(3000))];
    const base = async (...what: readonly LeaveOut[]) => (await service().findBase(cluster, { border: at(4000) }, what.length === 0 ? undefined : { what, dependents: 'refuse' })).snapshot.id;
    assert.ok(chain !== undefined);
    assert.equal(await base(), late);
    assert.equal(await base({ at: at(3500) }), late);
    assert.equal(await base({ at: at(3000) }), early, 'the base holds what happened at its own instant');
    assert.equal(await base({ at: at(3500) }, { namespace: 'a.b', kind: 'delete', from: at(2000), to: at(3600) }), early);
    assert.equal(await base({ session: '0'.repeat(32) }), early, 'wherever it began');
    assert.equal(await base({ session: '0'.repeat(32), from: at(3001) }), late);
    await assert.rejects(base({ at: at(1050) }), (error: LeafvaultError) => {
      assert.deepEqual([error.code, error.details['oldestBase']], ['LEAVE_OUT_BEFORE_BASE', at(1100)]);
      assert.match(error.message, /operation at 1050:/);
      return true;
    });
  });

  test('waits for an instant that is not kept yet, and asks whoever follows the cluster for it', async () => {
    const { second: open } = await twoChains();
    const mine = await claim(catalog, inventory);
    await catalog.following(mine, (tx) => tx.tailers.setChain(cluster.id, { id: open.id, position: at(1990, 7) }));
    await catalog.tailers.saveStatus(mine, status(at(1990, 7)));
    const found = createContinuous({ catalog, clock, patienceMs: 10_000 }).findBase(cluster, { border: at(1995) });
    await until('a request to cut', async () => (await catalog.tailers.renew([mine], 60))[0]?.cutRequested === true);
    await catalog.following(mine, (tx) => tx.chains.grow(open.id, { sequence: open.slices + 1, slices: 1, to: at(1996), records: 1, rawBytes: 1, storedBytes: 1, newestSliceAt: clock.now() }));
    assert.equal((await found).chainId, open.id);
    await assert.rejects(createContinuous({ catalog, clock, patienceMs: 300 }).findBase(cluster, { border: at(1997) }), { code: 'CONTINUOUS_NOT_YET' });
    await catalog.tailers.release(mine);
    const began = performance.now();
    await assert.rejects(createContinuous({ catalog, clock, patienceMs: 60_000 }).findBase(cluster, { border: at(1997) }), { code: 'CONTINUOUS_NOT_YET' });
    assert.ok(performance.now() - began < 30_000, 'nobody follows it: there is nothing to wait for');
  });

  test('tells windows, gaps, recovery point, lag and headroom', async () => {
    const { first, second: open } = await twoChains();
    const mine = await claim(catalog, inventory);
    await catalog.tailers.saveStatus(mine, status(at(1990, 7)));
    const told = await service().status(cluster);
    assert.deepEqual(told, {
      state: 'running', cause: null, warning: null, recoveryPoint: at(1990, 7), lagSeconds: 10, headroomSeconds: 1890, member: 'h:1',
      windows: [
        { chainId: first.id, from: at(1100, 5), to: at(1200, 5), end: first.end }, { chainId: open.id, from: at(1310, 4), to: at(1990, 7), end: null },
      ],
      gaps: [{ from: at(1200, 5), to: at(1310, 4), reason: 'FCV_CHANGED' }],
    });
    await catalog.clusters.setContinuousBackup(cluster.id, true);
    const { clusters } = await createOverview({ catalog, clock }).read();
    const found = clusters.find((each) => each.cluster.id === cluster.id);
    assert.deepEqual(found?.continuous, { state: 'running', lagSeconds: 10, headroomSeconds: 1890, slices: 6, rawBytes: 6000, storedBytes: 2000 });
    assert.ok(compareClusterTimes(at((found?.recoveryPointAt?.getTime() ?? 0) / 1000, 0), at(1990, 0)) >= 0);
  });

  describe('the state', () => {
    let mine: TailerClaim;
    const state = async () => {
      const { state: word, cause, warning } = await service().status(cluster);
      return [word, cause?.code ?? warning];
    };
    beforeEach(async () => {
      assert.deepEqual(await state(), ['starting', null]);
      mine = await claim(catalog, inventory);
      assert.deepEqual(await state(), ['starting', null]);
      await catalog.tailers.saveStatus(mine, status(at(1990)));
      await saveChain(catalog, inventory, at(1300), at(1990, 7));
      assert.deepEqual(await state(), ['starting', null], 'there is no base');
      await catalog.tailers.saveStatus(mine, status(at(1990), 'the last try failed'));
      assert.deepEqual(await state(), ['starting', 'the last try failed']);
      await catalog.tailers.saveStatus(mine, status(at(1990)));
      await saveBase(catalog, inventory, at(1310));
      assert.deepEqual(await state(), ['running', null]);
    });

    test('is a warning while the headroom is small', async () => {
      await catalog.tailers.saveStatus(mine, status(at(1990), 'ten minutes are left'));
      assert.deepEqual(await state(), ['warning', 'ten minutes are left']);
    });

    test('is failed with the cause while following fails', async () => {
      await catalog.tailers.saveFailure(mine, { code: 'SOURCE_UNREACHABLE', message: 'x', hint: null });
      assert.deepEqual(await state(), ['failed', 'SOURCE_UNREACHABLE']);
    });

    test('is failed when nobody follows the cluster', async () => {
      await catalog.tailers.release(mine);
      assert.deepEqual(await state(), ['failed', 'CONTINUOUS_NOT_FOLLOWED']);
    });

    test('is failed when who follows it has fallen silent', async () => {
      clock.advance(301_000);
      assert.deepEqual(await state(), ['failed', 'CONTINUOUS_STANDS_STILL']);
    });

    test('is off where it is switched off, though windows are there', async () => {
      cluster = { ...cluster, continuousBackup: false };
      assert.deepEqual(await state(), ['off', null]);
      assert.equal((await service().status(cluster)).windows.length, 1);
    });
  });
});
