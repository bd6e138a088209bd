import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { newId } from '../../src/foundation/ids.ts';
import { openOrInitRepository } from '../../src/repository/index.ts';
import * as storages from '../../src/storage/index.ts';
import { MASTER_KEY, withTempDir, writeSnapshot } from '../support/repository-fixture.ts';
const hwm = () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) >> 10;
test('mem', async () => {
  await withTempDir(async (dir) => {
    console.log('M exports', Object.keys(storages).join(' '));
    const storage = await (storages as any).openStorage('file:' + join(dir, 'store'));

    const { repository } = await openOrInitRepository({ storage, masterKey: MASTER_KEY, tempDir: join(dir, 'i') });
    const N = Number(process.env['N'] ?? 8), X = Number(process.env['X'] ?? 1), MB = Number(process.env['MB'] ?? 16);
    const ids: Buffer[] = [];
    const run = async (withBase: boolean) => {
      const w = await repository.openWriter();
      const list = w.openList(); const refs: any[] = [];
      for (let i = 0; i < N; i += 1) {
        let chunk = Buffer.alloc(MB * X * 1048576);
        let x = (i + 1) >>> 0;
        for (let at = 0; at < chunk.length; at += 4) { x ^= x << 13; x ^= x >>> 17; x ^= x << 5; chunk.writeInt32LE(x, at); }
        if (withBase) chunk = Buffer.from(chunk.subarray(0, MB * 1048576)); if (withBase) chunk[1000] = (chunk[1000] ?? 0) ^ 1;
        const ref = w.putChunk(chunk, 1, withBase ? { base: () => ids[i] ?? null } : {});
        if (!withBase) ids.push((await ref).id); else refs.push(ref); if (!withBase) await list.append(await ref); else if (refs.length >= Math.max(1, 8 / MB)) await list.append(await refs.shift()!);
      }
      for (const r of refs) await list.append(await r);
      await w.addEntry({ name: 'a', body: {}, lists: { data: await list.finish() } });
      const root = await w.commit({ id: newId(), createdAt: new Date().toISOString(), series: 't', body: {} });
      console.log('M', withBase ? 'deltas' : 'full', MB, 'MiB chunks; HWM', hwm(), 'stored', root.stats.storedBytes);
      return root;
    };
    await run(false);
    const root = await run(true);
    const reader = await repository.openReader();
    for await (const e of reader.entries(root)) for await (const c of reader.chunks(e.lists['data']!)) void c;
    await reader.close();
    console.log('M read HWM', hwm());
    await repository.close();
  });
});
