// A crash, or a lost answer, at every single call of a snapshot: what was finished stays, the repository
// opens and checks clean, and the next write succeeds.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { newId } from '../../src/foundation/ids.ts';
import { initRepository } from '../../src/repository/index.ts';
import { createMemoryStorage, type Storage } from '../../src/storage/index.ts';
import { createVariants, deltasIn } from '../support/delta-fixture.ts';
import { createFaultyStorage, FAULT_MODES, strikeCalls, type FaultMode } from '../support/faulty-storage.ts';
import {
  collect, copyToMemory, MASTER_KEY, openTestRepository, randomChunks, readSnapshot, writeSnapshot, type Content,
} from '../support/repository-fixture.ts';

const FIRST: Content = { 'shop.orders': randomChunks(40, 3_000), 'shop.items': randomChunks(3, 200) };
const { near, vary } = createVariants();
/** Known chunks, deltas of known chunks, and new ones. */
const SECOND: Content = {
  'shop.orders': [...(FIRST['shop.orders'] ?? []).map((chunk, i) => (i % 2 === 0 ? chunk : vary(chunk))), ...randomChunks(50, 3_000)], 'shop.new': randomChunks(10, 1_000),
};
const THIRD: Content = { 'shop.orders': randomChunks(5, 1_000) };

describe('crash', () => {
  for (const mode of FAULT_MODES) {
    test(`at any call of a snapshot loses nothing that was finished (${mode})`, async (context) => {
      const base = createMemoryStorage();
      const repository = await openTestRepository(base);
      const finished = await writeSnapshot(repository, FIRST, newId(), near);
      await repository.close();
      const calls = await strikeCalls(context, (call) => strikeAt(base, finished.id, call, mode));
      assert.ok(calls > 20, `only ${calls} calls`);
    });

    test(`at any call of making a repository leaves none or a whole one (${mode})`, async () => {
      for (let call = 1; ; call += 1) {
        const storage = createMemoryStorage();
        const faulty = createFaultyStorage(storage, call, mode);
        const made = await initRepository({ storage: faulty, masterKey: MASTER_KEY }).then(() => true, () => false);
        if (!faulty.struck) break;
        if (mode === 'tear' && !made) continue; // A torn descriptor is named as damaged; see tampering.
        const repository = await openTestRepository(storage);
        await writeSnapshot(repository, THIRD);
        assert.deepEqual((await repository.check({ readData: true })).problems, []);
        await repository.close();
      }
    });
  }
});

/** @returns false when the snapshot was through before the call came */
async function strikeAt(base: Storage, finishedId: string, call: number, mode: FaultMode): Promise<boolean> {
  const storage = await copyToMemory(base);
  const faulty = createFaultyStorage(storage, call, mode);
  const id = newId();
  const committed = await attempt(faulty, id);
  if (!faulty.struck) {
    assert.equal((await deltasIn(storage)).length, 20);
    return false;
  }
  if (mode === 'fail once' || mode === 'lose answer') assert.equal(committed, true, `call ${call}: a try that may be repeated was given up`);
  const repository = await openTestRepository(storage);
  try {
    const listed = new Map((await listWhole(repository, mode)).map((root) => [root.id, root]));
    assert.ok(listed.has(finishedId), `call ${call}: the finished snapshot is lost`);
    if (committed) assert.ok(listed.has(id), `call ${call}: a commit that was acknowledged is lost`);
    const [first, second] = [listed.get(finishedId), listed.get(id)];
    assert.deepEqual(first && (await readSnapshot(repository, first)), FIRST, `call ${call}`);
    if (second !== undefined) assert.deepEqual(await readSnapshot(repository, second), SECOND, `call ${call}`);
    await assertClean(repository, call, mode);
    const next = await writeSnapshot(repository, SECOND);
    assert.deepEqual(await readSnapshot(repository, next), SECOND, `call ${call}`);
  } finally {
    await repository.close();
  }
  return true;
}

async function attempt(storage: Storage, id: string): Promise<boolean> {
  try {
    const repository = await openTestRepository(storage, { packBytes: 16 * 1024 });
    await writeSnapshot(repository, SECOND, id, near);
    await repository.close();
    return true;
  } catch {
    return false;
  }
}

type Opened = Awaited<ReturnType<typeof openTestRepository>>;

/** A store that tears may leave half a root: it is named, after all whole ones were given. */
async function listWhole(repository: Opened, mode: FaultMode): Promise<Awaited<ReturnType<Opened['loadSnapshot']>>[]> {
  if (mode !== 'tear') return collect(repository.listSnapshots());
  const roots: Awaited<ReturnType<Opened['loadSnapshot']>>[] = [];
  try {
    for await (const root of repository.listSnapshots()) roots.push(root);
  } catch (error) {
    assert.equal((error as { code?: string }).code, 'REPOSITORY_OBJECT_DAMAGED');
  }
  return roots;
}

async function assertClean(repository: Opened, call: number, mode: FaultMode): Promise<void> {
  const { problems } = await repository.check({ readData: true });
  if (mode !== 'tear') {
    assert.deepEqual(problems, [], `call ${call}`);
    return;
  }
  const sound = new Set((await listWhole(repository, mode)).map(({ id }) => id));
  const costly = problems.filter(({ affects }) => affects.some(({ snapshotId }) => sound.has(snapshotId)));
  assert.deepEqual(costly, [], `call ${call}: torn objects cost no whole snapshot`);
  assert.ok(problems.length <= 1, `call ${call}: at most the torn object itself`);
}
