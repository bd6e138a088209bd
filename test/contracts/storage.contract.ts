// What every kind of store must do. A new kind is accepted when this suite is green.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import type { Storage } from '../../src/storage/index.ts';

export interface StorageUnderTest {
  readonly storage: Storage;
  /** A second handle on the same objects, as another process would have it. */
  readonly other: Storage;
  dispose(): Promise<void>;
}

export function storageContract(kind: string, openFresh: () => Promise<StorageUnderTest>): void {
  const on = (name: string, run: (under: StorageUnderTest) => Promise<void>): void => {
    test(name, async () => {
      const under = await openFresh();
      try {
        await run(under);
      } finally {
        await under.dispose();
      }
    });
  };

  describe(`storage contract: ${kind}`, () => {
    on('an object reads back as it was put', async ({ storage, other }) => {
      const bytes = randomBytes(70_000);
      await storage.put('packs/ab/one', bytes);
      assert.deepEqual(await storage.get('packs/ab/one'), bytes);
      assert.deepEqual(await other.get('packs/ab/one'), bytes);
    });

    on('parts are joined in order', async ({ storage }) => {
      await storage.put('a', [Buffer.from('one'), Buffer.alloc(0), Buffer.from('two')]);
      assert.equal((await storage.get('a')).toString(), 'onetwo');
    });

    on('an empty object is an object', async ({ storage }) => {
      await storage.put('empty', Buffer.alloc(0));
      assert.equal((await storage.get('empty')).length, 0);
      assert.deepEqual(await storage.stat('empty'), { name: 'empty', sizeBytes: 0 });
    });

    on('later changes of the caller\'s buffer do not reach the object', async ({ storage }) => {
      const bytes = Buffer.from('before');
      await storage.put('a', bytes);
      bytes.fill(0);
      const read = await storage.get('a');
      assert.equal(read.toString(), 'before');
      read.fill(0);
      assert.equal((await storage.get('a')).toString(), 'before');
    });

    on('a taken name is refused and its object stays', async ({ storage, other }) => {
      await storage.put('a', Buffer.from('first'));
      await assert.rejects(storage.put('a', Buffer.from('second')), { code: 'STORAGE_OBJECT_EXISTS', retryable: false });
      await assert.rejects(other.put('a', Buffer.from('first')), { code: 'STORAGE_OBJECT_EXISTS' });
      assert.equal((await storage.get('a')).toString(), 'first');
    });

    on('of many puts of one name exactly one succeeds', async ({ storage, other }) => {
      const tries = Array.from({ length: 16 }, (_, i) => (i % 2 ? storage : other).put('race/a', Buffer.from(`writer ${i}`)));
      const results = await Promise.allSettled(tries);
      const winners = results.flatMap((result, i) => (result.status === 'fulfilled' ? [i] : []));
      assert.equal(winners.length, 1);
      assert.equal((await storage.get('race/a')).toString(), `writer ${winners[0]}`);
      for (const result of results) if (result.status === 'rejected') assert.equal(result.reason.code, 'STORAGE_OBJECT_EXISTS');
    });

    on('a range reads exactly its bytes', async ({ storage }) => {
      await storage.put('a', Buffer.from('0123456789'));
      assert.equal((await storage.get('a', { offset: 3, length: 4 })).toString(), '3456');
      assert.equal((await storage.get('a', { offset: 10, length: 0 })).length, 0);
      assert.equal((await storage.get('a', { offset: 0, length: 10 })).toString(), '0123456789');
    });

    on('a range past the end is an error, not a short read', async ({ storage }) => {
      await storage.put('a', Buffer.from('0123456789'));
      await assert.rejects(storage.get('a', { offset: 8, length: 3 }), { code: 'STORAGE_RANGE_INVALID' });
      await assert.rejects(storage.get('a', { offset: 11, length: 0 }), { code: 'STORAGE_RANGE_INVALID' });
      await assert.rejects(storage.get('a', { offset: -1, length: 1 }), { code: 'STORAGE_RANGE_INVALID' });
    });

    on('a missing object is named', async ({ storage }) => {
      await assert.rejects(storage.get('packs/none'), { code: 'STORAGE_OBJECT_MISSING', message: /packs\/none/ });
      assert.equal(await storage.stat('packs/none'), null);
    });

    on('listing gives names and sizes below a prefix', async ({ storage }) => {
      await storage.put('packs/ab/1', Buffer.alloc(10));
      await storage.put('packs/cd/2', Buffer.alloc(20));
      await storage.put('packs2/x', Buffer.alloc(1));
      await storage.put('snapshots/1', Buffer.alloc(30));
      assert.deepEqual(await listed(storage, 'packs/'), [['packs/ab/1', 10], ['packs/cd/2', 20]]);
      assert.deepEqual(await listed(storage, 'packs/c'), [['packs/cd/2', 20]]);
      assert.deepEqual(await listed(storage, 'none/'), []);
      assert.equal((await listed(storage, '')).length, 4);
    });

    on('a listing of more than a thousand objects is whole', async ({ storage }) => {
      for (let i = 0; i < 1_100; i += 50) {
        await Promise.all(Array.from({ length: 50 }, (_, j) => storage.put(`many/${i + j}`, Buffer.from('x'))));
      }
      assert.equal((await listed(storage, 'many/')).length, 1_100);
    });

    on('delete removes an object and forgives a missing one', async ({ storage }) => {
      await storage.put('sessions/a', Buffer.from('x'));
      await storage.delete('sessions/a');
      await storage.delete('sessions/a');
      assert.equal(await storage.stat('sessions/a'), null);
      assert.deepEqual(await listed(storage, ''), []);
    });

    on('names outside the rules are refused', async ({ storage }) => {
      for (const name of ['', '/', '/a', 'a/', 'a//b', '../a', 'a/../b', '.', 'a/.', 'a b', 'ä', 'a\\b', 'a\0b', '~tmp/a', 'x'.repeat(600)]) {
        await assert.rejects(storage.put(name, Buffer.from('x')), { code: 'STORAGE_NAME_INVALID' }, JSON.stringify(name));
        await assert.rejects(storage.get(name), { code: 'STORAGE_NAME_INVALID' }, JSON.stringify(name));
      }
    });

    on('an aborted put stores nothing', async ({ storage }) => {
      const reason = new Error('cancelled');
      await assert.rejects(storage.put('a', Buffer.alloc(100), { signal: AbortSignal.abort(reason) }), reason);
      assert.deepEqual(await listed(storage, ''), []);
      await assert.rejects(storage.get('a', undefined, { signal: AbortSignal.abort(reason) }), reason);
    });

    on('close may be called twice', async ({ storage }) => {
      await storage.close();
      await storage.close();
    });
  });
}

async function listed(storage: Storage, prefix: string): Promise<(readonly [string, number])[]> {
  const found: (readonly [string, number])[] = [];
  for await (const { name, sizeBytes } of storage.list(prefix)) found.push([name, sizeBytes]);
  return found.sort((a, b) => (a[0] < b[0] ? -1 : 1));
}
