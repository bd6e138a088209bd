// One installation of several machines over one PostgreSQL and one bucket: two doors, three workers, any of them killed.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { BACKUP, call, endOfSnapshot, restore, settingsFor, startSource, takeSnapshot, until, type Source } from '../support/installation.ts';
import { leafvaultFolder, startLeafvault, type LeafvaultFolder, type LeafvaultProcess } from '../support/leafvault.ts';
import { freePort } from '../support/mongod.ts';
import { startExternal } from '../support/postgres.ts';
import { S3_KEY, startS3, whyNot, type S3Server } from '../support/s3-servers.ts';

const MAIN = join(import.meta.dirname, '../../src/main.ts');
// A real server where there is one; moto is slower.
const KIND = (await whyNot('versitygw')) === null ? 'versitygw' : 'moto';

describe(`an installation on a bucket (${KIND})`, { timeout: 900_000 }, () => {
  let database: Awaited<ReturnType<typeof startExternal>>;
  let source: Source;
  let folder: LeafvaultFolder;
  let s3: S3Server;
  let store: string;
  let doors: LeafvaultProcess[];
  let workers: LeafvaultProcess[];

  const settingsOf = (name: string): Record<string, unknown> => settingsFor(source.uri, { home: join(folder.path, name), database: database.url, repository: { store } });
  const start = async (command: 'serve' | 'worker', name: string): Promise<LeafvaultProcess> => {
    const home = join(folder.path, name);
    await mkdir(home, { recursive: true });
    if (name !== 'door-1') await copyFile(join(folder.path, 'door-1', 'master.key'), join(home, 'master.key'));
    return startLeafvault({ folder, name, command, port: await freePort(), settings: settingsOf(name), env: S3_KEY, args: command === 'serve' ? ['--no-worker'] : [] });
  };

  before(async () => {
    [database, source, folder, s3] = await Promise.all([startExternal(), startSource(20_000), leafvaultFolder(), startS3(KIND)]);
    store = await s3.newStore('mongo/prod');
    doors = [await start('serve', 'door-1')];
    doors.push(await start('serve', 'door-2'));
    workers = [];
    for (const name of ['worker-1', 'worker-2', 'worker-3']) workers.push(await start('worker', name));
  });
  after(async () => {
    await folder?.remove();
    await source?.[Symbol.asyncDispose]();
    await database?.stop();
    await s3?.[Symbol.asyncDispose]();
  });

  test('backs up, damages, restores and proves, whichever door is asked and whichever worker dies', async () => {
    const [one, two] = doors.map(({ origin }) => origin) as [string, string];
    const first = await takeSnapshot(one);
    assert.equal(first.status, 'completed');
    const { body } = await call(two, 'POST', `${BACKUP}/snapshots`, { description: 'of a worker that dies', retentionInDays: 1 });
    await until(() => call(one, 'GET', `${BACKUP}/snapshots/${String(body.id)}`), ({ status }) => (status === 'queued' ? null : true));
    await workers[0]!.kill();
    await doors[0]!.kill();
    assert.equal((await endOfSnapshot(two, String(body.id))).status, 'completed', await workers[1]!.log());
    await source.client.db('shop').dropDatabase();
    const job = await restore(two, String(body.id));
    assert.equal(job.failed, false, `${await workers[1]!.log()}${await workers[2]!.log()}`);
    assert.equal(await source.client.db('shop').collection('orders').countDocuments(), 20_000);
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
