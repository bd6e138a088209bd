import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { makeSource, PACKS, type Source } from '../../support/copy-fixture.ts';
import { strikeCalls } from '../../support/faulty-storage.ts';
import { copyToMemory, openTestRepository } from '../../support/repository-fixture.ts';
import { createVanishingStorage } from '../../support/vanishing-storage.ts';

describe('a check of a store that is empty from one call on', () => {
  let source: Source;
  before(async () => {
    source = await makeSource();
    await source.repository.close();
  });

  test('tells that it is gone, neither that everything is damaged nor that all of it is sound', async (context) => {
    const whole = await openTestRepository(await copyToMemory(source.storage), PACKS);
    const expected = await whole.check({ readData: true });
    await whole.close();
    assert.deepEqual([expected.problems, expected.snapshots], [[], 2]);
    let told = 0;
    const calls = await strikeCalls(context, async (call) => {
      const storage = createVanishingStorage(await copyToMemory(source.storage), call);
      const repository = await openTestRepository(storage, PACKS).catch(() => null);
      const outcome = await (repository?.check({ readData: true }) ?? Promise.reject(new Error('it did not open'))).catch((error: { readonly code?: string }) => error.code ?? 'none');
      await repository?.close();
      if (!storage.isGone()) return false;
      // Behind its last look it is whole.
      if (typeof outcome !== 'string') assert.deepEqual(outcome, expected, `call ${call}`);
      else told += Number(outcome === 'REPOSITORY_MISSING');
      return true;
    });
    assert.ok(calls > 30 && told > 5, `${calls} calls, told ${told} times`);
  });
});
