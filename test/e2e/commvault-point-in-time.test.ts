// Restores to an instant through Commvault's door: its own SDK, unmodified from PyPI, against the real process, which follows a real replica set.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Document, Timestamp } from 'mongodb';
import { openCvpysdk, type CvpysdkSession } from '../support/cvpysdk.ts';
import { HOLDABLE, slowCommands } from '../support/hold-commands.ts';
import { call, CLUSTER, PROJECT, settingsFor, startSource, until, type Source } from '../support/installation.ts';
import { leafvaultFolder, startLeafvault, type LeafvaultFolder, type LeafvaultProcess } from '../support/leafvault.ts';
import { freePort } from '../support/mongod.ts';

const USER = { user: 'admin', password: 'change-me-now' };
/** Each has a batch of its own in a replay: an update that a person asked for with `applyOps` is sent alone. */
const STEPS = 150;

describe('a restore to an instant by cvpysdk', { timeout: 900_000 }, () => {
  let source: Source;
  let folder: LeafvaultFolder;
  let leafvault: LeafvaultProcess;
  let sdk: CvpysdkSession;
  let good: Record<string, unknown>;
  let broken: Record<string, unknown>;
  /** The second in between: what came before it is good. */
  let instant: number;

  const hashes = async (): Promise<Record<string, unknown>> => {
    const { collections } = await source.client.db('shop').command({ dbHash: 1 });
    return Object.fromEntries(Object.entries(collections as Record<string, unknown>).filter(([name]) => !name.startsWith('__lv_')));
  };
  const write = async (command: Record<string, unknown>): Promise<number> => {
    const { operationTime } = await source.client.db('shop').command({ ...command, writeConcern: { w: 'majority' } });
    return (operationTime as Timestamp).t;
  };
  /** By the oplog: what was written to the collection that is live, since it was made as a shadow. */
  const writesTo = async (name: string): Promise<Record<string, number>> => {
    const [{ info }] = await source.client.db('shop').listCollections({ name }).toArray() as unknown as [{ info: { uuid: unknown } }];
    const groups = await source.client.db('local').collection('oplog.rs').aggregate<{ _id: string; n: number }>([{ $match: { ui: info.uuid, op: { $in: ['i', 'u', 'd'] } } }, { $group: { _id: '$op', n: { $sum: 1 } } }]).toArray();
    return Object.fromEntries(groups.map(({ _id, n }) => [_id, n]));
  };
  const restored = (code: string): Promise<unknown> => sdk.run(`${code}\nif not wait(job): raise Exception(job.pending_reason)`);

  before(async () => {
    [source, folder] = [await startSource(500, { parameters: HOLDABLE }), await leafvaultFolder()];
    leafvault = await startLeafvault({ folder, port: await freePort(), settings: settingsFor(source.uri, { worker: { jobsAtOnce: 1 } }, { continuousBackup: true, schedule: 'none' }) });
    await until(
      () => call(leafvault.origin, 'GET', `/api/leafvault/v1/groups/${PROJECT.id}/clusters/${CLUSTER.id}/continuous`),
      ({ windows, state }) => (state === 'running' && (windows as unknown[]).length > 0 ? true : null));
    const shop = source.client.db('shop');
    await shop.collection('carts').insertMany([{ n: 1 }, { n: 2 }]);
    let last = await write({ update: 'orders', updates: [{ q: { _id: { $mod: [3, 0] } }, u: { $set: { text: 'after the base' } }, multi: true }] });
    await shop.collection('steps').insertOne({ _id: 'step' as never });
    for (let step = 1; step <= STEPS; step += 1) await source.client.db('admin').command({ applyOps: [{ op: 'u', ns: 'shop.steps', o2: { _id: 'step' }, o: { _id: 'step', step } }] });
    last = await write({ insert: 'carts', documents: [{ n: 3 }] });
    good = await hashes();
    // The mistake is to lie in another second; the clock of the server goes on with its writes.
    const ticks = source.client.db('ticks');
    const tick = async (): Promise<number> => ((await ticks.command({ insert: 'ticks', documents: [{}], writeConcern: { w: 'majority' } })).operationTime as Timestamp).t;
    while ((await tick()) === last);
    instant = last + 1;
    await write({ delete: 'orders', deletes: [{ q: {}, limit: 0 }] });
    await shop.collection('carts').rename('baskets');
    broken = await hashes();
    sdk = await openCvpysdk(leafvault.origin, USER);
    await sdk.run(`
from cvpysdk.instance import Instance
instance = commcell.clients.get('shop').agents.get('cloud apps').instances.get('orders')
everything = instance.backupsets.get('defaultBackupSet').subclients.get('default')

def order(to_time, paths=['/'], association={}, granular=[]):
    """The body as the SDK builds it, with the options of its MongoDB instances and both ends of a backup denied."""
    request = Instance._restore_json(instance, to_time=to_time, paths=paths)
    request['taskInfo']['associations'][0] = dict(request['taskInfo']['associations'][0], **association)
    request['taskInfo']['subTasks'][0]['options']['restoreOptions']['distributedAppsRestoreOptions'] = {'distributedRestore': True, 'mongoDBRestoreOptions': {
        'destShardList': [], 'destGranularEntityList': granular, 'restoreFilesOnly': False, 'recover': True, 'latestOpLogSync': False, 'pointInTimeToEndOfBackup': False, 'latestEndOfBackup': False,
        'isGranularRecovery': bool(granular), 'autoDBShutDown': True, 'isInplaceRestore': True}}
    return instance._process_restore_response(request)
`);
  });
  after(async () => {
    await sdk?.[Symbol.asyncDispose]();
    await leafvault?.stop();
    await folder?.remove();
    await source?.[Symbol.asyncDispose]();
  });

  test('brings one collection back under another name', async () => {
    await restored(`job = order(${instant}, granular=[{'srcDbName': 'shop', 'srcCollectionName': 'orders', 'destDbName': 'shop', 'destCollectionName': 'orders_then', 'isDbEntity': False}])`);
    const { orders_then: then, ...others } = await hashes();
    assert.equal(then, good['orders']);
    assert.deepEqual(others, broken);
  });

  test('brings back what a subclient has, and nothing else', async () => {
    await sdk.run(`
carts = instance.backupsets.get('defaultBackupSet').subclients.add('carts')
carts.content = [{'path': '/shop/carts'}]
carts.refresh()`);
    await restored(`job = order(${instant}, association={'subclientName': 'carts'})`);
    const { orders_then: _, carts, ...others } = await hashes();
    assert.equal(carts, good['carts']);
    assert.deepEqual(others, broken);
    await assert.rejects(sdk.run(`order(${instant}, association={'subclientName': 'carts'}, paths=['/shop/orders'])`), /fileOption\.sourceItem does not belong/);
  });

  test('brings the whole cluster back to the second before the mistake, and tells so in its job', async () => {
    await restored(`job = order(${instant})`);
    assert.deepEqual(await hashes(), good);
    assert.deepEqual(await sdk.run("answer = [job.status, job.job_type, job.num_of_files_transferred > 500, job.task_details['subTasks'][0]['subTask']['subTaskType']]"), ['Completed', 'Restore', true, 3]);
    assert.deepEqual(
      await sdk.run("options = job.task_details['subTasks'][0]['options']['restoreOptions']\nanswer = [options['browseOption']['timeRange']['toTime'], options['destination']['destinationInstance']['instanceName'], 'cloudAppsRestoreOptions' in options]"),
      [instant, 'orders', false]);
  });

  test('is refused with the reason for a time that was not followed', async () => {
    await assert.rejects(sdk.run('order(1300000000)'), /The time lies outside of what was followed/);
    await assert.rejects(sdk.run('import time\norder(int(time.time()) + 3600)'), /The time lies in the future/);
    await assert.rejects(sdk.run('order(None)'), /browseOption\.timeRange\.toTime/);
  });

  test('goes on among the operations where it was paused, and frees the only place of its worker meanwhile', async () => {
    const shop = source.client.db('shop');
    await shop.collection('orders').deleteMany({});
    const damaged = await hashes();
    // Among the operations for minutes, however slow who looks is: the pause comes after the first steps, and long before the last one.
    const { entered, release } = await slowCommands(source.mongo, ['applyOps'], 1_000);
    await sdk.run(`job = order(${instant})`);
    await entered(3);
    await sdk.run(`import time\njob.pause()\nwhile job.status != 'Suspended': time.sleep(0.1)`);
    await release();
    const plan = await source.client.db('__leafvault').collection('plans').findOne({ state: 'preparing' });
    const rested = plan?.['rested'] as readonly { readonly from: string; readonly instant: { readonly to: { readonly t: number } | null } }[];
    assert.deepEqual(rested.map(({ from }) => from).sort(), ['shop.carts', 'shop.orders', 'shop.steps', 'ticks.ticks']);
    assert.ok(rested.every(({ instant: { to } }) => to !== null && to.t <= instant), JSON.stringify(rested));
    const applied = await source.client.db('shop').collection<Document>(String((plan?.['swaps'] as readonly Document[]).find(({ from }) => from === 'shop.steps')?.['shadow'])).findOne();
    assert.ok(applied?.['step'] > 0 && applied?.['step'] < STEPS, `it came to step ${applied?.['step']}`);

    await sdk.run("other = everything.backup('Full')\nif not wait(other): raise Exception(other.pending_reason)");
    assert.deepEqual(await sdk.run('answer = [other.status, job.status]'), ['Completed', 'Suspended']);
    assert.deepEqual(await hashes(), damaged, 'what is live is as it was');

    await sdk.run('job.resume()\nif not wait(job): raise Exception(job.pending_reason)');
    assert.deepEqual(await hashes(), good);
    assert.deepEqual([await writesTo('orders'), await writesTo('carts')], [{ i: 500, u: 167 }, { i: 3 }], 'each document and each operation was written once');
    assert.equal((await writesTo('steps'))['i'], 1);
  });

  test('takes the time as the text of a date, in UTC', async () => {
    await source.client.db('shop').collection('carts').deleteMany({});
    await restored(`import datetime\njob = order(datetime.datetime.fromtimestamp(${instant}, datetime.timezone.utc).strftime('%Y-%m-%d %H:%M:%S'), paths=['/shop/carts'])`);
    assert.deepEqual(await hashes(), good);
  });
});
