// The front of a chain that nobody needs goes; what is kept is read, checked and gone on with as before.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ChainWriter, Repository } from '../../../src/repository/index.ts';
import { createMemoryStorage, type Storage } from '../../../src/storage/index.ts';
import { appendSlices, beginChain, numberName, position, rawsOf } from '../../support/chain-fixture.ts';
import { createFaultyStorage, FAULT_MODES, isOutlived, ODD_MODES } from '../../support/faulty-storage.ts';
import { collect, copyToMemory, objectNames, openTestRepository } from '../../support/repository-fixture.ts';

const RAWS = Array.from({ length: 9 }, (_, i) => Buffer.alloc(300, i + 1));

async function withChain(use: (parts: { readonly repository: Repository; readonly storage: Storage; readonly writer: ChainWriter; readonly id: string }) => Promise<void>): Promise<void> {
  const storage = createMemoryStorage();
  const repository = await openTestRepository(storage);
  const writer = await beginChain(repository);
  await appendSlices(writer, RAWS);
  await use({ repository, storage, writer, id: writer.head.id });
  await repository.close();
}

const sequences = async (repository: Repository, id: string, after?: number): Promise<number[]> => (await collect(repository.chains.slices(id, { after }))).map(({ sequence }) => sequence);
const clean = async (repository: Repository): Promise<void> => {
  for (const readData of [false, true]) assert.deepEqual((await repository.check({ readData })).problems, []);
};

