import assert from 'node:assert/strict';
import { createCipheriv, hash, randomBytes } from 'node:crypto';
import { constants, zstdCompressSync } from 'node:zlib';
import { test } from 'node:test';
import { newId } from '../../src/foundation/ids.ts';
import { createChunkIndex } from '../../src/repository/chunk-index/chunk-index.ts';
import { CHUNK_ENTRY_BYTES, CHUNK_TYPES, NO_BASE, writeChunkEntry, readChunkEntry } from '../../src/repository/format/chunk-entry.ts';
import { packName, INDEXES } from '../../src/repository/format/names.ts';
import { packNonce, readPackHeader } from '../../src/repository/format/pack.ts';
import { readIndexObject } from '../../src/repository/chunk-index/load-indexes.ts';
import { unlock } from '../../src/repository/unlock.ts';
import { createMemoryStorage } from '../../src/storage/index.ts';
import { changed, createVariants, deltasIn, named } from '../support/delta-fixture.ts';
import { assertWhole, open, remove } from '../support/prune-fixture.ts';
import { collect, MASTER_KEY, randomChunks, readSnapshot, withTempDir, writeEntries, writeSnapshot, nearTo } from '../support/repository-fixture.ts';

async function rot(storage: any, { pack, offset }: any): Promise<void> {
  const bytes = Buffer.from(await storage.get(packName(pack)));
  bytes[offset + 20] = (bytes[offset + 20] ?? 0) ^ 1;
  await storage.delete(packName(pack));
  await storage.put(packName(pack), bytes);
}

test('R1 index.clear beside add loses the base of a delta', async () => {
  await withTempDir(async (tempDir) => {
    const index = createChunkIndex({ tempDir });
    const [d, b] = ['d', 'b'].map((n) => hash('sha256', n, 'buffer')) as [Buffer, Buffer];
    const entry = Buffer.alloc(CHUNK_ENTRY_BYTES);
    writeChunkEntry(entry, 0, { id: d, type: 2, flags: 0, counter: 1, offset: 64, storedLength: 20, rawLength: 90, packNumber: 0, base: 0 });
    const payload = { packs: [{ id: '0'.repeat(24), chunks: 1, sizeBytes: 200 }], entries: entry, bases: b };
    const clearing = index.clear();
    const adding = index.add(payload);
    await Promise.all([clearing, adding]);
    const [copy] = await index.find(d);
    console.log('R1 found', copy && { type: copy.type, baseId: copy.baseId?.toString('hex') ?? null });
    await index.close();
  });
});

test('R2 base only in an unnamed pack: check is silent, prune refuses', async () => {
  const storage = createMemoryStorage();
  const repository = await open(storage, { packBytes: 16 * 1024 });
  const { near, vary } = createVariants();
  const base = randomBytes(3_000);
  const old = await writeSnapshot(repository, { a: [base] }, newId(), near);
  const before = (await collect(storage.list(INDEXES))).map(({ name }) => name);
  const content = { a: [vary(base)] };
  const fresh = await writeSnapshot(repository, content, newId(), near);
  await remove(old, repository);
  await repository.close();
  for (const name of before) await storage.delete(name);
  const again = await open(storage, { packBytes: 16 * 1024 });
  const report = await again.check({ readData: true });
  console.log('R2 check problems', JSON.stringify(report.problems));
  console.log('R2 read', JSON.stringify(Object.keys(await readSnapshot(again, fresh))));
  await again.prune().then(() => console.log('R2 prune went'), (e) => console.log('R2 prune refused', e.message));
  await again.close();
});

test('R3 overflow of findings', async () => {
  const storage = createMemoryStorage();
  const repository = await open(storage, { packBytes: 256 * 1024 });
  const base = randomBytes(1_000);
  const near = nearTo(() => base);
  const old = await writeSnapshot(repository, { a: [base] }, newId(), nearTo(() => null));
  near.ids.set(base.toString('latin1'), Buffer.from((await named(storage)).find(({ storedLength }) => storedLength === 1_016)?.id ?? '', 'hex'));
  const make = (n: number, tag: number) => Array.from({ length: n }, (_, i) => { const c = Buffer.from(base); c.writeUInt32LE(i, 100); c.writeUInt32LE(tag, 104); return c; });
  const lots = await writeSnapshot(repository, { a: make(10_050, 1) }, newId(), near);
  const last = await writeSnapshot(repository, { a: make(10, 2) }, newId(), near);
  await remove(old, repository);
  const ds = await deltasIn(storage);
  const basePack = (await named(storage)).find(({ id }) => id === ds[0]?.base);
  console.log('R3 deltas', ds.length);
  await storage.delete(packName(basePack?.pack ?? ''));
  const report = await repository.check();
  const hit = new Set(report.problems.flatMap(({ affects }) => affects.map(({ snapshotId }) => snapshotId)));
  console.log('R3 problems', report.problems.length, 'lots told', hit.has(lots.id), 'last told', hit.has(last.id), report.problems.at(-1)?.message);
  await assert.rejects(readSnapshot(repository, last));
  await repository.close();
});

