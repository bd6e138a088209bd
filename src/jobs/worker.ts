// A worker: claims jobs while it has free slots, keeps their leases, hears cancels, ends what stands still,
// takes over what dead workers left. docs/design/job-lifecycle.md says why.
import { rm } from 'node:fs/promises';
import { CANCEL_CHANNEL, type Catalog, type ClaimedJob, type Listener, type WorkerProcess } from '../catalog/index.ts';
import { sleep } from '../foundation/abort.ts';
import type { Clock } from '../foundation/clock.ts';
import { describeError, LeafvaultError } from '../foundation/errors.ts';
import type { Logger } from '../foundation/logger.ts';
import { redactUri } from '../foundation/redact.ts';
import { JOB_KINDS } from './contracts.ts';
import type { JobHandlers } from './job-handler.ts';
import { createLeaseBeat, type LeaseBeat } from './lease-beat.ts';
import { removeOldFolders, takeFromDeadWorkers, workerFolder } from './left-overs.ts';
import type { PostgresQueue, WakeUps } from './postgres-queue/postgres-queue.ts';
import { thisProcess } from './process-identity.ts';
import { runJob, type RunningJob } from './run-job.ts';

export interface WorkerOptions {
  readonly catalog: Catalog;
  readonly queue: PostgresQueue;
  readonly handlers: JobHandlers;
  readonly clock: Clock;
  readonly log: Logger;
  /** Folder for private files of jobs; below it each worker has its own. */
  readonly tempRoot: string;
  /** Jobs at once; default 2. */
  readonly concurrency?: number;
  /** Seconds after which a silent worker has lost its jobs; default 30. */
  readonly leaseSeconds?: number;
  /** Workers that a job may lose before it fails; default 3. */
  readonly maxLosses?: number;
  /** Milliseconds without progress in a phase; `otherwise` for phases not named. Default 15 minutes, 6 hours for `indexes`. */
  readonly noProgressMs?: { readonly otherwise: number; readonly [phase: string]: number };
  /** How long a handler may take to return after its signal; default 60 s. */
  readonly graceMs?: number;
  /** How long running jobs may go on when the worker is stopped; default 3 s. */
  readonly drainMs?: number;
  /** How long handlers may take to clean up when the worker is stopped; default 15 s. */
  readonly stopGraceMs?: number;
  /** Small duties besides jobs, at the start and then every so often. */
  readonly chores?: readonly Chore[];
}

export interface Chore { readonly name: string; readonly everyMs: number; run(signal: AbortSignal): Promise<void> }

const MINUTE_MS = 60_000;
const LONGEST_BEAT_MS = 1000;
const LOOK_EVERY_MS = 1000;
const SETTLE_EVERY_MS = MINUTE_MS;
const RELEASED = 'The worker stops; the job goes back into the queue';

export class Worker {
  readonly #options: Required<WorkerOptions>;
  readonly #running = new Map<string, RunningJob>();
  readonly #beat: LeaseBeat;
  readonly #stop = new AbortController();
  #self: WorkerProcess | null = null;
  #wakeUps: WakeUps | null = null;
  #listening = true;
  #cancels: Listener | null = null;
  #loops: readonly Promise<void>[] = [];
  #filling: Promise<void> | null = null;
  #refill = false;
  #stopping: Promise<void> | undefined;

