// The export job on a real catalog and repository, with an engine that a test holds: the marker says that all is there, and nothing else does.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import type { Catalog } from '../../../src/catalog/index.ts';
import { bucketOpener } from '../../../src/composition/bucket-opener.ts';
import type { ExportTarget } from '../../../src/config/index.ts';
import type { ExportSnapshot } from '../../../src/engine/contracts.ts';
import type { OpenBucketOf, SnapshotExport } from '../../../src/domain/exports.ts';
import { sleep } from '../../../src/foundation/abort.ts';
import { systemClock } from '../../../src/foundation/clock.ts';
import { LeafvaultError } from '../../../src/foundation/errors.ts';
import { newId } from '../../../src/foundation/ids.ts';
import { createHandlers, Worker, type PostgresQueue } from '../../../src/jobs/index.ts';
import type { Repository } from '../../../src/repository/index.ts';
import { createMemoryStorage } from '../../../src/storage/index.ts';
import { makeInventory, type Inventory } from '../../support/catalog-rows.ts';
import { askForSnapshot, ended, until } from '../../support/job-rows.ts';
import { emptyCatalog, silent } from '../../support/postgres.ts';
import { startQueuedCatalog, type QueuedCatalog } from '../../support/queued-catalog.ts';
import { openTestRepository } from '../../support/repository-fixture.ts';
import { createSmallEngine, NO_DRILLS } from '../../support/small-engine.ts';

