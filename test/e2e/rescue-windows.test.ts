// The machine is gone while the oplog was followed: the rescued installation goes on with the same chain, and instants from before are restored.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import type { Timestamp } from 'mongodb';
import { BACKUP, call, CLUSTER, PROJECT, settingsFor, startSource, until } from '../support/installation.ts';
import { leafvaultFolder, startLeafvault } from '../support/leafvault.ts';
import { freePort } from '../support/mongod.ts';

const LAUNCHER = join(import.meta.dirname, '../../bin/leafvault');

test('windows come back: the chain goes on where it was, and an instant from before the fire is restored', async () => {
  await using source = await startSource(500);
  await using folder = await leafvaultFolder();
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const store = `file:${join(folder.path, 'store')}`;
  const settings = settingsFor(source.uri, { repository: { store } }, { continuousBackup: true });
  const orders = source.client.db('shop').collection('orders');
  const windows = (): Promise<{ readonly chainIds: readonly string[]; readonly to: number }> => until(
    () => call(origin, 'GET', `/api/leafvault/v1/groups/${PROJECT.id}/clusters/${CLUSTER.id}/continuous`),
    (body) => {
      const found = body.windows as { chainId: string; to: { oplogTs: number } }[];
      return body.state === 'running' && found.length > 0 ? { chainIds: found.map(({ chainId }) => chainId), to: found.at(-1)!.to.oplogTs } : null;
    });

  const first = await startLeafvault({ folder, port, name: 'first', settings });
  await windows();
  await promisify(execFile)(LAUNCHER, ['dump-catalog', '--config', join(folder.path, 'leafvault.yaml')]);
  const { operationTime } = await source.client.db('shop').command({ insert: 'orders', documents: [{ _id: 'before the fire' }], writeConcern: { w: 'majority' } });
  const { t: oplogTs, i: oplogInc } = operationTime as Timestamp;
  await orders.deleteMany({});
  // The slice that holds it is put with the stop, behind the dump.
  const was = await windows();
  assert.equal(await first.stop(), 0);
  await rename(join(folder.path, 'home/master.key'), join(folder.path, 'paper'));
  await rm(join(folder.path, 'home'), { recursive: true });
  await rm(join(folder.path, 'leafvault.yaml'));

  const home = join(folder.path, 'again');
  const { stdout } = await promisify(execFile)(LAUNCHER, ['rescue', '--store', store, '--key', join(folder.path, 'paper'), '--home', home]);
  assert.match(stdout, /chains of oplog\s+1\n/);
  const second = await startLeafvault({ folder, port, name: 'second', args: ['--home', home, '--repository-store', store] });
  await orders.insertOne({ text: 'written after the rescue' });
  assert.deepEqual((await windows()).chainIds, was.chainIds, 'the same chain, and no other');
  const asked = await call(origin, 'POST', `${BACKUP}/restoreJobs`, { deliveryType: 'pointInTime', targetGroupId: PROJECT.id, targetClusterName: CLUSTER.name, oplogTs, oplogInc });
  assert.equal(asked.status, 200, JSON.stringify(asked.body));
  const done = await until(() => call(origin, 'GET', `${BACKUP}/restoreJobs/${String(asked.body.id)}`), (job) => (job.finishedAt !== undefined || job.failed === true ? job : null));
  assert.equal(done.failed, false, await second.log());
  assert.equal(await orders.countDocuments(), 501);
  assert.equal(await second.stop(), 0);
});
