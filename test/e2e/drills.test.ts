// Restore drills as a new user meets them (docs/guides/drills.md): settings, commands, our own API, metrics; and SIGKILL in the middle of one.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { runCli } from '../../src/cli/index.ts';
import { isProcessAlive } from '../../src/foundation/process-alive.ts';
import { holdCommands, HOLDABLE } from '../support/hold-commands.ts';
import { call, CLUSTER, PROJECT, settingsFor, startSource, takeSnapshot, until, type Reply, type Source } from '../support/installation.ts';
import { until as poll } from '../support/job-rows.ts';
import { leafvaultFolder, startLeafvault, type LeafvaultFolder, type LeafvaultProcess } from '../support/leafvault.ts';
import { freePort, resolveMongod } from '../support/mongod.ts';

const CARTS = { name: 'carts', id: '5f0000000000000000000005' };
const of = (clusterId: string): string => `/api/leafvault/v1/groups/${PROJECT.id}/clusters/${clusterId}`;

describe('restore drills of an installation', { timeout: 900_000 }, () => {
  let source: Source;
  let folder: LeafvaultFolder;
  let leafvault: LeafvaultProcess;
  let port: number;
  let binary: string;
  let starts = 0;

  const start = async (): Promise<void> => {
    const settings = settingsFor(source.uri, { drills: { at: '03:00', mongod: binary } }) as { organizations: [{ projects: [{ clusters: object[] }] }] } & Record<string, unknown>;
    // The same servers under another name.
    settings.organizations[0].projects[0].clusters.push({ ...CARTS, uri: source.uri, drills: { everyHours: 0 } });
    leafvault = await startLeafvault({ folder, port, settings, name: `start${(starts += 1)}` });
  };
  const run = async (...args: readonly string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }> => {
    let out = '';
    let err = '';
    const code = await runCli({
      argv: [...args, '--config', join(folder.path, 'leafvault.yaml'), '--log-level', 'silent'], env: {}, cwd: folder.path, readFile: (path) => readFileSync(path, 'utf8'),
      out: (text) => { out += text; }, err: (text) => { err += text; }, stop: new AbortController().signal,
    });
    return { code, out, err };
  };
  const askFor = async (where: string, clusterId = CLUSTER.id): Promise<string> => {
    const asked = await call(leafvault.origin, 'POST', `${of(clusterId)}/drills`, { where });
    assert.equal(asked.status, 200, JSON.stringify(asked.body));
    return String(asked.body.id);
  };
  const endOf = (id: string, clusterId = CLUSTER.id): Promise<Reply['body']> => until(() => call(leafvault.origin, 'GET', `${of(clusterId)}/drills/${id}`), (body) => (['completed', 'failed', 'cancelled'].includes(String(body.state)) ? body : null));
  const scratchNow = async (): Promise<string[]> => ((await source.mongo.admin({ listDatabases: 1, nameOnly: true })).databases as { name: string }[]).map(({ name }) => name).filter((name) => name.startsWith('__lvd_'));
  /** Process ids that servers of drills have written down. */
  const throwaways = (): readonly { readonly pid: number; readonly file: string }[] =>
    globSync(join(folder.path, 'home/tmp/jobs/*/*/mongod/throwaway.pid')).map((file) => ({ file, pid: Number(readFileSync(file, 'utf8')) })).filter(({ pid }) => pid > 1);

  before(async () => {
    [source, folder, port, { path: binary }] = await Promise.all([startSource(10_000, { parameters: HOLDABLE }), leafvaultFolder(), freePort(), resolveMongod()]);
    await start();
    await Promise.all([takeSnapshot(leafvault.origin), takeSnapshot(leafvault.origin, CARTS.name)]);
  });
  after(async () => {
    await leafvault?.kill();
    await source?.[Symbol.asyncDispose]();
    await folder?.remove();
  });

  test('are asked for on the command line, and tell last proven and the expected recovery time there, in our own API and in the metrics', async () => {
    const first = await run('drills', '--cluster', 'orders');
    assert.match(first.out, /^orders: never proven; expected recovery time not known; next drill \d{4}-\d\d-\d\dT03:00:00Z\n$/);
    const { code, out, err } = await run('drill', 'orders');
    assert.equal(code, 0, err);
    assert.match(out, /^Snapshot [0-9a-f]{24} is proven \(mongod\): 10,000 documents, .* 1 indexes; start .*, load .*, prove .*, swap .*, drop .*\nlast proven .*; expected recovery [\d.]+ m?s for .* \(from 1 drill\); next drill .*T03:00:00Z\n$/);
    for (const phase of ['start', 'load', 'prove', 'swap', 'drop']) assert.ok(err.split('\n').includes(`${phase} …`), `${phase} is told, however soon it went by: ${err}`);
    const [listed, { body }, metrics] = await Promise.all([run('drills', '--cluster', 'orders'), call(leafvault.origin, 'GET', `${of(CLUSTER.id)}/recovery`), fetch(`${leafvault.origin}/metrics`).then((answer) => answer.text())]);
    assert.match(listed.out, /^orders: last proven .*\nID .*\n[0-9a-f]{24} +proven +mongod /);
    const expected = body.expectedRecovery as { readonly seconds: number; readonly unmeasured: readonly string[] };
    assert.ok(expected.seconds > 0);
    assert.deepEqual(expected.unmeasured, []);
    assert.ok(Date.parse(String(body.lastProvenAt)) > 0);
    assert.match(metrics, new RegExp(`^leafvault_expected_recovery_seconds\\{.*cluster="orders".*\\} ${expected.seconds}$`, 'm'));
    assert.match(metrics, /^leafvault_drill_failed\{.*\} 0$/m);
    assert.match(metrics, /^leafvault_drill_last_proven_timestamp_seconds\{/m);
    const wrong = await run('drill', 'baskets');
    assert.deepEqual([wrong.code, /CLI_CLUSTER_UNKNOWN|no cluster of that name/.test(wrong.err)], [2, true]);
  });

  test('killed with SIGKILL, on a mongod of its own and in scratch, leaves nothing and is done again with the next start', async () => {
    const onServer = await askFor('mongod', CARTS.id);
    const inScratch = await askFor('scratch');
    const [server] = await poll('the server to run', async () => throwaways().length > 0 && throwaways());
    // Stands still, so that it is there when the service is killed.
    process.kill(server?.pid ?? 0, 'SIGSTOP');
    assert.deepEqual(await scratchNow(), [], 'the other drill waits: there is one at a time');
    await leafvault.kill();
    await poll('process and files to go', async () => !isProcessAlive(server?.pid ?? 0) && throwaways().length === 0);
    // What is loaded there is left without indexes until the service is killed.
    const release = await holdCommands(source.mongo, ['createIndexes']);
    await start();
    await poll('scratch to be there', async () => (await scratchNow()).length > 0);
    await leafvault.kill();
    await release();
    assert.equal((await scratchNow()).length, 1);
    await start();
    assert.equal((await endOf(inScratch)).state, 'completed', await leafvault.log());
    assert.equal((await endOf(onServer, CARTS.id)).state, 'completed', await leafvault.log());
    assert.deepEqual(await scratchNow(), []);
    assert.equal(await source.client.db('__leafvault').collection('plans').countDocuments(), 0);
    await poll('the second server to go', async () => throwaways().length === 0);
  });
});
