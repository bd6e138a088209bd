// The first store is lost: what is in the second copy is restored with proof, by the service that ran and by a fresh one; new snapshots say why there are none.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { call, restore, settingsFor, startSource, takeSnapshot, BACKUP, type Source } from '../support/installation.ts';
import { leafvaultFolder, startLeafvault, type LeafvaultFolder } from '../support/leafvault.ts';
import { freePort } from '../support/mongod.ts';

const MAIN = join(import.meta.dirname, '../../src/main.ts');

/** One command beside the service. */
async function run(folder: LeafvaultFolder, ...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, ...args, '--config', join(folder.path, 'leafvault.yaml')], { cwd: folder.path });
  return stdout;
}

/** Whether something is stored as its difference from the snapshot before: its index has a later version. */
async function holdsDeltas(store: string): Promise<boolean> {
  const indexes = await Promise.all((await readdir(join(store, 'indexes'))).map((name) => readFile(join(store, 'indexes', name))));
  return indexes.some((bytes) => bytes[4] === 2);
}

const ordersOf = async (source: Source): Promise<unknown> => ((await source.client.db('shop').command({ dbHash: 1 })).collections as Record<string, unknown>)['orders'];

test('snapshots outlive the store that they were taken to', { timeout: 900_000 }, async () => {
  await using source = await startSource(3_000);
  await using folder = await leafvaultFolder();
  const [first, second] = [join(folder.path, 'first'), join(folder.path, 'second')];
  const start = async (name: string) => startLeafvault({ folder, name, port: await freePort(), settings: settingsFor(source.uri, { repository: { store: 'file:./first', copies: ['file:./second'] } }) });
  const leafvault = await start('before');
  assert.equal((await takeSnapshot(leafvault.origin)).status, 'completed', await leafvault.log());
  await source.client.db('shop').collection('orders').updateMany({ _id: { $in: [5, 1_500, 2_900] } } as never, { $set: { changed: true } });
  const before = await ordersOf(source);
  const snapshot = await takeSnapshot(leafvault.origin);
  assert.equal(snapshot.status, 'completed', await leafvault.log());
  assert.equal(await holdsDeltas(first), true, 'a service makes deltas unless it is told not to');
  assert.match(await run(folder, 'copy'), /2 snapshots\ncopied \d+ objects with .* each verified/);
  assert.match(await run(folder, 'copy', '--dry-run'), /would copy 0 objects/);
  assert.match(await run(folder, 'check', '--read-data', '--repository-store', `file:${second}`), /2 snapshots, .* no problems found/);

  await rm(first, { recursive: true });
  await source.client.db('shop').collection('orders').deleteMany({ _id: { $mod: [2, 0] } } as never);
  const running = await restore(leafvault.origin, String(snapshot.id));
  assert.equal(running.failed, false, await leafvault.log());
  assert.deepEqual(await ordersOf(source), before, 'by the service that ran');
  assert.equal((await takeSnapshot(leafvault.origin)).status, 'failed');
  assert.match(await leafvault.log(), /REPOSITORY_READ_ONLY|Writing to the repository in file:.*first failed/);
  assert.match(await (await fetch(`${leafvault.origin}/metrics`)).text(), /^leafvault_copy_last_success_timestamp_seconds\{copy="1"\} \d/m);
  assert.equal(await leafvault.stop(), 0);

  const fresh = await start('after');
  await source.client.db('shop').dropDatabase();
  const job = await restore(fresh.origin, String(snapshot.id));
  assert.equal(job.failed, false, await fresh.log());
  assert.deepEqual(await ordersOf(source), before, 'by a fresh one');
  assert.equal(await fresh.stop(), 0);

  assert.match(await run(folder, 'copy', '--promote', '--repository-store', `file:${second}`), /can be written to/);
  const used = await startLeafvault({ folder, name: 'used', port: await freePort(), settings: settingsFor(source.uri, { repository: { store: 'file:./second' } }) });
  assert.equal((await takeSnapshot(used.origin)).status, 'completed', await used.log());
  assert.equal((await call(used.origin, 'GET', `${BACKUP}/snapshots/${String(snapshot.id)}`)).body.status, 'completed');
  assert.equal(await used.stop(), 0);
});
