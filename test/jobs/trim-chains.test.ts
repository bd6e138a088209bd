// What is promised is kept: after any history of chains, snapshots, deletions and trims, each window that the catalog
// lists can be read from each of its bases to its end, slice by slice.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import type { Catalog } from '../../src/catalog/index.ts';
import { compareClusterTimes, positionOf, timeOfPosition, type ClusterTime } from '../../src/domain/cluster-time.ts';
import { systemClock } from '../../src/foundation/clock.ts';
import { trimChains } from '../../src/jobs/index.ts';
import type { ChainWriter, Repository } from '../../src/repository/index.ts';
import { createMemoryStorage } from '../../src/storage/index.ts';
import { makeInventory, type Inventory } from '../support/catalog-rows.ts';
import { at, ended, saveBase, saveChain, SET_ID } from '../support/chain-rows.ts';
import { startEmbedded, type TestDatabase } from '../support/postgres.ts';
import { collect, openTestRepository } from '../support/repository-fixture.ts';

const ACTIONS = ['begin', 'slice', 'slice', 'slice', 'slice', 'end', 'capture', 'capture', 'settle', 'settle', 'delete', 'trim'] as const;
const step = fc.record({ action: fc.constantFrom(...ACTIONS), seconds: fc.integer({ min: 1, max: 3_000 }), pick: fc.nat(20) });

interface Base { readonly id: string; readonly beganAt: ClusterTime; readonly pointInTime: ClusterTime }

/** One cluster, as tailer, worker, person and prune treat it. */
interface World {
  readonly catalog: Catalog;
  readonly repository: Repository;
  readonly inventory: Inventory;
  now: number;
  chain: ChainWriter | null;
  /** When the capture that is under way began. */
  capture: ClusterTime | null;
  bases: Base[];
}

describe('trimming', () => {
  let server: TestDatabase;
  let catalog: Catalog;

  before(async () => {
    server = await startEmbedded();
    catalog = await server.open();
  });
  after(async () => {
    await catalog?.close();
    await server?.stop();
  });

  test('never takes a slice that a listed window needs', async () => {
    let [trimmed, windows] = [0, 0];
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
      const repository = await openTestRepository(createMemoryStorage());
      const world: World = { catalog, repository, inventory: await makeInventory(catalog), now: 10_000, chain: null, capture: null, bases: [] };
      try {
        for (const { action, seconds, pick } of steps) {
          world.now += seconds;
          if (action === 'trim') trimmed += await trim(world);
          else await act(world, action, pick);
        }
        windows += await provePromises(world);
      } finally {
        await repository.close();
      }
    }), {
      numRuns: process.env['LEAFVAULT_LONG_TESTS'] === undefined ? 40 : 2_000,
      examples: [
        // The chain ends, and is trimmed, while its first base is still being captured.
        [stepsOf(10, ['begin', 'slice', 'capture', 'slice', 'slice', 'end', 'trim', 'settle'])],
        // Slices from hours before the only base: some go, whatever the random ones do.
        [stepsOf(4_000, ['begin', 'slice', 'slice', 'slice', 'capture', 'settle', 'slice', 'trim'])],
      ],
    });
    assert.ok(trimmed > 0 && windows > 0, `${trimmed} slices went, ${windows} windows were read`);
  });

  test('ends a chain without slices that no row knows beside the one that goes on, and none that a tailer may just have begun', async () => {
    const repository = await openTestRepository(createMemoryStorage());
    const begin = async ({ cluster }: Inventory, from: number, slices: number): Promise<string> => {
      const writer = await repository.chains.begin({ series: cluster.id, from: positionOf(at(from)), body: { replicaSetId: SET_ID } });
      for (let n = 1; n <= slices; n += 1) await writer.append({ to: positionOf(at(from + n)), records: 1, raw: Buffer.alloc(50), body: {} });
      return writer.head.id;
    };
    const [followed, starting] = [await makeInventory(catalog), await makeInventory(catalog)];
    const late = await begin(followed, 1_000, 0);
    const [known, withSlices] = [await begin(followed, 2_000, 0), await begin(followed, 1_500, 2)];
    await saveChain(catalog, followed, at(2_000), at(2_000), { id: known, slices: 0 });
    // Its cluster has no open row: that of this one may be on its way.
    await saveChain(catalog, starting, at(500), at(600), ended('STOPPED'));
    const begun = await begin(starting, 2_000, 0);
    const open = async (): Promise<readonly string[]> => (await collect(repository.chains.list())).filter(({ end }) => end === null).map(({ head }) => head.id).sort();
    await trimChains(repository, { now: systemClock.now() });
    assert.deepEqual(await open(), [late, known, withSlices, begun].sort(), 'nobody is asked: nothing is ended');
    for (let round = 0; round < 2; round += 1) {
      await trimChains(repository, { now: systemClock.now(), rows: catalog.chains });
      assert.deepEqual(await open(), [known, withSlices, begun].sort());
    }
    assert.equal(await catalog.chains.get(late), null);
    assert.deepEqual((await repository.check({ readData: true })).problems, []);
    await repository.close();
  });
});

