// What is asked at a door about jobs that run: their cancel, their warnings, the deletion of what they read. The real engine works, held between
// two phases; doors, services, catalog, queue, store and followed oplog are real.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { MongoClient, type Document } from 'mongodb';
import type { Job } from '../../src/domain/records.ts';
import { systemClock } from '../../src/foundation/clock.ts';
import { buildServer, consoleApi, facades, type HttpServer } from '../../src/http/index.ts';
import { createChores, createRetentionChores } from '../../src/jobs/index.ts';
import { applyDeclared } from '../../src/services/index.ts';
import { servicesOf } from '../support/instant-restores.ts';
import { ended, until } from '../support/job-rows.ts';
import { startReplicaSet, type ReplicaSet } from '../support/mongod.ts';
import { SOON_MS } from '../support/patience.ts';
import { silent } from '../support/postgres.ts';
import { contentOfServer } from '../support/restore-world.ts';
import { runCurl } from '../support/run-curl.ts';
import { mark, openTailerWorld, reach, type TailerWorld } from '../support/tailer-world.ts';

const SHOP = '5f0000000000000000000003';
const ORDERS = '5f0000000000000000000004';
const OWNER = 'abcdefgh:00000000-0000-4000-8000-000000000000';
const ATLAS = `/api/atlas/v2/groups/${SHOP}/clusters/orders/backup`;
const OURS = `/api/leafvault/v1/groups/${SHOP}/clusters/${ORDERS}`;

