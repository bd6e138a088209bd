import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Cluster } from '../../src/domain/records.ts';
import type { ProjectRole } from '../../src/domain/roles.ts';
import { newId } from '../../src/foundation/ids.ts';
import type { Restores } from '../../src/services/contracts.ts';
import { insertCompleted } from '../support/catalog-rows.ts';
import { startEmbedded, type TestDatabase } from '../support/postgres.ts';
import { openServicesWorld, ownerOf, principalWith, type ServicesWorld } from '../support/services-world.ts';

type Request = Parameters<Restores['create']>[0];
let database: TestDatabase;
let world: ServicesWorld;
let snapshotId: string;
/** In another project of the same organization. */
let elsewhere: Cluster;

before(async () => {
  database = await startEmbedded();
  world = await openServicesWorld(database);
  const { catalog, inventory } = world;
  ({ snapshotId } = await insertCompleted(catalog, inventory));
  const project = await catalog.projects.insert({ id: newId(), orgId: inventory.orgId, name: 'staging' });
  elsewhere = await catalog.clusters.insert({ id: newId(), projectId: project.id, name: 'copy', uri: 'mongodb://127.0.0.1:1/', hosts: ['127.0.0.1:1'] });
});

after(async () => {
  await world?.close();
  await database?.stop();
});

function create(changes: Partial<Request> = {}) {
  const { services, inventory } = world;
  return services.restores.create({
    cluster: inventory.cluster, snapshotId, delivery: 'automated', principal: ownerOf(inventory),
    target: { projectId: inventory.project.id, cluster: { name: inventory.cluster.name } }, ...changes,
  });
}

