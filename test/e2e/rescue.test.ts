// The machine is gone: store and key bring everything back, with a dump of the catalog and without one, to a proven restore. The store is a bucket; in the long form a folder, too.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { glob, mkdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { openStorage, type Storage } from '../../src/storage/index.ts';
import { BACKUP, call, CLUSTER, KEY, PASSWORD, PROJECT, settingsFor, startSource, takeSnapshot, until, type Source } from '../support/installation.ts';
import { leafvaultFolder, startLeafvault, type LeafvaultFolder } from '../support/leafvault.ts';
import { freePort } from '../support/mongod.ts';
import { PATIENCE_MS } from '../support/patience.ts';
import { S3_KEY, startS3, whyNot } from '../support/s3-servers.ts';

const LAUNCHER = join(import.meta.dirname, '../../bin/leafvault');
const MAIN = join(import.meta.dirname, '../../src/main.ts');
const run = promisify(execFile);

const KIND = (await whyNot('versitygw')) === null ? 'versitygw' : 'moto';
const PLACES = process.env['LEAFVAULT_LONG_TESTS'] === '1' ? (['bucket', 'folder'] as const) : (['bucket'] as const);
const SECRETS = [PASSWORD, encodeURIComponent(PASSWORD), KEY.privateKey, S3_KEY.AWS_SECRET_ACCESS_KEY];

interface Lost {
  /** Its address. */
  readonly store: string;
  /** `LV1-…` */
  readonly recoveryKey: string;
  /** Completed: before the dump, after the dump, and after the dump with another expiry. */
  readonly snapshots: { readonly before: string; readonly after: string };
  readonly settings: Record<string, unknown>;
}

const SCHEDULE = { referenceHourOfDay: 5, referenceMinuteOfHour: 17, restoreWindowDays: 6 };

function holdOf(snapshotId: string): string {
  return `/api/leafvault/v1/groups/${PROJECT.id}/clusters/${CLUSTER.id}/snapshots/${snapshotId}/hold`;
}

/** The keeper's words; null: nothing holds it. */
async function heldFor(origin: string, snapshotId: string, key: { publicKey: string; privateKey: string }): Promise<string | null> {
  const { body } = await call(origin, 'GET', `/api/leafvault/v1/groups/${PROJECT.id}/clusters/${CLUSTER.id}/snapshots`, undefined, key);
  return (body.results as { id: string; hold: { reason: string } | null }[]).find(({ id }) => id === snapshotId)?.hold?.reason ?? null;
}

/** An installation with two snapshots, of which all but store and recovery key is burnt; the dump is older than the second. */
async function loseEverything(source: Source, folder: LeafvaultFolder, store: string): Promise<Lost> {
  const settings = settingsFor(source.uri, { repository: { store } });
  const leafvault = await startLeafvault({ folder, port: await freePort(), settings });
  const before = await takeSnapshot(leafvault.origin);
  assert.equal(before.status, 'completed', await leafvault.log());
  assert.equal((await call(leafvault.origin, 'PUT', holdOf(String(before.id)), { reason: 'a lawsuit' })).status, 200);
  assert.equal((await call(leafvault.origin, 'PATCH', `${BACKUP}/schedule`, SCHEDULE)).status, 200);
  await run(LAUNCHER, ['dump-catalog', '--config', join(folder.path, 'leafvault.yaml')]);
  await source.client.db('shop').collection('orders').insertOne({ text: 'later' });
  const after = await takeSnapshot(leafvault.origin);
  assert.equal(after.status, 'completed', await leafvault.log());
  assert.equal((await call(leafvault.origin, 'PATCH', `${BACKUP}/snapshots/${String(before.id)}`, { retentionValue: 30, retentionUnit: 'DAYS' })).status, 200);
  await factOf(store, String(before.id), /\/expiry-/, 2);
  assert.equal(await leafvault.stop(), 0);
  const recoveryKey = (await readFile(join(folder.path, 'home/master.key'), 'utf8')).trim();
  await rm(join(folder.path, 'home'), { recursive: true });
  await rm(join(folder.path, 'leafvault.yaml'));
  return { store, recoveryKey, settings, snapshots: { before: String(before.id), after: String(after.id) } };
}

/** Waits until the repository was told. */
async function factOf(address: string, snapshotId: string, kind: RegExp, count: number): Promise<void> {
  await using store = openStore(address);
  for (const end = performance.now() + PATIENCE_MS; performance.now() < end; await delay(50)) {
    let found = 0;
    for await (const { name } of store.list(`facts/${snapshotId}/`)) if (kind.test(name)) found += 1;
    if (found >= count) return;
  }
  throw new Error('The repository was not told');
}

