// One installation of several machines over one PostgreSQL and one bucket: two doors, three workers, any of them killed.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { BACKUP, backupOf, call, CLUSTER, endOfSnapshot, PROJECT, restore, settingsFor, startSource, takeSnapshot, until, type Source } from '../support/installation.ts';
import { startHoldingProxy, type HoldingProxy } from '../support/holding-proxy.ts';
import { leafvaultFolder, startLeafvault, type LeafvaultFolder, type LeafvaultProcess } from '../support/leafvault.ts';
import { freePort } from '../support/mongod.ts';
import { startExternal, type ExternalDatabase } from '../support/postgres.ts';
import { S3_KEY, startS3, whyNot, type S3Server } from '../support/s3-servers.ts';

const MAIN = join(import.meta.dirname, '../../src/main.ts');
// A real server where there is one; moto is slower.
const KIND = (await whyNot('versitygw')) === null ? 'versitygw' : 'moto';

const DOCUMENTS = 5_000;
/** The same servers by another name: one snapshot of a cluster is taken at a time. */
const SECOND = { name: 'returns', id: '5f0000000000000000000014' };

describe(`an installation on a bucket (${KIND})`, { timeout: 900_000 }, () => {
  let database: ExternalDatabase;
  let source: Source;
  let folder: LeafvaultFolder;
  let s3: S3Server;
  /** Between Leafvault and the bucket. */
  let proxy: HoldingProxy;
  let store: string;
  let doors: LeafvaultProcess[];
  let workers: LeafvaultProcess[];

  const settingsOf = (name: string): Record<string, unknown> =>
    settingsFor(source.uri, { home: join(folder.path, name), database: database.url, repository: { store }, worker: { jobsAtOnce: 1 } }, {}, [{ ...SECOND, uri: source.uri }]);
  const start = async (command: 'serve' | 'worker', name: string): Promise<LeafvaultProcess> => {
    const home = join(folder.path, name);
    await mkdir(home, { recursive: true });
    if (name !== 'door-1') await copyFile(join(folder.path, 'door-1', 'master.key'), join(home, 'master.key'));
    return startLeafvault({ folder, name, command, port: await freePort(), settings: settingsOf(name), env: S3_KEY, args: command === 'serve' ? ['--no-worker'] : [] });
  };

  interface Row { readonly kind: string; readonly snapshot: string; readonly attempt: number; readonly losses: number; readonly owner: string | null }
  type Rows = readonly [Row, Row, ...Row[]];
  /** All snapshots and restores, in the order in which they were asked for. */
  const jobs = async (): Promise<Rows> => await database.query(`
    select kind, snapshot_id as snapshot, attempt, losses, owner from leafvault.jobs join leafvault.leases on job_id = id
    where kind in ('snapshot', 'restore') order by created_at, id`) as unknown as Rows;
  async function untilJobs(isSo: (rows: Rows) => boolean): Promise<Rows> {
    let rows = await jobs();
    for (const deadline = performance.now() + 60_000; !isSo(rows); rows = await jobs()) {
      assert.ok(performance.now() < deadline, JSON.stringify(rows));
      await delay(100);
    }
    return rows;
  }

  before(async () => {
    [database, source, folder, s3] = await Promise.all([startExternal(), startSource(DOCUMENTS), leafvaultFolder(), startS3(KIND)]);
    proxy = await startHoldingProxy(s3.port);
    store = (await s3.newStore('mongo/prod')).replace(`:${s3.port}`, `:${proxy.port}`);
    doors = [await start('serve', 'door-1')];
    doors.push(await start('serve', 'door-2'));
    workers = [];
    for (const name of ['worker-1', 'worker-2', 'worker-3']) workers.push(await start('worker', name));
  });
  after(async () => {
    await folder?.remove();
    await source?.[Symbol.asyncDispose]();
    await database?.stop();
    await proxy?.[Symbol.asyncDispose]();
    await s3?.[Symbol.asyncDispose]();
  });

  test('spreads jobs over its workers, and has each done once, whichever door and worker dies', async () => {
    const [one, two] = doors.map(({ origin }) => origin) as [string, string];
    const first = await takeSnapshot(one);
    assert.equal(first.status, 'completed');

    // Each worker has room for one job, and what it has ends no sooner than the test wants.
    const roots = proxy.hold(/^PUT .*\/snapshots\//);
    const ask = async (cluster: string): Promise<string> => String((await call(two, 'POST', `${backupOf(cluster)}/snapshots`, { description: 'of a worker that dies', retentionInDays: 1 })).body.id);
    const struck = await ask(CLUSTER.name);
    const beside = await ask(SECOND.name);
    await Promise.all([struck, beside].map((id) => roots.comes(new RegExp(`/snapshots/${id}`))));
    const packs = proxy.hold(/^GET .*\/packs\//);
    const asked = await call(one, 'POST', `${BACKUP}/restoreJobs`, { deliveryType: 'automated', snapshotId: first.id, targetGroupId: PROJECT.id, targetClusterName: CLUSTER.name });
    const spread = await untilJobs((found) => found.filter(({ owner }) => owner !== null).length === 3);
    const [, ofStruck, ofBeside, ofRestore] = spread.map(({ owner }) => owner);
    assert.equal(new Set([ofStruck, ofBeside, ofRestore]).size, 3, JSON.stringify(spread));

    // All of it is stored but for the root, whose name it has claimed.
    await workers.find(({ pid }) => ofStruck?.split('-').at(-2) === String(pid))!.kill();
    await doors[0]!.kill();
    packs.release();
    const restored = await until(() => call(two, 'GET', `${BACKUP}/restoreJobs/${String(asked.body.id)}`), (job) => (job.finishedAt !== undefined || job.failed === true ? job : null));
    assert.equal(restored.failed, false);
    const again = await untilJobs(([, { owner }]) => owner !== null && owner !== ofStruck);
    assert.equal(again[1].owner, ofRestore, 'of the one that had room');
    await roots.comes(new RegExp(`/snapshots/${struck}`));
    roots.release();

    for (const [id, cluster] of [[struck, CLUSTER.name], [beside, SECOND.name]] as const) assert.equal((await endOfSnapshot(two, id, cluster)).status, 'completed');
    assert.deepEqual((await jobs()).map(({ kind, snapshot, attempt, losses }) => [kind, snapshot, attempt, losses]), [
      ['snapshot', first.id, 1, 0], ['snapshot', struck, 2, 1], ['snapshot', beside, 1, 0], ['restore', first.id, 1, 0],
    ]);
    const { Contents = [] } = await s3.client.send(new ListObjectsV2Command({ Bucket: 'store-1', Prefix: 'mongo/prod/snapshots/' }));
    assert.equal(Contents.length, 3, 'one root each');
  });

  test('restores and proves what a worker took over, at the door that is left', async () => {
    const [, struck] = await jobs();
    await source.client.db('shop').dropDatabase();
    const job = await restore(doors[1]!.origin, String(struck?.snapshot));
    assert.equal(job.failed, false, (await Promise.all(workers.map((worker) => worker.log()))).join(''));
    assert.equal(await source.client.db('shop').collection('orders').countDocuments(), DOCUMENTS);
  });

  test('is whole by the offline check, which reads every byte from the bucket', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [MAIN, 'check', '--read-data', '--config', join(folder.path, 'leafvault.yaml')], { env: { ...process.env, ...S3_KEY } });
    assert.match(stdout, /no problem|whole|0 problems/i, stdout);
  });

  test('says that it is not ready while the bucket is away', async () => {
    await s3.kill();
    const told = await until(async () => {
      const answer = await fetch(`${doors[1]!.origin}/readyz`);
      return { status: 200, body: { ...((await answer.json()) as Record<string, unknown>), answer: answer.status } };
    }, (body) => (body['answer'] === 503 ? body : null));
    assert.deepEqual([told['catalog'], told['repository']], [true, false]);
  });
});
