import assert from 'node:assert/strict';
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { BACKUP, call, endOfSnapshot, restore, settingsFor, startSource, takeSnapshot, type Source } from '../support/installation.ts';
import { leafvaultFolder, spawnLeafvault, startLeafvault, type LeafvaultFolder, type LeafvaultProcess } from '../support/leafvault.ts';
import { freePort } from '../support/mongod.ts';
import { startExternal } from '../support/postgres.ts';

let database: Awaited<ReturnType<typeof startExternal>>;
let source: Source;
let folder: LeafvaultFolder;
let door: LeafvaultProcess;

/** Settings of one machine: a home of its own, the database and the store in common. */
const settingsOf = (home: string): Record<string, unknown> =>
  settingsFor(source.uri, { home, database: database.url, repository: { store: `file:${join(folder.path, 'repository')}` } });

before(async () => {
  [database, source, folder] = await Promise.all([startExternal(), startSource(20_000), leafvaultFolder()]);
  door = await startLeafvault({ folder, port: await freePort(), settings: settingsOf(join(folder.path, 'door')), args: ['--no-worker'] });
});

after(async () => {
  await door?.stop();
  await source?.[Symbol.asyncDispose]();
  await database?.stop();
  await folder?.remove();
});

/** A worker of another machine: the master key of the door was copied to it. */
async function startWorker(name: string): Promise<LeafvaultProcess> {
  const home = join(folder.path, name);
  await mkdir(home);
  await copyFile(join(folder.path, 'door/master.key'), join(home, 'master.key'));
  return startLeafvault({ folder, name, command: 'worker', port: await freePort(), settings: settingsOf(home) });
}

test('workers beside a door without one take its jobs over an external PostgreSQL', async () => {
  const { body } = await call(door.origin, 'POST', `${BACKUP}/snapshots`, { description: 'waits', retentionInDays: 1 });
  await delay(100);
  assert.equal((await call(door.origin, 'GET', `${BACKUP}/snapshots/${String(body.id)}`)).body.status, 'queued', 'nobody runs jobs yet');
  const [one, two] = [await startWorker('one'), await startWorker('two')];
  assert.equal((await endOfSnapshot(door.origin, String(body.id))).status, 'completed', await one.log());

  await one.kill();
  const again = await takeSnapshot(door.origin);
  assert.equal(again.status, 'completed', await two.log());
  await source.client.db('shop').dropDatabase();
  const job = await restore(door.origin, String(again.id));
  assert.equal(job.failed, false, await two.log());
  assert.equal(await source.client.db('shop').collection('orders').countDocuments(), 20_000);
  assert.equal(await two.stop(), 0);
});

test('a worker with another master key is refused', async () => {
  const home = join(folder.path, 'stranger');
  const worker = await spawnLeafvault({ folder, name: 'stranger', command: 'worker', port: await freePort(), settings: settingsOf(home) });
  assert.deepEqual((await worker.ended).code, 4);
  assert.match(await worker.log(), /made with another master key/);
});
