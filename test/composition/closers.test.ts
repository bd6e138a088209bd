import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClosers } from '../../src/composition/closers.ts';
import { createLogger } from '../../src/foundation/logger.ts';

test('closers close in reverse, all of them, once', async () => {
  const closed: string[] = [];
  const closers = createClosers(createLogger('silent'));
  closers.add('first', async () => void closed.push('first'));
  closers.add('broken', () => Promise.reject(new Error('cannot close')));
  closers.add('last', async () => void closed.push('last'));
  await Promise.all([closers.closeAll(), closers.closeAll()]);
  assert.deepEqual(closed, ['last', 'first']);
});