  constructor(options: WorkerOptions) {
    this.#options = {
      concurrency: 2, leaseSeconds: 30, maxLosses: 3, graceMs: MINUTE_MS, drainMs: 3000, stopGraceMs: 15_000, chores: [],
      noProgressMs: { otherwise: 15 * MINUTE_MS, indexes: 360 * MINUTE_MS },
      ...options,
    };
    this.#beat = createLeaseBeat({ ...this.#options, running: this.#running });
  }

  /** Registers, takes over what dead workers of this machine left, then begins to claim. */
  async start(): Promise<void> {
    if (this.#self !== null) return;
    const { catalog, queue, leaseSeconds, chores, tempRoot } = this.#options;
    this.#self = await thisProcess();
    await catalog.workers.seen(this.#self);
    await this.#takeOver(this.#self);
    await removeOldFolders(catalog, tempRoot, this.#options.clock.now());
    this.#cancels = catalog.listen(CANCEL_CHANNEL, (jobId) => this.#beat.cancel(jobId));
    this.#wakeUps = await queue.wakeUps(() => void this.#fill().catch(() => undefined));
    const self = this.#self;
    this.#loops = [
      this.#loop('renewing leases', this.#beatMs, () => this.#pulse(self)),
      this.#loop('looking for jobs', LOOK_EVERY_MS, () => this.#fill()),
      this.#loop('looking for dead workers', leaseSeconds * 300, () => this.#takeOver(self)),
      this.#loop('settling restores', SETTLE_EVERY_MS, () => this.#settleLeftOvers(self)),
      ...chores.map(({ name, everyMs, run }) => this.#loop(name, everyMs, () => run(this.#stop.signal))),
    ];
  }

  /** Jobs that run in this process now. */
  get active(): number {
    return this.#running.size;
  }

  /** Claims nothing more, lets short jobs end, releases the rest for others. Safe to call twice. */
  stop(): Promise<void> {
    this.#stopping ??= this.#self === null ? Promise.resolve() : this.#end(this.#self);
    return this.#stopping;
  }

  async #end(self: WorkerProcess): Promise<void> {
    const { catalog, drainMs, stopGraceMs, tempRoot, log } = this.#options;
    this.#stop.abort(new LeafvaultError('JOBS_RELEASED', RELEASED));
    await this.#wakeUps?.pause().catch(() => undefined);
    await this.#filling?.catch(() => undefined);
    // Leases are still renewed while jobs come to their end.
    const renewing = this.#renewUntilEmpty();
    await within(drainMs, this.#allDone());
    for (const { interrupt } of this.#running.values()) interrupt(new LeafvaultError('JOBS_RELEASED', RELEASED));
    const ended = await within(stopGraceMs, this.#allDone());
    // What does not hear its signal ends with the process. The lease and this worker's row tell the others.
    if (!ended) log.warn({ jobs: [...this.#running.keys()] }, 'the worker stops without these jobs having ended');
    this.#running.clear();
    await Promise.all([renewing, ...this.#loops]);
    await this.#cancels?.close();
    if (!ended) return;
    await rm(workerFolder(tempRoot, self.id), { recursive: true, force: true }).catch(() => undefined);
    await catalog.workers.remove([self.id]).catch(() => undefined);
  }

  async #allDone(): Promise<void> {
    await Promise.all([...this.#running.values()].map(({ done }) => done));
  }

  async #renewUntilEmpty(): Promise<void> {
    while (this.#running.size > 0) {
      await this.#beat.beat().catch(() => undefined);
      await within(this.#beatMs, this.#allDone());
    }
  }

  get #beatMs(): number {
    return Math.min(LONGEST_BEAT_MS, this.#options.leaseSeconds * 200);
  }

  async #pulse(self: WorkerProcess): Promise<void> {
    await this.#beat.beat();
    await this.#options.catalog.workers.seen(self);
  }

  /** Runs `step` now and then every `everyMs`; what it throws is logged, the next round tries again. */
  async #loop(name: string, everyMs: number, step: () => Promise<void>): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await step().catch((error: unknown) => {
        if (!signal.aborted) this.#options.log.warn({ reason: redactUri(describeError(error)) }, `${name} failed; trying again`);
      });
      await sleep(everyMs, signal).catch(() => undefined);
    }
  }

  /** Claims until the slots are full or the queue is empty. A call during a round makes another round. */
  #fill(): Promise<void> {
    this.#refill = true;
    this.#filling ??= this.#fillRounds().finally(() => { this.#filling = null; });
    return this.#filling;
  }

  async #fillRounds(): Promise<void> {
    while (this.#refill) {
      this.#refill = false;
      while (this.#hasRoom() && (await this.#claimOne()));
    }
    await this.#listenWhileFree();
  }

  #hasRoom(): boolean {
    return !this.#stop.signal.aborted && this.#running.size < this.#options.concurrency;
  }

  async #claimOne(): Promise<boolean> {
    const { catalog, leaseSeconds } = this.#options;
    if (this.#self === null) return false;
    const job = await catalog.leases.claimNext({ workerId: this.#self.id, leaseSeconds, kinds: JOB_KINDS });
    if (job === null) return false;
    void this.#run(this.#self, job, false);
    return true;
  }

  #run(self: WorkerProcess, job: ClaimedJob, settleOnly: boolean): Promise<void> {
    const { catalog, clock, log, graceMs, handlers, tempRoot } = this.#options;
    const handler = settleOnly ? handlers.settle : handlers[job.kind];
    const running = runJob({ catalog, clock, log, graceMs, tempRoot: workerFolder(tempRoot, self.id), job, handler, settleOnly });
    const { jobId } = job.claim;
    this.#running.set(jobId, running);
    return running.done.then(() => {
      this.#running.delete(jobId);
      if (!this.#stop.signal.aborted) void this.#fill().catch(() => undefined);
    });
  }

  /** A worker without a free slot leaves the wake-ups to those that have one. */
  async #listenWhileFree(): Promise<void> {
    const free = this.#hasRoom();
    if (free === this.#listening || this.#wakeUps === null || this.#stop.signal.aborted) return;
    this.#listening = free;
    await (free ? this.#wakeUps.resume() : this.#wakeUps.pause());
  }

  async #takeOver(self: WorkerProcess): Promise<void> {
    const { catalog, maxLosses, log } = this.#options;
    const lost = await takeFromDeadWorkers(catalog, self, maxLosses);
    for (const { jobId, owner, outcome } of lost) log.warn({ job: jobId, owner, outcome }, 'a worker lost its job');
    if (lost.length > 0 && this.#wakeUps !== null) await this.#fill();
  }

  /** Targets of restores whose job is over, one after the other; what fails now is tried in the next round. */
  async #settleLeftOvers(self: WorkerProcess): Promise<void> {
    const { catalog, leaseSeconds } = this.#options;
    const tried: string[] = [];
    while (!this.#stop.signal.aborted) {
      const job = await catalog.leases.claimUnsettled({ workerId: self.id, leaseSeconds, except: tried });
      if (job === null) return;
      tried.push(job.claim.jobId);
      if (this.#stop.signal.aborted) return catalog.leases.drop(job.claim);
      const settled = this.#run(self, job, true);
      await Promise.race([settled, aborted(this.#stop.signal)]);
    }
  }
}

/** Whether it was done in time; leaves no timer behind. */
async function within(ms: number, work: Promise<void>): Promise<boolean> {
  const over = new AbortController();
  const late = sleep(ms, over.signal).then(() => false, () => false);
  const done = await Promise.race([work.then(() => true), late]);
  over.abort();
  return done;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
