// Two writers on one chain: the store gives each number to one of them.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { isLeafvaultError } from '../../../src/foundation/errors.ts';
import type { ChainWriter } from '../../../src/repository/index.ts';
import { createLocalStorage, createMemoryStorage, type Storage } from '../../../src/storage/index.ts';
import { appendSlices, beginChain, newSlice, rawsOf } from '../../support/chain-fixture.ts';
import { collect, openTestRepository, withTempDir } from '../../support/repository-fixture.ts';

const KINDS: Readonly<Record<string, (folder: string) => Storage>> = {
  memory: () => createMemoryStorage(),
  'local folder': (folder) => createLocalStorage(join(folder, 'repository')),
};

for (const [kind, makeStorage] of Object.entries(KINDS)) {
  test(`two writers of one chain get each number once between them (${kind})`, () => withTempDir(async (folder) => {
    const storage = makeStorage(folder);
    const repositories = [await openTestRepository(storage, { tempDir: join(folder, 'a') }), await openTestRepository(storage, { tempDir: join(folder, 'b') })] as const;
    const { head } = await beginChain(repositories[0]);
    const won: Buffer[] = [];
    for (let round = 1; round <= 20; round += 1) {
      const writers = [await repositories[0].chains.resume(head.id), await repositories[1].chains.resume(head.id)];
      const raws = [randomBytes(100), randomBytes(100)];
      const results = await Promise.allSettled(writers.map((writer, i) => writer.append(newSlice(round, raws[i]))));
      const winners = results.flatMap(({ status }, i) => (status === 'fulfilled' ? [i] : []));
      assert.equal(winners.length, 1, `round ${round}`);
      for (const result of results) if (result.status === 'rejected') assertTaken(result.reason, round);
      won.push(raws[winners[0] ?? 0] ?? assert.fail());
      const loser = writers[1 - (winners[0] ?? 0)] ?? assert.fail();
      await assert.rejects(loser.append(newSlice(round + 1)), { code: 'REPOSITORY_CHAIN_TAKEN' }, 'who lost goes on with nothing before it resumes');
    }
    assert.deepEqual(await rawsOf(repositories[0], head.id), won);
    assert.deepEqual((await repositories[1].check({ readData: true })).problems, []);
    for (const repository of repositories) await repository.close();
  }));
}

test('a writer that was frozen can put nothing behind the end', async () => {
  const repository = await openTestRepository(createMemoryStorage());
  const frozen = await beginChain(repository);
  const raws = [randomBytes(10)];
  await appendSlices(frozen, raws);
  const owner = await repository.chains.resume(frozen.head.id);
  const end = await owner.end({ reason: 'RESTORED' });
  await assert.rejects(frozen.append(newSlice(2)), { code: 'REPOSITORY_CHAIN_ENDED', message: /RESTORED/ });
  assert.deepEqual(await frozen.end({ reason: 'STOPPED' }), end);
  assert.deepEqual(await rawsOf(repository, frozen.head.id), raws);
  await repository.close();
});

test('a writer that was frozen cannot end what another has continued', async () => {
  const repository = await openTestRepository(createMemoryStorage());
  const frozen = await beginChain(repository);
  const owner = await repository.chains.resume(frozen.head.id);
  await appendSlices(owner, [randomBytes(10), randomBytes(10)]);
  await assert.rejects(frozen.end({ reason: 'STOPPED' }), { code: 'REPOSITORY_CHAIN_TAKEN', message: /number 1 / });
  await appendSlices(owner, [randomBytes(10)]);
  assert.equal((await collect(repository.chains.slices(frozen.head.id))).length, 3);
  await repository.close();
});

test('an append that passed its look for the end is still refused when the end comes before its put', async () => {
  const inner = createMemoryStorage();
  let between: (() => Promise<void>) | null = null;
  const held: Storage = {
    ...inner,
    async put(name, ...rest) {
      const act = between;
      between = null;
      await act?.();
      return inner.put(name, ...rest);
    },
  };
  const [woken, owner] = [await openTestRepository(held), await openTestRepository(inner)];
  const writer = await beginChain(woken);
  const cases: readonly ((other: ChainWriter) => Promise<unknown>)[] = [(other) => other.append(newSlice(1)), (other) => other.end({ reason: 'STOPPED' })];
  for (const [i, act] of cases.entries()) {
    const own = await woken.chains.resume(writer.head.id);
    between = async () => void (await act(await owner.chains.resume(writer.head.id)));
    await assert.rejects(own.append(newSlice(i + 1)), { code: i === 0 ? 'REPOSITORY_CHAIN_TAKEN' : 'REPOSITORY_CHAIN_ENDED' });
  }
  assert.equal((await collect(owner.chains.slices(writer.head.id))).length, 1);
  assert.deepEqual((await owner.check({ readData: true })).problems, []);
  for (const repository of [woken, owner]) await repository.close();
});

test('two that end one chain at once agree on its end', async () => {
  const storage = createMemoryStorage();
  const repositories = [await openTestRepository(storage), await openTestRepository(storage)] as const;
  const { head } = await beginChain(repositories[0]);
  const writers = [await repositories[0].chains.resume(head.id), await repositories[1].chains.resume(head.id)];
  const [one, two] = await Promise.all(writers.map((writer, i) => writer.end({ reason: `REASON_${i}` })));
  assert.deepEqual(one, two);
  assert.deepEqual((await repositories[0].check({ readData: true })).problems, []);
  for (const repository of repositories) await repository.close();
});

function assertTaken(error: unknown, sequence: number): void {
  assert.ok(isLeafvaultError(error, 'REPOSITORY_CHAIN_TAKEN'), String(error));
  assert.equal(error.details['sequence'], sequence);
}
