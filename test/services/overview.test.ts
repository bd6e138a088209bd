import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { freshProgress } from '../../src/domain/plan-run.ts';
import { defaultSchedule } from '../../src/domain/schedule.ts';
import { newId } from '../../src/foundation/ids.ts';
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

  test('tells whether each cluster is backed up, and the size of what its filter takes', async () => {
    const { catalog, clock } = world;
    const cluster = await makeInventory(catalog);
    const { id } = cluster.cluster;
    const told = async () => (await createOverview({ catalog, clock }).read()).clusters.find((each) => each.cluster.id === id);
    assert.equal((await told())?.backupState, 'inactive', 'nothing is taken of it');
    await catalog.clusters.setContinuousBackup(id, true);
    assert.equal((await told())?.backupState, 'started', 'continuous backup alone is something');
    await catalog.clusters.setContinuousBackup(id, false);
    await catalog.schedules.save({ schedule: defaultSchedule(id, clock.now(), newId), progress: freshProgress(clock.now()) });
    assert.equal((await told())?.backupState, 'started');
    await catalog.clusters.setBackupState(id, 'stopped');
    assert.deepEqual([(await told())?.backupState, (await told())?.continuous], ['stopped', null]);

    const whole = await insertCompleted(catalog, cluster);
    await catalog.snapshots.complete(whole.snapshotId, { ...OUTCOME, dataSizeBytes: 1_000 });
    const filter = { kind: 'included', databases: ['crm'], collections: [] } as const;
    const part = await insertCompleted(catalog, cluster, { databases: ['crm'], collections: [] });
    await catalog.snapshots.complete(part.snapshotId, { ...OUTCOME, dataSizeBytes: 10 });
    assert.equal((await told())?.dataSizeBytes, 1_000, 'a part is not what a restore would bring back');
    await catalog.clusters.setNamespaceFilter(id, filter);
    assert.equal((await told())?.dataSizeBytes, 10);
  });
});
