// A source whose store is empty from one call on, as a folder is whose disk was unmounted: the copy may be all that is left.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { createMemoryStorage, type Storage } from '../../../src/storage/index.ts';
import { add, assertWholeCopy, copyTo, goOn, makeSource, PACKS, sharedNames, type Source } from '../../support/copy-fixture.ts';
import { strikeCalls } from '../../support/faulty-storage.ts';
import { copyToMemory, openTestRepository, randomChunks } from '../../support/repository-fixture.ts';
import { createVanishingStorage } from '../../support/vanishing-storage.ts';

describe('a source that is empty from one call on', () => {
  let source: Source;
  let same: Storage;
  let lagging: Storage;
  before(async () => {
    source = await makeSource();
    lagging = createMemoryStorage();
    await copyTo(source.storage, lagging);
    await goOn(source);
    const pinned = await add(source, { e: randomChunks(4, 2_000) });
    await source.repository.addFact({ snapshotId: pinned, kind: 'pin', createdAt: new Date().toISOString(), body: { kept: true, by: 'test', reason: null } });
    await source.repository.close();
    same = createMemoryStorage();
    await copyTo(source.storage, same);
  });

  for (const [what, begin] of [['is up to date', () => same], ['lags behind', () => lagging]] as const) {
    test(`takes nothing from a copy that ${what} of what it had a moment before`, async (context) => {
      const held = await sharedNames(source.storage);
      const calls = await strikeCalls(context, async (call) => {
        const to = await copyToMemory(begin());
        const had = await sharedNames(to);
        const from = createVanishingStorage(await copyToMemory(source.storage), call);
        const repository = await openTestRepository(from, PACKS).catch(() => null);
        await repository?.copyTo({ to }).catch(() => undefined);
        await repository?.close();
        if (!from.isGone()) return false;
        const has = await sharedNames(to);
        assert.deepEqual(had.filter((name) => held.includes(name) && !has.includes(name)), [], `call ${call}`);
        await assertWholeCopy(to, source.contents, `call ${call}`);
        return true;
      });
      assert.ok(calls > 15, `only ${calls} calls`);
    });
  }
});
