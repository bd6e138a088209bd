// What happens to a cluster's snapshots as it is deleted, on a real catalog.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createClusters } from '../../src/services/clusters.ts';
import { OUTCOME } from '../support/catalog-rows.ts';
import { startEmbedded, type TestDatabase } from '../support/postgres.ts';
import { completeJob, openServicesWorld, ownerOf, type ServicesWorld } from '../support/services-world.ts';

describe('deleting a cluster whose snapshots are kept', () => {
  let database: TestDatabase;
  let world: ServicesWorld;
  before(async () => {
    database = await startEmbedded();
    world = await openServicesWorld(database);
  });
  after(async () => {
    await world?.close();
    await database?.stop();
  });

  test('keeps one that becomes whole between the look and the deletion, and takes one that never will', async () => {
    const { catalog, services: { snapshots }, parts, inventory: { cluster }, inventory } = world;
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
