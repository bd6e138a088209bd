// Trying again: where it helps, no more often than said, and never twice under one name.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createMemoryStorage, withRetry, type Storage } from '../../src/storage/index.ts';
import { createFaultyStorage } from '../support/faulty-storage.ts';
import { LeafvaultError } from '../../src/foundation/errors.ts';

const QUICK = { attempts: 4, firstDelayMs: 1 };

describe('retry', () => {
  test('repeats what may be repeated', async () => {
    const inner = createMemoryStorage();
    await inner.put('a', Buffer.from('x'));
    for (const run of [
      () => withRetry(createFaultyStorage(inner, 1, 'fail once'), QUICK).put(`b${Math.random()}`, Buffer.from('y')),
      () => withRetry(createFaultyStorage(inner, 1, 'fail once'), QUICK).get('a'),
      () => withRetry(createFaultyStorage(inner, 1, 'fail once'), QUICK).stat('a'),
      () => withRetry(createFaultyStorage(inner, 1, 'fail once'), QUICK).delete('none'),
      async () => {
        for await (const { name } of withRetry(createFaultyStorage(inner, 1, 'fail once'), QUICK).list('a')) assert.equal(name, 'a');
      },
    ]) await run();
  });

  test('gives up after its last try and tells the last failure', async () => {
    let tries = 0;
    const failing = { ...createMemoryStorage(), stat: async () => {
      tries += 1;
      throw new LeafvaultError('STORAGE_FAILED', `try ${tries}`, { retryable: true });
    } };
    await assert.rejects(withRetry(failing, QUICK).stat('a'), { message: 'try 4' });
    assert.equal(tries, 4);
  });

  test('does not repeat what is permanent', async () => {
    const faulty = createFaultyStorage(createMemoryStorage(), 1, 'stop');
    await assert.rejects(withRetry(faulty, QUICK).get('a'), { code: 'STORAGE_FAILED' });
    assert.equal(faulty.calls, 1);
  });

  test('takes its own bytes under the name for success, after an answer was lost', async () => {
    const inner = createMemoryStorage();
    const storage = withRetry(createFaultyStorage(inner, 1, 'lose answer'), QUICK);
    await storage.put('a', [Buffer.from('on'), Buffer.from('e')]);
    assert.equal((await inner.get('a')).toString(), 'one');
  });

  test('takes its own bytes under the name for success, where something on the way sent them twice', async () => {
    const inner = createMemoryStorage();
    const twice = createFaultyStorage(inner, 1, 'twice');
    await withRetry(twice, QUICK).put('a', [Buffer.from('on'), Buffer.from('e')]);
    assert.equal((await inner.get('a')).toString(), 'one');
    assert.equal(twice.calls, 1, 'it was not sent again');
    const storage = withRetry(inner, QUICK);
    for (const other of ['two', 'on', 'ones']) await assert.rejects(storage.put('a', Buffer.from(other)), { code: 'STORAGE_OBJECT_EXISTS' });
    assert.equal((await inner.get('a')).toString(), 'one');
  });

  test('is ended by its signal while it looks whose bytes have the name', async () => {
    const stopping = new AbortController();
    const storage = withRetry({
      ...createMemoryStorage(),
      put: () => Promise.reject(new LeafvaultError('STORAGE_OBJECT_EXISTS', 'it exists already')),
      // A server that says nothing.
      get: (_name, _range, options) => new Promise((_resolve, reject) => {
        options?.signal?.addEventListener('abort', () => reject(stopping.signal.reason));
        stopping.abort(new Error('cancelled'));
        if (options?.signal === undefined) reject(new Error('nothing ends the look'));
      }),
    }, QUICK);
    await assert.rejects(storage.put('a', Buffer.from('one'), { signal: stopping.signal }), { message: 'cancelled' });
  });

  test('leaves a name taken whose object went before it could be read', async () => {
    const taken = { ...createMemoryStorage(), put: () => Promise.reject(new LeafvaultError('STORAGE_OBJECT_EXISTS', 'it exists already')) };
    await assert.rejects(withRetry(taken, QUICK).put('a', Buffer.from('one')), { code: 'STORAGE_OBJECT_EXISTS' });
  });

  test('gives a listing in the order in which it comes, and fails where it breaks off', async () => {
    const inner = createMemoryStorage();
    for (const name of ['a', 'b', 'c', 'd']) await inner.put(name, Buffer.from(name));
    const namesOf = async (storage: Storage): Promise<string[]> => {
      const names: string[] = [];
      for await (const { name } of storage.list('')) names.push(name);
      return names;
    };
    assert.deepEqual(await namesOf(withRetry(createFaultyStorage(inner, 1, 'other order'), QUICK)), ['d', 'a', 'c', 'b']);
    await assert.rejects(namesOf(withRetry(createFaultyStorage(inner, 1, 'break off'), QUICK)), { code: 'STORAGE_FAILED', retryable: true });
  });

  test('takes other bytes under the name for what they are', async () => {
    const inner = createMemoryStorage();
    await inner.put('a', Buffer.from('theirs'));
    const storage = withRetry(createFaultyStorage(inner, 1, 'fail once'), QUICK);
    await assert.rejects(storage.put('a', Buffer.from('ours')), { code: 'STORAGE_OBJECT_EXISTS', message: /other bytes/ });
    const shorter = withRetry(createFaultyStorage(inner, 1, 'fail once'), QUICK);
    await assert.rejects(shorter.put('a', Buffer.from('their')), { code: 'STORAGE_OBJECT_EXISTS', message: /other bytes/ });
  });

  test('stops waiting when its signal fires', async () => {
    const stop = new AbortController();
    const reason = new Error('enough');
    const failing = { ...createMemoryStorage(), put: async () => {
      setImmediate(() => stop.abort(reason));
      throw new LeafvaultError('STORAGE_FAILED', 'busy', { retryable: true });
    } };
    await assert.rejects(withRetry(failing, { firstDelayMs: 60_000 }).put('a', Buffer.alloc(1), { signal: stop.signal }), reason);
  });
});
