import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { glob, mkdir, readdir, readFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { isProcessAlive } from '../../src/foundation/process-alive.ts';
import { holdCommands, HOLDABLE } from '../support/hold-commands.ts';
import { BACKUP, call, endOfSnapshot, restore, settingsFor, startSource, takeSnapshot } from '../support/installation.ts';
import { until as poll } from '../support/job-rows.ts';
import { leafvaultFolder, spawnLeafvault, startLeafvault, type LeafvaultFolder } from '../support/leafvault.ts';
import { freePort } from '../support/mongod.ts';

const LAUNCHER = join(import.meta.dirname, '../../bin/leafvault');

/** Whether the embedded PostgreSQL of this home runs: its pid stands in the first line of postmaster.pid. */
async function postgresRuns(folder: LeafvaultFolder): Promise<boolean> {
  for await (const file of glob('home/postgres/**/postmaster.pid', { cwd: folder.path })) {
    const [pid] = (await readFile(join(folder.path, file), 'utf8')).split('\n');
    if (isProcessAlive(Number(pid))) return true;
  }
  return false;
}

describe('leafvault serve', () => {
  test('prints the secrets of a first start once and works with them', async () => {
    await using source = await startSource(10);
    await using folder = await leafvaultFolder();
    const options = { folder, port: await freePort(), env: { LEAFVAULT_SOURCE_URI: source.uri } };
    const first = await startLeafvault(options);
    const text = first.output();
    const [, publicKey = ''] = /public key\s+(\S+)/.exec(text) ?? [];
    const [, privateKey = ''] = /private key\s+(\S+)/.exec(text) ?? [];
    const [, project = ''] = /project\s+\S+\s+([0-9a-f]{24})/.exec(text) ?? [];
    const [, recoveryKey = 'none'] = /recovery key\s+(LV1-\S+)/.exec(text) ?? [];
    assert.equal((await readFile(join(folder.path, 'home/master.key'), 'utf8')).trim(), recoveryKey);
    await poll('the warning', async () => /WARNING: The repository and the master key .* are on one file system/.test(await first.log()));
    const asked = await call(first.origin, 'GET', `/api/atlas/v2/groups/${project}/clusters/cluster0`, undefined, { publicKey, privateKey });
    assert.equal(asked.status, 200);
    assert.equal(await first.stop(), 0);
    assert.equal(await postgresRuns(folder), false);

    const second = await startLeafvault({ ...options, name: 'second' });
    assert.equal((await call(second.origin, 'GET', `/api/atlas/v2/groups/${project}/clusters/cluster0`, undefined, { publicKey, privateKey })).status, 200);
    assert.equal(await second.stop(), 0);
    const log = await second.log();
    for (const secret of [privateKey, recoveryKey, 'password  ']) assert.ok(!log.includes(secret), `the second start prints no ${secret.slice(0, 3)}…`);
  });

  test('goes on after kill -9 with the server that it left and the job that it ran', async () => {
    await using source = await startSource(1_000, { parameters: HOLDABLE });
    await using folder = await leafvaultFolder();
    const options = { folder, port: await freePort(), settings: settingsFor(source.uri) };
    const first = await startLeafvault(options);
    const release = await holdCommands(source.mongo, ['find']);
    const { body } = await call(first.origin, 'POST', `${BACKUP}/snapshots`, { description: 'interrupted', retentionInDays: 1 });
    await poll('the job to run', async () => (await call(first.origin, 'GET', `${BACKUP}/snapshots/${String(body.id)}`)).body.status === 'inProgress');
    await first.kill();
    await release();
    assert.ok(await postgresRuns(folder), 'PostgreSQL was left running');

    const second = await startLeafvault({ ...options, name: 'second' });
    const snapshot = await endOfSnapshot(second.origin, String(body.id));
    assert.equal(snapshot.status, 'completed', await second.log());
    assert.equal(await second.stop(), 0);
    assert.equal(await postgresRuns(folder), false);
  });

  test('refuses a port that is taken, naming it, with exit code 1', async () => {
    await using folder = await leafvaultFolder();
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const leafvault = await spawnLeafvault({ folder, port });
    const { code } = await leafvault.ended;
    other.close();
    assert.equal(code, 1);
    assert.match(await leafvault.log(), new RegExp(`Listening on 127.0.0.1:${port} failed.*\\nHINT: Choose another port`));
    assert.equal(await postgresRuns(folder), false);
  });

  test('shares one home with a worker process', async () => {
    await using source = await startSource(200);
    await using folder = await leafvaultFolder();
    const options = { folder, port: await freePort(), settings: settingsFor(source.uri) };
    const door = await startLeafvault({ ...options, args: ['--no-worker'] });
    const worker = await startLeafvault({ ...options, command: 'worker' });
    assert.equal((await takeSnapshot(door.origin)).status, 'completed');
    assert.equal(await door.stop(), 0);
    assert.ok(await postgresRuns(folder), 'PostgreSQL stays as long as the worker uses it');
    assert.equal(await worker.stop(), 0);
    assert.equal(await postgresRuns(folder), false);
  });

  test('starts in a home whose path has 150 characters', async () => {
    await using folder = await leafvaultFolder();
    const home = join(folder.path, 'x'.repeat(150 - folder.path.length - 1));
    await mkdir(home);
    const leafvault = await startLeafvault({ folder, port: await freePort(), settings: { home } });
    assert.equal(await leafvault.stop(), 0);
  });
});

describe('leafvault check', () => {
  test('ends with 0 on a whole repository and 3 on a damaged one', async () => {
    await using source = await startSource(500);
    await using folder = await leafvaultFolder();
    const leafvault = await startLeafvault({ folder, port: await freePort(), settings: settingsFor(source.uri) });
    assert.equal((await takeSnapshot(leafvault.origin)).status, 'completed');
    assert.equal(await leafvault.stop(), 0);
    const config = ['--config', join(folder.path, 'leafvault.yaml')];
    const whole = await promisify(execFile)(LAUNCHER, ['check', '--read-data', ...config]);
    assert.match(whole.stdout, /^1 snapshots, \d+ packs, \d+ chunks, \d+ bytes read: no problems found\n$/);
    const { stdout } = await promisify(execFile)('find', [join(folder.path, 'home/repository/packs'), '-type', 'f']);
    const [pack = ''] = stdout.split('\n');
    await promisify(execFile)('dd', ['if=/dev/zero', `of=${pack}`, 'bs=1', 'seek=200', 'count=64', 'conv=notrunc', 'status=none']);
    const damaged = await promisify(execFile)(LAUNCHER, ['check', '--read-data', ...config]).catch((error: { readonly code: number; readonly stderr: string }) => error);
    assert.equal('code' in damaged ? damaged.code : 0, 3);
    assert.match(damaged.stderr, new RegExp(pack.split('/').at(-1) ?? 'none'));
  });
});

describe('leafvault prune', () => {
  test('frees what a deleted snapshot and a killed process left, beside the service, and what stays restores', async () => {
    await using source = await startSource(20_000, { parameters: HOLDABLE });
    await using folder = await leafvaultFolder();
    const options = { folder, port: await freePort(), settings: settingsFor(source.uri) };
    const first = await startLeafvault(options);
    const release = await holdCommands(source.mongo, ['find']);
    const { body } = await call(first.origin, 'POST', `${BACKUP}/snapshots`, { description: 'interrupted', retentionInDays: 1 });
    const packs = async (): Promise<string[]> => (await promisify(execFile)('find', [join(folder.path, 'home/repository/packs'), '-type', 'f']).catch(() => ({ stdout: '' }))).stdout.split('\n').filter(Boolean);
    const sessions = () => readdir(join(folder.path, 'home/repository/sessions')).catch(() => []);
    await poll('its session', async () => (await sessions()).length > 0);
    await first.kill();
    await release();
    assert.ok((await sessions()).length > 0, 'its session was left');

    const leafvault = await startLeafvault({ ...options, name: 'second' });
    const deleted = await endOfSnapshot(leafvault.origin, String(body.id));
    assert.equal(deleted.status, 'completed', await leafvault.log());
    await source.client.db('shop').collection('orders').updateMany({}, [{ $set: { text: { $concat: ['$text', ' again'] } } }]);
    const kept = await takeSnapshot(leafvault.origin);
    assert.equal((await call(leafvault.origin, 'DELETE', `${BACKUP}/snapshots/${String(deleted.id)}`)).status, 204);
    const config = ['--config', join(folder.path, 'leafvault.yaml')];
    const before = await packs();
    const prune = async (...flags: string[]) => (await promisify(execFile)(LAUNCHER, ['prune', ...flags, ...config])).stdout;
    // The repository is told of the deletion within seconds.
    let dry = '';
    await poll('the repository to be told', async () => /would forget 1 deleted snapshots/.test(dry = await prune('--dry-run')));
    assert.match(dry, /would free [1-9]/);
    assert.deepEqual(await packs(), before, 'a dry run changes nothing');
    const report = JSON.parse(await prune('--json')) as { freedBytes: number; forgotten: number; ended: unknown[]; waitingBytes: number };
    assert.ok(report.freedBytes > 100_000 && report.forgotten === 1 && report.waitingBytes === 0, JSON.stringify(report));
    assert.equal(report.ended.length, 1, 'the session of the killed process');
    assert.deepEqual(await sessions(), []);
    assert.match(await prune(), /freed 0 bytes/);
    assert.match((await promisify(execFile)(LAUNCHER, ['check', '--read-data', ...config])).stdout, /^1 snapshots, .*no problems found/);
    await source.client.db('shop').collection('orders').drop();
    const restored = await restore(leafvault.origin, String(kept.id));
    assert.equal(restored.failed, false, JSON.stringify(restored));
    assert.equal(await source.client.db('shop').collection('orders').countDocuments({ text: / again$/ }), 20_000);
    assert.equal(await leafvault.stop(), 0);
  });
});
