// What is done to chunks, in a worker thread or in place: named, compressed and sealed, or opened.
import { createSecretKey, type KeyObject } from 'node:crypto';
import { bloomFilterOn, type BloomFilter } from '../chunk-index/bloom-filter.ts';
import { SLOT_DATA_AT, type ChunkAnswer, type ChunkJob } from './chunk-jobs.ts';
import { ChunkUnreadable, chunkIdOf, createChunkSealer, openChunk } from './seal-chunk.ts';
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
    const raw = openChunk(zstd, chunkIdKey, job.stored, { ...job, packKey: packKeys(job.packId, job.packKey) });
    // Memory that only this chunk lies in can change hands without a copy.
    const own = raw.byteOffset === 0 && raw.byteLength === raw.buffer.byteLength ? raw : Uint8Array.from(raw);
    return { kind: 'opened', job: job.job, raw: own };
  };

  return (job) => {
    if (job.kind === 'filter') {
      filter = bloomFilterOn(job.memory);
      return null;
    }
    try {
      return job.kind === 'seal' ? seal(job) : open(job);
    } catch (error) {
      const unreadable = error instanceof ChunkUnreadable;
      return { kind: 'failed', job: job.job, reason: error instanceof Error ? error.message : String(error), unreadable };
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