describe('jobs that run', { timeout: 900_000 }, () => {
  let servers: ReplicaSet;
  let client: MongoClient;
  let world: TailerWorld;
  let server: HttpServer;
  let origin: string;
  let token: string;
  /** Set by a test: the phase in which the next job waits. */
  let held: { readonly phase: string; readonly met: PromiseWithResolvers<AbortSignal>; readonly go: PromiseWithResolvers<void> } | null = null;

  before(async () => {
    [servers, world] = await Promise.all([startReplicaSet(), openTailerWorld()]);
    client = await MongoClient.connect(servers.uri);
    await fill('before');
    await applyDeclared({ catalog: world.catalog, clock: systemClock }, [{
      name: 'Example', users: [{ name: 'admin', password: 'change-me', roles: ['ORG_OWNER'] }],
      apiKeys: [{ publicKey: 'abcdefgh', privateKey: '00000000-0000-4000-8000-000000000000', roles: ['ORG_OWNER'], accessList: ['127.0.0.1/32'] }],
      projects: [{ name: 'shop', id: SHOP, clusters: [{ name: 'orders', id: ORDERS, uri: servers.uri }] }],
    }]);
    server = await buildServer({ services: servicesOf(world), facades: [...facades, consoleApi], log: silent, clock: systemClock, publicUrl: null, version: { gitHash: 'b'.repeat(40), versionString: '0.1.0' } });
    origin = await server.listen({ host: '127.0.0.1', port: 0 });
    token = String((await call(['--header', 'Content-Type: application/json', '--data-raw', JSON.stringify({ username: 'admin', password: Buffer.from('change-me').toString('base64') })], '/commandcenter/api/Login')).token);
    await world.startWorker(async (phase, signal) => {
      if (held?.phase !== phase) return;
      held.met.resolve(signal);
      await held.go.promise;
    });
  });
  after(async () => {
    held?.go.resolve();
    await server?.close(0);
    await client?.close();
    await world?.[Symbol.asyncDispose]();
    await servers?.stop();
  });

  for (const { what, phase, order, door } of [
    { what: 'a restore that loads, at Atlas', phase: 'load', order: restoreByAtlas, door: cancelAtAtlas },
    { what: 'a restore that is about to swap, at Commvault', phase: 'swap', order: restoreByCommvault, door: killAtCommvault },
  ]) {
    test(`are cancelled, ${what}: the target stays as it was`, async () => {
      const snapshotId = await snapshot();
      await fill('after');
      const live = await contentOfServer(servers.uri);
      const job = await whileHeld(phase, () => order(snapshotId), door);
      assert.deepEqual([job.state, job.errorCode], ['cancelled', null]);
      assert.deepEqual(await contentOfServer(servers.uri), live);
      assert.equal(await client.db('__leafvault').collection('plans').countDocuments(), 0);
      const { jobs } = await call(commvault(), `/commandcenter/api/Job/${job.number}`) as { jobs: { jobSummary: Document }[] };
      assert.equal(jobs[0]?.jobSummary['status'], 'Killed');
      const seen = await atlas('GET', `/restoreJobs/${job.restoreId}`);
      assert.deepEqual([seen.cancelled, seen.failed], [true, false]);
    });
  }

  for (const phase of ['listed', 'settled']) {
    test(`are cancelled at Commvault, a snapshot that is ${phase}: nothing of it can be restored`, async () => {
      const task = { taskInfo: { associations: [{ clientName: 'shop', instanceName: 'orders', subclientName: 'default' }], subTasks: [{ subTask: { subTaskType: 2 }, options: { backupOpts: { backupLevel: 'FULL' } } }] } };
      const roots = await rootsNow();
      const job = await whileHeld(phase, async () => Number(((await call(commvault(task), '/commandcenter/api/createtask')).jobIds as string[])[0]), killAtCommvault);
      assert.equal(job.state, 'cancelled');
      assert.equal((await world.catalog.snapshots.get(job.snapshotId!))?.state, 'cancelled');
      assert.equal((await atlas('GET', `/snapshots/${job.snapshotId}`)).status, 'failed');
      assert.deepEqual(await rootsNow(), roots);
    });
  }

  test('finish a restore whose snapshot is deleted and pruned while it loads', async () => {
    await fill('only in the deleted one');
    const snapshotId = await snapshot();
    const wanted = await contentOfServer(servers.uri);
    await fill('later');
    await snapshot();
    const packs = await packsNow();
    const completed = Number((await atlas('GET', '/snapshots')).totalCount);
    const job = await whileHeld('load', () => restoreByAtlas(snapshotId), async () => {
      await atlas('DELETE', `/snapshots/${snapshotId}`);
      await prune();
      const { totalCount } = await atlas('GET', '/snapshots');
      assert.equal(totalCount, completed - 1, 'no door shows it any more');
      assert.ok((await rootsNow()).includes(snapshotId), 'another attempt of the restore would need it');
      assert.deepEqual((await packsNow()).filter((pack) => packs.includes(pack)), packs, 'what the restore reads stays');
    });
    assert.equal(job.state, 'completed', JSON.stringify(job));
    assert.deepEqual(await contentOfServer(servers.uri), wanted);
    await prune();
    assert.ok(!(await rootsNow()).includes(snapshotId), 'now it goes');
    assert.ok((await packsNow()).length < packs.length);
  });

  test('tell that transactions cross what is chosen before they write anything, and are cancelled with it', async () => {
    await world.catalog.clusters.setContinuousBackup(ORDERS, true);
    await world.startTailers();
    const project = (await world.catalog.projects.get(SHOP))!;
    const inventory = { orgId: project.orgId, project, cluster: (await world.catalog.clusters.get(ORDERS))! };
    await reach(world, inventory, await mark(client), { base: true });
    await client.withSession((session) => session.withTransaction(async () => {
      await client.db('shop').collection<Document>('orders').updateOne({ _id: 1 as never }, { $set: { paid: true } }, { session });
      await client.db('shop').collection<Document>('payments').insertOne({ order: 1 }, { session });
    }));
    const border = await mark(client);
    await reach(world, inventory, await mark(client));
    const live = await contentOfServer(servers.uri);
    const body = { instant: { oplogTs: border.t, oplogInc: border.i }, collections: ['shop.orders'] };
    const order = async (): Promise<number> => {
      const restore = await call(['--digest', '--user', OWNER, '--header', 'Content-Type: application/json', '--data-raw', JSON.stringify(body)], `${OURS}/restores`);
      return (await world.catalog.jobs.get(String((restore.job as Document)['id'])))!.number;
    };
    const job = await whileHeld('prepare', order, async (running) => {
      const [warning, ...others] = running.warnings;
      assert.match(warning ?? '', /a transaction of .* changed shop\.orders, which is restored, and shop\.payments, which is not/);
      assert.equal(others.length, 0);
      assert.deepEqual((await call(['--digest', '--user', OWNER], `${OURS}/jobs/${running.id}`)).warnings, [warning]);
      assert.deepEqual((await call(['--digest', '--user', OWNER], `${OURS}/restores/${running.restoreId}`)).warnings, [warning]);
      const { jobs } = await call(commvault(), `/commandcenter/api/Job/${running.number}`) as { jobs: { jobSummary: Document }[] };
      assert.deepEqual([jobs[0]?.jobSummary['status'], jobs[0]?.jobSummary['pendingReason']], ['Running', `Warning: ${warning}`]);
      assert.deepEqual(await contentOfServer(servers.uri), live);
      assert.equal(await client.db('__leafvault').collection('plans').countDocuments(), 0, 'nothing is written');
      await cancelAtAtlas(running);
    });
    assert.deepEqual([job.state, job.warnings.length], ['cancelled', 1]);
    assert.deepEqual(await contentOfServer(servers.uri), live);
  });

  async function fill(state: string): Promise<void> {
    const orders = client.db('shop').collection<Document>('orders');
    await orders.deleteMany({});
    await orders.insertMany(Array.from({ length: 2_000 }, (_, n) => ({ _id: n as never, state, text: `${state} ${n} `.repeat(10) })));
    await client.db('shop').collection<Document>('payments').updateOne({ _id: 0 as never }, { $set: { state } }, { upsert: true });
  }

  async function snapshot(): Promise<string> {
    const { id } = await atlas('POST', '/snapshots', { description: 'test', retentionInDays: 1 });
    const job = await ended(world.catalog, (await world.catalog.snapshots.get(String(id)))!.jobId);
    assert.equal(job.state, 'completed', JSON.stringify(job));
    return String(id);
  }

  async function restoreByAtlas(snapshotId: string): Promise<number> {
    const { id } = await atlas('POST', '/restoreJobs', { deliveryType: 'automated', snapshotId, targetGroupId: SHOP, targetClusterName: 'orders' });
    return (await world.catalog.jobs.get((await world.catalog.restores.get(String(id)))!.jobId))!.number;
  }

  async function restoreByCommvault(restoreSnapshotId: string): Promise<number> {
    const options = { restoreOptions: { cloudAppsRestoreOptions: { documentDBRestoreOptions: { restoreSnapshotId } } } };
    const task = { taskInfo: { associations: [{ clientName: 'shop', instanceName: 'orders', subclientName: 'default' }], subTasks: [{ subTask: { subTaskType: 3, operationType: 1001 }, options }] } };
    return Number(((await call(commvault(task), '/commandcenter/api/createtask')).jobIds as string[])[0]);
  }

  async function cancelAtAtlas({ restoreId }: Job): Promise<void> {
    await atlas('DELETE', `/restoreJobs/${restoreId}`);
  }

  async function killAtCommvault({ number }: Job): Promise<void> {
    assert.deepEqual(await call([...commvault(), '--request', 'POST'], `/commandcenter/api/Job/${number}/action/kill`), { errorCode: 0, errorMessage: '' });
  }

  /** Holds a job in a phase while something is asked, lets it go on, and gives the job as it ended: within two seconds of a cancel. */
  async function whileHeld(phase: string, order: () => Promise<number>, ask: (running: Job) => Promise<void>): Promise<Job> {
    const hold = { phase, met: Promise.withResolvers<AbortSignal>(), go: Promise.withResolvers<void>() };
    held = hold;
    try {
      const number = await order();
      const over = until('the job to end early', async () => {
        const job = await world.catalog.jobs.byNumber(number);
        return job?.finishedAt != null && job;
      });
      const signal = await Promise.race([hold.met.promise, over.then((job) => assert.fail(`it ended before it was held: ${JSON.stringify(job)}`))]);
      await ask((await world.catalog.jobs.byNumber(number))!);
      const asked = performance.now();
      // Else it might be over before its worker hears of the cancel.
      if ((await world.catalog.jobs.byNumber(number))!.cancelRequestedAt !== null && !signal.aborted) await once(signal, 'abort');
      hold.go.resolve();
      const job = await over;
      if (job.cancelRequestedAt !== null) assert.ok(performance.now() - asked < SOON_MS, `${performance.now() - asked} ms`);
      return job;
    } finally {
      hold.go.resolve();
      held = null;
    }
  }

  /** The daily prune, which is due. */
  async function prune(): Promise<void> {
    const repositories = { forProject: () => Promise.resolve(world.repository) };
    const chores = [
      ...createChores({ catalog: world.catalog, queue: world.queue, clock: systemClock, repositories }),
      ...createRetentionChores({ catalog: world.catalog, clock: systemClock, log: silent, repositories: () => Promise.resolve([world.repository]) }),
    ];
    await world.catalog.settings.set(`prunedAt ${world.repository.id}`, '2020-01-01T00:00:00.000Z');
    for (const name of ['telling the repository', 'pruning the repository']) await chores.find((chore) => chore.name === name)!.run(new AbortController().signal);
    assert.notEqual(await world.catalog.settings.get(`prunedAt ${world.repository.id}`), '2020-01-01T00:00:00.000Z');
  }

  async function rootsNow(): Promise<string[]> {
    return (await readdir(join(world.folder, 'store', 'snapshots'))).sort();
  }

  async function packsNow(): Promise<string[]> {
    return (await readdir(join(world.folder, 'store', 'packs'), { recursive: true })).filter((name) => name.includes('/')).sort();
  }

  function atlas(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
    const data = body === undefined ? [] : ['--header', 'Content-Type: application/json', '--data-raw', JSON.stringify(body)];
    return call(['--digest', '--user', OWNER, '--header', 'Accept: application/vnd.atlas.2023-01-01+json', '--request', method, ...data], `${ATLAS}${path}`);
  }

  function commvault(body?: unknown): string[] {
    return ['--header', `Authtoken: ${token}`, ...(body === undefined ? [] : ['--header', 'Content-Type: application/json', '--data-raw', JSON.stringify(body)])];
  }

  async function call(args: readonly string[], path: string): Promise<Record<string, unknown>> {
    const answer = await runCurl([...args, `${origin}${path}`]);
    assert.ok(answer.status >= 200 && answer.status < 300, `${path} answered ${answer.status}: ${answer.body}`);
    return answer.body.trim() === '' ? {} : (JSON.parse(answer.body) as Record<string, unknown>);
  }
});