describe('the front of a chain', () => {
  for (const [steps, kept] of [[0, 1], [9, 1], [10, 2], [45, 5], [50, 6], [85, 9], [1_000, 9]] as const) {
    test(`goes up to step ${steps}: number ${kept} is the first`, () => withChain(async ({ repository, storage, writer, id }) => {
      const { slices, storedBytes } = await repository.chains.trim(id, { before: position(steps) });
      assert.equal(slices, kept - 1);
      assert.equal(storedBytes > 0, kept > 1);
      assert.deepEqual(await rawsOf(repository, id), RAWS.slice(kept - 1));
      assert.deepEqual((await objectNames(storage)).filter((name) => name.startsWith('oplog/') && /\/\d+$/.test(name)), RAWS.slice(kept - 1).map((_, i) => numberName(id, kept + i)));
      await clean(repository);
      // Whoever holds the chain goes on with it, and so does whoever resumes it.
      await appendSlices(writer, [Buffer.from('more')]);
      const resumed = await repository.chains.resume(id);
      assert.equal(resumed.last?.sequence, 10);
      await appendSlices(resumed, [Buffer.from('and more')]);
      assert.deepEqual(await sequences(repository, id), Array.from({ length: 12 - kept }, (_, i) => kept + i));
      assert.deepEqual(await sequences(repository, id, 1), Array.from({ length: 12 - Math.max(2, kept) }, (_, i) => Math.max(2, kept) + i), 'what is asked for from before the first begins with it');
      assert.deepEqual(await sequences(repository, id, 10), [11]);
      await clean(repository);
      assert.deepEqual(await repository.chains.trim(id, { before: position(Math.min(steps, 85)) }), { slices: 0, storedBytes: 0 }, 'twice is once');
    }));
  }

  test('goes again and again, and leaves one word about it', () => withChain(async ({ repository, storage, id }) => {
    for (const steps of [10, 30, 35, 60]) await repository.chains.trim(id, { before: position(steps) });
    assert.deepEqual(await sequences(repository, id), [7, 8, 9]);
    assert.deepEqual((await objectNames(storage)).filter((name) => name.includes('/from-')), [`oplog/${id}/from-0000000007`]);
    await clean(repository);
  }));

  test('of a chain that ended goes to the end', () => withChain(async ({ repository, storage, writer, id }) => {
    await writer.end({ reason: 'STOPPED' });
    await repository.chains.trim(id, { before: position(45) });
    assert.deepEqual(await sequences(repository, id), [5, 6, 7, 8, 9]);
    await clean(repository);
    await repository.chains.trim(id, { before: position(90) });
    assert.deepEqual(await sequences(repository, id), []);
    assert.deepEqual((await objectNames(storage)).filter((name) => name.startsWith('oplog/')), [`oplog/${id}/0000000010`, `oplog/${id}/end`, `oplog/${id}/from-0000000010`, `oplog/${id}/head`]);
    await clean(repository);
    await assert.rejects(repository.chains.resume(id), { code: 'REPOSITORY_CHAIN_ENDED' });
  }));

  for (const sequence of [5, 7]) {
    test(`does not hide that number ${sequence} behind it is gone`, () => withChain(async ({ repository, storage, id }) => {
      await repository.chains.trim(id, { before: position(45) });
      await storage.delete(numberName(id, sequence));
      await assert.rejects(rawsOf(repository, id), { code: 'REPOSITORY_CHAIN_BROKEN', details: { chainId: id, sequence, object: numberName(id, sequence) } });
      await assert.rejects(repository.chains.resume(id), { code: 'REPOSITORY_CHAIN_BROKEN' });
      assert.deepEqual((await repository.check()).problems.map(({ object }) => object), [numberName(id, sequence)]);
    }));
  }

  test('is not believed from a word that another chain, or nobody with the key, wrote', () => withChain(async ({ repository, storage, id }) => {
    const other = await beginChain(repository);
    await appendSlices(other, RAWS);
    await repository.chains.trim(other.head.id, { before: position(30) });
    for (const bytes of [await storage.get(`oplog/${other.head.id}/from-0000000004`), Buffer.from('forged')]) {
      await storage.put(`oplog/${id}/from-0000000004`, bytes);
      await assert.rejects(rawsOf(repository, id), { code: 'REPOSITORY_CHAIN_BROKEN' });
      assert.deepEqual((await repository.check()).problems.map(({ object }) => object), [`oplog/${id}/from-0000000004`]);
      await storage.delete(`oplog/${id}/from-0000000004`);
    }
  }));

  for (const mode of [...FAULT_MODES, ...ODD_MODES]) {
    test(`may be struck at any call of going (${mode})`, () => withChain(async ({ storage: base, id }) => {
      for (let call = 1; ; call += 1) {
        const storage = await copyToMemory(base);
        const faulty = createFaultyStorage(storage, call, mode);
        const done = await (async () => {
          const repository = await openTestRepository(faulty);
          await repository.chains.trim(id, { before: position(60) });
          await repository.close();
        })().then(() => true, () => false);
        if (!faulty.struck) {
          assert.ok(call > (ODD_MODES.includes(mode) ? 3 : 15), `only ${call - 1} calls`);
          return;
        }
        if (isOutlived(mode)) assert.ok(done, `call ${call}`);
        if (call % 2 === 0) await faulty.arrive();
        // A store that tears is worse than a store may be: what is torn is named.
        const repository = await openTestRepository(storage);
        const torn = (await repository.check({ readData: true })).problems.map(({ object }) => object);
        assert.deepEqual(torn, mode === 'tear' && torn.length > 0 ? [`oplog/${id}/from-0000000007`] : [], `call ${call}`);
        if (torn.length === 0) {
          assert.deepEqual((await rawsOf(repository, id)).slice(-3), RAWS.slice(6), `call ${call}`);
          await faulty.arrive();
          await repository.chains.trim(id, { before: position(60) });
          assert.deepEqual(await sequences(repository, id), [7, 8, 9], `call ${call}`);
          await appendSlices(await repository.chains.resume(id), [Buffer.from('more')]);
          await clean(repository);
          assert.equal((await objectNames(storage)).filter((name) => name.startsWith(`oplog/${id}/`)).length, 6, `call ${call}: head, start, four slices`);
        }
        await repository.close();
      }
    }));
  }
});
