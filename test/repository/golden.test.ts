// Repositories of every format version, written once and kept: today's readers have to read what was written then.
import assert from 'node:assert/strict';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { openForRescue } from '../../src/catalog/index.ts';
import { systemClock } from '../../src/foundation/clock.ts';
import { dumpBodyOf, linesOf, reconcile } from '../../src/jobs/index.ts';
import { openRepository, type OpenOptions, type Repository } from '../../src/repository/index.ts';
import { createLocalStorage } from '../../src/storage/index.ts';
import { dumpIndependently, readIndependently } from '../../tools/read-repository.ts';
import { deltasIn } from '../support/delta-fixture.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { freshSchema, silent, startEmbedded, testSealer } from '../support/postgres.ts';
import { collect, MASTER_KEY, openTestRepository, withTempDir } from '../support/repository-fixture.ts';
import { digests, unpackArchive } from '../support/unpacked-archive.ts';

const GOLDEN = join(import.meta.dirname, '../fixtures/golden');

interface Expected { readonly snapshotId: string; readonly chainId: string; readonly slices: number; readonly deltas?: number; readonly files: Readonly<Record<string, string>>;
  /** Snapshots of which facts are told: those that are there, and those that are deleted. */
  readonly keeps?: { readonly kept: readonly string[]; readonly gone: readonly string[] };
  /** What else opens it, where there is more than the master key of the tests. */
  readonly openers?: { readonly masterKey: string; readonly passphrase: string };
  readonly whole?: Whole;
}

/** Of the one that has something of everything. */
interface Whole {
  readonly snapshots: readonly string[];
  /** Has a fence in the place of its root. */
  readonly fenced: string;
  readonly clusterId: string;
  readonly uri: string;
  readonly expiresAt: string;
  readonly dump: { readonly id: string; readonly sha256: string };
  /** A byte of a copy that was written down as bad. */
  readonly bad: { readonly pack: string; readonly at: number };
  /** A second copy, which keeps the snapshot that went from the source. */
  readonly copy: { readonly snapshots: readonly string[]; readonly went: string; readonly missedAt: string };
}

for (const version of await readdir(GOLDEN)) {
  describe(`a repository of format ${version}`, () => {
    const read = async (): Promise<Expected> => JSON.parse(await readFile(join(GOLDEN, version, 'expected.json'), 'utf8')) as Expected;

    test('is whole, and gives the snapshot and the slices that were written', () => withTempDir(async (folder) => {
      const expected = await read();
      // A copy: who reads puts a session beside what it reads.
      await cp(join(GOLDEN, version, 'store'), join(folder, 'store'), { recursive: true });
      const repository = await openTestRepository(createLocalStorage(join(folder, 'store')), { tempDir: join(folder, 'temp') });
      const { problems } = await repository.check({ readData: true });
      assert.deepEqual(problems, []);
      assert.equal((await deltasIn(createLocalStorage(join(folder, 'store')))).length, expected.deltas ?? 0);
      const root = await repository.loadSnapshot(expected.snapshotId);
      assert.deepEqual(await digests(await unpackArchive(repository, root, folder)), expected.files);
      assert.equal((await collect(repository.chains.slices(expected.chainId))).length, expected.slices);
      await repository.close();
    }));

    test('shows a pinned snapshot to both readers, whoever says that it is deleted, until it is unpinned', () => withTempDir(async (folder) => {
      const { snapshotId } = await read();
      const store = join(folder, 'store');
      await cp(join(GOLDEN, version, 'store'), store, { recursive: true });
      const repository = await openTestRepository(createLocalStorage(store), { tempDir: join(folder, 'temp') });
      const shown = async (): Promise<readonly boolean[]> => [(await collect(repository.listSnapshots())).some(({ id }) => id === snapshotId), readIndependently(store, MASTER_KEY).snapshots().some(({ id }) => id === snapshotId)];
      await repository.addFact({ snapshotId, kind: 'pin', createdAt: '2026-01-01T00:00:00Z', body: { kept: true, by: 'test', reason: null } });
      await repository.addFact({ snapshotId, kind: 'deleted', createdAt: '2026-01-02T00:00:00Z', body: {} });
      assert.deepEqual(await shown(), [true, true]);
      await repository.addFact({ snapshotId, kind: 'pin', createdAt: '2026-01-03T00:00:00Z', body: { kept: false, by: 'test' } });
      assert.deepEqual(await shown(), [false, false]);
      await repository.close();
    }));

    test('has what a pin or a hold keeps, and nothing else that was deleted, in both readers, also behind prunes', () => withTempDir(async (folder) => {
      const { snapshotId, keeps = { kept: [], gone: [] } } = await read();
      const store = join(folder, 'store');
      await cp(join(GOLDEN, version, 'store'), store, { recursive: true });
      const repository = await openTestRepository(createLocalStorage(store), { tempDir: join(folder, 'temp') });
      const shown = async (): Promise<readonly (readonly string[])[]> => {
        const byOurs = (await collect(repository.listSnapshots())).map(({ id }) => id);
        return [byOurs, readIndependently(store, MASTER_KEY).snapshots().map(({ id }) => id)].map((ids) => ids.filter((id) => keeps.kept.includes(id) || keeps.gone.includes(id)).sort());
      };
      const kept = [...keeps.kept].sort();
      assert.deepEqual(await shown(), [kept, kept]);
      for (let round = 0; round < 3; round += 1) await repository.prune();
      assert.deepEqual(await shown(), [kept, kept]);
      assert.deepEqual((await repository.check({ readData: true })).problems, []);
      const roots = (await collect(createLocalStorage(store).list('snapshots/'))).map(({ name }) => name);
      assert.deepEqual(keeps.gone.filter((id) => roots.some((name) => name.includes(id))), []);
      assert.ok((await collect(repository.listSnapshots())).some(({ id }) => id === snapshotId));
      await repository.close();
    }));

    test('is read by the tool that shares no code, to the same files', () => withTempDir(async (folder) => {
      const expected = await read();
      const reader = readIndependently(join(GOLDEN, version, 'store'), MASTER_KEY);
      const snapshot = reader.snapshots().find(({ id }) => id === expected.snapshotId) ?? assert.fail();
      await mkdir(join(folder, 'dump'));
      dumpIndependently(reader, snapshot, join(folder, 'dump'));
      assert.deepEqual(await digests(join(folder, 'dump')), expected.files);
      assert.equal(reader.chains().find(({ head }) => head['id'] === expected.chainId)?.slices.length, expected.slices);
    }));

    test('opens with everything that it says opens it, to the same, in both readers', () => withTempDir(async (folder) => {
      const { openers, snapshotId } = await read();
      for (const opener of openers === undefined ? [] : [Buffer.from(openers.masterKey, 'hex'), openers.passphrase]) {
        await cp(join(GOLDEN, version, 'store'), join(folder, 'store'), { recursive: true });
        const masterKey = typeof opener === 'string' ? { passphrase: opener } : opener;
        const repository = await openRepository({ storage: createLocalStorage(join(folder, 'store')), masterKey, tempDir: join(folder, 'temp'), threads: 0 });
        assert.equal((await repository.loadSnapshot(snapshotId)).id, snapshotId);
        await repository.close();
        assert.deepEqual(readIndependently(join(GOLDEN, version, 'store'), opener).snapshots().map(({ id }) => id), [snapshotId]);
      }
      assert.throws(() => readIndependently(join(GOLDEN, version, 'store'), Buffer.alloc(32, 9)), /no slot for/);
    }));
  });
}

