// A process that stores long chunks as deltas of bases that are four times as long, reads them back, and prints its peak memory in MiB: of the bases' own
// snapshot, of the deltas', in all.
// Arguments: folder, number of chunks.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { newId } from '../../src/foundation/ids.ts';
import type { ChunkList, Repository } from '../../src/repository/index.ts';
import { createLocalStorage } from '../../src/storage/index.ts';
import { deltasIn } from './delta-fixture.ts';
import { openTestRepository } from './repository-fixture.ts';

const MIB = 1024 * 1024;
const [folder = '', count = '0'] = process.argv.slice(2);
const storage = createLocalStorage(join(folder, 'repository'));
const repository = await openTestRepository(storage, { tempDir: join(folder, 'temp'), threads: 2, packBytes: undefined });
const noise = randomBytes(16 * MIB);
const ids: Buffer[] = [];

/** New every time, though made of the same noise. */
function longChunk(number: number, bytes: number): Buffer {
  const chunk = Buffer.from(noise.subarray(0, bytes));
  for (let at = number; at < bytes; at += 64 * 1024) chunk.writeDoubleLE(number + at, at - (at % 8));
  return chunk;
}

async function write(bytes: number, base: ((number: number) => Buffer) | null): Promise<ChunkList> {
  const writer = await repository.openWriter();
  const list = writer.openList();
  for (let number = 1; number <= Number(count); number += 4) {
    const refs = await Promise.all([0, 1, 2, 3].map((i) => writer.putChunk(longChunk(number + i, bytes), 1, base === null ? {} : { base: () => base(number + i) })));
    for (const ref of refs) {
      if (base === null) ids.push(ref.id);
      await list.append(ref);
    }
  }
  const whole = await list.finish();
  await writer.addEntry({ name: 'a', body: {}, lists: { data: whole } });
  await writer.commit({ id: newId(), createdAt: new Date().toISOString(), series: 's', body: {} });
  return whole;
}

await write(16 * MIB, null);
const full = peakMiB();
const list = await write(4 * MIB, (number) => ids[number - 1] ?? noise);
const writing = peakMiB();
const read = await readAll(repository, list);
const whole = peakMiB();
const deltas = (await deltasIn(storage)).length;
await repository.close();
process.stdout.write(JSON.stringify({ full, writing, whole, read, deltas }));

async function readAll(from: Repository, chunks: ChunkList): Promise<number> {
  const reader = await from.openReader();
  let bytes = 0;
  for await (const { raw } of reader.chunks(chunks)) bytes += raw.length;
  await reader.close();
  return bytes;
}

function peakMiB(): number {
  return Math.round(process.resourceUsage().maxRSS / 1024);
}
