import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { noteStore } from '../../src/composition/note-store.ts';
import { storeKey } from '../../src/domain/store-state.ts';
import { LeafvaultError } from '../../src/foundation/errors.ts';
import { settingsInMemory } from '../support/settings-in-memory.ts';

describe('what the store can', () => {
  const note = async (conditionalPut: () => Promise<boolean>) => {
    const { settings } = settingsInMemory();
    const warnings: string[] = [];
    await noteStore({ storage: { address: 's3://bucket', conditionalPut }, repositoryId: 'r', settings, log: { warn: (_: unknown, text?: string) => void warnings.push(text ?? '') } });
    return { kept: await settings.get(storeKey('r')), warnings: warnings.join() };
  };

  test('is told and kept where it can not refuse a name that is taken', async () => {
    const { kept, warnings } = await note(() => Promise.resolve(false));
    assert.deepEqual(kept, { conditionalPut: false });
    assert.match(warnings, /nothing is pruned/);
  });

  test('is kept and not warned of where it can', async () => {
    assert.deepEqual(await note(() => Promise.resolve(true)), { kept: { conditionalPut: true }, warnings: '' });
  });

  test('keeps nobody from starting where it does not answer', async () => {
    const { kept, warnings } = await note(() => Promise.reject(new LeafvaultError('STORAGE_FAILED', 'no answer')));
    assert.equal(kept, undefined);
    assert.match(warnings, /could not be found out/);
  });
});
