import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contentsReader } from '../../src/composition/contents-reader.ts';

test('a snapshot that is being looked into is not opened a second time, and again after a failure', async () => {
  let opened = 0;
  let closed = 0;
  const read = contentsReader({
    repository: {
      async openReader() {
        opened += 1;
        return { close: async () => { closed += 1; } } as never;
      },
      loadSnapshot: () => Promise.reject(new Error('The store is away')),
    },
  });
  const both = await Promise.allSettled([read('a'), read('a')]);
  assert.deepEqual([both.map(({ status }) => status), opened, closed], [['rejected', 'rejected'], 1, 1]);
  await assert.rejects(read('a'), /The store is away/);
  assert.deepEqual([opened, closed], [2, 2]);
});
