// Lists: what goes in comes out, and a small change re-uses almost all pages.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { ChunkList, ChunkRef } from '../../../src/repository/index.ts';
import { walkLeaves, walkList } from '../../../src/repository/read/walk-list.ts';
import { createListWriter } from '../../../src/repository/write/list-writer.ts';
import { collect } from '../../support/repository-fixture.ts';

/** Pages by their ids, as a repository would keep them. */
function pageStore(): { readonly pages: Map<string, Buffer>; put(page: Buffer): Promise<ChunkRef>; load(id: Buffer): Promise<Buffer> } {
  const pages = new Map<string, Buffer>();
  return {
    pages,
    async put(page) {
      const id = createHash('sha256').update(page).digest();
      pages.set(id.toString('hex'), page);
      return { id, rawBytes: page.length, records: 0 };
    },
    async load(id) {
      return pages.get(id.toString('hex')) ?? assert.fail('a page is missing');
    },
  };
}

function refOf(seed: number): ChunkRef {
  return { id: createHash('sha256').update(`chunk ${seed}`).digest(), rawBytes: 1000 + (Math.abs(seed) % 500), records: Math.abs(seed) % 7 };
}

/** One line each: comparing many buffers one by one takes seconds. */
function textOf(refs: readonly ChunkRef[]): string {
  return refs.map(({ id, rawBytes, records }) => `${id.toString('hex')} ${rawBytes} ${records}`).join('\n');
}

async function write(put: (page: Buffer) => Promise<ChunkRef>, refs: readonly ChunkRef[]): Promise<ChunkList> {
  const writer = createListWriter(put);
  for (const ref of refs) await writer.append(ref);
  return writer.finish();
}

describe('list', () => {
  test('of any length reads back in order, and its sums are right', async () => {
    for (const length of [0, 1, 2, 31, 32, 33, 500, 1_023, 1_024, 1_025, 4_000]) {
      const store = pageStore();
      const refs = Array.from({ length }, (_, i) => refOf(i));
      const list = await write(store.put, refs);
      assert.deepEqual(textOf(await collect(walkList(store, list))), textOf(refs));
      assert.equal(list.chunks, length);
      assert.equal(list.records, refs.reduce((sum, { records }) => sum + records, 0));
      assert.equal(list.rawBytes, refs.reduce((sum, { rawBytes }) => sum + rawBytes, 0));
      assert.equal(list.root === null, length === 0);
    }
  });

  test('of any content reads back, repeated chunks included', async () => {
    await fc.assert(fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 3_000 }), async (seeds) => {
      const store = pageStore();
      const refs = seeds.map(refOf);
      assert.deepEqual(textOf(await collect(walkList(store, await write(store.put, refs)))), textOf(refs));
    }), { numRuns: 20 });
  });

  test('of one chunk over and over ends its pages at their longest', async () => {
    const store = pageStore();
    const list = await write(store.put, Array.from({ length: 3_000 }, () => refOf(1)));
    assert.equal((await collect(walkList(store, list))).length, 3_000);
    assert.ok(list.height >= 1);
  });

  test('is the same tree however often it is written', async () => {
    const refs = Array.from({ length: 3_000 }, (_, i) => refOf(i));
    assert.deepEqual(await write(pageStore().put, refs), await write(pageStore().put, refs));
  });

  test('with one chunk changed, added or taken out stores a handful of new pages', async () => {
    const refs = Array.from({ length: 12_000 }, (_, i) => refOf(i));
    const store = pageStore();
    await write(store.put, refs);
    const changes: Readonly<Record<string, readonly ChunkRef[]>> = {
      changed: refs.with(6_000, refOf(-1)),
      added: refs.toSpliced(6_000, 0, refOf(-1)),
      removed: refs.toSpliced(6_000, 1),
      'added in front': [refOf(-1), ...refs],
      appended: [...refs, refOf(-1)],
    };
    for (const [what, changed] of Object.entries(changes)) {
      const before = new Set(store.pages.keys());
      const list = await write(store.put, changed);
      const fresh = [...store.pages.keys()].filter((id) => !before.has(id));
      const bytes = fresh.reduce((sum, id) => sum + (store.pages.get(id)?.length ?? 0), 0);
      assert.ok(fresh.length <= 8, `${what}: ${fresh.length} new pages of ${before.size}`);
      assert.ok(bytes < 0.1 * list.chunks * 40, `${what}: ${bytes} bytes`);
      assert.deepEqual(textOf((await collect(walkLeaves(store, list))).flat()), textOf(changed), what);
    }
  });

  test('whose pages do not hold what it says is refused', async () => {
    const store = pageStore();
    const list = await write(store.put, [refOf(1), refOf(2)]);
    await assert.rejects(collect(walkList(store, { ...list, chunks: 3 })), { code: 'REPOSITORY_OBJECT_DAMAGED' });
    await assert.rejects(collect(walkList(store, { ...list, height: 1 })), { code: 'REPOSITORY_OBJECT_DAMAGED' });
  });

  test('fails as its pages fail', async () => {
    const writer = createListWriter(() => Promise.reject(new Error('no room')));
    await assert.rejects(async () => {
      for (let i = 0; i < 2_000; i += 1) await writer.append(refOf(i));
    }, /no room/);
    await assert.rejects(writer.finish(), /no room/);
  });
});
