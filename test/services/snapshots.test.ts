import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { newId } from '../../src/foundation/ids.ts';
import { createClusters } from '../../src/services/clusters.ts';
import { insertCompleted, makeInventory, OUTCOME } from '../support/catalog-rows.ts';
import { completeJob, startServicesWorld, ownerOf, type ServicesWorld } from '../support/services-world.ts';

const PAGE = { pageNumber: 1, itemsPerPage: 100 };
let world: ServicesWorld;

before(async () => { world = await startServicesWorld(); });
after(() => world?.close());

function create(description: string | null = 'nightly') {
  const { services, inventory } = world;
  return services.snapshots.create({ cluster: inventory.cluster, description, retentionDays: 3, principal: ownerOf(inventory) });
}

describe('create', () => {
  test('makes the snapshot and its job, both there when it answers', async () => {
    const { services, inventory, clock } = world;
    const { snapshot, job } = await create();
    assert.deepEqual([snapshot.state, snapshot.description, snapshot.type, snapshot.clusterName], ['queued', 'nightly', 'onDemand', inventory.cluster.name]);
    assert.equal(snapshot.expiresAt.getTime(), clock.now().getTime() + 3 * 86_400_000);
    assert.deepEqual([job.kind, job.state, job.snapshotId, job.requestedBy], ['snapshot', 'queued', snapshot.id, 'apiKey abcdefgh']);
    assert.deepEqual(await services.snapshots.get(inventory.cluster.id, snapshot.id), snapshot);
    assert.deepEqual(await services.jobs.get(job.id), job);
    assert.deepEqual(await services.jobs.byNumber(job.number), job);
    assert.equal(snapshot.selection, null);
  });

  test('makes neither when one of both fails', async () => {
    const { services, inventory, catalog } = world;
    const jobsBefore = (await catalog.jobs.list({}, PAGE)).totalCount;
    const cluster = { ...inventory.cluster, name: null as unknown as string };
    await assert.rejects(services.snapshots.create({ cluster, description: null, retentionDays: 1, principal: ownerOf(inventory) }));
    assert.equal((await catalog.jobs.list({}, PAGE)).totalCount, jobsBefore);
  });

  test('keeps a choice of namespaces, and takes an empty choice for everything', async () => {
    const { services, inventory, catalog } = world;
    const request = { cluster: inventory.cluster, description: null, retentionDays: 1, principal: ownerOf(inventory) };
    const some = await services.snapshots.create({ ...request, selection: { databases: ['shop'], collections: ['crm.people'] } });
    const all = await services.snapshots.create({ ...request, selection: { databases: [], collections: [] } });
    assert.deepEqual((await catalog.snapshots.get(some.snapshot.id))?.selection, { databases: ['shop'], collections: ['crm.people'] });
    assert.equal((await catalog.snapshots.get(all.snapshot.id))?.selection, null);
  });

  test('refuses a description that cannot be kept as it is, and makes nothing', async () => {
    const before = (await world.services.snapshots.list(world.inventory.cluster.id, { pageNumber: 1, itemsPerPage: 1 })).totalCount;
    await assert.rejects(create('a\0b'), { code: 'TEXT_NOT_STORABLE', details: { name: 'description' } });
    assert.equal((await world.services.snapshots.list(world.inventory.cluster.id, { pageNumber: 1, itemsPerPage: 1 })).totalCount, before);
  });
});

describe('get', () => {
  test('fails alike for unknown, malformed, deleted ones and those of another cluster', async () => {
    const { services, inventory } = world;
    const { snapshot } = await create();
    const gone = await create();
    await services.snapshots.delete({ cluster: inventory.cluster, id: gone.snapshot.id, principal: ownerOf(inventory) });
    for (const [clusterId, id] of [[inventory.cluster.id, newId()], [inventory.cluster.id, 'x\0'], [newId(), snapshot.id], [inventory.cluster.id, gone.snapshot.id]] as const) {
      await assert.rejects(services.snapshots.get(clusterId, id), { code: 'SNAPSHOT_NOT_FOUND', details: { id, clusterId } });
    }
  });
});

