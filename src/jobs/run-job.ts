// One claimed job from its handler's start to its last row.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Catalog, Claim, ClaimedJob } from '../catalog/index.ts';
import { sleep } from '../foundation/abort.ts';
import type { Clock } from '../foundation/clock.ts';
import { describeError, isLeafvaultError, LeafvaultError } from '../foundation/errors.ts';
import type { Logger } from '../foundation/logger.ts';
import { failureOf, scrub } from './job-failure.ts';
import type { Completion, JobContext, JobHandler } from './job-handler.ts';
import { createProgressMeter, type ProgressMeter } from './progress-meter.ts';

/** A job in this process, as the worker sees it. */
export interface RunningJob {
  readonly job: ClaimedJob;
  readonly meter: ProgressMeter;
  /** The claim whose lease has to be renewed now. */
  readonly claim: () => Claim;
  /** The first reason counts. */
  interrupt(reason: LeafvaultError): void;
  /** Resolves when nothing of it runs any more and its rows are written; never rejects. */
  readonly done: Promise<void>;
}

export interface RunOptions {
  readonly job: ClaimedJob;
  readonly handler: JobHandler;
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly log: Logger;
  readonly tempRoot: string;
  /** How long a handler may take to return after its signal; then it is abandoned. */
  readonly graceMs: number;
  /** The job is over already: only its target is settled, its state stays. */
  readonly settleOnly?: boolean;
}

interface Run extends RunOptions {
  readonly abort: AbortController;
  readonly meter: ProgressMeter;
  readonly secrets: Set<string>;
  claim: Claim;
}

type HandlerOutcome = { readonly completion: Completion } | { readonly reason: unknown };

export function runJob(options: RunOptions): RunningJob {
  const { job, clock } = options;
  const log = options.log.child({ job: job.claim.jobId, kind: job.kind, attempt: job.attempt });
  const run: Run = { ...options, log, abort: new AbortController(), meter: createProgressMeter(clock), secrets: new Set(), claim: job.claim };
  const interrupt = (reason: LeafvaultError): void => run.abort.abort(reason);
  if (job.cancelRequestedAt !== null && options.settleOnly !== true) {
    interrupt(new LeafvaultError('JOBS_CANCELLED', 'The job was cancelled before this attempt began'));
  }
  return { job, meter: run.meter, claim: () => run.claim, interrupt, done: runToEnd(run) };
}

async function runToEnd(run: Run): Promise<void> {
  const { log, secrets } = run;
  log.info('job begins');
  const returned = new AbortController();
  try {
    const work = callHandler(run).finally(() => returned.abort());
    const outcome = await Promise.race([work, abandonAfterGrace(run, returned.signal)]);
    if (outcome === 'abandoned') await work;
    else await writeEnd(run, outcome);
  } catch (error) {
    // The rows could not be written; the lease runs out and another attempt finds out what is true.
    log.error({ reason: scrub(describeError(error), secrets) }, 'the end of the job could not be written');
  }
  if (run.claim !== run.job.claim || run.settleOnly === true) await run.catalog.leases.drop(run.claim).catch(() => undefined);
}

async function callHandler({ job, handler, catalog, tempRoot, abort: { signal }, meter, secrets, log }: Run): Promise<HandlerOutcome> {
  let tempDir: string | undefined;
  try {
    await mkdir(tempRoot, { recursive: true, mode: 0o700 });
    tempDir = await mkdtemp(join(tempRoot, `job-${job.claim.jobId}-`));
    const context: JobContext = {
      job, signal, log, tempDir,
      onProgress: (progress) => meter.report(progress),
      fenced: (work) => catalog.fenced(job.claim, work),
      hide: (secret) => void secrets.add(secret),
    };
    return { completion: await handler(context) };
  } catch (error) {
    // What interrupted it is the cause; what it stumbled over on its way out is for the log.
    if (!signal.aborted) return { reason: error };
    if (error !== signal.reason) log.info({ reason: scrub(describeError(error), secrets) }, 'the handler ended on its signal');
    return { reason: signal.reason };
  } finally {
    if (tempDir !== undefined) await rm(tempDir, { recursive: true, force: true }).catch(() => undefined);
  }
}

/** Ends the rows of a handler that does not hear its signal; resolves only then. */
async function abandonAfterGrace(run: Run, returned: AbortSignal): Promise<'abandoned'> {
  const { abort: { signal }, graceMs, log } = run;
  await firing(signal);
  if (!(await sleep(graceMs, returned).then(() => true, () => false))) return new Promise(() => undefined);
  const reason = signal.reason as LeafvaultError;
  log.error({ reason: reason.code }, 'the job does not end; it is abandoned');
  if (run.settleOnly !== true) {
    const failure = {
      code: 'JOBS_STUCK',
      message: `The work did not end within ${graceMs / 1000} s of being told to (${reason.message})`,
      hint: 'Restart this worker: what hangs in it ends with it, and what it left on a target is cleaned up after that',
    };
    await run.catalog.fenced(run.claim, async (tx) => { run.claim = await tx.leases.abandon(run.claim, failure); }).catch(() => undefined);
  }
  return 'abandoned';
}

function firing(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

async function writeEnd(run: Run, outcome: HandlerOutcome): Promise<void> {
  const { claim, catalog, settleOnly, meter, log, secrets } = run;
  const progress = meter.last();
  if (progress !== null && settleOnly !== true) await catalog.leases.saveProgress(claim, progress);
  if ('completion' in outcome) {
    await catalog.fenced(claim, async (tx) => {
      await outcome.completion(tx);
      if (settleOnly !== true) await tx.leases.finish(claim, 'completed');
    });
    log.info('job completed');
  } else if (settleOnly === true) {
    log.warn({ reason: scrub(describeError(outcome.reason), secrets) }, 'the target of an ended restore could not be settled yet');
  } else {
    await writeFailure(run, outcome.reason);
  }
}

/** Interruptions that say nothing against the job: it goes back into the queue, if it is still ours. */
const AGAIN = ['JOBS_RELEASED', 'JOBS_PAUSED', 'JOBS_LEASE_LOST', 'CATALOG_LEASE_LOST'];
// A catalog that goes away each time is no accident any more.
const CATALOG_TRIES = 10;

function isAgain(reason: unknown, attempt: number): boolean {
  if (!isLeafvaultError(reason)) return false;
  return AGAIN.includes(reason.code) || (reason.code === 'CATALOG_UNREACHABLE' && attempt < CATALOG_TRIES);
}

async function writeFailure({ job, claim, catalog, secrets, log }: Run, reason: unknown): Promise<void> {
  if (isAgain(reason, job.attempt)) {
    log.warn({ reason: scrub(describeError(reason), secrets) }, 'the job goes back into the queue');
    await catalog.fenced(claim, (tx) => tx.leases.release(claim)).catch(unlessLost);
    return;
  }
  const outcome = isLeafvaultError(reason, 'JOBS_CANCELLED') ? 'cancelled' as const : failureOf(reason, secrets);
  await catalog.fenced(claim, (tx) => tx.leases.finish(claim, outcome)).catch(unlessLost);
  log.info(typeof outcome === 'string' ? { outcome } : { outcome: 'failed', code: outcome.code, reason: outcome.message }, 'job ended');
}

function unlessLost(error: unknown): void {
  if (!isLeafvaultError(error, 'CATALOG_LEASE_LOST')) throw error;
}
