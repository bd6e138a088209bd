// The worker threads of one open repository: started when first needed, two on a small machine.
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { LeafvaultError } from '../../foundation/errors.ts';
import type { BloomFilter } from '../chunk-index/bloom-filter.ts';
import type { ChunkAnswer, ChunkJob, OpenAnswer, PackPlace, SealAnswer, WorkerStart } from './chunk-jobs.ts';
import { createChunkWork } from './chunk-work.ts';

type SealRequest = Omit<Extract<ChunkJob, { kind: 'seal' }>, 'kind' | 'job'>;
type ResealRequest = Omit<Extract<ChunkJob, { kind: 'reseal' }>, 'kind' | 'job'>;
type OpenRequest = Omit<Extract<ChunkJob, { kind: 'open' }>, 'kind' | 'job'>;

export interface ChunkPool {
  /** How many jobs keep all threads busy. */
  readonly width: number;
  /** Takes over the memory of the base's `stored` when it is alone in it. */
  seal(request: SealRequest): Promise<SealAnswer>;
  reseal(request: ResealRequest): Promise<SealAnswer>;
  /** Takes over the memory of `stored` when it is alone in it. */
  open(request: OpenRequest): Promise<OpenAnswer>;
  /** From now on `seal` asks this filter. */
  useFilter(filter: BloomFilter): void;
  close(): Promise<void>;
}

interface Thread {
  readonly worker: Worker;
  readonly waiting: Map<number, Waiting>;
}

interface Waiting {
  resolve(answer: ChunkAnswer): void;
  reject(error: unknown): void;
}

const MAX_THREADS = 4;

/** @param threadCount default: one for each core, 2 to 4; 0 works in place, on the caller's thread */
export function createChunkPool(chunkIdKey: Uint8Array, threadCount?: number): ChunkPool {
  const count = threadCount ?? Math.min(MAX_THREADS, Math.max(2, availableParallelism()));
  const threads: Thread[] = [];
  let filterMemory: SharedArrayBuffer | null = null;
  let nextJob = 1;
  let closed = false;

  const start = (): Thread => {
    const worker = new Worker(new URL('./chunk-worker.ts', import.meta.url), {
      workerData: { chunkIdKey } satisfies WorkerStart,
      // The workers keep almost nothing on the JavaScript heap; a small one keeps the process small.
      resourceLimits: { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 64 },
    });
    const thread: Thread = { worker, waiting: new Map() };
    worker.unref();
    worker.on('message', (answer: ChunkAnswer) => settle(thread, answer));
    worker.on('error', (cause) => bury(threads, thread, cause));
    worker.on('exit', () => bury(threads, thread, new Error('the thread ended')));
    if (filterMemory !== null) worker.postMessage({ kind: 'filter', memory: filterMemory } satisfies ChunkJob);
    threads.push(thread);
    return thread;
  };

  const leastBusy = (): Thread => {
    if (closed) throw new LeafvaultError('REPOSITORY_CLOSED', 'Using the repository failed: it was closed before');
    let best = threads.find((thread) => thread.waiting.size === 0);
    if (best === undefined && threads.length < count) best = start();
    for (const thread of threads) if (best === undefined || thread.waiting.size < best.waiting.size) best = thread;
    return best ?? start();
  };

  const inPlace = count === 0 ? createChunkWork(chunkIdKey) : null;

  const send = (make: (job: number) => ChunkJob, transfer: ArrayBuffer[]): Promise<ChunkAnswer> =>
    new Promise((resolve, reject) => {
      const job = nextJob;
      nextJob += 1;
      if (inPlace !== null) {
        const answer = inPlace(make(job));
        if (answer !== null) deliver(answer, { resolve, reject });
        return;
      }
      const thread = leastBusy();
      thread.waiting.set(job, { resolve, reject });
      if (thread.waiting.size === 1) thread.worker.ref();
      thread.worker.postMessage(make(job), transfer);
    });

  return {
    width: count,
    seal: async (request) => {
      const { base } = request;
      const alone = { ...request, ...placeAlone(request), base: base === undefined || base === null ? null : { ...base, ...placeAlone(base), id: inOwnMemory(base.id), stored: inOwnMemory(base.stored) } };
      return (await send((job) => ({ kind: 'seal', job, ...alone }), alone.base === null ? [] : movable(alone.base.stored))) as SealAnswer;
    },
    reseal: async (request) => {
      const alone = { ...request, baseId: inOwnMemory(request.baseId), from: placeAlone(request.from), to: placeAlone(request.to) };
      return (await send((job) => ({ kind: 'reseal', job, ...alone }), [])) as SealAnswer;
    },
    open: async (request) => {
      const alone = { ...request, packKey: inOwnMemory(request.packKey), packId: inOwnMemory(request.packId), entries: inOwnMemory(request.entries) };
      return (await send((job) => ({ kind: 'open', job, ...alone }), movable(request.stored))) as OpenAnswer;
    },
    useFilter(filter) {
      filterMemory = filter.memory;
      inPlace?.({ kind: 'filter', memory: filterMemory });
      for (const { worker } of threads) worker.postMessage({ kind: 'filter', memory: filterMemory } satisfies ChunkJob);
    },
    async close() {
      closed = true;
      await Promise.all(threads.splice(0).map(({ worker }) => worker.terminate()));
    },
  };
}

function placeAlone({ packKey, packId, counter }: PackPlace): PackPlace {
  return { packKey: inOwnMemory(packKey), packId: inOwnMemory(packId), counter };
}

/** Its memory, where it is alone in it: that changes hands. */
function movable({ byteLength, buffer }: Uint8Array): ArrayBuffer[] {
  return byteLength === buffer.byteLength && buffer instanceof ArrayBuffer ? [buffer] : [];
}

/** A copy in memory of its own: posting a view would copy all the memory that it looks at. */
function inOwnMemory(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);
}

function settle(thread: Thread, answer: ChunkAnswer): void {
  const waiting = thread.waiting.get(answer.job);
  thread.waiting.delete(answer.job);
  if (thread.waiting.size === 0) thread.worker.unref();
  if (waiting !== undefined) deliver(answer, waiting);
}

function deliver(answer: ChunkAnswer, { resolve, reject }: Waiting): void {
  if (answer.kind !== 'failed') resolve(answer);
  else reject(new LeafvaultError('REPOSITORY_WORKER_FAILED', `A worker thread of the repository failed: ${answer.reason}`));
}

/** Takes a dead thread out; what it was at fails, later jobs go to another. */
function bury(threads: Thread[], thread: Thread, cause: unknown): void {
  const at = threads.indexOf(thread);
  if (at >= 0) threads.splice(at, 1);
  const error = new LeafvaultError('REPOSITORY_WORKER_FAILED', 'A worker thread of the repository died', { cause, retryable: true });
  for (const { reject } of thread.waiting.values()) reject(error);
  thread.waiting.clear();
}
