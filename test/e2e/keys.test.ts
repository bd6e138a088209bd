// The master key is changed beside processes that run on other machines; the recovery kit alone reads the data; kill -9 anywhere in a rotation.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { openCatalog } from '../../src/catalog/index.ts';
import { loadMasterKey } from '../../src/composition/master-key.ts';
import { systemClock } from '../../src/foundation/clock.ts';
import { initRepository, proveOpener } from '../../src/repository/index.ts';
import { createLocalStorage } from '../../src/storage/index.ts';
import { call, CLUSTER, PROJECT, settingsFor, startSource, takeSnapshot, type Source } from '../support/installation.ts';
import { leafvaultFolder, spawnLeafvault, startLeafvault, type LeafvaultFolder, type LeafvaultProcess } from '../support/leafvault.ts';
import { freePort } from '../support/mongod.ts';
import { silent, startExternal } from '../support/postgres.ts';

const ROOT = join(import.meta.dirname, '../..');
const MAIN = join(ROOT, 'src/main.ts');
const LONG = process.env['LEAFVAULT_LONG_TESTS'] === '1';
const KILLS = LONG ? 80 : 2;
const run = promisify(execFile);
const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('LEAFVAULT_')));

describe('the master key, changed while processes run', { timeout: 900_000 }, () => {
  let database: Awaited<ReturnType<typeof startExternal>>;
  let source: Source;
  let folder: LeafvaultFolder;
  let door: LeafvaultProcess;
  let worker: LeafvaultProcess;
  let starts = 0;

  /** Settings of one machine: a home and a key file of its own, the database and the store in common. */
  const settingsOf = (name: string): Record<string, unknown> =>
    settingsFor(source.uri, { home: join(folder.path, name), database: database.url, repository: { store: `file:${join(folder.path, 'repository')}` }, log: { level: 'warn' } });
  const keyOf = (name: string): string => join(folder.path, name, 'master.key');
  const workerOptions = async () => ({ folder, name: `worker-${(starts += 1)}`, command: 'worker' as const, port: await freePort(), settings: settingsOf('other') });
  const keys = async (...args: readonly string[]): Promise<string> => {
    await writeFile(join(folder.path, 'door.yaml'), JSON.stringify(settingsOf('door')), { mode: 0o600 });
    return (await run(process.execPath, [MAIN, 'keys', ...args, '--config', join(folder.path, 'door.yaml')], { env: environment, cwd: folder.path })).stdout;
  };

  before(async () => {
    [database, source, folder] = await Promise.all([startExternal(), startSource(500), leafvaultFolder()]);
    door = await startLeafvault({ folder, port: await freePort(), settings: settingsOf('door'), args: ['--no-worker'] });
    await mkdir(join(folder.path, 'other'));
    await copyFile(keyOf('door'), keyOf('other'));
    worker = await startLeafvault(await workerOptions());
  });
  after(async () => {
    await Promise.all([door?.stop(), worker?.stop()]);
    await source?.[Symbol.asyncDispose]();
    await database?.stop();
    await folder?.remove();
  });

  test('disturbs none of them; a download address from before is good; a start with a retired key says what to do', async () => {
    const first = await takeSnapshot(door.origin);
    const { body } = await call(door.origin, 'POST', `/api/atlas/v1.0/groups/${PROJECT.id}/clusters/${CLUSTER.name}/backup/tenant/download`, { snapshotId: first.id, targetDeploymentItemName: CLUSTER.name });
    const before = await readFile(keyOf('door'), 'utf8');
    await keys('rotate');
    assert.notEqual(await readFile(keyOf('door'), 'utf8'), before);
    assert.equal((await takeSnapshot(door.origin)).status, 'completed', 'door and worker go on with what they have in memory');
    // The other machine starts with the old key until it is retired.
    assert.equal(await worker.stop(), 0);
    worker = await startLeafvault(await workerOptions());
    assert.equal((await takeSnapshot(door.origin)).status, 'completed');

    assert.match(await keys('rotate', '--resume', '--remove-old-slot'), /is gone from the store/);
    assert.equal((await takeSnapshot(door.origin)).status, 'completed', 'a worker whose key file is out of date goes on, too');
    const archive = await fetch(String(body.snapshotUrl));
    assert.equal(archive.status, 200);
    await archive.arrayBuffer();

    assert.equal(await worker.stop(), 0);
    const refused = await spawnLeafvault(await workerOptions());
    assert.equal((await refused.ended).code, 4);
    assert.match(await refused.log(), /replaced and retired[\s\S]*HINT: Copy the master key file that the other processes start with/);
    await copyFile(keyOf('door'), keyOf('other'));
    worker = await startLeafvault(await workerOptions());
    // The connection string and the API key, sealed before the rotation, are opened by processes that know the new key alone.
    assert.equal(await door.stop(), 0);
    door = await startLeafvault({ folder, name: 'door-again', port: await freePort(), settings: settingsOf('door'), args: ['--no-worker'] });
    assert.equal((await takeSnapshot(door.origin)).status, 'completed');
  });

  test('the recovery kit, with nothing else in an empty folder, reads a snapshot: by the commands that it prints', async () => {
    const { id } = await takeSnapshot(door.origin);
    const page = await keys('kit');
    await using empty = await leafvaultFolder();
    const [, key = ''] = /recovery key +(LV1-\S+)/.exec(page) ?? [];
    const commands = page.split('\n').filter((line) => line.startsWith('  $ ')).map((line) => line.slice(4));
    assert.equal(commands.length, 6);
    const outputs: string[] = [];
    const whole: string[] = [];
    for (const command of commands) {
      // The printed commands run in the folder of Leafvault; here its files are elsewhere, and nothing of ours is in the empty one.
      const here = command.replace(/(src\/main|tools\/read-repository)\.ts/, (file) => join(ROOT, file)).replace(/^node /, `'${process.execPath}' `).replace('<snapshot id> <new folder>', `${outputs.at(-1)?.split(' ')[0] ?? ''} dump`);
      const child = run('sh', ['-ec', here], { cwd: empty.path, env: environment });
      child.child.stdin?.end(`${key.toLowerCase()}\n`);
      const { stdout } = await child;
      whole.push(stdout);
      outputs.push(stdout.trim().split('\n').at(-1) ?? '');
    }
    assert.match(outputs[1] ?? '', /opens the repository/);
    assert.match(outputs[2] ?? '', /no problems/);
    assert.equal(outputs[3]?.split(' ')[0], id);
    assert.match(whole[5] ?? '', /Rebuilt from the snapshots|Rescued from the dump/);
    assert.deepEqual((await readdir(join(empty.path, 'dump', 'shop'))).sort(), ['orders.bson', 'orders.metadata.json']);
    const { size } = await source.client.db('shop').command({ collStats: 'orders' });
    assert.equal((await readFile(join(empty.path, 'dump/shop/orders.bson'))).length, size);
  });
});

