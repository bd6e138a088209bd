// A worker thread: names, compresses and seals chunks, and opens them.
import { parentPort, workerData } from 'node:worker_threads';
import { bloomFilterOn, type BloomFilter } from '../chunk-index/bloom-filter.ts';
import { SLOT_DATA_AT, type ChunkAnswer, type ChunkJob, type WorkerStart } from './chunk-jobs.ts';
import { ChunkUnreadable, chunkIdOf, createChunkSealer, openChunk } from './seal-chunk.ts';
import { createZstd } from './zstd.ts';

const { chunkIdKey } = workerData as WorkerStart;
const zstd = createZstd();
const sealChunk = createChunkSealer(zstd);
let filter: BloomFilter | null = null;

parentPort?.on('message', (job: ChunkJob) => {
  if (job.kind === 'filter') {
    filter = bloomFilterOn(job.memory);
    return;
  }
  try {
    const answer = job.kind === 'seal' ? seal(job) : open(job);
    parentPort?.postMessage(answer, answer.kind === 'opened' ? [answer.raw.buffer as ArrayBuffer] : []);
  } catch (error) {
    const unreadable = error instanceof ChunkUnreadable;
    const reason = error instanceof Error ? error.message : String(error);
    parentPort?.postMessage({ kind: 'failed', job: job.job, reason, unreadable } satisfies ChunkAnswer);
  }
});

function seal(job: Extract<ChunkJob, { kind: 'seal' }>): ChunkAnswer {
  const slot = Buffer.from(job.slot);
  const raw = slot.subarray(SLOT_DATA_AT, SLOT_DATA_AT + job.rawLength);
  const id = chunkIdOf(chunkIdKey, raw);
  slot.set(id, 0);
  if (!job.always && filter?.mayHold(id) !== false) return { kind: 'sealed', job: job.job, type: 0, storedLength: 0 };
  return { kind: 'sealed', job: job.job, ...sealChunk(raw, id, job, slot.subarray(SLOT_DATA_AT)) };
}

function open(job: Extract<ChunkJob, { kind: 'open' }>): ChunkAnswer {
  const raw = openChunk(zstd, chunkIdKey, job.stored, job);
  // Memory that only this chunk lies in can change hands without a copy.
  const own = raw.byteOffset === 0 && raw.byteLength === raw.buffer.byteLength ? raw : Uint8Array.from(raw);
  return { kind: 'opened', job: job.job, raw: own };
}
