// A crash, or a lost answer, at every single call of a prune: every snapshot stays whole, and the next prune ends the work.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { isLeafvaultError } from '../../../src/foundation/errors.ts';
import { newId } from '../../../src/foundation/ids.ts';
import type { PruneReport, Repository, RepositoryReader, SnapshotRoot } from '../../../src/repository/index.ts';
import { createMemoryStorage, type Storage } from '../../../src/storage/index.ts';
import { createVariants, deltasIn } from '../../support/delta-fixture.ts';
import { steppingClock } from '../../support/fake-clock.ts';
import { atCall, createFaultyStorage, FAULT_MODES, isOutlived, ODD_MODES, strikeCalls, strikeInTurn, type FaultMode } from '../../support/faulty-storage.ts';
import { collect, copyToMemory, objectNames, openTestRepository, randomChunks, readContent, readSnapshot, writeEntries, writeSnapshot, type Content } from '../../support/repository-fixture.ts';

const A = randomChunks(30, 3_000);
const B = randomChunks(30, 3_000);
const { near, vary } = createVariants();
// What the deltas rest on is needed by them alone.
const KEPT: Content = { a: A, c: randomChunks(5, 500), d: B.slice(10, 20).map((chunk) => vary(chunk)) };
const SAVED: Content = { b: B.slice(0, 10), e: B.slice(20).map((chunk) => vary(chunk)) };
const LONG = process.env['LEAFVAULT_LONG_TESTS'] === '1';
const PACKS = { packBytes: 24 * 1024 };

interface Base { readonly storage: Storage; readonly kept: SnapshotRoot; readonly saved: SnapshotRoot; readonly restBytes: number }

/** All that a prune may meet: dead packs and half dead ones, leavings, a deleted snapshot, a condemned pack that is needed, somebody who died. */
async function makeBase(): Promise<Base> {
  const storage = createMemoryStorage();
  const repository = await openTestRepository(storage, PACKS);
  const mixed = await writeSnapshot(repository, { mixed: A.flatMap((chunk, i) => [chunk, B[i] as Buffer]) }, newId(), near);
  const kept = await writeSnapshot(repository, KEPT, newId(), near);
  const late = await openTestRepository(storage, PACKS);
  const writer = await late.openWriter();
  await repository.addFact({ snapshotId: mixed.id, kind: 'deleted', createdAt: new Date().toISOString(), body: {} });
  await repository.prune();
  await writeEntries(writer, SAVED, near);
  const saved = await writer.commit({ id: newId(), createdAt: new Date().toISOString(), series: 'test', body: {} });
  await late.close();
  const dead = await openTestRepository(createFaultyStorage(storage, 12, 'stop'), PACKS);
  await assert.rejects(writeSnapshot(dead, { lost: randomChunks(40, 3_000) }));
  const gone = await writeSnapshot(repository, { gone: randomChunks(20, 3_000) });
  await repository.addFact({ snapshotId: gone.id, kind: 'expiry', createdAt: new Date().toISOString(), body: {} });
  await repository.addFact({ snapshotId: gone.id, kind: 'deleted', createdAt: new Date().toISOString(), body: {} });
  await repository.close();
  assert.equal((await deltasIn(storage)).length, 20);
  const rest = await copyToMemory(storage);
  return { storage, kept, saved, restBytes: await endWork(rest) };
}

const isOver = () => true;