describe('list', () => {
  test('is newest first, in pages, without deleted ones', async () => {
    const { services, clock } = world;
    const inventory = await makeInventory(world.catalog);
    const ids: string[] = [];
    for (let n = 0; n < 4; n += 1) {
      clock.advance(1000);
      ids.push((await services.snapshots.create({ cluster: inventory.cluster, description: null, retentionDays: 1, principal: ownerOf(inventory) })).snapshot.id);
    }
    await services.snapshots.delete({ cluster: inventory.cluster, id: ids[1] ?? '', principal: ownerOf(inventory) });
    const first = await services.snapshots.list(inventory.cluster.id, { pageNumber: 1, itemsPerPage: 2 });
    const second = await services.snapshots.list(inventory.cluster.id, { pageNumber: 2, itemsPerPage: 2 });
    assert.deepEqual([...first.items, ...second.items].map(({ id }) => id), [ids[3], ids[2], ids[0]]);
    assert.equal(first.totalCount, 3);
    const { snapshotId } = await insertCompleted(world.catalog, inventory);
    const completed = await services.snapshots.list(inventory.cluster.id, PAGE, { completedOnly: true });
    assert.deepEqual(completed.items.map(({ id }) => id), [snapshotId]);
  });
});

describe('delete', () => {
  test('ends the capture that was not begun', async () => {
    const { services, inventory } = world;
    const { snapshot, job } = await create();
    await services.snapshots.delete({ cluster: inventory.cluster, id: snapshot.id, principal: ownerOf(inventory) });
    assert.equal((await services.jobs.get(job.id)).state, 'cancelled');
  });

  test('leaves the repository a fact to be told', async () => {
    const { services, inventory, catalog } = world;
    const { snapshotId, jobId } = await insertCompleted(catalog, inventory);
    await completeJob(catalog, jobId);
    await services.snapshots.delete({ cluster: inventory.cluster, id: snapshotId, principal: ownerOf(inventory) });
    assert.ok((await catalog.snapshots.pendingFacts(1000)).some((fact) => fact.snapshotId === snapshotId && fact.kind === 'deleted'));
  });

  test('is refused the second time, also when two come at once', async () => {
    const { services, inventory, catalog } = world;
    const { snapshotId: id } = await insertCompleted(catalog, inventory);
    const outcomes = await Promise.allSettled([1, 2, 3].map(() => services.snapshots.delete({ cluster: inventory.cluster, id, principal: ownerOf(inventory) })));
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
    await assert.rejects(services.snapshots.delete({ cluster: inventory.cluster, id, principal: ownerOf(inventory) }), { code: 'SNAPSHOT_NOT_FOUND' });
  });
});

describe('setExpiry', () => {
  test('moves the end, and refuses one before the capture', async () => {
    const { services, inventory, catalog } = world;
    const { snapshotId: id } = await insertCompleted(catalog, inventory);
    const expiresAt = new Date('2027-01-01T00:00:00Z');
    const request = { cluster: inventory.cluster, id, principal: ownerOf(inventory) };
    assert.deepEqual((await services.snapshots.setExpiry({ ...request, expiresAt })).expiresAt, expiresAt);
    for (const wrong of [OUTCOME.capturedAt, new Date(Number.NaN)]) {
      await assert.rejects(services.snapshots.setExpiry({ ...request, expiresAt: wrong }), { code: 'EXPIRY_INVALID' });
    }
  });
});

describe('of a cluster that is deleted while its snapshots are kept', () => {
  test('one that becomes whole between the look and the deletion stays, one that never will goes', async () => {
    const { catalog, services: { snapshots }, parts } = world;
    const inventory = await makeInventory(catalog);
    const { cluster } = inventory;
    const principal = ownerOf(inventory);
    const [late, never] = [await snapshots.create({ cluster, principal, description: null, retentionDays: 7 }), await snapshots.create({ cluster, principal, description: null, retentionDays: 7 })];
    const clusters = createClusters({
      catalog, queue: parts.queue, clock: parts.clock, probe: () => Promise.reject(new Error('nobody is asked')),
      snapshots: { delete: async (request) => {
        if (request.id === late.snapshot.id) {
          await catalog.snapshots.complete(late.snapshot.id, { ...OUTCOME, expiresAt: new Date('2030-01-01T00:00:00Z') });
          await completeJob(catalog, late.job.id);
        }
        await snapshots.delete(request);
      } },
    });
    await clusters.delete({ cluster, retainBackups: true, principal });
    const deletedAt = async (id: string): Promise<Date | null | undefined> => (await catalog.snapshots.get(id))?.deletedAt;
    assert.equal(await deletedAt(late.snapshot.id), null);
    assert.notEqual(await deletedAt(never.snapshot.id), null);
  });
});
