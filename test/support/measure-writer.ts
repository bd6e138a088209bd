// A process that writes a lot through one writer, reads it back, checks it, and prints its peak memory in MiB
// after writing and in all.
// Arguments: folder, MB of raw bytes.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { newId } from '../../src/foundation/ids.ts';
import { createLocalStorage } from '../../src/storage/index.ts';
import { openTestRepository } from './repository-fixture.ts';

const [folder = '', megabytes = '0'] = process.argv.slice(2);
const CHUNK_BYTES = 100_000;
const repository = await openTestRepository(createLocalStorage(join(folder, 'repository')), { tempDir: join(folder, 'temp'), threads: 2, packBytes: undefined });
const writer = await repository.openWriter();
const list = writer.openList();
const source = randomBytes(1_000_000);
for (let written = 0; written < Number(megabytes) * 1_000_000; written += CHUNK_BYTES * 8) {
  const refs = await Promise.all(Array.from({ length: 8 }, (_, i) => {
    // Half noise, half zeros: new every time, and it shrinks as documents do.
    const chunk = Buffer.alloc(CHUNK_BYTES);
    source.copy(chunk, 0, (written + i * 7) % 900_000, ((written + i * 7) % 900_000) + CHUNK_BYTES / 2);
    chunk.writeDoubleLE(written + i, 0);
    return writer.putChunk(chunk, 1);
  }));
  for (const ref of refs) await list.append(ref);
}
const whole = await list.finish();
const root = await writer.commit({ id: newId(), createdAt: new Date().toISOString(), series: 's', body: {} });
const writing = peakMiB();
const reader = await repository.openReader();
let read = 0;
for await (const { raw } of reader.chunks(whole)) read += raw.length;
await reader.close();
const { problems } = await repository.check({ readData: true });
await repository.close();
process.stdout.write(JSON.stringify({ writing, whole: peakMiB(), read, problems: problems.length, stored: root.stats.storedBytes }));

function peakMiB(): number {
  return Math.round(process.resourceUsage().maxRSS / 1024);
}