/** Prunes until nothing is left to do. @returns bytes of what stays */
async function endWork(storage: Storage): Promise<number> {
  const repository = await openTestRepository(storage, PACKS);
  // The session of a dead one may come while the next one is at work: that takes nothing then, says so, and the one after it does the work.
  const prune = (): Promise<PruneReport> => repository.prune({ isOver }).catch((error: unknown) => {
    if (!isLeafvaultError(error) || error.details['busy'] !== true || !error.retryable) throw error;
    return repository.prune({ isOver });
  });
  for (let rounds = 0; rounds < 2; rounds += 1) await prune();
  const { freedBytes, waitingBytes, rewrittenBytes } = await prune();
  assert.deepEqual([freedBytes, waitingBytes, rewrittenBytes], [0, 0, 0], 'nothing is left to do');
  await repository.close();
  assert.deepEqual((await objectNames(storage)).filter((name) => name.startsWith('sessions/') || name.startsWith('facts/')), []);
  return (await collect(storage.list('packs/'))).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

describe('a prune that is struck', () => {
  let base: Base;
  before(async () => { base = await makeBase(); });

  // A call that fails once and is tried again is less than one whose answer is lost, and `stop` at one call is `stop after` the one before.
  for (const mode of FAULT_MODES.filter((each) => each !== 'fail once' && (LONG || each !== 'stop'))) {
    test(`at any call costs nothing, and the next one ends its work (${mode})`, async (context) => {
      const calls = await strikeCalls(context, (call) => strikeAt(call, mode));
      assert.ok(calls > 60, `only ${calls} calls`);
    });
  }

  test('at any write or list, which comes twice, late, in another order or in part, costs nothing, and the next one ends its work', async (context) => {
    await strikeInTurn(context, ODD_MODES, 15, strikeAt);
  });

  /** @param turn whether what is late comes before anybody looks, behind that, or in the middle of the next prune */
  async function strikeAt(call: number, mode: FaultMode, turn = 0): Promise<boolean> {
    const storage = await copyToMemory(base.storage);
    const faulty = createFaultyStorage(storage, call, mode);
    const done = await (async () => {
      const repository = await openTestRepository(faulty, PACKS);
      await repository.prune({ isOver });
      await repository.close();
    })().then(() => true, () => false);
    if (!faulty.struck) return false;
    if (isOutlived(mode)) assert.equal(done, true, `call ${call}, ${mode}: a try that may be repeated was given up`);
    if (turn % 3 === 0) await faulty.arrive();
    const repository = await openTestRepository(storage, PACKS);
    for (const [root, content] of [[base.kept, KEPT], [base.saved, SAVED]] as const) {
      assert.deepEqual(await readSnapshot(repository, await repository.loadSnapshot(root.id)), content, `call ${call}, ${mode}`);
    }
    const { problems } = await repository.check({ readData: true });
    // A store that tears is worse than a store may be: what is torn is named, and stands in the way of the next prune.
    if (mode === 'tear') {
      assert.ok(problems.length <= 1 && problems.every(({ affects }) => affects.length === 0), `call ${call}: ${JSON.stringify(problems)}`);
      await repository.close();
      return true;
    }
    assert.deepEqual(problems, [], `call ${call}, ${mode}`);
    await repository.close();
    if (turn % 3 === 1) await faulty.arrive();
    const bytes = await endWork(atCall(storage, 5 + (call * 7) % 60, faulty.arrive));
    assert.ok(bytes <= base.restBytes * 1.1, `call ${call}, ${mode}: ${bytes} bytes stay where ${base.restBytes} are needed`);
    const next = await openTestRepository(storage, PACKS);
    const fresh = await writeSnapshot(next, { ...KEPT, b: B });
    assert.deepEqual(await readSnapshot(next, fresh), { ...KEPT, b: B });
    for (const [root, content] of [[base.kept, KEPT], [base.saved, SAVED]] as const) assert.deepEqual(await readSnapshot(next, root), content, `call ${call}, ${mode}`);
    assert.deepEqual((await next.check({ readData: true })).problems, [], `call ${call}, ${mode}`);
    await next.close();
    return true;
  }
});

/** A snapshot that rests on packs that are condemned and on nothing else, since its writer was older than that. */
async function makeCondemned(): Promise<{ readonly storage: Storage; readonly root: SnapshotRoot }> {
  const storage = createMemoryStorage();
  // What a writer may have put in its own second is left alone by a prune.
  const options = { ...PACKS, clock: steppingClock() };
  const [repository, other] = [await openTestRepository(storage, options), await openTestRepository(storage, options)];
  const gone = await writeSnapshot(repository, { a: A });
  const writer = await other.openWriter();
  await remove(repository, gone);
  assert.ok((await repository.prune()).waitingBytes > 0, 'packs are condemned');
  await writeEntries(writer, { a: A });
  const root = await writer.commit({ id: newId(), createdAt: new Date().toISOString(), series: 'test', body: {} });
  await Promise.all([repository.close(), other.close()]);
  return { storage, root };
}

const remove = (repository: Repository, { id }: SnapshotRoot) => repository.addFact({ snapshotId: id, kind: 'deleted', createdAt: new Date().toISOString(), body: {} });

describe('whoever reads a snapshot that is deleted, and rests on condemned packs', () => {
  let base: Awaited<ReturnType<typeof makeCondemned>>;
  before(async () => { base = await makeCondemned(); });

  for (const when of ['before it', 'in the middle of it']) {
    test(`reads on when the prune dies at any call, having begun ${when}`, async (context) => {
      let [reads, late] = [0, 0];
      await strikeCalls(context, async (call) => {
        const storage = await copyToMemory(base.storage);
        const repository = await openTestRepository(storage, PACKS);
        const [readers, blinds]: [RepositoryReader[], Repository[]] = [[], []];
        const begin = async (): Promise<void> => {
          const reader = await repository.openReader();
          if ((await repository.loadSnapshot(base.root.id).catch(() => null)) === null) await reader.close();
          else readers.push(reader);
        };
        if (when === 'before it') await begin();
        // A process of which the deletion is not known yet, so that it may still begin.
        const hidden = hideFacts(storage);
        await remove(repository, base.root);
        const faulty = createFaultyStorage(when === 'before it' ? storage : atCall(storage, Math.max(1, call - 1 - (call % 8)), async () => {
          const blind = await openTestRepository(hidden, PACKS);
          blinds.push(blind);
          const reader = await blind.openReader();
          if ((await blind.loadSnapshot(base.root.id).catch(() => null)) === null) return reader.close();
          readers.push(reader);
          late += 1;
        }), call, 'stop');
        await openTestRepository(faulty, { ...PACKS, owner: 'dead' }).then((dying) => dying.prune()).catch(() => undefined);
        for (let rounds = 0; rounds < 2; rounds += 1) await repository.prune({ isOver: ({ owner }) => owner === 'dead' });
        for (const reader of readers) {
          assert.deepEqual(await readContent(reader, base.root), { a: A }, `call ${call}`);
          reads += 1;
          await reader.close();
        }
        for (let rounds = 0; rounds < 2; rounds += 1) await repository.prune({ isOver: ({ owner }) => owner === 'dead' });
        assert.deepEqual((await objectNames(storage)).filter((name) => /^(?:packs|snapshots|facts|sessions)\//.test(name)), [], `call ${call}: nothing stays`);
        for (const each of [repository, ...blinds]) await each.close();
        return faulty.struck;
      });
      context.diagnostic(`${reads} reads, ${late} of them begun while the prune was at work`);
      assert.ok(reads > 3, `${reads} reads`);
    });
  }
});

/** As a process sees it that listed the facts before the last one came. */
function hideFacts(inner: Storage): Storage {
  return { ...inner, async *list(prefix) { if (!prefix.startsWith('facts/')) yield* inner.list(prefix); } };
}