function openStore(address: string): Storage & AsyncDisposable {
  const storage = openStorage(address);
  return Object.assign(storage, { [Symbol.asyncDispose]: () => storage.close() });
}

async function rescue(args: readonly string[], recoveryKey: string): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const child = run(LAUNCHER, ['rescue', ...args, '--key', '-']);
  child.child.stdin?.end(`${recoveryKey}\n`);
  return child;
}

/** kill -9 behind the rows, before the store was asked. */
async function killedRescue(folder: LeafvaultFolder, args: readonly string[], recoveryKey: string): Promise<void> {
  const child = spawn(process.execPath, [MAIN, 'rescue', ...args, '--key', '-'], { stdio: ['pipe', 'ignore', 'pipe'] });
  folder.adopt(child);
  child.stdin.end(`${recoveryKey}\n`);
  let told = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    told += text;
    if (told.includes('comparing with the store')) child.kill('SIGKILL');
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  assert.equal(signal, 'SIGKILL', `ended with ${code}: ${told}`);
}

/** Files below a folder that hold one of the planted secrets in the clear. */
async function leaksIn(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const name of glob('**/*', { cwd: folder })) {
    if (tells(await readFile(join(folder, name)).catch(() => Buffer.alloc(0)))) found.push(name);
  }
  return found;
}

async function leaksInStore(address: string): Promise<string[]> {
  await using store = openStore(address);
  const found: string[] = [];
  for await (const { name } of store.list('')) if (tells(await store.get(name))) found.push(name);
  return found;
}

function tells(bytes: Buffer | string): boolean {
  return SECRETS.some((secret) => bytes.includes(secret));
}

async function provesItself(source: Source, origin: string, snapshotId: string, key: { publicKey: string; privateKey: string }): Promise<void> {
  const orders = source.client.db('shop').collection('orders');
  await orders.updateMany({}, { $set: { text: 'damaged' } });
  const body = { deliveryType: 'automated', snapshotId, targetGroupId: PROJECT.id, targetClusterName: CLUSTER.name };
  const asked = await call(origin, 'POST', `${BACKUP}/restoreJobs`, body, key);
  assert.equal(asked.status, 200, JSON.stringify(asked.body));
  const job = await until(() => call(origin, 'GET', `${BACKUP}/restoreJobs/${String(asked.body.id)}`, undefined, key), (body) => (body.failed === true || body.finishedAt !== undefined ? body : null));
  assert.notEqual(job.failed, true, JSON.stringify(job));
  assert.equal(await orders.countDocuments({ text: 'damaged' }), 0);
  assert.equal(await orders.countDocuments({}), 300);
}

