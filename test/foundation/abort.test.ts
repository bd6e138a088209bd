import assert from 'node:assert/strict';
import { test } from 'node:test';
import { breatheEvery } from '../../src/foundation/abort.ts';

test('a loop that breathes lets others run, and ends when it is told to', async () => {
  const cancel = new AbortController();
  const breathe = breatheEvery(3, cancel.signal);
  let rounds = 0;
  setImmediate(() => cancel.abort(new Error(`told in round ${rounds}`)));
  const loop = async (): Promise<void> => {
    for (rounds = 1; rounds < 10; rounds += 1) await breathe();
  };
  await assert.rejects(loop(), /told in round 3/);
  assert.equal(rounds, 3);
});
