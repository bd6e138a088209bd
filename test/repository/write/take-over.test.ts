// What one writer leaves without a root, and another takes over without its bytes.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { newId } from '../../../src/foundation/ids.ts';
import type { ChunkRef, Repository, SnapshotRoot } from '../../../src/repository/index.ts';
import { A, assertWhole, open, withRepository } from '../../support/prune-fixture.ts';

const CONTENT = { a: A };
const ROOT = { createdAt: '2026-01-01T00:00:00.000Z', series: 'test', body: {} };

async function leave(repository: Repository): Promise<readonly ChunkRef[]> {
  const writer = await repository.openWriter();
  const refs = await Promise.all(A.map((chunk) => writer.putChunk(chunk, 1)));
  await writer.suspend();
  await assert.rejects(writer.putChunk(Buffer.from('late'), 1), { code: 'REPOSITORY_WRITER_CLOSED' });
  await writer.abort();
  return refs;
}

async function commitTaken(repository: Repository, refs: readonly ChunkRef[], meanwhile: () => Promise<unknown> = () => Promise.resolve()): Promise<SnapshotRoot> {
  const writer = await repository.openWriter();
  const list = writer.openList();
  for (const ref of refs) {
    assert.equal(await writer.takeOver(ref), true);
    await list.append(ref);
  }
  await meanwhile();
  await writer.addEntry({ name: 'a', body: { of: 'a' }, lists: { data: await list.finish() } });
  return writer.commit({ id: newId(), ...ROOT });
}

describe('what a suspended writer left', () => {
  test('is taken over by another process, and counts as known there', () => withRepository(async (repository, storage) => {
    const refs = await leave(repository);
    const other = await open(storage);
    const root = await commitTaken(other, refs);
    assert.ok(root.stats.rawBytes >= A.reduce((sum, { length }) => sum + length, 0) && root.stats.chunks >= A.length);
    assert.ok(root.stats.newChunks < A.length, 'only pages are new');
    await other.close();
    await assertWhole(storage, [[root, CONTENT]]);
  }));

  test('stays when a prune runs beside the writer that took it over', () => withRepository(async (repository, storage) => {
    const refs = await leave(repository);
    const other = await open(storage);
    const root = await commitTaken(repository, refs, async () => { for (let i = 0; i < 3; i += 1) await other.prune(); });
    for (let i = 0; i < 3; i += 1) await other.prune();
    await other.close();
    await assertWhole(storage, [[root, CONTENT]]);
  }));

  test('is not taken over where a prune took it away or has condemned it', () => withRepository(async (repository) => {
    const refs = await leave(repository);
    // Holds back the sweep, not the condemning.
    const reader = await repository.openReader();
    await repository.prune();
    const late = await repository.openWriter();
    assert.deepEqual(await Promise.all(refs.map((ref) => late.takeOver(ref))), refs.map(() => false), 'condemned');
    await late.abort();
    await reader.close();
    for (let i = 0; i < 2; i += 1) await repository.prune();
    const later = await repository.openWriter();
    assert.equal(await later.takeOver(refs[0]!), false, 'gone');
    assert.equal(later.stats.chunks, 0);
    await later.abort();
  }));

  test('of another writer is not there before it is named', () => withRepository(async (repository) => {
    const writer = await repository.openWriter();
    const ref = await writer.putChunk(Buffer.from('only placed'), 1);
    assert.equal(await writer.takeOver(ref), true, 'its own');
    const other = await repository.openWriter();
    assert.equal(await other.takeOver(ref), false);
    await Promise.all([writer.abort(), other.abort()]);
  }));
});
