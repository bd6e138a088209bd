// Continuous backup through the real process: declared, killed, stopped, restored into, switched off.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BACKUP, call, CLUSTER, PROJECT, restore, settingsFor, startSource, until } from '../support/installation.ts';
import { leafvaultFolder, startLeafvault, type LeafvaultProcess } from '../support/leafvault.ts';
import { freePort } from '../support/mongod.ts';

interface Told {
  readonly state: string;
  readonly recoveryPoint: { readonly oplogTs: number } | null;
  readonly lagSeconds: number | null;
  readonly oplogHeadroomHours: number | null;
  readonly windows: readonly { readonly chainId: string; readonly end: { readonly reason: string } | null }[];
}

test('a declared cluster is followed from its first base on, whatever happens to the process', async () => {
  await using source = await startSource(300);
  await using folder = await leafvaultFolder();
  const port = await freePort();
  const settings = (continuousBackup: boolean): unknown => {
    const plain = settingsFor(source.uri, {}, { continuousBackup });
    return plain;
  };
  const start = (name: string, on = true): Promise<LeafvaultProcess> => startLeafvault({ folder, port, name, settings: settings(on) });
  const { origin } = { origin: `http://127.0.0.1:${port}` };
  const continuous = (done: (told: Told) => boolean): Promise<Told> =>
    until(() => call(origin, 'GET', `/api/leafvault/v1/groups/${PROJECT.id}/clusters/${CLUSTER.id}/continuous`), (body) => (done(body as unknown as Told) ? (body as unknown as Told) : null));
  const write = async (): Promise<number> => {
    const { operationTime } = await source.client.db('shop').command({ insert: 'orders', documents: [{ text: 'late' }], writeConcern: { w: 'majority' } });
    return (operationTime as { readonly t: number }).t;
  };
  const bases = (count: number): Promise<string> => until(() => call(origin, 'GET', `${BACKUP}/snapshots`), (body) => {
    const done = (body.results as { readonly id: string; readonly status: string; readonly description?: string }[]).filter(({ status }) => status === 'completed');
    return done.length === count ? (done[0]?.id ?? null) : null;
  });

  const first = await start('first');
  const base = await bases(1);
  await first.kill();

  const second = await start('second');
  const began = performance.now();
  await continuous(({ state }) => state === 'running' || state === 'starting');
  assert.ok(performance.now() - began < 20_000, 'a dead process of this machine keeps no cluster until its lease ends');
  const late = await write();
  assert.equal(await second.stop(), 0, 'a clean stop puts the slice that was begun');

  const third = await start('third');
  const { windows } = await continuous(({ state, recoveryPoint }) => state === 'running' && recoveryPoint !== null && recoveryPoint.oplogTs >= late);
  assert.deepEqual(windows.map(({ end }) => end), [null]);
  const { lagSeconds, oplogHeadroomHours } = await continuous((told) => told.oplogHeadroomHours !== null && told.lagSeconds !== null);
  assert.ok(lagSeconds! >= 0 && lagSeconds! < 120 && oplogHeadroomHours! > 0, `${lagSeconds} s behind, ${oplogHeadroomHours} h of oplog`);
  const metrics = await (await fetch(`${origin}/metrics`)).text();
  for (const name of ['lag_seconds', 'headroom_seconds']) assert.match(metrics, new RegExp(`^leafvault_continuous_${name}\\{.*cluster="orders".*\\} [0-9]`, 'm'));
  assert.match(metrics, /^leafvault_continuous_state\{.*cluster="orders".*state="running"\} 1$/m);
  assert.match(metrics, /^leafvault_continuous_slices\{.*cluster="orders".*\} [1-9]/m);
  assert.equal((await restore(origin, base)).failed, false, await third.log());
  await continuous((told) => told.windows[0]?.end?.reason === 'RESTORED');
  await bases(2);
  assert.equal(await third.stop(), 0);

  const fourth = await start('fourth', false);
  const off = await continuous((told) => told.state === 'off' && told.windows.length === 2 && told.windows.every(({ end }) => end !== null));
  assert.deepEqual(off.windows.map(({ end }) => end?.reason), ['RESTORED', 'STOPPED']);
  assert.equal(await fourth.stop(), 0);
});