describe('a repository that has something of everything', () => {
  let expected: Expected & { readonly whole: Whole };
  before(async () => { expected = JSON.parse(await readFile(join(GOLDEN, 'v1-whole/expected.json'), 'utf8')) as typeof expected; });
  const withStore = (of: 'store' | 'copy', use: (store: string, open: (options?: Partial<OpenOptions>) => Promise<Repository>, folder: string) => Promise<void>): Promise<void> => withTempDir(async (folder) => {
    const opened: Repository[] = [];
    await cp(join(GOLDEN, 'v1-whole', of), join(folder, of), { recursive: true });
    await use(join(folder, of), async (options) => {
      const repository = await openTestRepository(createLocalStorage(join(folder, of)), { tempDir: join(folder, 'temp'), ...options });
      opened.push(repository);
      return repository;
    }, folder);
    for (const repository of opened) await repository.close();
  });
  /** What both readers show. */
  const shown = async (store: string, repository: Repository): Promise<readonly (readonly string[])[]> =>
    [(await collect(repository.listSnapshots())).map(({ id }) => id).sort(), readIndependently(store, MASTER_KEY).snapshots().map(({ id }) => id).sort()];
  const filesByTool = async (store: string, id: string, into: string): Promise<Record<string, string>> => {
    const reader = readIndependently(store, MASTER_KEY);
    await mkdir(into);
    dumpIndependently(reader, reader.snapshots().find((each) => each.id === id) ?? assert.fail(), into);
    return digests(into);
  };

  test('shows a snapshot in the third place, behind two fences, and none where a fence stands alone, in both readers', () => withStore('store', async (store, open) => {
    const { snapshotId, whole: { fenced, snapshots } } = expected;
    const names = await readdir(join(store, 'snapshots'));
    assert.deepEqual([snapshotId, `${snapshotId}.2`, `${snapshotId}.3`, fenced].filter((name) => !names.includes(name)), []);
    const repository = await open();
    assert.deepEqual(await shown(store, repository), [snapshots, snapshots]);
    await assert.rejects(repository.loadSnapshot(fenced), { code: 'REPOSITORY_SNAPSHOT_MISSING' });
  }));

  test('gives what was written down as bad from the other copy, in both readers', () => withStore('store', async (store, open, folder) => {
    const { snapshotId, files, whole: { bad } } = expected;
    const pack = join(store, bad.pack);
    const bytes = await readFile(pack);
    bytes[bad.at]! ^= 1;
    await writeFile(pack, bytes);
    const repository = await open();
    const check = async (): Promise<readonly string[]> => (await repository.check({ readData: true })).problems.map(({ object }) => object);
    assert.deepEqual(await check(), []);
    assert.deepEqual(await filesByTool(store, snapshotId, join(folder, 'dump')), files);
    assert.deepEqual(await digests(await unpackArchive(repository, await repository.loadSnapshot(snapshotId), folder)), files);
    await rm(join(store, 'bad'), { recursive: true });
    assert.match((await check()).join(), new RegExp(bad.pack), 'nothing but the record keeps it from being told');
  }));

  test('gives its dump of the catalog to both readers, and no dump where a fence stands', () => withStore('store', async (store, open) => {
    const { clusterId, dump, uri } = expected.whole;
    const repository = await open();
    const byOurs = await collect(linesOf(repository.dumps.read(dump.id)));
    const dumps = await repository.dumps.list();
    assert.deepEqual(dumps.map(({ id, sha256 }) => ({ id, sha256 })), [dump]);
    assert.equal((await readdir(join(store, 'catalog'))).length, 2);
    const [byTool, ...others] = readIndependently(store, MASTER_KEY).dumps();
    assert.deepEqual([byTool?.id, byTool?.body, byTool?.lines, others], [dump.id, dumps[0]?.body, byOurs, []]);
    assert.ok(byOurs.some((line) => line.includes(clusterId) && line.includes(uri)), 'secrets stand in it in the clear');
  }));

  test('is rescued from its dump: what the dump knows, and what came to the store behind it', () => withStore('store', async (_store, open) => {
    const { snapshotId, chainId, slices, whole: { clusterId, dump, expiresAt, snapshots, uri } } = expected;
    const repository = await open();
    const database = await startEmbedded();
    const target = await openForRescue({ database: database.database, schema: freshSchema(), sealer: testSealer, log: silent, clock: systemClock });
    try {
      const [found] = await repository.dumps.list();
      await target.load({ migrations: dumpBodyOf(found ?? assert.fail())?.migrations ?? [], lines: linesOf(repository.dumps.read(dump.id)) }, () => false);
      const catalog = await target.open();
      const report = await reconcile({ catalog, repository, clock: systemClock }, () => Promise.resolve());
      assert.deepEqual([report.added, report.gone, report.notes], [snapshots.filter((id) => id !== snapshotId), [], []]);
      assert.deepEqual([await catalog.clusters.uriOf(clusterId), (await catalog.clusters.get(clusterId))?.continuousBackup], [uri, true]);
      assert.deepEqual((await catalog.snapshots.get(snapshotId))?.expiresAt, new Date(expiresAt));
      const chain = await catalog.chains.openOf(clusterId);
      assert.deepEqual([chain?.id, chain?.slices], [chainId, slices]);
    } finally {
      await target.close();
      await database.stop();
    }
  }));

  test('is read from its second copy, in which what went from the source is still to be seen, in both readers', () => withStore('copy', async (store, open, folder) => {
    const { snapshotId, files, whole: { copy: { snapshots, went } } } = expected;
    const repository = await open();
    assert.equal(repository.isCopy, true);
    assert.deepEqual((await repository.check({ readData: true })).problems, []);
    assert.deepEqual(await shown(store, repository), [snapshots, snapshots]);
    assert.deepEqual(await filesByTool(store, snapshotId, join(folder, 'dump')), files);
    assert.deepEqual(Object.keys(await filesByTool(store, went, join(folder, 'went'))), Object.keys(files));
    await assert.rejects(repository.addFact({ snapshotId, kind: 'pin', createdAt: '2027-01-01T00:00:00Z', body: {} }), { code: 'REPOSITORY_IS_COPY' });
  }));

  test('is copied on to its second copy, where what was missed goes when its days are over, counted from the note of the first run', () => withStore('store', async (_store, open, folder) => {
    const { snapshots, copy } = expected.whole;
    await cp(join(GOLDEN, 'v1-whole/copy'), join(folder, 'copy'), { recursive: true });
    const clock = fakeClock(new Date(copy.missedAt));
    const repository = await open({ clock });
    const run = async (): Promise<readonly [number, readonly string[]]> => {
      const { deleted } = await repository.copyTo({ to: createLocalStorage(join(folder, 'copy')), keepDays: 3 });
      return [deleted, readIndependently(join(folder, 'copy'), MASTER_KEY).snapshots().map(({ id }) => id).sort()];
    };
    clock.advance(2.9 * 24 * 3_600_000);
    assert.deepEqual(await run(), [0, copy.snapshots]);
    clock.advance(0.2 * 24 * 3_600_000);
    const [deleted, left] = await run();
    assert.deepEqual([deleted > 0, left], [true, snapshots]);
  }));
});
