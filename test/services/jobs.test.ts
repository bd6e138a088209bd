import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { askForVerify, until } from '../support/job-rows.ts';
import { insertCompleted, makeInventory } from '../support/catalog-rows.ts';
import { openPostgresQueue, type JobQueue } from '../../src/jobs/index.ts';
import { createServices } from '../../src/services/index.ts';
import { silent } from '../support/postgres.ts';
import { completeJob, startServicesWorld, ownerOf, type ServicesWorld } from '../support/services-world.ts';

describe('jobs', () => {
  let world: ServicesWorld;
  before(async () => { world = await startServicesWorld(); });
  after(() => world?.close());

  test('rest and go on, unless they are over, being ended, or of a kind that never rests', async () => {
    const { services: { jobs, snapshots }, inventory, catalog } = world;
    const { job } = await snapshots.create({ cluster: inventory.cluster, description: null, retentionDays: 1, principal: ownerOf(inventory) });
    await assert.rejects(jobs.resume(job.id), { code: 'JOB_NOT_PAUSED' });
    await jobs.pause(job.id);
    await jobs.pause(job.id);
    assert.ok((await jobs.get(job.id)).pausedAt);
    await jobs.resume(job.id);
    assert.equal((await jobs.get(job.id)).pausedAt, null);
    await completeJob(catalog, job.id);
    await assert.rejects(jobs.pause(job.id), { code: 'JOB_NOT_PAUSABLE', details: { id: job.id, state: 'completed', why: 'it is already completed' } });
    await assert.rejects(jobs.resume(job.id), { code: 'JOB_NOT_PAUSED' });
    const queue = await openPostgresQueue({ catalog, log: silent });
    const verify = await askForVerify(catalog, queue, inventory).finally(() => queue.close());
    await assert.rejects(jobs.pause(verify.id), { code: 'JOB_NOT_PAUSABLE' });
    for (const id of ['f'.repeat(24), 'none']) {
      await assert.rejects(jobs.pause(id), { code: 'JOB_NOT_FOUND' });
      await assert.rejects(jobs.resume(id), { code: 'JOB_NOT_FOUND' });
    }
    await completeJob(catalog, verify.id);
    await assert.rejects(jobs.repeat(verify.id, ownerOf(inventory)), { code: 'JOB_NOT_REPEATABLE' });
  });

  test('of snapshots are cancelled and paused before a compliance policy is made or not at all, never beside it', async () => {
    const { services: { compliance, snapshots }, inventory, catalog } = world;
    const { project, cluster } = inventory;
    const policy = {
      authorizedEmail: 'legal@example.com', authorizedUserFirstName: 'Lee', authorizedUserLastName: 'Gal', copyProtectionEnabled: false, encryptionAtRestEnabled: false, pitEnabled: false, restoreWindowDays: 0,
      onDemandItem: null, scheduledItems: [],
    };
    const waiting = async (): Promise<boolean> => (await catalog.transaction((tx) => tx.executeSql('select 1 from pg_locks where not granted', []))).rows.length > 0;
    const queue = await openPostgresQueue({ catalog, log: silent });
    let making: Promise<unknown> = Promise.resolve();
    /** Acts once the policy is made, or waits for who acts. */
    const besideThePolicy = async <T>(act: () => Promise<T>): Promise<T> => {
      let made = false;
      making = compliance.put({ project, policy, overwrite: true, principal: ownerOf(inventory) }).then(() => { made = true; });
      await until('the policy, or its waiting', async () => made || (await waiting()));
      assert.equal(made, false, 'the policy waits');
      return act();
    };
    const racing: JobQueue = { ...queue, cancel: (id, by, tx) => besideThePolicy(() => queue.cancel(id, by, tx)), pause: (id, tx) => besideThePolicy(() => queue.pause(id, tx)) };
    const { jobs } = createServices({ ...world.parts, queue: racing });
    for (const act of ['cancel', 'pause'] as const) {
      const { job } = await snapshots.create({ cluster, description: null, retentionDays: 1, principal: ownerOf(inventory) });
      await jobs[act](job.id, ownerOf(inventory));
      await making;
      const told = await jobs.get(job.id);
      assert.ok(act === 'cancel' ? told.state === 'cancelled' : told.pausedAt !== null);
      await catalog.compliance.delete(project.id);
    }
    await queue.close();
  });

  test('are asked for again as they were asked for', async () => {
    const { services: { jobs, snapshots, restores, schedules }, inventory, catalog } = world;
    const { cluster, project } = inventory;
    const principal = ownerOf(inventory);
    await schedules.change({ cluster, principal, change: { extraDays: { ondemand: 3 } } });
    const selection = { databases: ['sales'], collections: [] };
    const first = await snapshots.create({ cluster, principal, description: 'of sales', retentionDays: 5, selection, jobForm: { subclientName: 'Sales' } });
    await assert.rejects(jobs.repeat(first.job.id, principal), { code: 'JOB_NOT_REPEATABLE' });
    await completeJob(catalog, first.job.id);
    const again = await jobs.repeat(first.job.id, principal);
    const snapshot = await catalog.snapshots.get(again.snapshotId ?? '');
    assert.deepEqual([snapshot?.selection, snapshot?.description, snapshot?.retentionDays, again.form], [selection, 'of sales', 8, { subclientName: 'Sales' }]);
    const { snapshotId } = await insertCompleted(catalog, inventory);
    const target = { projectId: project.id, cluster: { id: cluster.id } };
    const chosen = { databases: ['shop'], collections: [], renames: [{ from: 'shop', to: 'shop2' }] };
    const restore = await restores.create({ cluster, principal, snapshotId, delivery: 'automated', target, selection: chosen, indexStrategy: 'NONE', timeSeries: 'beside' });
    await completeJob(catalog, restore.jobId);
    const repeated = await jobs.repeat(restore.jobId, principal);
    const row = await catalog.restores.get(repeated.restoreId ?? '');
    assert.deepEqual([row?.selection, row?.indexStrategy, row?.usersAndRoles, row?.snapshotId, row?.targetClusterId], [chosen, 'NONE', false, snapshotId, cluster.id]);
    assert.equal((await catalog.jobs.payload(repeated.id))?.['timeSeries'], 'beside');
    assert.notEqual(repeated.restoreId, restore.id);
  });

  test('are listed by subclient and by when they ended, with their true number', async () => {
    const { services: { jobs, snapshots }, inventory, catalog, clock } = world;
    const { cluster } = inventory;
    const page = { pageNumber: 1, itemsPerPage: 1 };
    const ask = () => snapshots.create({ cluster, description: null, retentionDays: 1, principal: ownerOf(inventory), jobForm: { subclientId: 'of this test' } });
    const [one] = [await ask(), await ask()];
    const listed = await jobs.list({ clusterIds: [cluster.id], subclientId: 'of this test' }, page);
    assert.deepEqual([listed.items.length, listed.totalCount], [1, 2]);
    await catalog.transaction((tx) => tx.executeSql("update jobs set state = 'completed', finished_at = $2 where id = $1", [one.job.id, clock.now()]));
    const later = new Date(clock.now().getTime() + 1000);
    assert.equal((await jobs.list({ clusterIds: [cluster.id], subclientId: 'of this test', endedAfter: later }, page)).totalCount, 1);
    assert.equal((await jobs.list({ clusterIds: [cluster.id], subclientId: 'of this test', endedAfter: clock.now() }, page)).totalCount, 2);
  });

  test('find the newest whole snapshot up to a time', async () => {
    const { services: { snapshots }, catalog } = world;
    // A cluster of its own: other tests complete snapshots at the same instant.
    const inventory = await makeInventory(catalog);
    const { snapshotId } = await insertCompleted(catalog, inventory);
    const everything = { id: 'default', clusterId: inventory.cluster.id, isDefault: true };
    const { id, capturedAt } = await snapshots.newestOf(everything);
    assert.equal(id, snapshotId);
    assert.equal((await snapshots.newestOf(everything, capturedAt)).id, snapshotId);
    await assert.rejects(snapshots.newestOf(everything, new Date((capturedAt?.getTime() ?? 0) - 1)), { code: 'SNAPSHOT_NOT_FOUND' });
  });

  test('find the newest snapshot of a subclient', async () => {
    const { services: { snapshots }, catalog } = world;
    const inventory = await makeInventory(catalog);
    const clusterId = inventory.cluster.id;
    const people = { id: 'f0'.repeat(12), clusterId, isDefault: false };
    const { snapshotId } = await insertCompleted(catalog, inventory);
    await insertCompleted(catalog, inventory);
    await assert.rejects(snapshots.newestOf(people), { code: 'SNAPSHOT_NOT_FOUND' });
    await catalog.transaction((tx) => tx.executeSql('update jobs set form = $2 where id = (select job_id from snapshots where id = $1)', [snapshotId, JSON.stringify({ subclientId: people.id })]));
    const { id, capturedAt } = await snapshots.newestOf(people);
    assert.equal(id, snapshotId);
    assert.equal((await snapshots.newestOf(people, capturedAt)).id, snapshotId);
    assert.equal((await snapshots.newestOf({ ...people, isDefault: true })).id, (await catalog.snapshots.newestWhole(clusterId))?.id);
    await assert.rejects(snapshots.newestOf(people, new Date((capturedAt?.getTime() ?? 0) - 1)), { code: 'SNAPSHOT_NOT_FOUND' });
  });

  test('find the newest snapshot of everything beside parts, under a filter of namespaces too', async () => {
    const { services: { snapshots, subclients }, catalog, clock } = world;
    const inventory = await makeInventory(catalog);
    let taken = 0;
    const everything = await subclients.resolve(inventory.cluster.id, 'default');
    /** @param form null: asked for at another door; @param lost its job is, as a rescue leaves it */
    const take = async (selection: object | null, form: object | null, lost = false): Promise<string> => {
      const { snapshotId } = await insertCompleted(catalog, inventory);
      await catalog.transaction(async (tx) => {
        // The clock stands still here.
        taken += 1;
        await tx.executeSql('update snapshots set selection = $2, requested_at = $3 where id = $1', [snapshotId, JSON.stringify(selection), new Date(clock.now().getTime() + taken)]);
        await tx.executeSql('update jobs set form = $2 where id = (select job_id from snapshots where id = $1)', [snapshotId, form === null ? null : JSON.stringify(form)]);
        if (lost) await tx.executeSql('update snapshots set job_id = $2 where id = $1', [snapshotId, 'e'.repeat(24)]);
      });
      return snapshotId;
    };
    const newest = async (): Promise<string> => (await snapshots.newestOf(everything)).id;
    const filtered = { databases: [], collections: [], excluded: { databases: ['logs'], collections: [] } };
    const whole = await take(null, null);
    await take({ databases: ['crm'], collections: [] }, { subclientId: 'f0'.repeat(12) });
    assert.equal(await newest(), whole, 'what was asked for as another subclient is not everything');
    const ofSchedule = await take(filtered, null);
    assert.equal(await newest(), ofSchedule);
    const last = await take(filtered, { subclientId: everything.id });
    assert.equal(await newest(), last);
    await take({ databases: ['crm'], collections: [] }, null, true);
    assert.equal(await newest(), last, 'nobody knows what it was asked for as');
  });
});