for (const place of PLACES) describe(`leafvault rescue from a ${place === 'bucket' ? `bucket (${KIND})` : place}`, () => {
  test('brings back snapshots, keys and clusters with their ids from store and recovery key, to a proven restore; then from the snapshots alone', async () => {
    await using source = await startSource(300);
    await using folder = await leafvaultFolder();
    await using s3 = place === 'bucket' ? await startS3(KIND) : null;
    const lost = await loseEverything(source, folder, (await s3?.newStore('mongo/prod')) ?? `file:${join(folder.path, 'store')}`);
    const { before, after } = lost.snapshots;
    const home = join(folder.path, 'second/home');
    await mkdir(join(folder.path, 'second'));
    const where = ['--store', lost.store, '--home', home, '--log-level', 'debug'];

    const dry = await rescue([...where, '--dry-run'], lost.recoveryKey);
    assert.match(dry.stdout, /clusters\s+1[^]*The store holds 2 snapshots[^]*Nothing was changed/);
    await assert.rejects(stat(home), 'a dry run makes no home');
    await killedRescue(folder, where, lost.recoveryKey);
    assert.deepEqual([await leaksIn(home), await leaksInStore(lost.store)], [[], []], 'nothing of what it had in hand lies anywhere in the clear');
    const unfinished = await run(LAUNCHER, ['jobs', ...where.slice(2)]).then(() => '', (error: { readonly stderr: string }) => error.stderr);
    assert.match(unfinished, /a rescue of it was begun and has not ended\nHINT: .*run the same `leafvault rescue` again/);
    const { stdout, stderr } = await rescue(where, lost.recoveryKey);
    assert.match(stdout, /Rescued from the dump [^]*API keys\s+1\n[^]*snapshots\s+2\n[^]*1 snapshots are newer than the dump[^]*1 snapshots have another expiry since/);
    assert.ok(!tells(stdout + stderr) && !(stdout + stderr).includes(lost.recoveryKey), 'it prints no secret');
    assert.equal((await stat(join(home, 'master.key'))).mode & 0o777, 0o600);
    const refused = await rescue(where, lost.recoveryKey).then(() => null, (error: { readonly code: number; readonly stderr: string }) => error);
    assert.equal(refused?.code, 5);
    assert.match(refused?.stderr ?? '', /it holds .*1 clusters/);

    // No settings file: everything that it works with came out of the dump.
    const leafvault = await startLeafvault({ folder, port: await freePort(), name: 'rescued', args: ['--home', home, '--repository-store', lost.store] });
    const listed = await call(leafvault.origin, 'GET', `${BACKUP}/snapshots`);
    assert.deepEqual((listed.body.results as { id: string }[]).map(({ id }) => id), [after, before]);
    const [newer, older] = listed.body.results as { expiresAt: string; createdAt: string; description: string }[];
    const days = ({ expiresAt, createdAt }: { expiresAt: string; createdAt: string }): number => Math.round((Date.parse(expiresAt) - Date.parse(createdAt)) / 86_400_000);
    assert.deepEqual([days(newer!), days(older!), newer!.description], [1, 30, 'test']);
    const { body: schedule } = await call(leafvault.origin, 'GET', `${BACKUP}/schedule`);
    assert.deepEqual([schedule.referenceHourOfDay, schedule.referenceMinuteOfHour, schedule.restoreWindowDays], [5, 17, 6], 'its schedule is back');
    assert.deepEqual([await heldFor(leafvault.origin, before, KEY), await heldFor(leafvault.origin, after, KEY)], ['a lawsuit', null]);
    await provesItself(source, leafvault.origin, before, KEY);
    assert.equal((await takeSnapshot(leafvault.origin)).status, 'completed', 'and it takes snapshots as before');
    assert.equal(await leafvault.stop(), 0);
    assert.ok(!tells(await leafvault.log()), 'its log holds no secret');
    assert.match((await run(LAUNCHER, ['check', '--read-data', '--home', home, '--repository-store', lost.store])).stdout, /^3 snapshots, .*no problems found/);
    await fromSnapshotsAlone(source, folder, lost, home);
  });
});

async function fromSnapshotsAlone(source: Source, folder: LeafvaultFolder, { store, recoveryKey, snapshots: { before, after } }: Lost, oldHome: string): Promise<void> {
  await rm(oldHome, { recursive: true });
  await using objects = openStore(store);
  const dumps: string[] = [];
  for await (const { name } of objects.list('catalog/')) dumps.push(name);
  assert.notEqual(dumps.length, 0);
  for (const name of dumps) await objects.delete(name);
  const home = join(folder.path, 'third/home');
  await mkdir(join(folder.path, 'third'));
  const { stdout } = await rescue(['--store', store, '--home', home], recoveryKey);
  assert.match(stdout, /Rebuilt from the snapshots[^]*snapshots\s+3\n[^]*give the connection string of orders of project shop again/);
  const [, publicKey = ''] = /public key\s+(\S+)/.exec(stdout) ?? [];
  const [, privateKey = ''] = /private key\s+(\S+)/.exec(stdout) ?? [];
  const key = { publicKey, privateKey };
  const settings = { home, repository: { store: store }, organizations: [{ name: 'Example', projects: [{ ...PROJECT, clusters: [{ ...CLUSTER, uri: source.uri }] }] }] };
  const leafvault = await startLeafvault({ folder, port: await freePort(), name: 'rebuilt', settings });
  const listed = await call(leafvault.origin, 'GET', `${BACKUP}/snapshots`, undefined, key);
  const results = listed.body.results as { id: string; status: string; description: string; expiresAt: string }[];
  assert.deepEqual(results.filter(({ status }) => status === 'completed').map(({ id }) => id).slice(1), [after, before], JSON.stringify(results));
  assert.equal(results.find(({ id }) => id === before)?.description, 'test');
  assert.equal(await heldFor(leafvault.origin, before, key), 'a lawsuit', 'which a fact of the repository tells');
  await provesItself(source, leafvault.origin, before, key);
  assert.equal(await leafvault.stop(), 0);
}

