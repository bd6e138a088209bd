// Restores to an instant through the doors of the field, on the real process: the mistake is undone, nothing before it is lost.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Timestamp } from 'mongodb';
import { BACKUP, call, CLUSTER, PROJECT, settingsFor, startSource, until } from '../support/installation.ts';
import { leafvaultFolder, startLeafvault, type LeafvaultProcess } from '../support/leafvault.ts';
import { freePort } from '../support/mongod.ts';

test('a cluster is restored to just before a mistake, by position and by time, through Atlas and through Ops Manager', async () => {
  await using source = await startSource(2_000);
  await using folder = await leafvaultFolder();
  const port = await freePort();
  const settings = settingsFor(source.uri, {}, { continuousBackup: true });
  const start = (name: string): Promise<LeafvaultProcess> => startLeafvault({ folder, port, name, settings });
  const origin = `http://127.0.0.1:${port}`;
  const shop = source.client.db('shop');
  const hashes = async (): Promise<Record<string, unknown>> => {
    const { collections } = await shop.command({ dbHash: 1 });
    return Object.fromEntries(Object.entries(collections as Record<string, unknown>).filter(([name]) => !name.startsWith('__lv_')));
  };
  /** Position of the newest write that a majority holds. */
  const write = async (command: Record<string, unknown>): Promise<{ readonly oplogTs: number; readonly oplogInc: number }> => {
    const { operationTime } = await shop.command({ ...command, writeConcern: { w: 'majority' } });
    const { t, i } = operationTime as Timestamp;
    return { oplogTs: t, oplogInc: i };
  };
  const running = (): Promise<true> => until(
    () => call(origin, 'GET', `/api/leafvault/v1/groups/${PROJECT.id}/clusters/${CLUSTER.id}/continuous`),
    ({ windows, state }) => (state === 'running' && (windows as unknown[]).length > 0 ? true : null));

  const first = await start('first');
  await running();
  await shop.collection('orders').updateMany({ _id: { $mod: [3, 0] } } as never, { $set: { text: 'after the base' } });
  await shop.collection('invoices').insertMany([{ n: 1 }, { n: 2 }]);
  await shop.collection('invoices').createIndex({ n: 1 }, { unique: true });
  const justBefore = await write({ insert: 'invoices', documents: [{ n: 3 }] });
  const good = await hashes();
  const mistake = await write({ delete: 'orders', deletes: [{ q: {}, limit: 0 }] });
  await shop.collection('invoices').rename('bills');
  const broken = await hashes();
  // A clean stop puts the slice that was begun.
  assert.equal(await first.stop(), 0);

  const second = await start('second');
  const target = { targetGroupId: PROJECT.id, targetClusterName: CLUSTER.name };
  const early = await call(origin, 'POST', `${BACKUP}/restoreJobs`, { deliveryType: 'pointInTime', ...target, pointInTimeUTCSeconds: 1_300_000_000 });
  assert.deepEqual([early.status, early.body.errorCode], [400, 'INVALID_PIT_RESTORE_TIME']);
  const restoreByAtlas = async (instant: object): Promise<string> => {
    const { status, body } = await call(origin, 'POST', `${BACKUP}/restoreJobs`, { deliveryType: 'pointInTime', ...target, ...instant });
    assert.equal(status, 200, JSON.stringify(body));
    const done = await until(() => call(origin, 'GET', `${BACKUP}/restoreJobs/${String(body.id)}`), (job) => (job.finishedAt !== undefined || job.failed === true ? job : null));
    assert.equal(done.failed, false, await second.log());
    return String(body.id);
  };
  const restoreId = await restoreByAtlas(justBefore);
  assert.deepEqual(await hashes(), good);
  assert.deepEqual((await shop.collection('invoices').indexes()).map(({ name, unique }) => [name, unique ?? false]), [['_id_', false], ['n_1', true]]);

  const own = `/api/leafvault/v1/groups/${PROJECT.id}/clusters/${CLUSTER.id}`;
  const undo = await call(origin, 'POST', `${own}/restores/${restoreId}/undo`);
  assert.equal(undo.status, 200, JSON.stringify(undo.body));
  await until(() => call(origin, 'GET', `${own}/jobs/${String(undo.body.id)}`), ({ state }) => (state === 'completed' ? true : null));
  assert.deepEqual(await hashes(), broken, 'a restore to an instant is undone like any other');

  const ops = `/api/public/v1.0/groups/${PROJECT.id}/clusters/${CLUSTER.id}/restoreJobs`;
  const ranges = await call(origin, 'POST', `${ops}/restorableTimeRanges`);
  assert.ok((ranges.body as unknown as unknown[]).length > 0);
  // The second is whole once the next slice is there: the restore ended the chain, which cuts it.
  const restoreByOpsManager = async (instant: object): Promise<void> => {
    const asked = { delivery: { methodName: 'AUTOMATED_RESTORE', targetGroupId: PROJECT.id, targetClusterId: CLUSTER.id }, ...instant };
    const [job] = await until(() => call(origin, 'POST', ops, asked), ({ results }) => results as { id: string }[]);
    const ended = await until(() => call(origin, 'GET', `${ops}/${job?.id}`), ({ statusName, ...rest }) => (statusName === 'IN_PROGRESS' ? null : { statusName, ...rest }));
    assert.equal(ended.statusName, 'FINISHED', await second.log());
  };
  const secondAfter = mistake.oplogTs + 1;
  await restoreByOpsManager({ pointInTimeUTCMillis: secondAfter * 1000 });
  assert.equal(await shop.collection('orders').countDocuments(), 0, 'the deletes happened in the second before that time');
  const thatSecond = await hashes();
  await restoreByOpsManager(justBefore);
  assert.deepEqual(await hashes(), good, 'a position means the same at both doors');
  await restoreByAtlas({ pointInTimeUTCSeconds: secondAfter });
  assert.deepEqual(await hashes(), thatSecond, 'a second means the same at both doors');
  assert.equal(await second.stop(), 0);
});
