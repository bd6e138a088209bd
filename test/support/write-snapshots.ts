// A process that writes snapshots into a local repository until it is killed. Argument: the folder.
// Says the id of each one after its commit was acknowledged.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createLocalStorage } from '../../src/storage/index.ts';
import { openTestRepository, randomChunks, writeSnapshot } from './repository-fixture.ts';

const folder = process.argv[2] ?? '';
const repository = await openTestRepository(createLocalStorage(join(folder, 'repository')), { tempDir: join(folder, 'temp'), threads: 1 });
const steady = randomChunks(40, 4_000);
for (;;) {
  const root = await writeSnapshot(repository, { steady, fresh: Array.from({ length: 30 }, () => randomBytes(5_000)) });
  process.stdout.write(`${root.id}\n`);
}
