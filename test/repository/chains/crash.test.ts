// A crash, or a lost answer, at every single call of begin, append and end: what was acknowledged stays, the chain is
// contiguous, and goes on.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isLeafvaultError, LeafvaultError } from '../../../src/foundation/errors.ts';
import type { ChainWriter, Repository } from '../../../src/repository/index.ts';
import { createMemoryStorage, type Storage } from '../../../src/storage/index.ts';
import { appendSlices, beginChain, newSlice, numberName, rawsOf } from '../../support/chain-fixture.ts';
import { createFaultyStorage, FAULT_MODES, isOutlived, ODD_MODES, strikeInTurn, type FaultMode, type FaultyStorage } from '../../support/faulty-storage.ts';
import { collect, copyToMemory, openTestRepository } from '../../support/repository-fixture.ts';

const RAWS = Array.from({ length: 4 }, (_, i) => Buffer.alloc(300, i + 1));

interface Done {
  id: string | null;
  appended: number;
  ended: boolean;
  whole: boolean;
}

describe('a crash', () => {
  test('or a write or list that comes twice, late, in another order or in part, leaves a chain that goes on', async (context) => {
    const base = createMemoryStorage();
    await (await openTestRepository(base)).close();
    await strikeInTurn(context, ODD_MODES, 2, async (call, mode, turn) => strikeAt(await copyToMemory(base), call, mode, turn));
  });

  for (const mode of FAULT_MODES) {
    test(`at any call of begin, append and end leaves a chain that goes on (${mode})`, async (context) => {
      const base = createMemoryStorage();
      await (await openTestRepository(base)).close();
      const opening = createFaultyStorage(await copyToMemory(base), 0);
      await (await openTestRepository(opening)).close();
      let call = opening.calls + 1;
      const first = call;
      for (; await strikeAt(await copyToMemory(base), call, mode); call += 1);
      context.diagnostic(`${call - first} calls`);
      assert.ok(call - first >= 10, `only ${call - first} calls were struck`);
    });
  }
});

/**
 * @param turn whether what is late comes before anybody looks, or once somebody else goes on with the chain
 * @returns false when all was through before the call came
 */
async function strikeAt(storage: Storage, call: number, mode: FaultMode, turn = 0): Promise<boolean> {
  const faulty = createFaultyStorage(storage, call, mode);
  const done: Done = { id: null, appended: 0, ended: false, whole: false };
  await work(faulty, done).then(() => (done.whole = true), () => undefined);
  if (!faulty.struck) return false;
  if (isOutlived(mode)) assert.ok(done.whole, `call ${call}, ${mode}: a try that may be repeated was given up`);
  if (turn % 2 === 0) await faulty.arrive();
  const repository = await openTestRepository(storage);
  try {
    if (mode === 'tear') await assertTornNamed(repository, done, `call ${call}`);
    else await assertGoesOn(repository, done, faulty, `call ${call}, ${mode}`);
  } finally {
    await repository.close();
  }
  return true;
}

async function work(storage: Storage, done: Done): Promise<void> {
  const repository = await openTestRepository(storage);
  const first = await beginChain(repository);
  done.id = first.head.id;
  const add = async (writer: ChainWriter, raws: readonly Buffer[]): Promise<void> => {
    for (const raw of raws) {
      await appendSlices(writer, [raw]);
      done.appended += 1;
    }
  };
  await add(first, RAWS.slice(0, 2));
  const resumed = await repository.chains.resume(done.id);
  await add(resumed, RAWS.slice(2));
  await resumed.end({ reason: 'STOPPED' });
  done.ended = true;
}

async function assertGoesOn(repository: Repository, done: Done, { arrive }: FaultyStorage, where: string): Promise<void> {
  assert.deepEqual((await repository.check({ readData: true })).problems, [], where);
  const chains = await collect(repository.chains.list());
  assert.ok(chains.length <= 1, where);
  if (done.id !== null) assert.equal(chains[0]?.head.id, done.id, `${where}: a chain that was begun is lost`);
  const [chain] = chains;
  if (chain === undefined) return;
  const before = await rawsOf(repository, chain.head.id);
  assert.deepEqual(before, RAWS.slice(0, before.length), where);
  assert.ok(before.length >= done.appended && before.length <= done.appended + 1, `${where}: ${before.length} slices, ${done.appended} were acknowledged`);
  const writer = await repository.chains.resume(chain.head.id).catch((error: unknown) => {
    assert.ok(isLeafvaultError(error, 'REPOSITORY_CHAIN_ENDED') && before.length === RAWS.length, `${where}: ${String(error)}`);
    return null;
  });
  if (done.ended) assert.equal(writer, null, `${where}: an end that was acknowledged is lost`);
  await arrive();
  if (writer !== null) {
    try {
      await appendSlices(writer, RAWS.slice(before.length));
      await writer.end({ reason: 'STOPPED' });
    } catch (error) {
      // What the dead one had sent came first: whoever resumes finds it, a close among it.
      assert.ok(isLeafvaultError(error, 'REPOSITORY_CHAIN_TAKEN') || isLeafvaultError(error, 'REPOSITORY_CHAIN_ENDED'), `${where}: ${String(error)}`);
      const have = await rawsOf(repository, chain.head.id);
      assert.deepEqual(have, RAWS.slice(0, before.length + 1), where);
      const again = await repository.chains.resume(chain.head.id);
      await appendSlices(again, RAWS.slice(have.length));
      await again.end({ reason: 'STOPPED' });
    }
  }
  const [listed] = await collect(repository.chains.list());
  assert.deepEqual([listed?.end?.reason, listed?.end?.at], ['STOPPED', newSlice(RAWS.length).to], where);
  assert.deepEqual(await rawsOf(repository, chain.head.id), RAWS, where);
  assert.deepEqual((await repository.check({ readData: true })).problems, [], where);
}

