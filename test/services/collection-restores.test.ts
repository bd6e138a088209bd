// Collection restore jobs on a real catalog: what they tell when their plan was replaced and their snapshot is gone, and how often a snapshot is looked into.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { CollectionRestoreRequest } from '../../src/domain/collection-restore.ts';
import type { CollectionRestore } from '../../src/services/contracts.ts';
import { insertCompleted } from '../support/catalog-rows.ts';
import { startEmbedded, type TestDatabase } from '../support/postgres.ts';
import { completeJob, openServicesWorld, ownerOf, type ServicesWorld } from '../support/services-world.ts';

const CONTENTS = [{ db: 'shop', name: 'orders', documents: 500, bytes: 5_000 }, { db: 'other', name: 'x', documents: 9, bytes: 9 }];
const REQUEST: CollectionRestoreRequest = { writeStrategy: 'OVERWRITE_EXISTING', databases: [], collections: [{ source: 'shop.orders' }], databaseSuffix: null, collectionSuffix: null };
const ALL = { pageNumber: 1, itemsPerPage: 500 };
const looks = { asked: 0, now: 0, most: 0, fail: false };
let database: TestDatabase;
let world: ServicesWorld;

before(async () => {
  database = await startEmbedded();
  world = await openServicesWorld(database, {
    async readContents() {
      looks.asked += 1;
      looks.now += 1;
      looks.most = Math.max(looks.most, looks.now);
      await new Promise((resolve) => setImmediate(resolve));
      looks.now -= 1;
      if (looks.fail) throw new Error('The store is away');
      return CONTENTS;
    },
  });
});

after(async () => {
  await world?.close();
  await database?.stop();
});

async function create(): Promise<CollectionRestore & { readonly snapshotId: string }> {
  const { services, catalog, inventory } = world;
  const { snapshotId } = await insertCompleted(catalog, inventory);
  const made = await services.collectionRestores.create({
    cluster: inventory.cluster, snapshotId, principal: ownerOf(inventory), indexStrategy: 'ALL', target: { projectId: inventory.project.id, cluster: { name: inventory.cluster.name } }, request: REQUEST,
  });
  return { ...made, snapshotId };
}

async function read(id: string): Promise<readonly (readonly unknown[])[]> {
  const { services, inventory: { cluster } } = world;
  const listed = (await services.collectionRestores.list(cluster.id, ALL)).items.find(({ restore }) => restore.id === id);
  const { collections } = await services.collectionRestores.get(cluster.id, id);
  const sub = await services.collectionRestores.collections({ clusterId: cluster.id, id, filter: {}, page: ALL });
  assert.deepEqual([listed?.collections, sub.items], [collections, collections]);
  return collections.map(({ source, effectiveTarget, state, totalDocuments, restoredDocuments, index }) => [source, effectiveTarget, state, totalDocuments, restoredDocuments, index.state]);
}

describe('collection restores', () => {
  test('tell what was restored after it was undone, and its snapshot is gone', async () => {
    const { catalog } = world;
    const { restore, snapshotId } = await create();
    const documents = 498;
    await catalog.restores.saveProof(restore.id, { provenAt: new Date(), collections: 1, documents, bytes: 1 }, { collections: [{ from: 'shop.orders', to: 'shop.orders', documents, bytes: 1, indexes: 1, failedIndexes: [{ name: 'by text', reason: 'doubled' }] }] });
    await completeJob(catalog, restore.jobId);
    await catalog.restorePlans.save(restore.id, restore.jobId, { kind: 'undo', state: 'finished', swaps: [{ from: 'shop.orders', db: 'shop', name: 'orders', shadowUuid: 'aa', proven: null, failedIndexes: [] }] });
    await catalog.snapshots.markDeleted(snapshotId);
    assert.deepEqual(await read(restore.id), [['shop.orders', 'shop.orders', 'INDEX_BUILD_FAILED', 498, 498, 'FAILED']]);
  });

  test('tell what a job that failed was to restore when its snapshot is gone', async () => {
    const { catalog } = world;
    const { restore, snapshotId } = await create();
    await catalog.transaction((tx) => tx.executeSql("update jobs set state = 'failed', finished_at = now() where id = $1", [restore.jobId]));
    await catalog.snapshots.markDeleted(snapshotId);
    assert.deepEqual(await read(restore.id), [['shop.orders', 'shop.orders', 'NOT_RESTORED', 500, 0, 'NOT_RESTORED']]);
  });

  test('look into a snapshot once, one after another where nobody has yet', async () => {
    const { services, inventory: { cluster } } = world;
    looks.fail = true;
    const made = [];
    for (let n = 0; n < 12; n += 1) made.push(await create());
    Object.assign(looks, { asked: 0, most: 0, fail: false });
    const list = () => services.collectionRestores.list(cluster.id, ALL);
    const { items, totalCount } = await list();
    assert.deepEqual([looks.asked, looks.most, totalCount], [made.length, 1, items.length]);
    const totals = new Map(items.map(({ restore, collections }) => [restore.id, collections[0]?.totalDocuments]));
    assert.deepEqual(made.map(({ restore }) => totals.get(restore.id)), made.map(() => 500));
    await list();
    assert.equal(looks.asked, made.length);
  });
});
