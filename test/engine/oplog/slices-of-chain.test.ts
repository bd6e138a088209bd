// What a restore to an instant reads of a chain: the same behind every time, whether the front of the chain was pruned or not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { positionOf, type ClusterTime } from '../../../src/domain/cluster-time.ts';
import { slicesOfChain } from '../../../src/engine/index.ts';
import { createMemoryStorage } from '../../../src/storage/index.ts';
import { collect, openTestRepository } from '../../support/repository-fixture.ts';

const SLICES = 40;
const at = (step: number): ClusterTime => ({ t: 1_000 + step, i: 1 });

test('a chain whose front was pruned is read behind every time that was kept as it was read before', async () => {
  const storage = createMemoryStorage();
  const repository = await openTestRepository(storage);
  const writer = await repository.chains.begin({ series: 'test', from: positionOf(at(0)), body: {} });
  // Slices of 1, 2 and 3 seconds.
  const ends = Array.from({ length: SLICES }, (_, i) => i + 1 + Math.floor(i / 2));
  for (const [i, end] of ends.entries()) await writer.append({ to: positionOf(at(end)), records: 1, raw: Buffer.from([i]), body: {} });
  const read = async (behind: ClusterTime | null) => {
    const slices = slicesOfChain({ chains: repository.chains, chainId: writer.head.id, slices: SLICES });
    return (await collect(slices({ behind, signal: AbortSignal.timeout(60_000) }))).map(({ from, to, raw }) => [from, to, raw[0]]);
  };
  const last = ends.at(-1)!;
  const whole = new Map<number, unknown>();
  for (let step = 0; step < last; step += 1) whole.set(step, await read(at(step)));
  for (const before of [3, 4, 20, 31, 57, last]) {
    await repository.chains.trim(writer.head.id, { before: positionOf(at(before)) });
    for (let step = Math.min(before, last - 1); step < last; step += 1) assert.deepEqual(await read(at(step)), whole.get(step), `pruned before ${before}, read behind ${step}`);
    const [[from] = []] = await read(null) as ClusterTime[][];
    assert.ok(from !== undefined && from.t <= at(before).t, 'from the beginning: what is kept');
  }
  await repository.close();
});
