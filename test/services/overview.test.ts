import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createOverview } from '../../src/services/index.ts';
import { insertCompleted, makeInventory, OUTCOME } from '../support/catalog-rows.ts';
import { startServicesWorld, ownerOf, type ServicesWorld } from '../support/services-world.ts';

let world: ServicesWorld;

before(async () => { world = await startServicesWorld(); });
after(() => world?.close());

describe('overview', () => {
  test('adds up kept snapshots by cluster and jobs by kind and state', async () => {
    const { catalog, services, inventory } = world;
    const empty = await makeInventory(catalog);
    await insertCompleted(catalog, inventory);
    const newer = await insertCompleted(catalog, inventory);
    await catalog.snapshots.complete(newer.snapshotId, { ...OUTCOME, capturedAt: new Date('2026-03-02T12:00:00Z'), dataSizeBytes: 7 });
    const gone = await insertCompleted(catalog, inventory);
    await catalog.snapshots.complete(gone.snapshotId, { ...OUTCOME, capturedAt: new Date('2026-03-03T12:00:00Z') });
    await services.snapshots.delete({ cluster: inventory.cluster, id: gone.snapshotId, principal: ownerOf(inventory) });
    await services.snapshots.create({ cluster: inventory.cluster, description: null, retentionDays: 1, principal: ownerOf(inventory) });
    await catalog.clusters.learn(inventory.cluster.id, { lastSuccessAt: new Date('2026-03-02T12:00:01Z') });

    const { clusters, jobs } = await createOverview({ catalog, clock: world.clock }).read();
    const found = clusters.find(({ cluster }) => cluster.id === inventory.cluster.id);
    assert.deepEqual(
      [found?.projectName, found?.snapshots, found?.storageSizeBytes, found?.dataSizeBytes, found?.recoveryPointAt, found?.cluster.lastSuccessAt],
      ['shop', 2, 198, 7, new Date('2026-03-02T12:00:00Z'), new Date('2026-03-02T12:00:01Z')],
    );
    const other = clusters.find(({ cluster }) => cluster.id === empty.cluster.id);
    assert.deepEqual([other?.snapshots, other?.storageSizeBytes, other?.dataSizeBytes, other?.recoveryPointAt], [0, null, null, null]);
    assert.deepEqual([...jobs].sort((a, b) => a.state.localeCompare(b.state)), [
      { kind: 'snapshot', state: 'completed', count: 3 },
      { kind: 'snapshot', state: 'queued', count: 1 },
    ]);
  });
});