test('R4 two forms of chunk and of its base, full ones bad: prune drops the readable delta', async () => {
  const storage = createMemoryStorage();
  const one = await open(storage, { packBytes: 16 * 1024 });
  const two = await open(storage, { packBytes: 16 * 1024 });
  const { near, vary } = createVariants();
  const c = randomBytes(3_000);
  await writeSnapshot(one, { a: [c] }, newId(), near);
  const b = vary(c, 11);
  const both = async (chunk: Buffer) => {
    const [w1, w2] = [await one.openWriter(), await two.openWriter()];
    await writeEntries(w1, { a: [chunk], fill: randomChunks(4, 3_000) }, near);
    await writeEntries(w2, { a: [chunk] });
    const r1 = await w1.commit({ id: newId(), createdAt: new Date().toISOString(), series: 'test', body: {} });
    const r2 = await w2.commit({ id: newId(), createdAt: new Date().toISOString(), series: 'test', body: {} });
    return [r1, r2];
  };
  await both(b);
  const d = vary(b, 211);
  const [d1, d2] = await both(d);
  const all = await named(storage);
  const deltas = all.filter(({ type }) => type === 2);
  for (const { id } of deltas) { const full = all.find((x) => x.id === id && x.type !== 2); if (full) await rot(storage, full); }
  await one.close(); await two.close();
  const again = await open(storage, { packBytes: 16 * 1024 });
  const ok = () => readSnapshot(again, d2!).then((x) => x['a']?.[0]?.equals(d), (e) => e.message);
  const ok1 = await ok();
  const report = await again.check({ readData: true, quarantine: true });
  console.log('R4 readable before', ok1, 'costs', report.problems.filter(({ affects }) => affects.length > 0).length, 'quarantined', report.quarantinedCopies);
  await remove(d1!, again);
  const report2 = await again.prune().then((r) => JSON.stringify({ f: r.freedBytes, d: r.damagedPacks }), (e) => e.message);
  console.log('R4 pruned', report2, 'readable after', await ok());
  console.log('R4 check after', (await again.check({ readData: true })).problems.filter(({ affects }) => affects.length > 0).map(({ message, affects }) => [message, affects.length]));
  await again.close();
});

test('R5 a delta known as bad whose tag is right is moved and trusted again', async () => {
  const storage = createMemoryStorage();
  const repository = await open(storage, { packBytes: 16 * 1024 });
  const { near, vary } = createVariants();
  const base = randomBytes(3_000);
  await writeSnapshot(repository, { a: [base] }, newId(), near);
  const v = vary(base);
  const fill = randomChunks(4, 3_000);
  const s1 = await writeSnapshot(repository, { v: [v], fill }, newId(), near);
  const s1b = await writeSnapshot(repository, { v: [v] }, newId(), near);
  const [delta] = await deltasIn(storage);
  assert.ok(delta);
  const { keys } = await unlock(storage, MASTER_KEY);
  let entry: any;
  for (const { name } of await collect(storage.list(INDEXES))) {
    const { entries } = await readIndexObject({ storage, keys } as any, name);
    for (let at = 0; at < entries.length; at += 64) { const e = readChunkEntry(entries, at); if (e.id.toString('hex') === delta.id) entry = e; }
  }
  const bytes = Buffer.from(await storage.get(packName(delta.pack)));
  const key = keys.packKey(readPackHeader(delta.pack, bytes).salt);
  let frame = Buffer.alloc(0);
  for (let at = 20; at < 2_000; at += 1) {
    const other = changed(base, at, at * 7);
    frame = zstdCompressSync(other, { params: { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_windowLog]: 17 }, dictionary: base });
    if (frame.length === delta.storedLength - 16 && !other.equals(v)) break;
  }
  assert.equal(frame.length, delta.storedLength - 16);
  const aad = Buffer.alloc(92);
  aad.write('LVCK', 'latin1'); aad[4] = 1; aad[5] = 2;
  aad.write(delta.pack, 8, 'hex'); aad.write(delta.id, 20, 'hex'); aad.writeUInt32LE(entry.counter, 52); aad.writeUInt32LE(entry.rawLength, 56); aad.write(delta.base ?? '', 60, 'hex');
  const cipher = createCipheriv('aes-256-gcm', key, packNonce(0, entry.counter)).setAAD(aad);
  const sealed = Buffer.concat([cipher.update(frame), cipher.final(), cipher.getAuthTag()]);
  sealed.copy(bytes, delta.offset);
  await storage.delete(packName(delta.pack));
  await storage.put(packName(delta.pack), bytes);
  const r = await repository.check({ readData: true, quarantine: true });
  console.log('R5 problems', JSON.stringify(r.problems.map(({ object, message }) => ({ object, message }))), r.quarantinedCopies);
  await remove(s1, repository);
  const p = await repository.prune();
  console.log('R5 prune damaged', p.damagedPacks, 'rewritten', p.rewrittenBytes);
  const now = (await deltasIn(storage)).filter(({ id }) => id === delta.id);
  console.log('R5 delta now in another pack', now.map(({ pack }) => pack !== delta.pack));
  const s2 = await writeSnapshot(repository, { v: [v] }, newId(), near);
  console.log('R5 new chunks of next snapshot', s2.stats.newChunks, 'readable', await readSnapshot(repository, s2).then(() => true, (e) => e.message));
  await repository.close();
});
