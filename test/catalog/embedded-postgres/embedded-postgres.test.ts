// The embedded server over its whole life: shared, adopted, killed, started again, refused.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, cp, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { isServerAlive, readPostmaster } from '../../../src/catalog/embedded-postgres/postmaster-file.ts';
import { removeSocketFolder } from '../../../src/catalog/embedded-postgres/server-process.ts';
import { openCatalog, type Catalog } from '../../../src/catalog/index.ts';
import { systemClock } from '../../../src/foundation/clock.ts';
import { newId } from '../../../src/foundation/ids.ts';
import { until } from '../../support/job-rows.ts';
import { silent, testSealer } from '../../support/postgres.ts';
import { mountSmallDisk } from '../../support/small-disk.ts';
import { ORDINARY, readableRepository, startCatalogChild, type CatalogChild } from '../../support/start-catalog-child.ts';

const isRoot = process.getuid?.() === 0;
const NEEDS_ROOT = isRoot ? false : 'only root can change users and mount file systems';

const opened: Catalog[] = [];
/** Closed after the test at the latest: one that a failed test left open would start its server again and again. */
const open = async (home: string): Promise<Catalog> => {
  const catalog = await openCatalog({ database: { home }, sealer: testSealer, log: silent, clock: systemClock });
  opened.push(catalog);
  return catalog;
};
const dataOf = (home: string): string => join(home, 'postgres', 'data');

