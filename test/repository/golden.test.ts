// Repositories of every format version, written once and kept: today's readers have to read what was written then.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { cp, mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { streamArchive, TOP_FOLDER } from '../../src/engine/archive/index.ts';
import { openRepository } from '../../src/repository/index.ts';
import { createLocalStorage } from '../../src/storage/index.ts';
import { dumpIndependently, readIndependently } from '../../tools/read-repository.ts';
import { deltasIn } from '../support/delta-fixture.ts';
import { collect, MASTER_KEY, openTestRepository, withTempDir } from '../support/repository-fixture.ts';

const GOLDEN = join(import.meta.dirname, '../fixtures/golden');

interface Expected { readonly snapshotId: string; readonly chainId: string; readonly slices: number; readonly deltas?: number; readonly files: Readonly<Record<string, string>>;
  /** Snapshots of which facts are told: those that are there, and those that are deleted. */
  readonly keeps?: { readonly kept: readonly string[]; readonly gone: readonly string[] };
  /** What else opens it, where there is more than the master key of the tests. */
  readonly openers?: { readonly masterKey: string; readonly passphrase: string };
}

async function digests(folder: string): Promise<Record<string, string>> {
  const found: [string, string][] = [];
  for (const item of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(item.parentPath, item.name);
    if (item.isFile()) found.push([path.slice(folder.length + 1), createHash('sha256').update(await readFile(path)).digest('hex')]);
  }
  return Object.fromEntries(found.sort());
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
      const reader = await repository.openReader();
      const options = { reader, root, hashSeed: repository.hashSeed, selection: { databases: [], collections: [], renames: [] }, tempDir: folder, signal: new AbortController().signal };
      await pipeline(streamArchive(options), createWriteStream(join(folder, 'a.tar.gz')));
      await promisify(execFile)('tar', ['xzf', 'a.tar.gz'], { cwd: folder });
      assert.deepEqual(await digests(join(folder, TOP_FOLDER)), expected.files);
      assert.equal((await collect(repository.chains.slices(expected.chainId))).length, expected.slices);
      await reader.close();
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
