// A copier that is struck at any call, in either store: the copy is whole at every moment, the source is untouched, and the next run ends the work.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { createMemoryStorage, type Storage } from '../../../src/storage/index.ts';
import { add, assertSame, assertWholeCopy, copyTo, goOn, makeSource, PACKS, sharedNames, type Source } from '../../support/copy-fixture.ts';
import { atCall, createFaultyStorage, FAULT_MODES, isOutlived, ODD_MODES, strikeCalls, strikeInTurn, type FaultMode } from '../../support/faulty-storage.ts';
import { copyToMemory, openTestRepository, randomChunks } from '../../support/repository-fixture.ts';

describe('a copier that is struck', () => {
  let source: Source;
  let old: Storage;
  let lagging: Storage;
  before(async () => {
    source = await makeSource();
    old = createMemoryStorage();
    await copyTo(source.storage, old);
    lagging = await copyToMemory(old);
    await goOn(source, { slices: 6 });
    await add(source, { e: randomChunks(4, 2_000) });
    await source.repository.close();
  });

  // A call that fails once and is tried again is less than one whose answer is lost.
  const modes = FAULT_MODES.filter((each) => each !== 'fail once');
  const isLong = process.env['LEAFVAULT_LONG_TESTS'] !== undefined;
  for (const [what, begin, short] of [['a new copy', () => createMemoryStorage(), ['stop after']], ['an old one', () => lagging, ['stop', 'lose answer']]] as const) {
    for (const mode of modes.filter((each) => isLong || (short as readonly FaultMode[]).includes(each))) {
      test(`leaves ${what} whole wherever in it that was (${mode})`, async (context) => {
        const calls = await strikeCalls(context, (call) => strikeCopy(begin, call, mode));
        assert.ok(calls > 40, `only ${calls} calls`);
      });
    }
    for (const mode of (['stop', 'lose answer'] as const).filter((each) => isLong || (what === 'an old one' && each === 'stop'))) {
      test(`leaves ${what} whole and its source as it was wherever in that this was (${mode})`, async (context) => {
        const calls = await strikeCalls(context, (call) => strikeSource(begin, call, mode));
        assert.ok(calls > 40, `only ${calls} calls`);
      });
    }
  }

  // A new copy takes the steps of an old one that has less.
  for (const [what, begin] of ([['a new copy', () => createMemoryStorage()], ['an old one', () => lagging]] as const).slice(isLong ? 0 : 1)) {
    test(`leaves ${what} whole at whatever write or list of it comes twice, late, in another order or in part`, async (context) => {
      await strikeInTurn(context, ODD_MODES, 6, (call, mode, turn) => strikeCopy(begin, call, mode, turn));
    });

    test(`leaves ${what} whole at whatever write or list of its source comes twice, late, in another order or in part`, async (context) => {
      await strikeInTurn(context, ODD_MODES, 2, (call, mode, turn) => strikeSource(begin, call, mode, turn));
    });
  }

  /** @param turn whether what is late comes before anybody looks, behind that, or in the middle of the next run */
  async function strikeCopy(begin: () => Storage, call: number, mode: FaultMode, turn = 0): Promise<boolean> {
    const to = await copyToMemory(begin());
    const faulty = createFaultyStorage(to, call, mode);
    const done = await copyTo(source.storage, faulty).then(() => true, () => false);
    if (!faulty.struck) return false;
    if (isOutlived(mode)) assert.equal(done, true, `call ${call}, ${mode}: a try that may be repeated was given up`);
    if (turn % 3 === 0) await faulty.arrive();
    // A torn object is of a store that breaks its promise: the next run finds it by its size, or it is named.
    if (mode !== 'tear') await assertWholeCopy(to, source.contents, `call ${call}, ${mode}`);
    if (turn % 3 === 1) await faulty.arrive();
    return endsTheWork(to, call, mode, atCall(to, 1 + (call * 7) % 50, faulty.arrive));
  }

  async function strikeSource(begin: () => Storage, call: number, mode: FaultMode, turn = 0): Promise<boolean> {
    const [from, to] = [await copyToMemory(source.storage), await copyToMemory(begin())];
    const faulty = createFaultyStorage(from, call, mode);
    const repository = await openTestRepository(faulty, PACKS).catch(() => null);
    const done = await (repository?.copyTo({ to }) ?? Promise.reject(new Error('it did not open'))).then(() => true, () => false);
    await repository?.close();
    if (!faulty.struck) return false;
    if (isOutlived(mode)) assert.equal(done, true, `call ${call}, ${mode}: a try that may be repeated was given up`);
    if (turn % 2 === 0) await faulty.arrive();
    assert.deepEqual(await sharedNames(from), await sharedNames(source.storage), `call ${call}: the source was changed`);
    await assertWholeCopy(to, source.contents, `call ${call}, ${mode}`);
    await faulty.arrive();
    return endsTheWork(to, call, mode);
  }

  async function endsTheWork(to: Storage, call: number, mode: FaultMode, throughIt: Storage = to): Promise<true> {
    if (mode === 'tear' && (await isTornBeyondRepair(to))) return true;
    const report = await copyTo(source.storage, throughIt);
    assert.deepEqual([report.damaged, report.withheld, report.postponed], [[], [], false], `call ${call}`);
    await assertSame(source.storage, to, `call ${call}`);
    assert.deepEqual(await assertWholeCopy(to, source.contents, `call ${call}`), [...source.live].sort());
    const again = await copyTo(source.storage, to);
    assert.deepEqual([again.objects, again.bytes, again.deleted], [0, 0, 0], `call ${call}: nothing is left to do`);
    return true;
  }

  /** A torn mark or descriptor is refused by name: who made it can't be told. */
  async function isTornBeyondRepair(to: Storage): Promise<boolean> {
    const sizes = await Promise.all(['copy.json', 'repository.json'].map(async (name) => [await to.stat(name), await lagging.stat(name)] as const));
    if (!sizes.some(([found, due]) => found !== null && found.sizeBytes < (due?.sizeBytes ?? 0))) return false;
    await assert.rejects(copyTo(source.storage, to), { code: 'REPOSITORY_OBJECT_DAMAGED' });
    return true;
  }
});
