// A crash, or a lost answer, at every single call of a snapshot: what was finished stays, the repository
// opens and checks clean, and the next write succeeds.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { newId } from '../../src/foundation/ids.ts';
import { initRepository, type SnapshotRoot } from '../../src/repository/index.ts';
import { createMemoryStorage, type Storage } from '../../src/storage/index.ts';
import { createVariants, deltasIn } from '../support/delta-fixture.ts';
import { atCall, createFaultyStorage, FAULT_MODES, isOutlived, ODD_MODES, strikeCalls, strikeInTurn, type FaultMode } from '../support/faulty-storage.ts';
import {
  collect, copyToMemory, MASTER_KEY, openTestRepository, randomChunks, readSnapshot, writeSnapshot, type Content,
} from '../support/repository-fixture.ts';

const LONG = process.env['LEAFVAULT_LONG_TESTS'] === '1';
const FIRST: Content = { 'shop.orders': randomChunks(40, 3_000), 'shop.items': randomChunks(3, 200) };
const { near, vary } = createVariants();
/** Known chunks, deltas of known chunks, and new ones. */
const SECOND: Content = {
  'shop.orders': [...(FIRST['shop.orders'] ?? []).map((chunk, i) => (i % 2 === 0 ? chunk : vary(chunk))), ...randomChunks(50, 3_000)], 'shop.new': randomChunks(10, 1_000),
};
const THIRD: Content = { 'shop.orders': randomChunks(5, 1_000) };

describe('crash', () => {
  const base = createMemoryStorage();
  let finished: SnapshotRoot;
  before(async () => {
    const repository = await openTestRepository(base);
    finished = await writeSnapshot(repository, FIRST, newId(), near);
    await repository.close();
  });

  test('at any write or list of a snapshot, which comes twice, late, in another order or in part, loses nothing that was finished', async (context) => {
    await strikeInTurn(context, ODD_MODES, 5, (call, mode, turn) => strikeAt(base, finished.id, call, mode, turn));
  });

  // `stop` at one call is `stop after` the one before, and a call that fails once and is tried again is less than one whose answer is lost.
  for (const mode of FAULT_MODES.filter((each) => LONG || (each !== 'stop' && each !== 'fail once'))) {
    test(`at any call of a snapshot loses nothing that was finished (${mode})`, async (context) => {
      const calls = await strikeCalls(context, (call) => strikeAt(base, finished.id, call, mode));
      assert.ok(calls > 20, `only ${calls} calls`);
    });

  }

  for (const mode of [...FAULT_MODES, ...ODD_MODES]) {
    test(`at any call of making a repository leaves none or a whole one (${mode})`, async () => {
      for (let call = 1; ; call += 1) {
        const storage = createMemoryStorage();
        const faulty = createFaultyStorage(storage, call, mode);
        const made = await initRepository({ storage: faulty, masterKey: MASTER_KEY }).then(() => true, () => false);
        if (!faulty.struck) break;
        if (isOutlived(mode)) assert.ok(made, `call ${call}`);
        await faulty.arrive();
        if (mode === 'tear' && !made) continue; // A torn descriptor is named as damaged; see tampering.
        const repository = await openTestRepository(storage);
        await writeSnapshot(repository, THIRD);
        assert.deepEqual((await repository.check({ readData: true })).problems, []);
        await repository.close();
      }
    });
  }
});

/**
 * @param turn whether what is late comes before anybody looks, behind that, or in the middle of the next snapshot
 * @returns false when the snapshot was through before the call came
 */
async function strikeAt(base: Storage, finishedId: string, call: number, mode: FaultMode, turn = 0): Promise<boolean> {
  const storage = await copyToMemory(base);
  const faulty = createFaultyStorage(storage, call, mode);
  const id = newId();
  const committed = await attempt(faulty, id);
  if (!faulty.struck) {
    assert.equal((await deltasIn(storage)).length, 20);
    return false;
  }
  if (isOutlived(mode)) assert.equal(committed, true, `call ${call}, ${mode}: a try that may be repeated was given up`);
  if (turn % 3 === 0) await faulty.arrive();
  const repository = await openTestRepository(storage);
  try {
    const listed = new Map((await listWhole(repository, mode)).map((root) => [root.id, root]));
    assert.ok(listed.has(finishedId), `call ${call}: the finished snapshot is lost`);
    if (committed) assert.ok(listed.has(id), `call ${call}: a commit that was acknowledged is lost`);
    const [first, second] = [listed.get(finishedId), listed.get(id)];
    assert.deepEqual(first && (await readSnapshot(repository, first)), FIRST, `call ${call}`);
    if (second !== undefined) assert.deepEqual(await readSnapshot(repository, second), SECOND, `call ${call}`);
    await assertClean(repository, call, mode);
    if (turn % 3 === 1) await faulty.arrive();
    const other = await openTestRepository(atCall(storage, 1 + (call * 5) % 25, faulty.arrive));
    const next = await writeSnapshot(other, SECOND);
    assert.deepEqual(await readSnapshot(other, next), SECOND, `call ${call}, ${mode}`);
    await other.close();
    if (mode !== 'tear') await assertClean(repository, call, mode);
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
