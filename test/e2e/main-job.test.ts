import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Document } from 'mongodb';
import { call, BACKUP, CLUSTER, PASSWORD, PROJECT, restore, settingsFor, startSource, takeSnapshot, until } from '../support/installation.ts';
import { leafvaultFolder, startLeafvault } from '../support/leafvault.ts';
import { freePort } from '../support/mongod.ts';

test('a replica set is backed up, damaged, restored, downloaded with curl --digest, and the restore undone', async () => {
  await using source = await startSource(5_000);
  await using folder = await leafvaultFolder();
  const leafvault = await startLeafvault({ folder, port: await freePort(), settings: settingsFor(source.uri) });
  const shop = source.client.db('shop');
  const before = await shop.command({ dbHash: 1 });

  const snapshot = await takeSnapshot(leafvault.origin);
  assert.equal(snapshot.status, 'completed', await leafvault.log());
  await shop.collection('orders').updateMany({ _id: { $mod: [2, 0] } } as never, { $set: { text: 'damaged' } });
  await shop.collection('orders').dropIndex('by text');
  await shop.collection('strangers').insertOne({});
  const damaged = await shop.command({ dbHash: 1 });
  const job = await restore(leafvault.origin, String(snapshot.id));
  assert.equal(job.failed, false, await leafvault.log());
  assert.ok(job.finishedAt);

  const after = await shop.command({ dbHash: 1 });
  assert.deepEqual(live(after), before.collections);
  assert.deepEqual((await shop.collection('orders').listIndexes().toArray()).map(({ name }) => name), ['_id_', 'by text']);

  const download = await call(leafvault.origin, 'POST', `/api/atlas/v1.0/groups/${PROJECT.id}/clusters/${CLUSTER.name}/backup/tenant/download`, { snapshotId: snapshot.id, targetDeploymentItemName: CLUSTER.name });
  assert.equal(download.status, 200);
  const archive = await fetch(String(download.body.snapshotUrl));
  assert.equal(archive.status, 200);
  assert.equal(Buffer.from(await archive.arrayBuffer()).readUInt16BE(0), 0x1f8b);

  const own = `/api/leafvault/v1/groups/${PROJECT.id}/clusters/${CLUSTER.id}/restores/${String(job.id)}`;
  const undo = await call(leafvault.origin, 'POST', `${own}/undo`);
  assert.equal(undo.status, 200, JSON.stringify(undo.body));
  await until(() => call(leafvault.origin, 'GET', `${own.replace(/restores.*/, 'jobs')}/${String(undo.body.id)}`), ({ state }) => (state === 'completed' ? true : null));
  assert.deepEqual(live(await shop.command({ dbHash: 1 })), damaged.collections);

  const metrics = await (await fetch(`${leafvault.origin}/metrics`)).text();
  assert.match(metrics, /^leafvault_last_success_timestamp_seconds\{.*cluster="orders".*\} \d/m);
  assert.match(metrics, /^leafvault_last_proven_timestamp_seconds\{.*cluster="orders".*\} \d/m);
  assert.equal(await leafvault.stop(), 0);
  const log = await leafvault.log();
  for (const secret of [PASSWORD, encodeURIComponent(PASSWORD)]) assert.ok(!log.includes(secret), 'the log holds no password');
});

test('a wrong password of the source fails the snapshot in seconds, naming host and cause', async () => {
  await using source = await startSource(1);
  await using folder = await leafvaultFolder();
  const wrong = source.uri.replace(/:[^:@]*@/, ':the-wrong-secret@');
  const leafvault = await startLeafvault({ folder, port: await freePort(), settings: settingsFor(wrong) });
  await failsNaming(leafvault.origin, source.mongo.members[0]?.host ?? '', /credentials|authentication/i);
  assert.equal(await leafvault.stop(), 0);
  assert.doesNotMatch(await leafvault.log(), /the-wrong-secret/);
});

test('a source that does not answer fails the snapshot in seconds, naming host and cause', async () => {
  await using folder = await leafvaultFolder();
  const port = await freePort();
  const leafvault = await startLeafvault({ folder, port: await freePort(), settings: settingsFor(`mongodb://me:a-hidden-secret@127.0.0.1:${port}/?replicaSet=rs0`) });
  await failsNaming(leafvault.origin, `127.0.0.1:${port}`, /answer|reach|refused/i);
  assert.equal(await leafvault.stop(), 0);
  assert.doesNotMatch(await leafvault.log(), /a-hidden-secret/);
});

/** Without what is kept for an undo. */
function live({ collections }: Document): Record<string, unknown> {
  return Object.fromEntries(Object.entries(collections as Record<string, unknown>).filter(([name]) => !name.startsWith('__lv_')));
}

/** The cause is told at the one door that has a field for it: Commvault's jobs; the snapshot itself says `failed`. */
async function failsNaming(origin: string, host: string, cause: RegExp): Promise<void> {
  const began = performance.now();
  const snapshot = await takeSnapshot(origin);
  assert.equal(snapshot.status, 'failed');
  // 5 s of looking for a server; the rest is for a machine that is busy with other tests.
  assert.ok(performance.now() - began < 25_000, 'within seconds');
  const metrics = await (await fetch(`${origin}/metrics`)).text();
  assert.match(metrics, /leafvault_jobs\{kind="snapshot",state="failed"\} 1/);
  assert.equal((await call(origin, 'GET', `${BACKUP}/snapshots/${String(snapshot.id)}`)).body.status, 'failed');
  const reason = await reasonOfNewestJob(origin);
  assert.match(reason, new RegExp(host.replaceAll('.', '\\.')));
  assert.match(reason, cause);
  assert.doesNotMatch(reason, /secret/);
}

async function reasonOfNewestJob(origin: string): Promise<string> {
  const login = await fetch(`${origin}/commandcenter/api/Login`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ username: 'admin', password: Buffer.from('change-me-now').toString('base64') }) });
  const { token } = (await login.json()) as { readonly token: string };
  const jobs = await fetch(`${origin}/commandcenter/api/Job?jobCategory=All&completedJobLookupTime=600`, { headers: { authtoken: token } });
  const { jobs: [job] = [] } = (await jobs.json()) as { readonly jobs?: readonly { readonly jobSummary: { readonly pendingReason: string } }[] };
  return job?.jobSummary.pendingReason ?? '';
}
