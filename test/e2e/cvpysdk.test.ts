// Commvault's own SDK, unmodified from PyPI, against the real door, services, catalog, queue, engine and store, and a real replica set.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { BSON, MongoClient, type Document } from 'mongodb';
import { systemClock } from '../../src/foundation/clock.ts';
import { buildServer, facades, type HttpServer } from '../../src/http/index.ts';
import { applyDeclared } from '../../src/services/index.ts';
import { openCvpysdk, type CvpysdkSession } from '../support/cvpysdk.ts';
import { servicesOf } from '../support/instant-restores.ts';
import { startReplicaSet, type ReplicaSet } from '../support/mongod.ts';
import { silent } from '../support/postgres.ts';
import { contentOfServer } from '../support/restore-world.ts';
import { openTailerWorld, type TailerWorld } from '../support/tailer-world.ts';

const ORDERS = '5f0000000000000000000004';

describe('cvpysdk', { timeout: 900_000 }, () => {
  let servers: ReplicaSet;
  let client: MongoClient;
  let world: TailerWorld;
  let server: HttpServer;
  let sdk: CvpysdkSession;
  /** The next job waits in this phase until it is asked to rest or to end. */
  let held: string | null = null;
  let reached: () => void = () => undefined;
  /** @returns the job waits */
  const hold = (phase: string): Promise<void> => {
    held = phase;
    return new Promise((resolve) => { reached = resolve; });
  };

  before(async () => {
    [servers, world] = await Promise.all([startReplicaSet(), openTailerWorld()]);
    client = await MongoClient.connect(servers.uri);
    await client.db('shop').collection<Document>('orders').insertMany(Array.from({ length: 500 }, (_, n) => ({ _id: n as never, text: `order ${n}` })));
    await client.db('crm').collection<Document>('people').insertOne({ name: 'Ada' });
    await applyDeclared({ catalog: world.catalog, clock: systemClock }, [{
      name: 'Example', users: [{ name: 'admin', password: 'change-me', roles: ['ORG_OWNER'] }],
      projects: [{ name: 'Shop', id: '5f0000000000000000000003', clusters: [{ name: 'Orders', id: ORDERS, uri: servers.uri, schedule: 'none' }] }],
    }]);
    server = await buildServer({ services: servicesOf(world), facades, log: silent, clock: systemClock, publicUrl: null, version: { gitHash: 'b'.repeat(40), versionString: '0.1.0' } });
    const origin = await server.listen({ host: '127.0.0.1', port: 0 });
    await world.startWorker(async (phase, signal) => {
      if (held !== phase) return;
      held = null;
      reached();
      // The worker has heard that somebody asked something of the running job.
      if (!signal.aborted) await once(signal, 'abort');
    });
    sdk = await openCvpysdk(origin, { user: 'admin', password: 'change-me' });
  });
  after(async () => {
    await sdk?.[Symbol.asyncDispose]();
    await server?.close(0);
    await client?.close();
    await world?.[Symbol.asyncDispose]();
    await servers?.stop();
  });

  test('walks the tree', async () => {
    const names = await sdk.run(`
client = commcell.clients.get('shop')
agent = client.agents.get('cloud apps')
instance = agent.instances.get('orders')
backupset = instance.backupsets.get('defaultBackupSet')
everything = backupset.subclients.get('default')
answer = [sorted(commcell.clients.all_clients), sorted(client.agents.all_agents), sorted(agent.instances.all_instances), sorted(backupset.subclients.all_subclients),
          backupset.subclients.default_subclient, client.client_name, instance.instance_name, type(instance).__name__, type(everything).__name__, client.is_backup_enabled, everything.is_backup_enabled, len(backupset.schedules.schedules), commcell.commserv_name]`);
    assert.deepEqual(names, [['shop'], ['cloud apps'], ['orders'], ['default'], 'default', 'shop', 'orders', 'AmazonDocumentDBInstance', 'CloudDatabaseSubclient', true, true, 0, 'leafvault']);
  });

  test('makes a subclient of chosen databases, backs it up, and is told what was done', async () => {
    const made = await sdk.run(`
people = backupset.subclients.add('People', description='who buys')
people.content = [{'path': '/crm', 'type': 'DATABASE'}]
people.refresh()
job = people.backup('Incremental')
answer = [wait(job), job.status, job.subclient_name, job.backup_level, job.pending_reason, [each['name'] for each in people.content['children']], people.description, job.num_of_files_transferred]`);
    assert.deepEqual(made, [
      true, 'Completed', 'People', 'Full', 'Asked for as Incremental: a whole snapshot is made of it, in which what is stored already is not stored again', ['crm'], 'who buys', 1,
    ]);
    assert.equal(await sdk.run("backupset.subclients.delete('people')\nanswer = backupset.subclients.has_subclient('people')"), false);
  });

  test('backs up everything, browses, and restores what was damaged', async () => {
    const wanted = await contentOfServer(servers.uri);
    assert.equal(await sdk.run("job = everything.backup('Full')\nanswer = wait(job)"), true);
    await client.db('shop').collection('orders').deleteMany({ _id: { $lt: 250 } } as never);
    const newest = (await world.catalog.snapshots.newestWhole(ORDERS))!;
    assert.equal(await sdk.run("newest = instance.browse()[0]\nanswer = newest['snapShotName']"), newest.id);
    assert.deepEqual(await sdk.run(`
job = instance.restore('orders', newest['snapShotName'], {})
answer = [wait(job), job.job_type, job.task_details['subTasks'][0]['subTask']['subTaskType'], job.task_details['subTasks'][0]['options']['restoreOptions']['cloudAppsRestoreOptions']['documentDBRestoreOptions']['restoreSnapshotId'] == newest['snapShotName'],
          [event['description'] for event in job.get_events()][0]]`), [true, 'Restore', 3, true, 'Restore completed']);
    assert.deepEqual(await sdk.run(`
seen = commcell.event_viewer.events(details=True)
mine = [number for number, event in seen.items() if event['jobId'] == int(job.job_id)]
event = commcell.event_viewer.get(mine[0])
answer = [event.job_id == int(job.job_id), event.event_code, seen[mine[0]]['description'], len(commcell.event_viewer.events({'jobId': job.job_id})) == len(mine)]`), [true, '0', 'Restore completed', true]);
    assert.deepEqual(await contentOfServer(servers.uri), wanted);
  });

  test('browses databases and collections inside, finds and counts them, and restores one of them alone', async () => {
    await client.db('shop').collection<Document>('carts').insertOne({ _id: 1 as never, items: 3 });
    const backedUp = Number(await sdk.run("job = everything.backup('Full')\nwait(job)\nanswer = int(job.job_id)"));
    const bytes = (documents: readonly Document[]): number => documents.reduce((sum, each) => sum + BSON.calculateObjectSize(each), 0);
    const orders = await client.db('shop').collection('orders').find().toArray();
    assert.deepEqual(await sdk.run(`
top, folders = backupset.browse()
below, inside = backupset.browse(path='/shop', job_id=int(job.job_id))
found, _ = everything.find(file_name='o*', file_size_gt=1000)
orders = inside['/shop/orders']
answer = [top, folders['/shop']['type'], below, orders['type'], orders['size'], orders['advanced_data']['objectCount'], orders['advanced_data']['backupJobId'], found, backupset.backed_up_files_count(),
          backupset.browse(path='/shop', page_size=1, skip_node=1)[0]]`), [['/crm', '/shop'], 'Folder', ['/shop/carts', '/shop/orders'], 'File', bytes(orders), 500, backedUp, ['/shop/orders'], 3, ['/shop/orders']]);
    await assert.rejects(sdk.run("backupset.browse(path='/none')"), /is in no snapshot/);
    await assert.rejects(sdk.run("backupset.find(file_name='none*')"), /No File\/Folder matched/);

    await client.db('shop').collection('orders').deleteMany({});
    await client.db('shop').collection<Document>('carts').updateOne({ _id: 1 as never }, { $set: { items: 4 } });
    assert.deepEqual(await sdk.run(`
request = instance._restore_json(destination='orders', source=orders['advanced_data']['snapShotName'], options={}, paths=found)
job = instance._process_restore_response(request)
answer = [wait(job), job.num_of_files_transferred]`), [true, 500]);
    assert.deepEqual([await client.db('shop').collection('orders').find().toArray(), (await client.db('shop').collection('carts').findOne())?.['items']], [orders, 4], 'the other collection is as it was');
    await client.db('shop').dropCollection('carts');
  });

  test('restores one collection under another name in the form of the big data apps, and a subclient by the number of its backup', async () => {
    const people = await client.db('crm').collection('people').find().toArray();
    await sdk.run(`
def task(association, operation, options):
    body = {'taskInfo': {'associations': [dict(clientName='Shop', instanceName='Orders', **association)], 'task': {'taskType': 1},
                         'subTasks': [{'subTask': {'subTaskType': 3, 'operationType': operation}, 'options': {'restoreOptions': options}}]}}
    flag, response = commcell._cvpysdk_object.make_request('POST', commcell._services['CREATE_TASK'], body)
    return Job(commcell, response.json()['jobIds'][0])
`);
    const entity = { srcDbName: 'crm', srcCollectionName: 'people', destDbName: 'crm', destCollectionName: 'people_then', isDbEntity: false };
    const distributed = { distributedRestore: true, mongoDBRestoreOptions: { isInplaceRestore: true, isGranularRecovery: true, destGranularEntityList: [entity] } };
    await sdk.run(`import json\njob = task({}, 1001, {'distributedAppsRestoreOptions': json.loads('${JSON.stringify(distributed)}')})\nif not wait(job): raise Exception(job.pending_reason)`);
    assert.deepEqual(await client.db('crm').collection('people_then').find().toArray(), people);
    await client.db('crm').dropCollection('people_then');

    const orders = await client.db('shop').collection('orders').countDocuments();
    await sdk.run(`
crm = backupset.subclients.add('crm')
crm.content = [{'path': '/crm'}]
crm.refresh()
backup = crm.backup('Full')
wait(backup)`);
    await client.db('crm').collection('people').deleteMany({});
    assert.deepEqual(await sdk.run(`
job = task({'subclientName': 'crm'}, 1005, {'jobIds': [int(backup.job_id)], 'fileOption': {'sourceItem': ['2:' + str(backup.job_id)]}})
answer = [wait(job), backup.num_of_files_transferred, job.num_of_files_transferred]
backupset.subclients.delete('crm')`), [true, 1, 1]);
    assert.deepEqual([await client.db('crm').collection('people').find().toArray(), await client.db('shop').collection('orders').countDocuments()], [people, orders]);
  });

  test('goes on with a fresh token once it asked for one', async () => {
    assert.deepEqual(await sdk.run(`
old = commcell.auth_token
commcell._headers['Authtoken'] = commcell._cvpysdk_object._renew_login_token(1)
commcell.clients.refresh()
answer = [old != commcell._headers['Authtoken'], sorted(commcell.clients.all_clients)]`), [true, ['shop']]);
  });

  test('suspends a backup that runs, whose worker is free meanwhile, and resumes it', async () => {
    const waits = hold('scanned');
    await sdk.run("job = everything.backup('Full')");
    await waits;
    const [status, number] = await sdk.run("job.pause(wait_for_job_to_pause=True)\nanswer = [job.status, int(job.job_id)]") as [string, number];
    assert.equal(status, 'Suspended');
    const paused = (await world.catalog.jobs.byNumber(number))!;
    assert.deepEqual([paused.state, paused.attempt], ['queued', 1]);
    assert.equal(await sdk.run("other = everything.backup('Full')\nanswer = wait(other)"), true, 'another backup of the same instance is done meanwhile');
    await client.db('shop').collection<Document>('orders').updateOne({ _id: 7 as never }, { $set: { text: 'changed while it rested' } });
    const given = async (): Promise<number> => Number((await client.db('admin').command({ serverStatus: 1 })).metrics.document.returned);
    const before = await given();
    assert.deepEqual(await sdk.run('job.resume()\nanswer = [wait(job), job.status, job.summary["attempts"]]'), [true, 'Completed', 2]);
    const read = (await given()) - before;
    assert.ok(read < 400, `it had read the 500 orders, and now ${read} documents again`);
    await client.db('shop').collection<Document>('orders').updateOne({ _id: 7 as never }, { $set: { text: 'order 7' } });
  });

  test('suspends a restore once it has loaded, and resumes it: the collections are those that it had loaded', async () => {
    const wanted = await contentOfServer(servers.uri);
    await client.db('shop').collection('orders').deleteMany({});
    const waits = hold('indexes');
    await sdk.run("job = instance.restore('orders', newest['snapShotName'], {})");
    await waits;
    assert.equal(await sdk.run("job.pause(wait_for_job_to_pause=True)\nanswer = job.status"), 'Suspended');
    const resting = await client.db('shop').listCollections({ name: /^__lv_/ }).toArray() as Document[];
    assert.equal(resting.length, 1);
    assert.equal(await client.db('shop').collection('orders').countDocuments(), 0, 'what is live is as it was');
    assert.equal(await sdk.run('job.resume()\nanswer = wait(job)'), true);
    assert.deepEqual(await contentOfServer(servers.uri), wanted);
    const [orders] = await client.db('shop').listCollections({ name: 'orders' }).toArray() as Document[];
    assert.equal(String(orders?.info.uuid), String(resting[0]?.info.uuid));
  });

  test('kills a backup that runs, submits it again, and lists all of it', async () => {
    const waits = hold('listed');
    await sdk.run("job = everything.backup('Full')");
    await waits;
    assert.deepEqual(await sdk.run("job.kill(wait_for_job_to_kill=True)\nanswer = [job.status, wait(job)]"), ['Killed', false]);
    assert.deepEqual(await sdk.run('again = job.resubmit()\nanswer = [wait(again), again.status, again.job_id != job.job_id]'), [true, 'Completed', true]);
    const [all, active, finished] = await sdk.run(`
control = commcell.job_controller
answer = [control.all_jobs(client_name='shop', limit=100), control.active_jobs(), control.finished_jobs(limit=100, job_filter='Restore')]
answer = [[each['status'] for each in some.values()] for some in answer]`) as [string[], string[], string[]];
    assert.deepEqual([all.length, active.length, finished], [13, 0, ['Completed', 'Completed', 'Completed', 'Completed', 'Completed']]);
    assert.equal(all.filter((each) => each === 'Killed').length, 1);
    await assert.rejects(sdk.run('job.kill()'), /already cancelled/);
  });

  test('makes a schedule, which is the one that every door shows, and deletes it', async () => {
    const shown = await sdk.run(`
from cvpysdk.schedules import SchedulePattern
task = {'taskInfo': {'associations': [everything._subClientEntity], 'task': {'taskType': 1}, 'subTasks': [{'subTask': {'subTaskType': 2, 'operationType': 2}, 'options': {'backupOpts': {'backupLevel': 2}}}]}}
task = SchedulePattern().create_schedule(task, {'freq_type': 'weekly', 'active_start_time': '02:30', 'weekdays': ['Monday', 'Saturday']})
flag, response = commcell._cvpysdk_object.make_request('POST', commcell._services['CREATE_TASK'], task)
everything.refresh()
answer = [flag, sorted(each['schedule_name'] for each in everything.schedules.schedules.values())]`);
    assert.deepEqual(shown, [true, ['weekly 1', 'weekly 6']]);
    const { schedule } = (await world.catalog.schedules.get(ORDERS))!;
    assert.deepEqual(schedule.items.map(({ frequencyType, frequencyInterval }) => [frequencyType, frequencyInterval]), [['weekly', 1], ['weekly', 6]]);
    assert.deepEqual([schedule.referenceHour, schedule.referenceMinute], [2, 30]);
    assert.equal(await sdk.run('everything.schedules.delete(schedule_name="weekly 6")\nanswer = len(everything.schedules.schedules)'), 1);
  });

  test('logs out, and its token is worth nothing then', async () => {
    await sdk.run("token = commcell.auth_token\ncommcell.logout()");
    await assert.rejects(sdk.run("commcell.clients.refresh()\nanswer = commcell.clients.all_clients"));
  });
});
