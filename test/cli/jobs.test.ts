// `leafvault jobs` on a catalog of its own: the embedded server of a home, with a service on it and without one.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { openCatalog, type Catalog } from '../../src/catalog/index.ts';
import { loadMasterKey } from '../../src/composition/master-key.ts';
import { checkKey, type CheckState } from '../../src/domain/check-state.ts';
import { COPY_STATES, type CopyState } from '../../src/domain/copy-state.ts';
import { pruneKey, type PruneState } from '../../src/domain/prune-state.ts';
import { systemClock } from '../../src/foundation/clock.ts';
import { openPostgresQueue, type PostgresQueue } from '../../src/jobs/index.ts';
import { insertCompleted, makeInventory, type Inventory } from '../support/catalog-rows.ts';
import { askForRestore, askForSnapshot, type Asked } from '../support/job-rows.ts';
import { silent } from '../support/postgres.ts';
import { runCommand, type CommandRun } from '../support/run-command.ts';

describe('leafvault jobs', () => {
  let home: string;
  let catalog: Catalog;
  let queue: PostgresQueue;
  let inventory: Inventory;
  let failed: Asked;
  let restored: Asked;

  const run = (...argv: readonly string[]): Promise<CommandRun> => runAs('jobs', ...argv);
  const runAs = (command: string, ...argv: readonly string[]): Promise<CommandRun> => runCommand(home, command, ...argv);
  /** Ends a job as its worker would. */
  const end = async (outcome: Parameters<Catalog['leases']['finish']>[1], documentsDone: number): Promise<void> => {
    const job = await catalog.leases.claimNext({ workerId: 'w', leaseSeconds: 60, kinds: ['snapshot', 'restore'] });
    assert.ok(job);
    const progress = { documentsDone, documentsTotal: 12_000, bytesDone: 3_000_000, bytesTotal: 12_000_000, namespace: null, bytesPerSecond: null, etaSeconds: null };
    await catalog.leases.saveProgress(job.claim, { ...progress, phase: 'scan' });
    await catalog.fenced(job.claim, (tx) => tx.leases.finish(job.claim, outcome));
  };

  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'leafvault-jobs-'));
    const key = await loadMasterKey(join(home, 'master.key'));
    catalog = await openCatalog({ database: { home }, masterKey: key, log: silent, clock: systemClock });
    queue = await openPostgresQueue({ catalog, log: silent });
  });
  after(async () => {
    await queue?.close();
    await catalog?.close();
    await rm(home, { recursive: true, force: true });
  });

  test('says that there are none', async () => {
    const { code, out } = await run();
    assert.equal(code, 0);
    assert.match(out, /^There are no jobs yet\./);
    assert.equal((await run('--failed')).out, 'No job has failed.\n');
    assert.equal((await run('--json')).out, '[]\n');
  });

  test('lists the newest first, beside an open catalog: why one failed, what a restore kept and warned of', async () => {
    inventory = await makeInventory(catalog);
    const taken = await insertCompleted(catalog, inventory);
    failed = await askForSnapshot(catalog, queue, inventory);
    await end({ code: 'SOURCE_UNREACHABLE', message: 'Connecting to db1:27017 failed: \u001b[31mECONNREFUSED\nagain', hint: 'Check that the hosts are right' }, 3_000);
    restored = await askForRestore(catalog, queue, inventory, taken.snapshotId);
    await catalog.restores.saveProof(restored.restoreId ?? '', { provenAt: new Date(), collections: 1, documents: 12_000, bytes: 3_000_000 }, {
      collections: [{ from: 'shop.orders', to: 'shop.orders', failedIndexes: [{ name: 'by text', reason: 'too many' }] }], movedAside: ['shop.orders_old'], warnings: ['shop.c expires soon'],
    });
    await end('completed', 12_000);
    const { code, out } = await run();
    assert.equal(code, 0, out);
    const [titles, ...lines] = out.trimEnd().split('\n');
    assert.match(titles ?? '', /^ID +KIND +CLUSTER +STATE +WHEN +PROGRESS$/);
    const name = inventory.cluster.name;
    assert.match(lines[0] ?? '', new RegExp(`^${restored.job.id} +restore +${name} +completed +\\d{4}-\\d\\d-\\d\\dT[0-9:]+Z, \\d+ s +12,000 documents, 3 MB$`));
    assert.deepEqual(lines.slice(1, 4), ['  kept: shop.orders_old', '  WARNING: shop.c expires soon', '  WARNING: index "by text" of shop.orders was not built: too many']);
    assert.match(lines[4] ?? '', new RegExp(`^${failed.job.id} +snapshot +${name} +failed +.*scan: 25 %, 3,000 documents, 3 MB$`));
    assert.deepEqual(lines.slice(5, 7), ['  SOURCE_UNREACHABLE: Connecting to db1:27017 failed: \uFFFD[31mECONNREFUSED again', '  HINT: Check that the hosts are right']);
    assert.match(lines[7] ?? '', / completed /);
    assert.equal(lines.length, 8);
  });

  test('narrows to failed ones, to a cluster, to a number', async () => {
    const ids = async (...argv: readonly string[]): Promise<string[]> => (JSON.parse((await run('--json', ...argv)).out) as { readonly id: string }[]).map(({ id }) => id);
    assert.deepEqual((await ids()).slice(0, 2), [restored.job.id, failed.job.id]);
    assert.equal((await ids()).length, 3);
    assert.deepEqual(await ids('--failed'), [failed.job.id]);
    assert.deepEqual(await ids('--limit', '1'), [restored.job.id]);
    assert.deepEqual(await ids('--cluster', inventory.cluster.name, '--failed'), [failed.job.id]);
    const unknown = await run('--cluster', 'nobody');
    assert.equal(unknown.code, 2);
    assert.match(unknown.err, /no cluster of that name/);
    for (const limit of ['0', '-1', 'x', '1001']) assert.equal((await run('--limit', limit)).code, 2, limit);
  });

  test('tells what a restore warns of while it runs', async () => {
    const { job } = await askForRestore(catalog, queue, inventory);
    const { claim } = (await catalog.leases.claimNext({ workerId: 'w', leaseSeconds: 60, kinds: ['restore'] }))!;
    await catalog.fenced(claim, (tx) => tx.jobs.setWarnings(job.id, ['a transaction changed shop.a, and\nshop.b']));
    const [, line, warning] = (await run('--limit', '1')).out.split('\n');
    assert.match(line ?? '', new RegExp(`^${job.id} +restore .* running `));
    assert.equal(warning, '  WARNING: a transaction changed shop.a, and shop.b');
    await catalog.fenced(claim, (tx) => tx.leases.finish(claim, 'cancelled'));
  });

  test('pause lets a job rest that no worker takes then, resume lets it go on', async () => {
    const { job } = await askForSnapshot(catalog, queue, inventory);
    const claimAny = () => catalog.leases.claimNext({ workerId: 'w', leaseSeconds: 60, kinds: ['snapshot'] });
    const rests = await run('pause', job.id);
    assert.deepEqual([rests.code, rests.out], [0, `The job ${job.id} rests until \`leafvault jobs resume ${job.id}\`\n`], rests.err);
    assert.match((await run('--limit', '1')).out, new RegExp(`${job.id} +snapshot .* paused `));
    assert.equal(await claimAny(), null);
    assert.equal((JSON.parse((await run('resume', job.id, '--json')).out) as Record<string, unknown>)['pausedAt'], null);
    const { claim } = (await claimAny())!;
    assert.match((await run('pause', job.id)).out, /is asked to rest; its worker sees that within moments/);
    await catalog.fenced(claim, (tx) => tx.leases.finish(claim, 'cancelled'));
    for (const [change, words] of [['pause', /already cancelled/], ['resume', /already cancelled/]] as const) {
      const late = await run(change, job.id);
      assert.deepEqual([late.code, words.test(late.err)], [1, true], late.err);
    }
    assert.equal((await run('resume', '0'.repeat(24))).code, 1);
  });

  test('cancel ends a job that has not begun, tells the worker of one that has, and says where it is too late', async () => {
    const waiting = await askForSnapshot(catalog, queue, inventory);
    const cancelled = await run('cancel', waiting.job.id);
    assert.deepEqual([cancelled.code, /was cancelled before it began/.test(cancelled.out)], [0, true], cancelled.err);
    assert.equal((await catalog.jobs.get(waiting.job.id))?.state, 'cancelled');
    const over = await run('cancel', waiting.job.id);
    assert.deepEqual([over.code, /already cancelled/.test(over.err)], [1, true]);
    const begun = await askForSnapshot(catalog, queue, inventory);
    const { claim } = (await catalog.leases.claimNext({ workerId: 'w', leaseSeconds: 60, kinds: ['snapshot'] }))!;
    const asked = JSON.parse((await run('cancel', begun.job.id, '--json')).out) as Record<string, unknown>;
    assert.deepEqual([asked['state'], typeof asked['cancelRequestedAt']], ['running', 'string']);
    await catalog.fenced(claim, (tx) => tx.leases.finish(claim, 'cancelled'));
    const unknown = await run('cancel', '0'.repeat(24));
    assert.deepEqual([unknown.code, /no such job/.test(unknown.err)], [1, true]);
    assert.equal((await run('cancel')).code, 2);
  });

  test('and each change is an event of its project, what was refused is none', async () => {
    const { job } = await askForSnapshot(catalog, queue, inventory);
    for (const change of ['pause', 'resume', 'resume', 'cancel', 'cancel']) await run(change, job.id);
    const { items } = await catalog.auditEvents.list({ projectId: inventory.project.id, toldOnly: true }, { pageNumber: 1, itemsPerPage: 100 });
    const told = items.filter(({ object }) => object === job.id).map(({ action, principalName, address }) => [action, principalName, address]);
    assert.deepEqual(told.reverse(), ['pause', 'resume', 'cancel'].map((change) => [`jobs ${change}`, 'command line', 'local']));
  });

  test('and `leafvault status` tells what the workers do with the repository by themselves', async () => {
    const status = async (...argv: readonly string[]): Promise<CommandRun> => runAs('status', ...argv);
    assert.match((await status()).out, /^checks: none was planned yet.*\nprunes: no worker has pruned yet/);
    const at = new Date().toISOString();
    const { snapshotId } = await insertCompleted(catalog, inventory);
    await catalog.settings.set('repositoryId', 'r');
    await catalog.settings.set(checkKey('r'), {
      nextPart: 2, dueAt: at, failure: null, running: { token: 't', since: at, beatAt: at, progress: { phase: 'check packs', done: 2, total: 9, bytesDone: 1_000_000, bytesTotal: null } },
      last: { startedAt: at, endedAt: at, part: 1, of: 30, bytesRead: 1, problems: 1, quarantinedCopies: 0, objects: ['packs/ab/c'], damaged: [{ snapshotId, namespaces: ['shop.orders'] }] },
    } satisfies CheckState);
    await catalog.settings.set(COPY_STATES, [{ address: 'file:/copy', number: 1, startedAt: at, succeededAt: at, problems: 0 }] satisfies CopyState[]);
    await catalog.settings.set(pruneKey('r'), {
      running: { since: at, beatAt: at, phase: 'mark', done: 2, total: 9 }, failure: { at, cause: 'a root is damaged' },
      last: { endedAt: at, snapshots: 2, bytes: 9_000_000, freedBytes: 3_000_000, waitingBytes: 1_000_000, inTheWay: [{ kind: 'reader', createdAt: at, owner: 'db7' }], damagedPacks: ['f'.repeat(24)], stuck: 2, postponedPacks: 0 },
    } satisfies PruneState);
    const { code, out } = await status();
    assert.equal(code, 3, out);
    assert.match(out, /prunes: the last one ended .*, 2.9 MiB of 8.6 MiB went, 976.6 KiB wait\n {2}it waits for a reader since .*: db7\n {2}left alone, .*: pack f{24}\n {2}2 objects .* not let go by the store\n {2}one is at work since .*: mark, 2 of 9\n {2}the newest did not come to its end \(.*\): a root is damaged\n/);
    assert.match(out, /part 1 of 30, .*: 1 PROBLEMS\n {2}damaged: packs\/ab\/c\n {2}can't be read whole: snapshot [0-9a-f]{24} of orders-.* \(shop\.orders\)\n {2}one is at work since .*: check packs, 2 of 9, /);
    assert.match(out, /second copy 1 \(file:\/copy\): up to date /);
    const { check, copies } = JSON.parse((await status('--json')).out) as { readonly check: { readonly damaged: readonly { readonly snapshotId: string }[] }; readonly copies: readonly { readonly running: unknown }[] };
    assert.deepEqual([check.damaged[0]?.snapshotId, copies[0]?.running], [snapshotId, null]);
  });

  test('works where no service runs, and leaves none behind', async () => {
    await queue.close();
    await catalog.close();
    const { code, out } = await run('--failed');
    assert.equal(code, 0);
    assert.match(out, new RegExp(failed.job.id));
    assert.deepEqual((await run()).code, 0);
  });

  test('makes no installation where there is none', async () => {
    const nowhere = await mkdtemp(join(tmpdir(), 'leafvault-jobs-'));
    const { code, err } = await run('--home', join(nowhere, 'home'));
    assert.equal(code, 4);
    assert.match(err, /MASTER_KEY_UNREADABLE|no such file/);
    await assert.rejects(rm(join(nowhere, 'home')), { code: 'ENOENT' });
    await rm(nowhere, { recursive: true });
  });
});
