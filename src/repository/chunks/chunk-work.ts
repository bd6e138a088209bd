// What is done to chunks, in a worker thread or in place: named, compressed and sealed, or opened.
import { createSecretKey, type KeyObject } from 'node:crypto';
import { releaseMemory } from '../../foundation/release-memory.ts';
import { bloomFilterOn, type BloomFilter } from '../chunk-index/bloom-filter.ts';
import { CHUNK_ENTRY_BYTES, CHUNK_ID_BYTES, CHUNK_TYPES, readChunkEntry } from '../format/chunk-entry.ts';
import { SLOT_DATA_AT, type ChunkAnswer, type ChunkFault, type ChunkJob, type SealedBase } from './chunk-jobs.ts';
import { ChunkUnreadable, chunkIdOf, createChunkSealer, openChunk, resealDelta, verifySeal, type DeltaBase } from './seal-chunk.ts';
import { createZstd } from './zstd.ts';

/** Null for a job without an answer. */
export type ChunkWork = (job: ChunkJob) => ChunkAnswer | null;

/** With a zstd context and scratch memory of its own: one per thread. */
export function createChunkWork(chunkIdKeyBytes: Uint8Array): ChunkWork {
  const chunkIdKey = createSecretKey(chunkIdKeyBytes);
  const packKeys = createKeyCache();
  const zstd = createZstd();
  const sealChunk = createChunkSealer(zstd);
  let filter: BloomFilter | null = null;

  /** The raw bytes of a base, verified; null where they can't be had: then the chunk is stored full. */
  const openBase = (base: SealedBase): DeltaBase | null => {
    const raw = Buffer.allocUnsafeSlow(base.rawLength);
    try {
      openChunk(zstd, chunkIdKey, base.stored, { ...base, packKey: packKeys(base.packId, base.packKey) }, raw);
      return { id: base.id, raw, storedLength: base.stored.length };
    } catch (error) {
      if (!(error instanceof ChunkUnreadable)) throw error;
      return null;
    }
  };

  const seal = (job: Extract<ChunkJob, { kind: 'seal' }>): ChunkAnswer => {
    const slot = Buffer.from(job.slot);
    const raw = slot.subarray(SLOT_DATA_AT, SLOT_DATA_AT + job.rawLength);
    const id = job.task === 'seal named' ? Buffer.from(slot.subarray(0, CHUNK_ID_BYTES)) : chunkIdOf(chunkIdKey, raw);
    slot.set(id, 0);
    const mayBeKnown = (job.task === 'name' || job.task === 'seal new') && filter?.mayHold(id) !== false;
    if (job.task === 'name' || mayBeKnown) return { kind: 'sealed', job: job.job, type: 0, storedLength: 0, mayBeKnown };
    const base = job.base === undefined || job.base === null ? null : openBase(job.base);
    const sealed = sealChunk(raw, id, { ...job, packKey: packKeys(job.packId, job.packKey) }, slot.subarray(SLOT_DATA_AT), base ?? undefined);
    if (base !== null) releaseMemory(base.raw);
    return { kind: 'sealed', job: job.job, ...sealed, mayBeKnown };
  };

  const reseal = (job: Extract<ChunkJob, { kind: 'reseal' }>): ChunkAnswer => {
    const slot = Buffer.from(job.slot);
    const stored = slot.subarray(SLOT_DATA_AT, SLOT_DATA_AT + job.storedLength);
    const delta = { ...job.from, packKey: packKeys(job.from.packId, job.from.packKey), id: Buffer.from(slot.subarray(0, CHUNK_ID_BYTES)), type: CHUNK_TYPES.delta, rawLength: job.rawLength };
    const answer = { kind: 'sealed', job: job.job, type: CHUNK_TYPES.delta, mayBeKnown: false } as const;
    try {
      resealDelta(stored, { delta, baseId: job.baseId, to: { ...job.to, packKey: packKeys(job.to.packId, job.to.packKey) } });
      return { ...answer, storedLength: job.storedLength };
    } catch (error) {
      if (!(error instanceof ChunkUnreadable)) throw error;
      return { ...answer, storedLength: 0 };
    }
  };

  const open = (job: Extract<ChunkJob, { kind: 'open' }>): ChunkAnswer => {
    const packKey = packKeys(job.packId, job.packKey);
    const entries = Buffer.from(job.entries.buffer, job.entries.byteOffset, job.entries.byteLength);
    const chunks = Array.from({ length: entries.length / CHUNK_ENTRY_BYTES }, (_, i) => readChunkEntry(entries, i * CHUNK_ENTRY_BYTES));
    // Memory of its own can change hands without a copy.
    const raw = Buffer.allocUnsafeSlow(chunks.reduce((sum, { rawLength }) => sum + rawLength, 0));
    const faults: ChunkFault[] = [];
    let at = 0;
    for (const [i, chunk] of chunks.entries()) {
      const target = raw.subarray(at, at + chunk.rawLength);
      at += chunk.rawLength;
      const stored = job.stored.subarray(chunk.offset, chunk.offset + chunk.storedLength);
      const sealed = { ...chunk, packKey, packId: job.packId };
      const base = chunk.type === CHUNK_TYPES.delta ? job.bases?.[chunk.base] : undefined;
      try {
        if (base?.raw === null) verifySeal(stored, sealed, base.id);
        else openChunk(zstd, chunkIdKey, stored, sealed, target, base === undefined ? undefined : { id: base.id, raw: base.raw });
      } catch (error) {
        if (!(error instanceof ChunkUnreadable)) throw error;
        faults.push({ chunk: i, reason: error.message });
      }
    }
    return { kind: 'opened', job: job.job, raw, faults };
  };

  return (job) => {
    if (job.kind === 'filter') {
      filter = bloomFilterOn(job.memory);
      return null;
    }
    try {
      return job.kind === 'seal' ? seal(job) : job.kind === 'reseal' ? reseal(job) : open(job);
    } catch (error) {
      return { kind: 'failed', job: job.job, reason: error instanceof Error ? error.message : String(error) };
    }
  };
}

/** Key objects of the packs met last. */
function createKeyCache(): (packId: Uint8Array, key: Uint8Array) => KeyObject {
  const known = new Map<string, KeyObject>();
  return (packId, bytes) => {
    const name = Buffer.from(packId.buffer, packId.byteOffset, packId.byteLength).toString('latin1');
    let key = known.get(name);
    if (key === undefined) {
      if (known.size >= 256) known.clear();
      key = createSecretKey(bytes);
      known.set(name, key);
    }
    return key;
  };
}