describe('the embedded PostgreSQL', () => {
  let home: string;
  const children: CatalogChild[] = [];
  const child = (...args: Parameters<typeof startCatalogChild>): CatalogChild => {
    const started = startCatalogChild(...args);
    children.push(started);
    return started;
  };
  const serverPid = async (of = home): Promise<number> => (await readPostmaster(dataOf(of)))?.pid ?? 0;
  const alive = async (of = home): Promise<boolean> => isServerAlive(await serverPid(of));

  // Making a data folder takes a second: tests that need no fresh one share the first.
  let made: string;
  before(async () => { made = await mkdtemp(join(tmpdir(), 'leafvault-home-')); });
  after(() => rm(made, { recursive: true, force: true }));
  beforeEach(() => { home = made; });
  const freshHome = async (): Promise<void> => { home = await mkdtemp(join(tmpdir(), 'leafvault-home-')); };
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((catalog) => catalog.close()));
    await Promise.all(children.splice(0).map((one) => one.kill()));
    await endServer(home);
    if (home !== made) await rm(home, { recursive: true, force: true });
  });

  test('is made, used and stopped by its only user', async () => {
    const catalog = await open(home);
    assert.equal(await alive(), true);
    assert.match(catalog.serverVersion, /^18\./);
    await catalog.close();
    await catalog.close();
    assert.equal(await alive(), false);
    assert.deepEqual((await readdir(join(home, 'postgres'))).sort(), ['data', 'server.log']);
  });

  test('is shared by two processes and stopped by the last, whichever that is', async () => {
    const [one, two] = [child({ home }), child({ home })];
    const [first, second] = await Promise.all([one.next(), two.next()]);
    assert.equal(first['open'], true, JSON.stringify(first));
    assert.deepEqual(first['address'], second['address']);
    one.send('close');
    await one.exited();
    assert.equal(await alive(), true);
    two.send('insert');
    assert.ok((await two.next())['inserted']);
    two.send('close');
    await two.exited();
    assert.equal(await alive(), false);
  });

  test('stays for a process whose neighbour was killed, and goes with the last', async () => {
    const [one, two] = [child({ home }), child({ home })];
    await Promise.all([one.next(), two.next()]);
    await one.kill();
    two.send('insert');
    assert.ok((await two.next())['inserted']);
    two.send('close');
    await two.exited();
    assert.equal(await alive(), false);
  });

  test('is adopted when its parent was killed', async () => {
    const parent = child({ home });
    await parent.next();
    parent.send('insert');
    const { inserted } = await parent.next();
    const pid = await serverPid();
    await parent.kill();
    assert.equal(await alive(), true);
    const catalog = await open(home);
    assert.equal(await serverPid(), pid);
    assert.equal((await catalog.organizations.get(String(inserted)))?.id, inserted);
    await catalog.close();
    assert.equal(await alive(), false);
  });

  test('starts again after everything was killed, and holds what was committed', async () => {
    const parent = child({ home });
    await parent.next();
    parent.send('insert');
    const { inserted } = await parent.next();
    const sockets = (await readPostmaster(dataOf(home)))?.socketFolder ?? '';
    process.kill(await serverPid(), 'SIGKILL');
    await parent.kill();
    const catalog = await open(home);
    assert.equal((await catalog.organizations.get(String(inserted)))?.id, inserted);
    await assert.rejects(stat(sockets), { code: 'ENOENT' });
    await catalog.close();
  });

  test('comes back for a process whose server was killed', async () => {
    const catalog = await open(home);
    const first = await serverPid();
    process.kill(first, 'SIGKILL');
    // The killed one's backends may answer for a moment longer.
    await until('another server', async () => (await alive()) && (await serverPid()) !== first);
    await until('the catalog to answer again', () => catalog.ping().then(() => true, () => false));
    await catalog.close();
    assert.equal(await alive(), false);
  });

  test('starts although its record names a process that lives but is another', async () => {
    await (await open(home)).close();
    const stranger = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore', ...(isRoot ? { uid: 65534, gid: 65534, cwd: '/' } : {}) });
    await writeFile(join(dataOf(home), 'postmaster.pid'), [stranger.pid, '/proc/self/fd/3', 1, 5432, '/tmp/gone', '', '  1  2', 'ready   ', ''].join('\n'));
    try {
      const catalog = await open(home);
      await catalog.ping();
      await catalog.close();
    } finally {
      stranger.kill('SIGKILL');
    }
  });

  test('is whole after its first start was killed at any moment', async () => {
    await freshHome();
    for (const afterMs of [150, 350, 550, 750]) {
      const killed = child({ home });
      await new Promise((resolve) => { setTimeout(resolve, afterMs); });
      await killed.kill();
    }
    const catalog = await open(home);
    await catalog.ping();
    await until('left-overs to be gone', async () => (await readdir(join(home, 'postgres'))).every((name) => !name.startsWith('init-')));
    await catalog.close();
  });

  test('takes away what a killed first start left although its initdb still writes there', async () => {
    await freshHome();
    const dead = spawn(process.execPath, ['-e', ''], { stdio: 'ignore' });
    await once(dead, 'exit');
    const leftOver = join(home, 'postgres', `init-${dead.pid}-00000000`, 'global');
    await mkdir(leftOver, { recursive: true });
    const writer = spawn(process.execPath, ['-e', `
      const { writeFileSync, mkdirSync } = require('node:fs');
      const until = Date.now() + 700;
      for (let n = 0; Date.now() < until; n += 1) { mkdirSync(process.argv[1], { recursive: true }); writeFileSync(process.argv[1] + '/' + n, ''); }
    `, leftOver], { stdio: 'ignore' });
    const catalog = await open(home);
    await catalog.ping();
    if (writer.exitCode === null) await once(writer, 'exit');
    await catalog.close();
  });

  test('is made once by two processes that begin together', async () => {
    await freshHome();
    const both = [child({ home }), child({ home }), child({ home })];
    for (const one of both) assert.equal((await one.next())['open'], true);
    assert.deepEqual((await readdir(join(home, 'postgres'))).sort(), ['data', 'server.log']);
    for (const one of both) one.send('close');
    await Promise.all(both.map((one) => one.exited()));
    assert.equal(await alive(), false);
  });

  test('works in a home of 150 characters', async () => {
    await freshHome();
    const long = join(home, 'x'.repeat(150 - home.length - 1));
    assert.equal(long.length, 150);
    const catalog = await open(long);
    await catalog.ping();
    await catalog.close();
  });

  test('refuses a home whose server serves the home that it was copied from', async () => {
    const catalog = await open(home);
    const copy = `${home}-copy`;
    await cp(home, copy, { recursive: true });
    if (isRoot) spawnSync('chown', ['-R', '65534:65534', dataOf(copy)]);
    try {
      await assert.rejects(open(copy), { code: 'CATALOG_HOME_UNUSABLE' });
    } finally {
      await catalog.close();
      await rm(copy, { recursive: true, force: true });
    }
  });

  test('refuses a data folder of another major version by name', async () => {
    await freshHome();
    await mkdir(dataOf(home), { recursive: true });
    await writeFile(join(dataOf(home), 'PG_VERSION'), '16\n');
    if (isRoot) spawnSync('chown', ['-R', '65534:65534', dataOf(home)]);
    await assert.rejects(open(home), { code: 'CATALOG_DATA_VERSION', message: /PostgreSQL 16/ });
  });

  test('refuses a data folder of another user by name', { skip: NEEDS_ROOT }, async () => {
    await freshHome();
    await mkdir(dataOf(home), { recursive: true, mode: 0o700 });
    await chown(dataOf(home), 1234, 1234);
    await assert.rejects(open(home), { code: 'CATALOG_HOME_FOREIGN', message: /uid 1234/ });
  });

  test('tells an ordinary user that the home is another user\'s', { skip: NEEDS_ROOT }, async () => {
    const { root, remove } = await readableRepository();
    await (await open(home)).close();
    await chmod(home, 0o755);
    const refused = await child({ home }, { account: ORDINARY, root }).next();
    assert.equal(refused['error'], 'CATALOG_HOME_FOREIGN', JSON.stringify(refused));
    assert.ok(refused['hint']);
    await remove();
  });

  test('tells of a home that can\'t be made', async () => {
    await freshHome();
    await writeFile(join(home, 'file'), '');
    await assert.rejects(open(join(home, 'file', 'below')), { code: 'CATALOG_HOME_UNUSABLE' });
  });

  test('tells of a full disk at its first start and at a later one', { skip: NEEDS_ROOT }, async (t) => {
    await freshHome();
    const disk = mountSmallDisk(t, home, '24m');
    if (disk === null) return;
    try {
      await assert.rejects(open(home), { code: 'CATALOG_DISK_FULL' });
      assert.ok(!(await readdir(join(home, 'postgres'))).includes('data'));
      disk.resize('128m');
      await (await open(home)).close();
      disk.fill();
      await assert.rejects(open(home), { code: 'CATALOG_DISK_FULL' });
      await disk.free();
      await (await open(home)).close();
    } finally {
      disk.unmount();
    }
  });

  test('runs below a folder that only root may enter', { skip: NEEDS_ROOT }, async () => {
    await freshHome();
    await chmod(home, 0o700);
    const closed = join(home, 'closed');
    await mkdir(closed, { mode: 0o700 });
    const catalog = await open(closed);
    const pid = await serverPid(closed);
    await catalog.organizations.insert({ id: newId(), name: 'x' });
    assert.match(await readFile(`/proc/${pid}/status`, 'utf8'), /^Uid:\s+65534\s/m);
    await catalog.close();
    const again = await open(closed);
    assert.equal((await again.organizations.byName('x'))?.name, 'x');
    await again.close();
    await endServer(closed);
  });

  describe('as an ordinary user', { skip: NEEDS_ROOT }, () => {
    let repository: Awaited<ReturnType<typeof readableRepository>>;
    before(async () => { repository = await readableRepository(); });
    after(() => repository.remove());

    test('is made, adopted after a kill, and stopped; root is refused', async () => {
      await freshHome();
      await chown(home, ORDINARY.uid, ORDINARY.gid);
      const one = child({ home }, { account: ORDINARY, root: repository.root });
      const said = await one.next();
      assert.equal(said['open'], true, JSON.stringify(said));
      assert.equal(said['uid'], ORDINARY.uid);
      assert.equal((await stat(dataOf(home))).uid, ORDINARY.uid);
      const pid = await serverPid();
      await one.kill();
      assert.equal(await alive(), true);
      const two = child({ home }, { account: ORDINARY, root: repository.root });
      assert.equal((await two.next())['open'], true);
      assert.equal(await serverPid(), pid);
      two.send('close');
      await two.exited();
      assert.equal(await alive(), false);
      await assert.rejects(open(home), { code: 'CATALOG_HOME_FOREIGN', hint: /user/ });
    });
  });
});

/** Whatever a test that failed half way left running, and where it listened. */
async function endServer(home: string): Promise<void> {
  const postmaster = await readPostmaster(dataOf(home)).catch(() => null);
  if (postmaster === null) return;
  if (await isServerAlive(postmaster.pid)) process.kill(postmaster.pid, 'SIGQUIT');
  await until('the server to end', async () => !(await isServerAlive(postmaster.pid)));
  await removeSocketFolder(postmaster.socketFolder);
}
