// Real processes, killed at random while they write: what they said was committed is there and whole.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { createLocalStorage } from '../../src/storage/index.ts';
import { collect, openTestRepository, randomChunks, readSnapshot, withTempDir, writeSnapshot } from '../support/repository-fixture.ts';

const KILLS = process.env['LEAFVAULT_LONG_TESTS'] === '1' ? 60 : 4;

test('a writer that is killed at any moment leaves every finished snapshot and a repository that checks clean', (context) =>
  withTempDir(async (folder) => {
    const acknowledged = new Set<string>();
    for (let round = 0; round < KILLS; round += 1) {
      for (const id of await writeAndKill(folder, 1 + (round % 3))) acknowledged.add(id);
      const repository = await openTestRepository(createLocalStorage(join(folder, 'repository')), { tempDir: join(folder, 'temp') });
      const roots = await collect(repository.listSnapshots());
      const ids = new Set(roots.map(({ id }) => id));
      assert.deepEqual([...acknowledged].filter((id) => !ids.has(id)), [], 'every acknowledged snapshot is there');
      assert.ok(ids.size <= acknowledged.size + round + 1, 'at most one more for each kill: committed, not yet said');
      assert.deepEqual((await repository.check({ readData: true })).problems, []);
      const content = { fresh: randomChunks(5, 1_000) };
      const next = await writeSnapshot(repository, content);
      acknowledged.add(next.id);
      assert.deepEqual(await readSnapshot(repository, next), content);
      await repository.close();
    }
    context.diagnostic(`${KILLS} kills, ${acknowledged.size} snapshots`);
  }));

/** @returns ids that the process said were committed, before SIGKILL some random moment after the `count`th */
async function writeAndKill(folder: string, count: number): Promise<string[]> {
  const child = spawn(process.execPath, [join(import.meta.dirname, '..', 'support', 'write-snapshots.ts'), folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  const gone = once(child, 'exit');
  const said: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    said.push(line);
    if (said.length === count) setTimeout(() => child.kill('SIGKILL'), Math.random() * 60);
  }
  const [code, signal] = await gone;
  assert.deepEqual([code, signal], [null, 'SIGKILL'], 'the process died of the kill, not before');
  return said;
}
