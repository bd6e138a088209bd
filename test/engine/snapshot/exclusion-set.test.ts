import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { createKernel } from '../../../src/engine/bson/index.ts';
import { buildExclusionSet, type ExclusionSet } from '../../../src/engine/snapshot/exclusion-set.ts';
import { withTempDir } from '../../support/repository-fixture.ts';

const kernel = createKernel(Buffer.alloc(32, 5));
const id = (n: number): Buffer => Buffer.concat([Buffer.of(2), Buffer.from(`id ${n} `.repeat((n % 5) + 1))]);

async function* ids(count: number): AsyncGenerator<Buffer> {
  for (let n = 0; n < count; n++) yield id(n);
}

function has(set: ExclusionSet, rawId: Buffer): boolean {
  const hash = kernel.idHash(rawId);
  return set.has(Number(hash & 0xffffffffn), Number(hash >> 32n), () => rawId);
}

describe('the exclusion set', () => {
  for (const [place, memoryIds] of [['memory', 100_000], ['a table on disk', 1_000]] as const) {
    test(`knows exactly its ids when they lie in ${place}`, () => withTempDir(async (tempDir) => {
      const set = await buildExclusionSet({ ids: ids(20_000), idHash: (each) => kernel.idHash(each), tempDir, memoryIds });
      assert.equal(set.size, 20_000);
      assert.equal((await readdir(tempDir)).length, place === 'memory' ? 0 : 1);
      for (let n = 0; n < 20_000; n++) assert.ok(has(set, id(n)));
      for (let n = 20_000; n < 40_000; n++) assert.ok(!has(set, id(n)));
      for (let n = 0; n < 1_000; n++) assert.ok(!has(set, Buffer.concat([Buffer.of(7), randomBytes(12)])));
      await set.close();
      await set.close();
      assert.deepEqual(await readdir(tempDir), []);
    }));

    test(`looks at the bytes when hashes are equal, in ${place}`, () => withTempDir(async (tempDir) => {
      const set = await buildExclusionSet({ ids: ids(2_000), idHash: () => 42n, tempDir, memoryIds });
      assert.ok(set.has(42, 0, () => id(1)));
      assert.ok(!set.has(42, 0, () => id(2_000)));
      await set.close();
    }));
  }

  test('takes the same id more than once', () => withTempDir(async (tempDir) => {
    const twice = async function* (): AsyncGenerator<Buffer> {
      yield* ids(10);
      yield* ids(10);
    };
    for (const memoryIds of [100, 5]) {
      const set = await buildExclusionSet({ ids: twice(), idHash: (each) => kernel.idHash(each), tempDir, memoryIds, filterBits: 1024 });
      assert.equal(set.size, 10);
      await set.close();
    }
  }));
});