function stepsOf(seconds: number, actions: readonly (typeof ACTIONS)[number][]): { action: (typeof ACTIONS)[number]; seconds: number; pick: number }[] {
  return actions.map((action) => ({ action, seconds, pick: 0 }));
}

async function act(world: World, action: Exclude<(typeof ACTIONS)[number], 'trim'>, pick: number): Promise<void> {
  const { catalog, repository, inventory } = world;
  const series = inventory.cluster.id;
  const now = at(world.now);
  if (action === 'begin' && world.chain === null) {
    world.chain = await repository.chains.begin({ series, from: positionOf(now), body: { replicaSetId: SET_ID } });
    const { id, createdAt } = world.chain.head;
    await catalog.transaction((tx) => tx.chains.save({ id, clusterId: series, replicaSetId: SET_ID, from: now, to: now, slices: 0, records: 0, rawBytes: 0, storedBytes: 0, createdAt: new Date(createdAt), newestSliceAt: null, end: null }));
  }
  if (action === 'slice' && world.chain !== null) {
    const slice = await world.chain.append({ to: positionOf(now), records: 1, raw: Buffer.alloc(50, pick), body: {} });
    const { id } = world.chain.head;
    await catalog.transaction((tx) => tx.chains.grow(id, { to: now, sequence: slice.sequence, slices: 1, records: 1, rawBytes: 50, storedBytes: slice.storedBytes, newestSliceAt: new Date(slice.createdAt) }));
  }
  if (action === 'end' && world.chain !== null) {
    const { id } = world.chain.head;
    await world.chain.end({ reason: 'STOPPED' });
    await catalog.transaction((tx) => tx.chains.end(id, { reason: 'STOPPED', message: null, at: systemClock.now() }));
    world.chain = null;
  }
  // Of a cluster one snapshot is captured at a time.
  if (action === 'capture') world.capture ??= now;
  if (action === 'settle' && world.capture !== null) {
    const beganAt = world.capture;
    const pointInTime = at(beganAt.t + Math.floor(((world.now - beganAt.t) * pick) / 20), 2);
    const id = await saveBase(catalog, inventory, pointInTime);
    const writer = await repository.openWriter();
    await writer.commit({ id, createdAt: new Date(0).toISOString(), series, body: { beganAt } });
    world.bases.push({ id, beganAt, pointInTime });
    world.capture = null;
  }
  if (action === 'delete' && world.bases.length > 0) {
    const [base] = world.bases.splice(pick % world.bases.length, 1);
    await catalog.snapshots.markDeleted(base!.id);
    await repository.addFact({ snapshotId: base!.id, kind: 'deleted', body: {}, createdAt: new Date(0).toISOString() });
  }
}

async function trim({ repository }: World): Promise<number> {
  return (await trimChains(repository, { now: systemClock.now() })).reduce((sum, { slices }) => sum + slices, 0);
}

/** @returns how many windows were read */
async function provePromises(world: World): Promise<number> {
  const { catalog, repository, inventory, bases } = world;
  const windows = (await catalog.chains.windows(inventory.cluster.id)).filter(({ base }) => base !== null);
  for (const { id, from, to } of windows) {
    const slices = await collect(repository.chains.slices(id));
    const first = slices[0] === undefined ? to : timeOfPosition(slices[0].from);
    const within = bases.filter(({ pointInTime }) => compareClusterTimes(pointInTime, from) >= 0 && compareClusterTimes(pointInTime, to) <= 0);
    assert.ok(within.length > 0);
    for (const { beganAt } of within) {
      const needed = compareClusterTimes(beganAt, from) < 0 ? from : beganAt;
      assert.ok(compareClusterTimes(first, needed) <= 0, `the window ${id} is listed from a base on that began at ${needed.t}, and its slices begin behind ${first.t}`);
    }
    assert.equal(slices.at(-1)?.to ?? positionOf(from), positionOf(to));
  }
  return windows.length;
}
