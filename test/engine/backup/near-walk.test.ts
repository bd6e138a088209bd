// The walk beside the old list: in step where chunks changed, and again in step where some came or went.
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { describe, test } from 'node:test';
import { LeafvaultError } from '../../../src/foundation/errors.ts';
import type { ChunkRef } from '../../../src/repository/repository.ts';
import { createNearWalk } from '../../../src/engine/backup/scan/near-walk.ts';

const idOf = (name: string): Buffer => hash('sha256', name, 'buffer');

async function* refsOf(names: readonly string[], failAfter = Infinity): AsyncGenerator<ChunkRef> {
  for (const [i, name] of names.entries()) {
    if (i >= failAfter) throw new LeafvaultError('REPOSITORY_CHUNK_DAMAGED', 'a page is damaged');
    yield { id: idOf(name), rawBytes: 1, records: 1 };
  }
}

/** Names of the old chunks that were named for these new ones, handed in so many at once. */
async function walk(old: readonly string[], fresh: readonly string[], atOnce = 50): Promise<(string | null)[]> {
  const names = new Map(old.map((name) => [idOf(name).toString('hex'), name]));
  const near = createNearWalk(refsOf(old), () => assert.fail());
  const found: (string | null)[] = [];
  for (let from = 0; from < fresh.length; from += atOnce) {
    const some = fresh.slice(from, from + atOnce);
    for (const _name of some) await near.fill();
    for (const name of some) found.push(names.get(near.near(idOf(name))?.toString('hex') ?? '') ?? null);
  }
  await near.end();
  return found;
}

const old = Array.from({ length: 1_600 }, (_, i) => `old ${i}`);

describe('the walk beside the old list', () => {
  for (const atOnce of [1, 50, 1_500]) {
    test(`names the old chunk for each one that changed, and none for those that did not (${atOnce} at once)`, async () => {
      const fresh = old.map((name, i) => (i % 5 < 3 ? `${name} changed` : name));
      assert.deepEqual(await walk(old, fresh, atOnce), old.map((name, i) => (i % 5 < 3 ? name : null)));
    });

    test(`is in step again behind chunks that came, went, and were split (${atOnce} at once)`, async () => {
      const fresh = old.flatMap((name, i) => (i % 400 === 7 ? [] : i % 400 === 90 ? ['came', name] : i % 400 === 200 ? [`${name} a`, `${name} b`] : [i % 3 === 0 ? `${name} changed` : name]));
      const found = await walk(old, fresh, atOnce);
      const changed = fresh.flatMap((name, i) => (name.endsWith(' changed') ? [[name.replace(' changed', ''), found[i]]] : []));
      const right = changed.filter(([due, got]) => due === got).length;
      assert.ok(right > changed.length * 0.97, `${right} of ${changed.length}`);
    });
  }

  test('ends with the old list', async () => {
    assert.deepEqual(await walk(['a', 'b'], ['x', 'b', 'y', 'z']), ['a', null, null, null]);
    assert.deepEqual(await walk([], ['x']), [null]);
  });

  test('names nothing more where the old list can not be read on, and tells it once', async () => {
    const told: unknown[] = [];
    const near = createNearWalk(refsOf(old, 100), (error) => told.push(error));
    const found = [];
    for (let i = 0; i < 200; i += 1) {
      await near.fill();
      found.push(near.near(idOf(`changed ${i}`)) === null ? 'none' : 'one');
    }
    assert.deepEqual(found, Array.from({ length: 200 }, (_, i) => (i < 100 ? 'one' : 'none')));
    assert.equal(told.length, 1);
  });
});
