import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limitRate } from '../../src/foundation/limit-rate.ts';
import { createMemoryStorage, withLimit } from '../../src/storage/index.ts';
import { SOON_MS } from '../support/patience.ts';

test('a store with a limit takes no more bytes in a second, however many stores share it, and stops waiting when it is told to', async () => {
  const take = limitRate({ monotonicMs: () => performance.now() }, 100_000);
  const [one, two] = [createMemoryStorage('one'), createMemoryStorage('two')].map((store) => withLimit(store, take));
  const beganAt = performance.now();
  await Promise.all([one?.put('a', Buffer.alloc(20_000)), two?.put('a', [Buffer.alloc(10_000), Buffer.alloc(10_000)])]);
  const took = performance.now() - beganAt;
  // A quarter of a second may be made up for at the beginning.
  assert.ok(took >= 140 && took < SOON_MS, `${took} ms`);
  assert.equal((await one?.get('a'))?.length, 20_000, 'reading is not held back');
  const stopping = new AbortController();
  const waiting = one?.put('b', Buffer.alloc(1_000_000), { signal: stopping.signal });
  stopping.abort(new Error('stop'));
  await assert.rejects(async () => waiting, /stop/);
  assert.equal(await one?.stat('b'), null);
});
