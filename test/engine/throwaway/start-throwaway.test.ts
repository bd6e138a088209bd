// Servers of drills: closed to others, and gone however the drill, or its process, ends.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { MongoClient } from 'mongodb';
import type { Catalog } from '../../../src/catalog/index.ts';
import { startThrowaway } from '../../../src/engine/index.ts';
import { isLeafvaultError } from '../../../src/foundation/errors.ts';
import { isProcessAlive } from '../../../src/foundation/process-alive.ts';
import { removeOldFolders } from '../../../src/jobs/left-overs.ts';
import { until } from '../../support/job-rows.ts';
import { resolveMongod } from '../../support/mongod.ts';

const ENGINE = join(import.meta.dirname, '../../../src/engine/index.ts');
const GUARD = join(import.meta.dirname, '../../../src/engine/throwaway/guard.ts');
const signal = new AbortController().signal;

describe('a throw-away mongod', () => {
  let root: string;
  let binary: string;
  let folders = 0;
  /** As a job's folder below that of its worker: `<worker>/<job>/mongod`. */
  const freshWorker = (): string => join(root, `worker-${hostname()}-${(folders += 1)}`);

  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'leafvault-throwaway-'));
    ({ path: binary } = await resolveMongod());
  });
  after(() => rm(root, { recursive: true, force: true }));

  test('takes its owner alone, listens on loopback, and is gone with its folder', async () => {
    const folder = join(freshWorker(), 'job', 'mongod');
    const server = await startThrowaway({ binary, folder, signal });
    const anonymous = new MongoClient(server.uri.replace(/\/\/.*@/, '//').replace('authSource=admin&', ''));
    const owner = new MongoClient(server.uri);
    try {
      await assert.rejects(anonymous.db('shop').collection('x').insertOne({}), /requires authentication/);
      await assert.rejects(anonymous.db('admin').command({ createUser: 'me', pwd: 'x', roles: ['root'] }), /requires authentication/);
      assert.equal((await owner.db('admin').command({ serverStatus: 1 })).pid.toString(), String(server.pid));
      assert.equal((await owner.db('admin').command({ getCmdLineOpts: 1 })).parsed.net.bindIp, '127.0.0.1');
      assert.equal((await stat(join(folder, 'data'))).mode & 0o77, 0);
      assert.doesNotMatch(await readFile(`/proc/${server.pid}/cmdline`, 'utf8').catch(() => ''), new RegExp(server.password));
    } finally {
      await Promise.all([anonymous.close(), owner.close()]);
      await server.stop();
      await server.stop();
    }
    assert.ok(!isProcessAlive(server.pid));
    assert.ok(!existsSync(folder));
  });

  test('ends with the next start of a worker where its guard was killed as well; another process with that id (this one) is left', async () => {
    const worker = freshWorker();
    const { pid, folder } = await startedAndKilled(`
      const { execFileSync } = await import('node:child_process');
      const guard = execFileSync('ps', ['-eo', 'pid=,args=']).toString().split('\\n').find((line) => line.includes('leafvault-guard ' + folder));
      process.kill(Number.parseInt(guard, 10), 'SIGKILL');`, worker);
    assert.ok(isProcessAlive(pid));
    const theirs = join(worker, 'job-2', 'mongod');
    await mkdir(theirs, { recursive: true });
    await writeFile(join(theirs, 'throwaway.pid'), String(process.pid));
    // Nobody is registered: all folders are of the dead.
    await removeOldFolders({ workers: { list: () => Promise.resolve([]) } } as unknown as Catalog, root, new Date());
    // Gone at once; whoever inherits dead processes collects it a moment later.
    await until('the server to be collected', async () => !isProcessAlive(pid));
    assert.ok(!existsSync(worker), folder);
  });

  test('says by name what keeps it from starting', async () => {
    const folder = join(freshWorker(), 'job', 'mongod');
    await assert.rejects(startThrowaway({ binary: join(root, 'none'), folder, signal }), (error) => isLeafvaultError(error, 'THROWAWAY_BINARY_UNUSABLE') && /drills\.mongod/.test(error.hint ?? ''));
    const other = join(root, 'no-mongod');
    await writeFile(other, '#!/bin/sh\necho "error while loading shared libraries" >&2\nexit 127\n');
    await chmod(other, 0o755);
    await assert.rejects(startThrowaway({ binary: other, folder, signal }), (error) => isLeafvaultError(error, 'THROWAWAY_START_FAILED') && /ended with 127.*shared libraries/.test(error.message));
    assert.ok(!existsSync(folder));
  });

  test('is not started where nothing could be put beside it that ends it with its worker: no descriptors are left', async () => {
    const folder = join(freshWorker(), 'job', 'mongod');
    const script = `const { openSync } = await import('node:fs');
      const { startGuard } = await import(${JSON.stringify(GUARD)});
      try { for (;;) openSync('/dev/null'); } catch {}
      const said = await startGuard(${JSON.stringify(folder)}).then(() => 'started', (error) => error.code + ' ' + error.cause?.code);
      process.stdout.write(said, () => process.exit());`;
    const child = spawn('/bin/sh', ['-c', 'ulimit -n 128; exec "$@"', 'sh', process.execPath, '--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    child.stdout.on('data', (text) => { said += String(text); });
    await once(child, 'close');
    assert.equal(said, 'THROWAWAY_UNGUARDED EMFILE');
  });

  async function startedAndKilled(more: string, worker = freshWorker()): Promise<{ readonly pid: number; readonly folder: string }> {
    const folder = join(worker, 'job-1', 'mongod');
    const script = `const folder = ${JSON.stringify(folder)};
      const { startThrowaway } = await import(${JSON.stringify(ENGINE)});
      const { pid } = await startThrowaway({ binary: ${JSON.stringify(binary)}, folder, signal: new AbortController().signal });
      ${more}
      process.stdout.write(String(pid), () => process.kill(process.pid, 'SIGKILL'));`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    let out = '';
    child.stdout.on('data', (text) => { out += String(text); });
    await once(child, 'close');
    const pid = Number(out);
    assert.ok(pid > 1, out);
    return { pid, folder };
  }
});
