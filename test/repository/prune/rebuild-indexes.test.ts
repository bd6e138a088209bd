// A damaged index is built anew from the packs: by the next prune, and whatever cuts that off.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { SnapshotRoot } from '../../../src/repository/index.ts';
import { createMemoryStorage, type Storage } from '../../../src/storage/index.ts';
import { createFaultyStorage, FAULT_MODES } from '../../support/faulty-storage.ts';
import { collect, copyToMemory, objectNames, openTestRepository, randomChunks, readSnapshot, writeSnapshot, type Content } from '../../support/repository-fixture.ts';

const [A, B]: Content[] = [{ a: randomChunks(40, 3_000) }, { b: randomChunks(20, 3_000) }];

interface Base { readonly storage: Storage; readonly roots: readonly SnapshotRoot[]; readonly damaged: string; readonly bytes: Buffer }

async function makeBase(): Promise<Base> {
  const storage = createMemoryStorage();
  const repository = await openTestRepository(storage);
  const first = await writeSnapshot(repository, A!);
  const [damaged = ''] = (await objectNames(storage)).filter((name) => name.startsWith('indexes/'));
  const roots = [first, await writeSnapshot(repository, B!)];
  const gone = await writeSnapshot(repository, { gone: randomChunks(20, 3_000) });
  await repository.addFact({ snapshotId: gone.id, kind: 'deleted', createdAt: new Date().toISOString(), body: {} });
  await repository.close();
  const bytes = Buffer.from(await storage.get(damaged));
  bytes[100] = (bytes[100] ?? 0) ^ 1;
  await replace(storage, damaged, bytes);
  return { storage, roots, damaged, bytes };
}

async function replace(storage: Storage, name: string, bytes: Buffer): Promise<void> {
  await storage.delete(name);
  await storage.put(name, bytes);
}

async function assertSound(storage: Storage, roots: readonly SnapshotRoot[]): Promise<void> {
  const repository = await openTestRepository(storage);
  assert.deepEqual((await repository.check({ readData: true })).problems, []);
  for (const [i, content] of [A!, B!].entries()) assert.deepEqual(await readSnapshot(repository, roots[i]!), content);
  await repository.close();
}

describe('a damaged index', () => {
  test('is built anew by a prune, which then does its work, and is kept as it was found', async () => {
    const { storage, roots, damaged, bytes } = await makeBase();
    const repository = await openTestRepository(storage);
    assert.equal((await repository.check()).problems[0]?.object, damaged);
    const packs = (await collect(storage.list('packs/'))).length;
    const report = await repository.prune();
    assert.deepEqual(report.rebuiltIndexes, [damaged]);
    assert.ok(report.freedBytes > 20 * 3_000 && (await collect(storage.list('packs/'))).length < packs);
    assert.deepEqual(await storage.get(`quarantine/${damaged}`), bytes);
    await assertSound(storage, roots);
    assert.deepEqual((await repository.prune()).rebuiltIndexes, []);
    const again = await writeSnapshot(repository, { ...A, ...B });
    assert.ok(again.stats.newChunks < 5, 'what it named is known again');
    await repository.close();
  });

  test('names no pack of a writer at work, which may never name it itself', async () => {
    const { storage, roots, damaged } = await makeBase();
    const other = await openTestRepository(storage);
    const writer = await other.openWriter();
    await Promise.all(randomChunks(40, 3_000).map((chunk) => writer.putChunk(chunk, 1)));
    const own = (await objectNames(storage)).filter((name) => name.startsWith('packs/')).length;
    const pruning = await openTestRepository(storage);
    // Packs of the damaged index are as young as the writer here, so they can't be told from its own.
    await pruning.prune().catch((error: { readonly code: string }) => assert.equal(error.code, 'REPOSITORY_PRUNE_REFUSED'));
    assert.ok((await objectNames(storage)).filter((name) => name.startsWith('packs/')).length >= own);
    await writer.abort();
    await other.close();
    await pruning.prune();
    assert.ok((await objectNames(storage)).includes(`quarantine/${damaged}`));
    await assertSound(storage, roots);
    await pruning.close();
  });

  test('is left alone by a dry run, which says what is in the way', async () => {
    const { storage, damaged } = await makeBase();
    const before = await objectNames(storage);
    const repository = await openTestRepository(storage);
    await assert.rejects(repository.prune({ dryRun: true }), { code: 'REPOSITORY_PRUNE_REFUSED', message: new RegExp(damaged) });
    assert.deepEqual(await objectNames(storage), before);
    await repository.close();
  });

  test('of packs whose directories are damaged, too, stops the prune before it takes anything', async () => {
    const { storage } = await makeBase();
    const packs = (await objectNames(storage)).filter((name) => name.startsWith('packs/'));
    for (const name of packs) {
      const bytes = Buffer.from(await storage.get(name));
      bytes[bytes.length - 40] = (bytes.at(-40) ?? 0) ^ 1;
      await replace(storage, name, bytes);
    }
    const repository = await openTestRepository(storage);
    await assert.rejects(repository.prune(), { code: 'REPOSITORY_PRUNE_REFUSED', hint: /leafvault check/ });
    assert.deepEqual((await objectNames(storage)).filter((name) => name.startsWith('packs/')), packs);
    await repository.close();
  });

  for (const mode of FAULT_MODES.filter((each) => each === 'stop after' || each === 'lose answer' || each === 'tear')) {
    test(`costs nothing when the prune is struck at any call, and the next one ends the work (${mode})`, async (context) => {
      const base = await makeBase();
      let call = 1;
      for (; ; call += 1) {
        const storage = await copyToMemory(base.storage);
        const faulty = createFaultyStorage(storage, call, mode);
        await (async () => {
          const repository = await openTestRepository(faulty);
          await repository.prune({ isOver: () => true });
        })().catch(() => undefined);
        if (!faulty.struck) break;
        const repository = await openTestRepository(storage);
        for (const [i, content] of [A!, B!].entries()) assert.deepEqual(await readSnapshot(repository, base.roots[i]!), content, `call ${call}`);
        // A torn generation or session is named; it stands in the way of the next prune.
        if (mode !== 'tear') {
          await repository.prune({ isOver: () => true });
          assert.deepEqual(await storage.get(`quarantine/${base.damaged}`), base.bytes, `call ${call}`);
          await assertSound(storage, base.roots);
        }
        await repository.close();
      }
      assert.ok(call > 20, `${call - 1} calls`);
      context.diagnostic(`${call - 1} calls`);
    });
  }
});
