import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createInsertSlots } from '../../../src/engine/restore/insert-slots.ts';

const LARGE = 1e9;

describe('insert slots', () => {
  test('let so many inserts and so many bytes run at once, in order', async () => {
    const slots = createInsertSlots({ inserts: 2, bytes: 100, barrierBytes: LARGE, barrier: async () => undefined });
    const entered: number[] = [];
    const enter = (n: number, bytes: number): void => void slots.take(bytes).then(() => entered.push(n));
    enter(1, 60);
    enter(2, 60);
    enter(3, 10);
    await turn();
    assert.deepEqual(entered, [1]);
    slots.give(60);
    await turn();
    assert.deepEqual(entered, [1, 2, 3]);
  });

  test('let a batch beyond the budget go alone', async () => {
    const slots = createInsertSlots({ inserts: 4, bytes: 100, barrierBytes: LARGE, barrier: async () => undefined });
    await slots.take(500);
    let second = false;
    void slots.take(1).then(() => { second = true; });
    await turn();
    assert.ok(!second);
    slots.give(500);
    await turn();
    assert.ok(second);
  });

  test('start nothing new while a barrier is awaited', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    let barriers = 0;
    const slots = createInsertSlots({
      inserts: 4, bytes: LARGE, barrierBytes: 100, barrier: () => {
        barriers += 1;
        return promise;
      },
    });
    await slots.take(100);
    assert.equal(barriers, 1);
    let next = false;
    void slots.take(1).then(() => { next = true; });
    await turn();
    assert.ok(!next);
    resolve();
    await turn();
    assert.ok(next);
  });
});
