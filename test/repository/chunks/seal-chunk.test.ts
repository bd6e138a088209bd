// One chunk, sealed and opened: the same in every thread, and bound to everything that its tag vouches for.
import assert from 'node:assert/strict';
import { createHmac, createSecretKey, randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { createChunkPool } from '../../../src/repository/chunks/chunk-pool.ts';
import { SLOT_DATA_AT } from '../../../src/repository/chunks/chunk-jobs.ts';
import { chunkIdOf, ChunkUnreadable, createChunkSealer, openChunk, sealedBound } from '../../../src/repository/chunks/seal-chunk.ts';
import { compressBound, createZstd, publicZstd, type Zstd } from '../../../src/repository/chunks/zstd.ts';
import { CHUNK_TYPES } from '../../../src/repository/format/chunk-entry.ts';

const ID_KEY = createSecretKey(Buffer.alloc(32, 3));
const SEAL = { packKey: createSecretKey(Buffer.alloc(32, 5)), packId: Buffer.alloc(12, 6), counter: 7 };

function sealed(zstd: Zstd, raw: Buffer): { readonly stored: Buffer; readonly id: Buffer; readonly type: number } {
  const id = chunkIdOf(ID_KEY, raw);
  const target = Buffer.alloc(sealedBound(raw.length));
  const { type, storedLength } = createChunkSealer(zstd)(raw, id, SEAL, target);
  return { stored: target.subarray(0, storedLength), id, type };
}

function opened(zstd: Zstd, { stored, id, type }: ReturnType<typeof sealed>, rawLength: number, changes: object = {}): Buffer {
  const target = Buffer.alloc(rawLength);
  openChunk(zstd, ID_KEY, stored, { ...SEAL, id, type, rawLength, ...changes }, target);
  return target;
}

describe('zstd', () => {
  test('keeps its context on this runtime, and what it writes the public calls read', () => {
    const [kept, plain] = [createZstd(), publicZstd()];
    assert.equal(kept.persistent, true, 'the fast path works on the pinned Node');
    const text = Buffer.from('some text that comes again and again, '.repeat(2_000));
    for (const raw of [text, Buffer.alloc(1), randomBytes(100_000), text.subarray(7), Buffer.alloc(300_000)]) {
      for (const [from, to] of [[kept, plain], [plain, kept], [kept, kept]] as const) {
        const target = Buffer.alloc(compressBound(raw.length));
        const back = Buffer.alloc(raw.length);
        to.decompress(target.subarray(0, from.compress(raw, target)), back);
        assert.ok(back.equals(raw));
      }
    }
  });

  test('goes on after a frame that is broken or has another length', () => {
    for (const zstd of [createZstd(), publicZstd()]) {
      const frame = zstdCompressSync(Buffer.alloc(1_000, 'ab'));
      assert.throws(() => zstd.decompress(frame, Buffer.alloc(999)));
      assert.throws(() => zstd.decompress(frame, Buffer.alloc(1_001)));
      assert.throws(() => zstd.decompress(frame.subarray(0, -3), Buffer.alloc(1_000)));
      assert.throws(() => zstd.decompress(randomBytes(50), Buffer.alloc(1_000)));
      const back = Buffer.alloc(1_000);
      zstd.decompress(frame, back);
      assert.ok(back.equals(Buffer.alloc(1_000, 'ab')));
    }
  });
});

describe('a sealed chunk', () => {
  test('of any bytes opens to them and is never longer than bytes and tag', () => {
    const zstd = createZstd();
    fc.assert(fc.property(fc.uint8Array({ minLength: 1, maxLength: 3_000 }), fc.boolean(), (bytes, repeat) => {
      const raw = repeat ? Buffer.concat(Array.from({ length: 20 }, () => bytes)) : Buffer.from(bytes);
      const chunk = sealed(zstd, raw);
      assert.ok(chunk.stored.length <= raw.length + 16);
      assert.deepEqual(opened(zstd, chunk, raw.length), raw);
      assert.deepEqual(chunk.id, createHmac('sha256', Buffer.alloc(32, 3)).update(raw).digest());
    }));
  });

  test('is stored as it is when it does not shrink', () => {
    assert.equal(sealed(createZstd(), randomBytes(5_000)).type, CHUNK_TYPES.plain);
    assert.equal(sealed(createZstd(), Buffer.alloc(5_000)).type, CHUNK_TYPES.zstd);
  });

  test('opens under nothing but its own pack, key, counter, type, id and length', () => {
    const zstd = createZstd();
    const raw = Buffer.from('a text '.repeat(100));
    const chunk = sealed(zstd, raw);
    const wrong: Readonly<Record<string, object>> = {
      'another pack': { packId: Buffer.alloc(12, 9) },
      'another key': { packKey: createSecretKey(Buffer.alloc(32, 9)) },
      'another counter': { counter: 8 },
      'another type': { type: CHUNK_TYPES.plain },
      'another id': { id: Buffer.alloc(32) },
      'another length': { rawLength: raw.length + 1 },
    };
    for (const [what, changes] of Object.entries(wrong)) assert.throws(() => opened(zstd, chunk, raw.length, changes), ChunkUnreadable, what);
    for (let at = 0; at < chunk.stored.length; at += 1) {
      const stored = Buffer.from(chunk.stored);
      stored[at] = (stored[at] ?? 0) ^ 1;
      assert.throws(() => opened(zstd, { ...chunk, stored }, raw.length), ChunkUnreadable, `byte ${at}`);
    }
    assert.throws(() => opened(zstd, { ...chunk, stored: chunk.stored.subarray(0, 10) }, raw.length), ChunkUnreadable);
  });
});

/** A chunk of documents that differ, of which `changed` were written anew. */
function documents(count: number, changed: ReadonlySet<number> = new Set()): Buffer {
  return Buffer.concat(Array.from({ length: count }, (_, i) => createHmac('sha512', changed.has(i) ? 'new' : 'old').update(String(i)).digest()));
}

describe('a delta', () => {
  const raw = documents(1_000, new Set([3, 500]));
  const base = { id: Buffer.alloc(32, 8), raw: documents(1_000) };
  const sealDelta = (zstd: Zstd, bytes: Buffer, from: { readonly id: Buffer; readonly raw: Buffer }) => {
    const id = chunkIdOf(ID_KEY, bytes);
    const target = Buffer.alloc(sealedBound(bytes.length));
    const { type, storedLength } = createChunkSealer(zstd)(bytes, id, SEAL, target, from);
    return { stored: target.subarray(0, storedLength), id, type };
  };
  const openDelta = (chunk: ReturnType<typeof sealDelta>, from: { readonly id: Buffer; readonly raw: Buffer } | undefined, changes: object = {}): Buffer => {
    const target = Buffer.alloc(raw.length);
    openChunk(createZstd(), ID_KEY, chunk.stored, { ...SEAL, ...chunk, rawLength: raw.length, ...changes }, target, from);
    return target;
  };

  test('is compressed in full, too, only where its base leaves it open whether it is worth that', () => {
    const inner = createZstd();
    let inFull = 0;
    const zstd: Zstd = {
      ...inner,
      compress(...bytes) {
        inFull += 1;
        return inner.compress(...bytes);
      },
    };
    const long = documents(1_000, new Set(Array.from({ length: 120 }, (_, i) => i * 8)));
    const known = { ...base, storedLength: base.raw.length + 16 };
    assert.deepEqual([sealDelta(zstd, raw, known).type, inFull], [CHUNK_TYPES.delta, 0]);
    assert.deepEqual([sealDelta(zstd, long, known).type, inFull], [CHUNK_TYPES.delta, 1]);
    assert.deepEqual([sealDelta(zstd, raw, base).type, inFull], [CHUNK_TYPES.delta, 2], 'nothing is known of what the base takes');
  });

  test('holds what differs from its base, and opens with it to the same bytes', () => {
    for (const zstd of [createZstd(), publicZstd()]) {
      const chunk = sealDelta(zstd, raw, base);
      assert.equal(chunk.type, CHUNK_TYPES.delta);
      assert.ok(chunk.stored.length < 400, `${chunk.stored.length} bytes for two documents of 64 bytes that do not shrink`);
      assert.deepEqual(openDelta(chunk, base), raw);
    }
  });

  test('reaches back over a base and a chunk of any length', () => {
    const long = { id: base.id, raw: randomBytes(1_500_000) };
    const changed = Buffer.concat([randomBytes(100), long.raw.subarray(100)]);
    const chunk = sealDelta(createZstd(), changed, long);
    assert.equal(chunk.type, CHUNK_TYPES.delta);
    assert.ok(chunk.stored.length < 2_000, `${chunk.stored.length} bytes`);
    const target = Buffer.alloc(changed.length);
    openChunk(createZstd(), ID_KEY, chunk.stored, { ...SEAL, ...chunk, rawLength: changed.length }, target, long);
    assert.ok(target.equals(changed));
  });

  test('gives way to the full chunk where it takes more than a quarter of it', () => {
    const every = (step: number): Set<number> => new Set(Array.from({ length: 1_000 }, (_, i) => i).filter((i) => i % step === 0));
    const full = sealed(createZstd(), raw).stored.length;
    const short = sealDelta(createZstd(), documents(1_000, every(10)), base);
    assert.equal(short.type, CHUNK_TYPES.delta);
    assert.ok(short.stored.length <= full / 4 + 16);
    const much = documents(1_000, every(3));
    const chunk = sealDelta(createZstd(), much, base);
    assert.notEqual(chunk.type, CHUNK_TYPES.delta);
    assert.deepEqual(opened(createZstd(), chunk, much.length), much, 'it needs no base');
  });

  test('opens under nothing but its own base, and is refused without it', () => {
    const chunk = sealDelta(createZstd(), raw, base);
    assert.throws(() => openDelta(chunk, undefined), { message: /its base is not at hand/ });
    assert.throws(() => openDelta(chunk, { ...base, id: Buffer.alloc(32, 9) }), ChunkUnreadable, 'the tag vouches for the id of the base');
    assert.throws(() => openDelta(chunk, { ...base, raw: documents(1_000, new Set([7])) }), ChunkUnreadable, 'other bytes than the base had');
    assert.throws(() => openDelta(chunk, base, { type: CHUNK_TYPES.zstd }), ChunkUnreadable);
    for (let at = 0; at < chunk.stored.length; at += 1) {
      const stored = Buffer.from(chunk.stored);
      stored[at] = (stored[at] ?? 0) ^ 1;
      assert.throws(() => openDelta({ ...chunk, stored }, base), ChunkUnreadable, `byte ${at}`);
    }
  });

  test('has no base that zstd would take for a trained dictionary, or for none', () => {
    const trained = Buffer.concat([Buffer.from('37a430ec', 'hex'), base.raw]);
    for (const from of [trained, Buffer.alloc(0), base.raw.subarray(0, 7)]) {
      assert.notEqual(sealDelta(createZstd(), raw, { id: base.id, raw: from }).type, CHUNK_TYPES.delta);
    }
  });
});

describe('chunk pool', () => {
  test('tells a failure of its own work from a damaged chunk, and works on', async () => {
    const pool = createChunkPool(Buffer.alloc(32, 3), 1);
    const slot = new SharedArrayBuffer(1_000);
    const request = { slot, rawLength: 100, packKey: new Uint8Array(32), packId: new Uint8Array(12), counter: 1, task: 'seal' } as const;
    await assert.rejects(pool.seal({ ...request, packKey: new Uint8Array(5), packId: new Uint8Array(12).fill(1) }), { code: 'REPOSITORY_WORKER_FAILED' });
    const answer = await pool.seal(request);
    assert.deepEqual(Buffer.from(slot, 0, 32), chunkIdOf(ID_KEY, Buffer.alloc(100)));
    assert.ok(answer.storedLength > 16 && answer.storedLength < 116);
    assert.ok(SLOT_DATA_AT >= 32);
    await pool.close();
    await assert.rejects(pool.seal(request), { code: 'REPOSITORY_CLOSED' });
  });
});
