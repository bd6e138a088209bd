// What is done to chunks, in a worker thread or in place: named, compressed and sealed, or opened.
import { createSecretKey, type KeyObject } from 'node:crypto';
import { bloomFilterOn, type BloomFilter } from '../chunk-index/bloom-filter.ts';
import { CHUNK_ENTRY_BYTES, CHUNK_TYPES, readChunkEntry } from '../format/chunk-entry.ts';
import { SLOT_DATA_AT, type ChunkAnswer, type ChunkFault, type ChunkJob } from './chunk-jobs.ts';
import { ChunkUnreadable, chunkIdOf, createChunkSealer, openChunk, verifySeal } from './seal-chunk.ts';
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

  const seal = (job: Extract<ChunkJob, { kind: 'seal' }>): ChunkAnswer => {
    const slot = Buffer.from(job.slot);
    const raw = slot.subarray(SLOT_DATA_AT, SLOT_DATA_AT + job.rawLength);
    const id = chunkIdOf(chunkIdKey, raw);
    slot.set(id, 0);
    if (!job.always && filter?.mayHold(id) !== false) return { kind: 'sealed', job: job.job, type: 0, storedLength: 0 };
    return { kind: 'sealed', job: job.job, ...sealChunk(raw, id, { ...job, packKey: packKeys(job.packId, job.packKey) }, slot.subarray(SLOT_DATA_AT)) };
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
      return job.kind === 'seal' ? seal(job) : open(job);
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
