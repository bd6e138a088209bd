// A process that makes a repository of many small chunks, or prunes it, and prints its peak memory in MiB.
// Arguments: `make` or `prune`, folder, number of chunks.
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { createLocalStorage } from '../../src/storage/index.ts';
import type { Repository } from '../../src/repository/index.ts';
import { newId } from '../../src/foundation/ids.ts';
import { openTestRepository } from './repository-fixture.ts';

const [mode, folder = '', chunks = '0'] = process.argv.slice(2);
const BATCH = 500;
const repository = await openTestRepository(createLocalStorage(join(folder, 'repository')), { tempDir: join(folder, 'temp'), threads: 2, packBytes: undefined });

if (mode === 'make') {
  // The second snapshot needs every other chunk of the first, which is deleted: every pack has to be rewritten.
  const all = await write(repository, Number(chunks), 1);
  await write(repository, Number(chunks), 2);
  await repository.addFact({ snapshotId: all, kind: 'deleted', createdAt: new Date().toISOString(), body: {} });
  process.stdout.write('{}');
} else {
  const began = performance.now();
  const { packs, bytes, freedBytes, rewrittenBytes } = await repository.prune();
  const seconds = (performance.now() - began) / 1000;
  // Before the check, which has a memory of its own.
  const peakMiB = Math.round(process.resourceUsage().maxRSS / 1024);
  const { problems, chunks: stay } = await repository.check();
  process.stdout.write(JSON.stringify({ peakMiB, seconds, packs, bytes, freedBytes, rewrittenBytes, stay, problems: problems.length }));
}
await repository.close();

async function write(to: Repository, count: number, step: number): Promise<string> {
  const writer = await to.openWriter();
  const list = writer.openList();
  for (let from = 0; from < count; from += BATCH * step) {
    const numbers = Array.from({ length: Math.min(BATCH, Math.ceil((count - from) / step)) }, (_, i) => from + i * step);
    const refs = await Promise.all(numbers.map((number) => writer.putChunk(createHash('shake256', { outputLength: 400 }).update(String(number)).digest(), 1)));
    for (const ref of refs) await list.append(ref);
  }
  await writer.addEntry({ name: 'numbers', body: {}, lists: { data: await list.finish() } });
  const { id } = await writer.commit({ id: newId(), createdAt: new Date().toISOString(), series: 's', body: {} });
  return id;
}