test('a rotation that is killed at any moment leaves a key file that opens repository and catalog', { timeout: LONG ? 900_000 : 900_000 }, async (context) => {
  await using database = Object.assign(await startExternal(), { async [Symbol.asyncDispose]() { await database.stop(); } });
  const folder = await mkdtemp(join(tmpdir(), 'leafvault-keys-kill-'));
  const path = join(folder, 'master.key');
  const storage = createLocalStorage(join(folder, 'repository'));
  const key = await loadMasterKey(path);
  await initRepository({ storage, masterKey: key.bytes });
  const open = async (): Promise<string> => {
    const now = await loadMasterKey(path, { make: false });
    await proveOpener(storage, now.bytes);
    const catalog = await openCatalog({ database: database.database, masterKey: now, log: silent, clock: systemClock });
    await catalog.close();
    return catalog.secret.toString('hex');
  };
  const secret = await open();
  const rotate = (...args: readonly string[]) => spawn(process.execPath, [MAIN, 'keys', 'rotate', '--remove-old-slot', '--home', folder, ...args], { env: { ...environment, LEAFVAULT_DATABASE_URL: database.url, LEAFVAULT_LOG_LEVEL: 'silent' }, stdio: 'ignore' });
  const began = performance.now();
  assert.deepEqual(await once(rotate(), 'exit'), [0, null]);
  let wholeMs = performance.now() - began;

  let killed = 0;
  for (let round = 0; round < KILLS || killed < KILLS / 4; round += 1) {
    const startedAt = performance.now();
    const child = rotate();
    const exit = once(child, 'exit');
    // The first half of its life is the start of Node.
    await Promise.race([exit, delay(wholeMs * (0.4 + (0.65 * ((round * 0.618) % 1))))]);
    child.kill('SIGKILL');
    const [, signal] = (await exit) as [number | null, string | null];
    if (signal === 'SIGKILL') killed += 1;
    // The machine is quicker than it was: the next one is killed earlier.
    else wholeMs = Math.min(wholeMs, performance.now() - startedAt) * 0.9;
    assert.equal(await open(), secret, `round ${round}`);
    if (round % 2 === 1) continue; // Half of them meet what the one before left.
    assert.deepEqual(await once(rotate('--resume'), 'exit'), [0, null], `round ${round}`);
    assert.equal(await open(), secret, `round ${round}, resumed`);
    assert.deepEqual((await readdir(folder)).filter((name) => /^master\.key\.(new|old)/.test(name) && !/\.[0-9a-f]{12}$/.test(name)), []);
  }
  context.diagnostic(`${killed} were killed before their end`);
  await rm(folder, { recursive: true, force: true });
});
