// The entry of a worker thread.
import { parentPort, workerData } from 'node:worker_threads';
import { releaseMemory } from '../../foundation/release-memory.ts';
import type { ChunkJob, WorkerStart } from './chunk-jobs.ts';
import { createChunkWork } from './chunk-work.ts';

const work = createChunkWork((workerData as WorkerStart).chunkIdKey);

parentPort?.on('message', (job: ChunkJob) => {
  const answer = work(job);
  if (job.kind === 'open') releaseMemory(job.stored);
  if (answer !== null) parentPort?.postMessage(answer, answer.kind === 'opened' ? [answer.raw.buffer as ArrayBuffer] : []);
});