/** A store that tears does less than its duty: then the torn object is named, and what was acknowledged is read. */
async function assertTornNamed(repository: Repository, done: Done, where: string): Promise<void> {
  const { problems } = await repository.check();
  assert.ok(problems.length <= 1 && problems.every(({ object }) => object.startsWith('oplog/')), `${where}: ${JSON.stringify(problems)}`);
  if (done.id === null) return;
  const raws: Buffer[] = [];
  try {
    for await (const { raw } of repository.chains.read(done.id)) raws.push(raw);
  } catch (error) {
    assert.ok(isLeafvaultError(error, 'REPOSITORY_CHAIN_BROKEN') && error.details['object'] === problems[0]?.object, `${where}: ${String(error)}`);
    if (problems[0]?.object.endsWith('/end')) return;
  }
  assert.deepEqual(raws, RAWS.slice(0, done.appended), where);
}

describe('an append whose answer was lost', () => {
  /** A store whose next put happens and says for good that it failed. */
  const lossy = (inner: Storage): { readonly storage: Storage; lose(): void } => {
    let lost = false;
    const storage: Storage = {
      ...inner,
      async put(name, ...rest) {
        await inner.put(name, ...rest);
        if (lost) {
          lost = false;
          throw failure();
        }
      },
    };
    return { storage, lose: () => (lost = true) };
  };

  test('succeeds when the same slice is added again, and stores it once', async () => {
    const { storage, lose } = lossy(createMemoryStorage());
    const repository = await openTestRepository(storage);
    const writer = await beginChain(repository);
    const buffer = Buffer.from(RAWS[0] ?? '');
    lose();
    await assert.rejects(writer.append(newSlice(1, buffer)), { code: 'STORAGE_FAILED' });
    assert.equal(writer.last, null);
    const slice = await writer.append(newSlice(1, Buffer.from(buffer)));
    assert.deepEqual(await collect(repository.chains.slices(writer.head.id)), [slice]);
    await appendSlices(writer, RAWS.slice(1));
    assert.deepEqual(await rawsOf(repository, writer.head.id), RAWS);
    await repository.close();
  });

  test('is another\'s when another slice comes in its place; resuming finds it', async () => {
    const { storage, lose } = lossy(createMemoryStorage());
    const repository = await openTestRepository(storage);
    const writer = await beginChain(repository);
    lose();
    await assert.rejects(writer.append(newSlice(1, RAWS[0])), { code: 'STORAGE_FAILED' });
    await assert.rejects(writer.append(newSlice(2, RAWS[1])), { code: 'REPOSITORY_CHAIN_TAKEN' });
    await assert.rejects(writer.end({ reason: 'STOPPED' }), { code: 'REPOSITORY_CHAIN_TAKEN' });
    const resumed = await repository.chains.resume(writer.head.id);
    assert.equal(resumed.last?.sequence, 1);
    await appendSlices(resumed, RAWS.slice(1));
    assert.deepEqual(await rawsOf(repository, writer.head.id), RAWS);
    await repository.close();
  });

  test('is no hindrance when it never arrived', async () => {
    const inner = createMemoryStorage();
    const repository = await openTestRepository(inner);
    const { head } = await beginChain(repository);
    let puts = 0;
    const failing: Storage = {
      ...inner,
      async put(name, ...rest) {
        if (name === numberName(head.id, 1) && (puts += 1) === 1) throw failure();
        return inner.put(name, ...rest);
      },
    };
    const other = await openTestRepository(failing);
    const writer = await other.chains.resume(head.id);
    await assert.rejects(writer.append(newSlice(1, RAWS[0])), { code: 'STORAGE_FAILED' });
    await appendSlices(writer, RAWS);
    assert.deepEqual(await rawsOf(repository, head.id), RAWS);
    for (const each of [repository, other]) await each.close();
  });
});

function failure(): LeafvaultError {
  return new LeafvaultError('STORAGE_FAILED', 'A fault was injected', { retryable: false });
}
