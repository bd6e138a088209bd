import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BSON } from 'mongodb';
import type { CollectionBody } from '../../../src/engine/contracts.ts';
import { createKernel, hashOf, newHashState, orderedHashOf, rawDocument, rawId } from '../../../src/engine/bson/index.ts';
import { collectionEntries, readSettled, verifyEntry, type CollectionEntry } from '../../../src/engine/snapshot/index.ts';
import { isLeafvaultError } from '../../../src/foundation/errors.ts';
import { newId } from '../../../src/foundation/ids.ts';
import type { ChunkList, Repository, RepositoryWriter } from '../../../src/repository/repository.ts';
import { createMemoryStorage } from '../../../src/storage/index.ts';
import { openTestRepository, withTempDir } from '../../support/repository-fixture.ts';

const document = (id: number, text: string): Buffer => Buffer.from(BSON.serialize({ _id: id, text }));

interface Lists {
  readonly scan: readonly (readonly Buffer[])[];
  readonly touched: readonly Buffer[];
  readonly patch: readonly Buffer[];
}

async function writeList(writer: RepositoryWriter, chunks: readonly (readonly Buffer[])[]): Promise<ChunkList> {
  const list = writer.openList();
  for (const chunk of chunks) if (chunk.length > 0) await list.append(await writer.putChunk(Buffer.concat([...chunk]), chunk.length));
  return list.finish();
}

/** A snapshot of one collection whose body states what `settled` says. */
async function snapshotOf(repository: Repository, lists: Lists, settled: readonly Buffer[], capped: boolean): Promise<CollectionEntry> {
  const state = newHashState();
  if (settled.length > 0) createKernel(repository.hashSeed).frame(Buffer.concat([...settled]), { state, onSlice: () => undefined });
  const writer = await repository.openWriter();
  const touched = lists.touched.map((each) => {
    const id = rawId(each) as Buffer;
    return rawDocument([{ name: '_id', type: id[0] ?? 0, value: id.subarray(1) }]);
  });
  const body: CollectionBody = {
    kind: 'collection', db: 'd', name: 'c', uuid: null, options: '', indexes: '', documents: settled.length,
    bytes: settled.reduce((sum, { length }) => sum + length, 0), hash: hashOf(state), capped, orderedHash: capped ? orderedHashOf(state) : null, cutMask: 0,
  };
  await writer.addEntry({
    name: 'd.c', body: { ...body },
    lists: { scan: await writeList(writer, lists.scan), touched: await writeList(writer, [touched]), patch: await writeList(writer, [lists.patch]) },
  });
  const root = await writer.commit({ id: newId(), createdAt: new Date().toISOString(), series: 's', body: {} });
  const reader = await repository.openReader();
  for await (const entry of collectionEntries(reader, root)) {
    await reader.close();
    return entry;
  }
  throw new Error('No entry');
}

async function withSnapshot(lists: Lists, settled: readonly Buffer[], use: (entry: CollectionEntry, options: Parameters<typeof readSettled>[1]) => Promise<void>, capped = false): Promise<void> {
  await withTempDir(async (tempDir) => {
    const repository = await openTestRepository(createMemoryStorage());
    const entry = await snapshotOf(repository, lists, settled, capped);
    const reader = await repository.openReader();
    try {
      await use(entry, { reader, hashSeed: repository.hashSeed, tempDir });
    } finally {
      await reader.close();
      await repository.close();
    }
  });
}

async function read(entry: CollectionEntry, options: Parameters<typeof readSettled>[1]): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const { pieces, documents, bytes } of readSettled(entry, options).batches) {
    assert.equal(pieces.reduce((sum, { length }) => sum + length, 0), bytes);
    assert.ok(documents > 0);
    all.push(...pieces);
  }
  return Buffer.concat(all);
}

describe('settled documents', () => {
  const old = (n: number): Buffer => document(n, 'as scanned');
  const fresh = (n: number): Buffer => document(n, 'as settled');

  test('are the scan without touched ids, then the patch, in order', async () => {
    // 3 was deleted, 4 changed, 5 deleted and inserted again while it was scanned, 9 came after the scan
    const lists: Lists = { scan: [[old(1), old(2), old(3)], [old(4), old(5)], [old(6), old(5)]], touched: [old(3), old(4), old(5), old(9)], patch: [fresh(4), fresh(5), fresh(9)] };
    const settled = [old(1), old(2), old(6), fresh(4), fresh(5), fresh(9)];
    for (const memoryIds of [100, 2]) {
      await withSnapshot(lists, settled, async (entry, options) => {
        assert.deepEqual(await read(entry, { ...options, memoryIds }), Buffer.concat(settled));
        const content = await verifyEntry(entry, { ...options, memoryIds });
        assert.equal(content.documents, 6);
      });
    }
  });

  test('come in batches of bounded size', async () => {
    const chunks = Array.from({ length: 40 }, (_, chunk) => Array.from({ length: 10 }, (_each, n) => old(chunk * 10 + n)));
    await withSnapshot({ scan: chunks, touched: [], patch: [] }, chunks.flat(), async (entry, options) => {
      const sizes: number[] = [];
      for await (const { bytes } of readSettled(entry, { ...options, batchBytes: 1_000 }).batches) sizes.push(bytes);
      assert.ok(sizes.length > 10 && sizes.every((bytes) => bytes <= 2_000), sizes.join());
      const counts: number[] = [];
      for await (const { documents } of readSettled(entry, { ...options, batchDocuments: 25 }).batches) counts.push(documents);
      assert.deepEqual(counts, Array.from({ length: 20 }, () => 20));
    });
  });

  test('of a chunk with more documents than the kernel frames at once are all filtered', async () => {
    const many = Array.from({ length: 40_000 }, (_, n) => Buffer.from(BSON.serialize({ _id: n })));
    const touched = [0, 16_383, 16_384, 39_999].map((n) => many[n] as Buffer);
    const settled = many.filter((each) => !touched.includes(each));
    await withSnapshot({ scan: [many], touched, patch: [] }, settled, async (entry, options) => {
      assert.ok((await read(entry, options)).equals(Buffer.concat(settled)));
      await verifyEntry(entry, options);
    });
  });

  test('of an empty collection are none', () => withSnapshot({ scan: [], touched: [], patch: [] }, [], async (entry, options) => {
    assert.equal((await read(entry, options)).length, 0);
    await verifyEntry(entry, options);
  }));

  for (const [what, lists] of [
    ['a document is missing', { scan: [[old(1)]], touched: [], patch: [] }],
    ['a document was changed', { scan: [[old(1), fresh(2).subarray()]], touched: [], patch: [] }],
    ['the touched ids were lost', { scan: [[old(1), old(2), old(3)]], touched: [], patch: [] }],
  ] as const) {
    test(`are refused when ${what}`, () => withSnapshot(lists, [old(1), old(2)], async (entry, options) => {
      await assert.rejects(verifyEntry(entry, options), (error) => isLeafvaultError(error, 'SNAPSHOT_CONTENT_MISMATCH') && error.details['namespace'] === 'd.c');
    }));
  }

  test('of a capped collection are refused in another order', async () => {
    const settled = [old(1), old(2), fresh(3)];
    await withSnapshot({ scan: [[old(1), old(2)]], touched: [old(3)], patch: [fresh(3)] }, settled, async (entry, options) => void (await verifyEntry(entry, options)), true);
    await withSnapshot({ scan: [[old(2), old(1)]], touched: [], patch: [fresh(3)] }, settled, async (entry, options) => {
      await assert.rejects(verifyEntry(entry, options), /another order/);
    }, true);
  });
});