describe('create', () => {
  test('makes an automated restore and its job, listed under the source', async () => {
    const { services, inventory, catalog } = world;
    const restore = await create({ target: { projectId: elsewhere.projectId, cluster: { name: 'copy' } } });
    assert.deepEqual(
      [restore.state, restore.delivery, restore.targetProjectId, restore.targetClusterId, restore.targetClusterName, restore.download],
      ['queued', 'automated', elsewhere.projectId, elsewhere.id, 'copy', null],
    );
    assert.deepEqual([restore.snapshotPointInTime, restore.snapshotCapturedAt?.toISOString()], [{ t: 1_700_000_000, i: 3 }, '2026-03-01T12:00:00.000Z']);
    const job = await services.jobs.get(restore.jobId);
    assert.deepEqual([job.kind, job.restoreId, job.clusterId], ['restore', restore.id, inventory.cluster.id]);
    assert.deepEqual(await catalog.jobs.payload(job.id), { restoreId: restore.id, timeSeries: 'refuse', keepHours: 0, existing: 'replace' });
    assert.deepEqual(await services.restores.get(inventory.cluster.id, restore.id), restore);
    assert.equal((await services.restores.list(inventory.cluster.id, { pageNumber: 1, itemsPerPage: 1 })).items[0]?.id, restore.id);
  });

  test('hands on what is to become of a live time series', async () => {
    const restore = await create({ timeSeries: 'replace' });
    const job = await world.services.jobs.get(restore.jobId);
    assert.deepEqual(await world.catalog.jobs.payload(job.id), { restoreId: restore.id, timeSeries: 'replace', keepHours: 0, existing: 'replace' });
  });

  test('undoes what is kept, and nothing else', async () => {
    const { services, inventory, catalog } = world;
    const restore = await create();
    const undo = (): ReturnType<typeof services.restores.undo> => services.restores.undo({ cluster: inventory.cluster, id: restore.id, principal: ownerOf(inventory) });
    await assert.rejects(undo(), { code: 'RESTORE_NOT_UNDOABLE', details: { id: restore.id, state: 'queued' } });
    await catalog.restorePlans.save(restore.id, restore.jobId, { state: 'finished' });
    await catalog.restorePlans.markSettled(restore.id, 'new');
    const until = new Date('2026-03-02T12:00:00.000Z');
    await catalog.restorePlans.keep(restore.id, until);
    assert.deepEqual(await services.restores.undoableUntil(inventory.cluster.id, restore.id), until);
    const job = await undo();
    assert.deepEqual([job.kind, job.restoreId, await catalog.jobs.payload(job.id)], ['undo', restore.id, { restoreId: restore.id, keepHours: 24, undone: true }]);
    assert.deepEqual((await Promise.all([undo(), undo()])).map(({ id }) => id), [job.id, job.id], 'a second request finds the first');
    await catalog.restorePlans.markSettled(restore.id, 'new');
    await catalog.restorePlans.keep(restore.id, new Date(0));
    assert.deepEqual(await catalog.transaction((tx) => tx.restorePlans.due(10)), [], 'what an undo is about to put back is not dropped');
  });

  test('undoes to the side that is named, once', async () => {
    const { services, inventory, catalog } = world;
    const restore = await create();
    const request = { cluster: inventory.cluster, id: restore.id, principal: ownerOf(inventory) };
    await catalog.restorePlans.save(restore.id, restore.jobId, { state: 'finished', kind: 'restore' });
    await catalog.restorePlans.markSettled(restore.id, 'new');
    await catalog.restorePlans.keep(restore.id, new Date('2030-01-01T00:00:00Z'));
    const side = () => services.restores.isUndone(inventory.cluster.id, restore.id);
    assert.equal(await side(), false);
    await assert.rejects(services.restores.undo({ ...request, undone: false }), { code: 'RESTORE_NOT_UNDOABLE', details: { id: restore.id, state: 'queued', undone: false } });
    for (const [plan, undone] of [
      [{ state: 'finished', kind: 'undo', undone: true }, true], [{ state: 'undone', kind: 'undo', undone: true }, false], [{ state: 'finished', kind: 'undo', undone: false }, false], [{ state: 'swapping', kind: 'undo', undone: false }, true],
    ] as const) {
      await catalog.restorePlans.save(restore.id, restore.jobId, plan);
      assert.equal(await side(), undone, JSON.stringify(plan));
    }
    await catalog.restorePlans.save(restore.id, restore.jobId, { state: 'committed', kind: 'undo', undone: true });
    await assert.rejects(services.restores.undo({ ...request, undone: true }), /was interrupted and is being ended/);
    await catalog.restorePlans.save(restore.id, restore.jobId, { state: 'finished', kind: 'undo', undone: true });
    await catalog.restorePlans.markSettled(restore.id, 'new');
    await assert.rejects(services.restores.undo({ ...request, undone: true }), /it is undone already/);
    const job = await services.restores.undo({ ...request, undone: false });
    assert.deepEqual([job.kind, (await services.restores.undo({ ...request, undone: false })).id, (await services.restores.undo(request)).id], ['undo', job.id, job.id]);
    await assert.rejects(services.restores.undo({ ...request, undone: true }), /just being swapped to the other side/);
  });

  test('lets the job find out which side is live where a rescue has emptied the plan', async () => {
    const { services, inventory, catalog } = world;
    const restore = await create();
    const request = { cluster: inventory.cluster, id: restore.id, principal: ownerOf(inventory) };
    assert.equal(await services.restores.isUndone(inventory.cluster.id, restore.id), false, 'not begun');
    await catalog.restorePlans.save(restore.id, restore.jobId, { state: 'finished', kind: 'undo', undone: true });
    await catalog.restorePlans.markSettled(restore.id, 'new');
    await catalog.restorePlans.keep(restore.id, new Date('2030-01-01T00:00:00Z'));
    await catalog.transaction((tx) => tx.rescues.emptyPlans());
    assert.equal(await services.restores.isUndone(inventory.cluster.id, restore.id), null);
    const job = await services.restores.undo({ ...request, undone: false });
    assert.equal(((await catalog.jobs.payload(job.id)) as { readonly undone: boolean }).undone, false);
  });

  test('lets go of what is kept before its time, once, and not while it is being undone', async () => {
    const { services, inventory, catalog } = world;
    const restore = await create();
    const request = { cluster: inventory.cluster, id: restore.id, principal: ownerOf(inventory) };
    await assert.rejects(services.restores.letGo(request), { code: 'RESTORE_NOTHING_KEPT' });
    await catalog.restorePlans.save(restore.id, restore.jobId, { state: 'finished' });
    await catalog.restorePlans.markSettled(restore.id, 'new');
    await catalog.restorePlans.keep(restore.id, new Date('2030-01-01T00:00:00Z'));
    const job = await services.restores.letGo(request);
    assert.deepEqual([job.kind, job.restoreId, (await services.restores.letGo(request)).id], ['dropKept', restore.id, job.id]);
    await assert.rejects(services.restores.undo(request), { code: 'RESTORE_NOT_UNDOABLE' });
    const open = await create();
    await catalog.restorePlans.save(open.id, open.jobId, { state: 'swapping', kind: 'undo' });
    await catalog.restorePlans.keep(open.id, new Date('2030-01-01T00:00:00Z'));
    await assert.rejects(services.restores.letGo({ ...request, id: open.id }), { code: 'RESTORE_NOTHING_KEPT' }, 'what was interrupted is ended first');
    const other = await create();
    await catalog.restorePlans.save(other.id, other.jobId, { state: 'finished' });
    await catalog.restorePlans.markSettled(other.id, 'new');
    await catalog.restorePlans.keep(other.id, new Date('2030-01-01T00:00:00Z'));
    await services.restores.undo({ ...request, id: other.id });
    await assert.rejects(services.restores.letGo({ ...request, id: other.id }), { code: 'RESTORE_NOTHING_KEPT' });
  });

  test('takes users and roles along only with a whole cluster, unless told', async () => {
    const { catalog } = world;
    const selection = { databases: ['shop'], collections: [], renames: [] };
    const flags = await Promise.all([create(), create({ selection }), create({ selection, usersAndRoles: true }), create({ usersAndRoles: false })]
      .map(async (made) => (await catalog.restores.get((await made).id))?.usersAndRoles));
    assert.deepEqual(flags, [true, false, true, false]);
  });

  test('names the target by id as well', async () => {
    const restore = await create({ target: { projectId: elsewhere.projectId, cluster: { id: elsewhere.id } } });
    assert.equal(restore.targetClusterName, 'copy');
  });

  const targets: readonly (readonly [string, () => Request['target']])[] = [
    ['no target', () => undefined],
    ['an unknown project', () => ({ projectId: newId(), cluster: { name: 'copy' } })],
    ['a malformed project', () => ({ projectId: 'x\0', cluster: { name: 'copy' } })],
    ['an unknown cluster', () => ({ projectId: elsewhere.projectId, cluster: { name: 'nothing' } })],
    ['a cluster name that cannot be', () => ({ projectId: elsewhere.projectId, cluster: { name: '\0' } })],
    ['a cluster of another project', () => ({ projectId: world.inventory.project.id, cluster: { id: elsewhere.id } })],
    ['a malformed cluster id', () => ({ projectId: elsewhere.projectId, cluster: { id: 'nope' } })],
  ];
  for (const [what, target] of targets) {
    test(`refuses ${what}`, async () => {
      await assert.rejects(create({ target: target() }), { code: 'TARGET_NOT_FOUND' });
    });
  }

  const roles: readonly (readonly [ProjectRole, boolean])[] = [
    ['GROUP_OWNER', true], ['GROUP_BACKUP_MANAGER', true], ['GROUP_BACKUP_ADMIN', true], ['GROUP_BACKUP_RECOVERY_OPERATOR', true],
    ['GROUP_BACKUP_CREATOR', false], ['GROUP_BACKUP_EXPORT_OPERATOR', false], ['GROUP_CLUSTER_MANAGER', false],
    ['GROUP_DATA_ACCESS_ADMIN', false], ['GROUP_READ_ONLY', false],
  ];
  for (const [role, allowed] of roles) {
    test(`${allowed ? 'lets' : 'does not let'} ${role} restore into its project`, async () => {
      const principal = principalWith(world.inventory.orgId, [{ role, projectId: elsewhere.projectId }]);
      const made = create({ principal, target: { projectId: elsewhere.projectId, cluster: { name: 'copy' } } });
      if (allowed) assert.equal((await made).targetClusterId, elsewhere.id);
      else await assert.rejects(made, { code: 'TARGET_FORBIDDEN' });
    });
  }

  test('does not count a role in the source project for another target', async () => {
    const principal = principalWith(world.inventory.orgId, [{ role: 'GROUP_OWNER', projectId: world.inventory.project.id }]);
    await assert.rejects(create({ principal, target: { projectId: elsewhere.projectId, cluster: { name: 'copy' } } }), { code: 'TARGET_FORBIDDEN' });
  });

  test('tells nobody without a role whether a cluster is there', async () => {
    const principal = principalWith(newId(), []);
    for (const name of ['copy', 'nothing']) {
      await assert.rejects(create({ principal, target: { projectId: elsewhere.projectId, cluster: { name } } }), { code: 'TARGET_FORBIDDEN' });
    }
  });

  test('refuses a snapshot that is not whole', async () => {
    const { services, inventory } = world;
    const { snapshot } = await services.snapshots.create({ cluster: inventory.cluster, description: null, retentionDays: 1, principal: ownerOf(inventory) });
    await assert.rejects(create({ snapshotId: snapshot.id }), { code: 'SNAPSHOT_NOT_COMPLETE', details: { id: snapshot.id, state: 'queued' } });
  });

  test('refuses a snapshot that is deleted, unknown or of another cluster', async () => {
    const { services, inventory, catalog } = world;
    const gone = await insertCompleted(catalog, inventory);
    await services.snapshots.delete({ cluster: inventory.cluster, id: gone.snapshotId, principal: ownerOf(inventory) });
    await assert.rejects(create({ snapshotId: gone.snapshotId }), { code: 'SNAPSHOT_NOT_FOUND', details: { id: gone.snapshotId, clusterId: world.inventory.cluster.id, deleted: true } });
    for (const id of [newId(), 'nope']) await assert.rejects(create({ snapshotId: id }), { code: 'SNAPSHOT_NOT_FOUND', details: { id, clusterId: world.inventory.cluster.id } });
    await assert.rejects(create({ cluster: elsewhere }), { code: 'SNAPSHOT_NOT_FOUND' });
  });

  test('refuses a choice that cannot be meant, before anything is stored', async () => {
    const selection = { databases: ['shop'], collections: [], renames: [{ from: 'shop', to: 'shop.orders' }] };
    const before = (await world.catalog.jobs.list({}, { pageNumber: 1, itemsPerPage: 1 })).totalCount;
    await assert.rejects(create({ selection }), { code: 'SELECTION_INVALID' });
    assert.equal((await world.catalog.jobs.list({}, { pageNumber: 1, itemsPerPage: 1 })).totalCount, before);
  });
});

describe('get', () => {
  test('fails for unknown ones and those of another cluster', async () => {
    const restore = await create();
    for (const [clusterId, id] of [[world.inventory.cluster.id, newId()], [world.inventory.cluster.id, '\0'], [elsewhere.id, restore.id]] as const) {
      await assert.rejects(world.services.restores.get(clusterId, id), { code: 'RESTORE_NOT_FOUND' });
    }
  });
});

describe('cancel', () => {
  test('ends one that has not begun, and refuses the second time', async () => {
    const { services, inventory } = world;
    const { id } = await create();
    const request = { cluster: inventory.cluster, id, principal: ownerOf(inventory) };
    await services.restores.cancel(request);
    assert.equal((await services.restores.get(inventory.cluster.id, id)).state, 'cancelled');
    await assert.rejects(services.restores.cancel(request), { code: 'RESTORE_NOT_CANCELLABLE', details: { id, state: 'cancelled' } });
  });
});
