// Beside a copier others work, at any of its calls: in the source a prune, a snapshot, a chain; in the copy a reader.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LeafvaultError } from '../../../src/foundation/errors.ts';
import { createMemoryStorage, type Storage } from '../../../src/storage/index.ts';
import { add, assertSame, assertWholeCopy, copyTo, goOn, isOver, makeSource, PACKS, type Source } from '../../support/copy-fixture.ts';
import { atCall, strikeCalls } from '../../support/faulty-storage.ts';
import { collect, copyToMemory, openTestRepository, randomChunks, readContent } from '../../support/repository-fixture.ts';

for (const takenForDead of [false, true]) test(`a source that goes on at any call of the copier${takenForDead ? ', and takes it for dead' : ''}: the copy is whole, and the next run brings it up to date`, async (context) => {
  const origin = await makeSource();
  const behind = createMemoryStorage();
  await copyTo(origin.storage, behind);
  await add(origin, { f: randomChunks(6, 2_000) });
  await origin.repository.close();
  const calls = await strikeCalls(context, async (call) => {
    const storage = await copyToMemory(origin.storage);
    const source: Source = { storage, repository: await openTestRepository(storage, PACKS), contents: new Map(origin.contents), live: new Set(origin.live) };
    const to = await copyToMemory(behind);
    const seen = atCall(storage, call, () => goOn(source, { isOver: () => takenForDead }));
    const copier = await openTestRepository(seen, PACKS);
    const done = await copier.copyTo({ to, isOver }).then(({ damaged }) => damaged, (error: { readonly code: string }) => error.code);
    await copier.close();
    if (seen.calls < call) return false;
    if (takenForDead && typeof done === 'string') assert.ok(['REPOSITORY_SESSION_FENCED', 'REPOSITORY_COPY_REFUSED'].includes(done), `call ${call}: ${done}`);
    else assert.deepEqual(done, [], `call ${call}`);
    await assertWholeCopy(to, source.contents, `call ${call}`);
    await source.repository.prune({ isOver });
    await copyTo(storage, to);
    await assertSame(storage, to, `call ${call}`);
    assert.deepEqual(await assertWholeCopy(to, source.contents, `call ${call}`), [...source.live].sort());
    await source.repository.close();
    return true;
  });
  assert.ok(calls >= 25, `only ${calls} calls`);
});

test('a reader that begins in the copy at any call of the copier reads to its end what it found', async (context) => {
  const source = await makeSource();
  const behind = createMemoryStorage();
  await copyTo(source.storage, behind);
  await goOn(source);
  const calls = await strikeCalls(context, async (call) => {
    const to = await copyToMemory(behind);
    let read: (() => Promise<void>) | null = null;
    const seen = atCall(to, call, async () => {
      const copy = await openTestRepository(to, PACKS);
      const reader = await copy.openReader();
      const roots = await collect(copy.listSnapshots());
      read = async () => {
        for (const root of roots) assert.deepEqual(await readContent(reader, root), source.contents.get(root.id), `call ${call}`);
        await reader.close();
        await copy.close();
      };
    });
    await copyTo(source.storage, seen, { isOver: () => false });
    if (read === null) return false;
    await (read as () => Promise<void>)();
    await copyTo(source.storage, to);
    await assertSame(source.storage, to, `call ${call}`);
    return true;
  });
  assert.ok(calls >= 40, `only ${calls} calls`);
  await source.repository.close();
});

for (const [what, mode] of [['could not take away in an outage', 'outage'], ['was through with when its first try came', 'late']] as const) {
  for (const [who, end] of [
    ['the next run of its process', (source: Source, to: Storage) => source.repository.copyTo({ to, isOver: () => false })],
    ['another process, once its own looked for what was left', (source: Source, to: Storage) => source.repository.endLeftSessions().then(() => copyTo(source.storage, to, { isOver: () => false }))],
  ] as const) test(`a session in the copy that a copier ${what} does not keep away ${who}`, async () => {
    const source = await makeSource();
    const inner = createMemoryStorage();
    let arrive = async (): Promise<void> => undefined;
    let struck = false;
    const to: Storage = {
      ...inner,
      async put(name, bytes, options) {
        if (mode === 'late' && name.startsWith('sessions/') && !struck) {
          struck = true;
          arrive = () => inner.put(name, bytes);
          throw new LeafvaultError('STORAGE_FAILED', 'no answer', { retryable: true });
        }
        await inner.put(name, bytes, options);
      },
      async delete(name, options) {
        if (mode === 'outage' && name.startsWith('sessions/') && !struck) {
          struck = true;
          throw new Error('an outage');
        }
        await inner.delete(name, options);
      },
    };
    const sessions = async (): Promise<number> => (await collect(inner.list('sessions/'))).length;
    // It lives, so nobody else ends what it left.
    await source.repository.copyTo({ to, isOver: () => false });
    await arrive();
    assert.equal(await sessions(), 1);
    await end(source, to);
    assert.equal(await sessions(), 0);
    await assertSame(source.storage, inner, 'the second run');
    await source.repository.close();
  });
}