describe('an export job', () => {
  let opened: QueuedCatalog;
  let catalog: Catalog;
  let queue: PostgresQueue;
  let inventory: Inventory;
  let repository: Repository;
  let tempRoot: string;
  let objects: Map<string, string>;
  let hold: (signal: AbortSignal) => Promise<void>;
  let worker: Worker;

  /** Two collections, one file each; the second waits for `hold`. */
  const exportSnapshot: ExportSnapshot = async ({ sink, partName, signal, onCollection, onProgress }) => {
    await onCollection(0, 2);
    for (const [at, name] of ['a', 'b'].entries()) {
      if (at === 1) await hold(signal);
      onProgress({ phase: 'export', documentsDone: at + 1, documentsTotal: 2, bytesDone: 10, bytesTotal: 20, namespace: `shop.${name}` });
      await sink.put(`shop/${name}/${partName}.0.json.gz`, Buffer.from(name));
      await sink.put(`shop/${name}/metadata.json`, Buffer.from('{}'));
      await onCollection(at + 1, 2);
    }
    return { collections: 2, documents: 2, bytes: 20, files: 2 };
  };
  /** Places of the settings; null: the bucket of the test. */
  let targets: readonly ExportTarget[] | null = null;
  const openBucket: OpenBucketOf = (bucket) => (targets === null ? inTest(bucket) : bucketOpener(targets)(bucket));
  const inTest: OpenBucketOf = ({ bucketName }) => ({
    address: bucketName, region: null, isDeclared: false, has: async (key) => objects.has(key), close: () => Promise.resolve(),
    put: async (key, bytes) => {
      if (bucketName === 'denied') throw new LeafvaultError('STORAGE_DENIED', `Exporting ${key} failed: AccessDenied`);
      objects.set(key, Buffer.from(bytes).toString());
    },
  });

  before(async () => {
    opened = await startQueuedCatalog();
    ({ catalog, queue } = opened);
  });
  after(() => opened?.close());
  beforeEach(async () => {
    await emptyCatalog(catalog);
    tempRoot = await mkdtemp(join(tmpdir(), 'leafvault-export-job-'));
    inventory = await makeInventory(catalog);
    repository = await openTestRepository(createMemoryStorage());
    objects = new Map();
    targets = null;
    hold = () => Promise.resolve();
    worker = await startWorker();
  });
  afterEach(async () => {
    await worker.stop();
    await repository.close();
    await rm(tempRoot, { recursive: true, force: true });
  });

  async function startWorker(): Promise<Worker> {
    const handlers = createHandlers({ catalog, repositories: { forProject: () => Promise.resolve(repository) }, ...NO_DRILLS, ...createSmallEngine(), clock: systemClock, onPhase: undefined, exportSnapshot, openBucket });
    const made = new Worker({ catalog, queue, handlers, clock: systemClock, log: silent, tempRoot, leaseSeconds: 10, drainMs: 0 });
    await made.start();
    return made;
  }

  async function ask(bucketName = 'exports', existing?: string): Promise<SnapshotExport> {
    const { job, snapshotId } = await askForSnapshot(catalog, queue, inventory);
    assert.equal((await ended(catalog, job.id)).state, 'completed');
    const [id, jobId, bucketId] = [newId(), newId(), existing ?? newId()];
    const { project, cluster } = inventory;
    return catalog.transaction(async (tx) => {
      if (existing === undefined) await tx.exportBuckets.insert({ id: bucketId, projectId: project.id, bucketName, iamRoleId: 'x', isDeclared: null, region: null });
      await queue.enqueue(tx, { id: jobId, kind: 'export', payload: { exportId: id }, projectId: project.id, clusterId: cluster.id, snapshotId, restoreId: null, requestedBy: 'test' });
      return tx.exports.insert({ id, jobId, projectId: project.id, clusterId: cluster.id, clusterName: cluster.name, snapshotId, bucketId, prefix: `exported_snapshots/x/${id}/1`, labels: [{ key: 'by', value: 'me' }] });
    });
  }
  const marker = ({ prefix }: SnapshotExport): string | undefined => objects.get(`${prefix}/.complete`);

  test('goes to the place of its entry in the settings, and is refused by name once that is gone', async () => {
    const folder = join(tempRoot, 'exports');
    targets = [{ name: 'x', folder }];
    const row = await ask();
    assert.equal((await ended(catalog, row.jobId)).state, 'completed');
    assert.match(await readFile(join(folder, 'exports', row.prefix, '.complete'), 'utf8'), /totalFiles/);
    assert.equal((await catalog.exportBuckets.get(row.bucketId))?.isDeclared, true);
    targets = [];
    const { errorCode, errorMessage } = await ended(catalog, (await ask('exports', row.bucketId)).jobId);
    assert.deepEqual([errorCode, /no target x any more/.test(errorMessage ?? '')], ['EXPORT_TARGET_GONE', true]);
  });

  test('writes its marker last, with whose snapshot it is', async () => {
    const row = await ask();
    assert.equal((await ended(catalog, row.jobId)).state, 'completed');
    const { orgId, project, cluster } = inventory;
    const { orgName: _, ...complete } = JSON.parse(marker(row) ?? '') as Record<string, unknown>;
    assert.deepEqual(complete, { orgId, groupId: project.id, groupName: 'shop', clusterUniqueId: cluster.id, clusterName: cluster.name, snapshotInitiationDate: '2026-03-01T12:00:00.000Z', totalFiles: 2, labels: [{ key: 'by', value: 'me' }] });
    assert.equal([...objects.keys()].at(-1), `${row.prefix}/.complete`);
    assert.equal([...objects.keys()][0], 'exported_snapshots/.permissioncheck');
    const after = await catalog.exports.get(row.id);
    assert.deepEqual([after?.state, after?.exportedCollections, after?.totalCollections], ['completed', 2, 2]);
  });

  test('that is cancelled ends within seconds, without the marker', async () => {
    hold = (signal) => sleep(600_000, signal);
    const row = await ask();
    await until('its first collection', async () => objects.has(`${row.prefix}/shop/a/metadata.json`));
    await queue.cancel(row.jobId, 'test');
    assert.equal((await ended(catalog, row.jobId)).state, 'cancelled');
    assert.deepEqual([marker(row), objects.has(`${row.prefix}/shop/a/metadata.json`), (await catalog.exports.get(row.id))?.exportedCollections], [undefined, true, 0]);
  });

  test('of a worker that lost its lease says nothing: the other one does', async () => {
    let first = true;
    const mayGoOn = Promise.withResolvers<undefined>();
    hold = async () => {
      if (!first) return;
      first = false;
      await mayGoOn.promise;
    };
    const row = await ask();
    await until('its first collection', async () => objects.has(`${row.prefix}/shop/a/metadata.json`));
    await catalog.transaction((tx) => tx.executeSql("update leases set token = token + 1, owner = 'another', expires_at = now() + interval '1 hour' where job_id = $1", [row.jobId]));
    mayGoOn.resolve(undefined);
    await until('its last collection', async () => objects.has(`${row.prefix}/shop/b/metadata.json`));
    await until('the worker to be idle', async () => worker.active === 0);
    assert.equal(marker(row), undefined);
    await catalog.transaction((tx) => tx.executeSql("update leases set expires_at = now() - interval '1 hour' where job_id = $1", [row.jobId]));
    assert.equal((await ended(catalog, row.jobId)).state, 'completed');
    assert.ok(marker(row));
  });

  test('to a bucket that refuses fails with the cause', async () => {
    const row = await ask('denied');
    const job = await ended(catalog, row.jobId);
    assert.deepEqual([job.state, job.errorCode], ['failed', 'STORAGE_DENIED']);
    assert.match(String((await catalog.exports.get(row.id))?.errorMessage), /AccessDenied/);
  });

  test('outlives the deletion of its snapshot', async () => {
    const mayGoOn = Promise.withResolvers<undefined>();
    hold = () => mayGoOn.promise;
    const row = await ask();
    await until('its first collection', async () => objects.has(`${row.prefix}/shop/a/metadata.json`));
    assert.equal(await catalog.snapshots.markDeleted(row.snapshotId), true);
    assert.deepEqual(await catalog.snapshots.pendingFacts(10).then((facts) => facts.filter(({ kind, snapshotId }) => kind === 'deleted' && snapshotId === row.snapshotId)), [], 'the repository is told afterwards');
    mayGoOn.resolve(undefined);
    assert.equal((await ended(catalog, row.jobId)).state, 'completed');
  });
});
