// The worker's pulse, once a second: leases renewed, losses and cancels heard, progress written, standstills ended.
import type { Catalog, HeldLease } from '../catalog/index.ts';
import type { Clock } from '../foundation/clock.ts';
import { LeafvaultError } from '../foundation/errors.ts';
import type { RunningJob } from './run-job.ts';

export interface LeaseBeat {
  /** @throws what the catalog throws; the jobs are told to end once their leases must have run out */
  beat(): Promise<void>;
  cancel(jobId: string): void;
}

export interface LeaseBeatOptions {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly leaseSeconds: number;
  readonly noProgressMs: { readonly otherwise: number; readonly [phase: string]: number };
  readonly running: ReadonlyMap<string, RunningJob>;
}

// A process that was not heard of for longer than this between two beats stood still as a whole.
const STANDSTILL_MS = 5000;

export function createLeaseBeat({ catalog, clock, leaseSeconds, noProgressMs, running }: LeaseBeatOptions): LeaseBeat {
  let beganAt = clock.monotonicMs();
  let renewedAt = beganAt;

  const cancel = (jobId: string): void => {
    const found = running.get(jobId);
    // One that began after the request knows; a settlement of a cancelled job has to go on.
    if (found?.job.cancelRequestedAt === null) found.interrupt(new LeafvaultError('JOBS_CANCELLED', 'The job was cancelled'));
  };
  const compare = (jobs: readonly RunningJob[], held: ReadonlyMap<string, HeldLease>): void => {
    for (const { claim, interrupt } of jobs) {
      const { jobId, token } = claim();
      const lease = held.get(jobId);
      if (lease?.token !== token) interrupt(leaseLost('it was given to another one'));
      else if (lease.cancelRequested) cancel(jobId);
      else if (lease.pauseRequested) interrupt(new LeafvaultError('JOBS_PAUSED', 'The job was paused; it waits in the queue until it is resumed'));
    }
  };
  const renew = async (jobs: readonly RunningJob[], now: number): Promise<void> => {
    try {
      const held = await catalog.leases.renew(jobs.map(({ claim }) => claim()), leaseSeconds);
      renewedAt = now;
      compare(jobs, new Map(held.map((lease) => [lease.jobId, lease])));
    } catch (error) {
      if (clock.monotonicMs() - renewedAt > leaseSeconds * 1000) {
        for (const { interrupt } of running.values()) interrupt(leaseLost('the catalog could not be reached in time'));
      }
      throw error;
    }
  };
  const writeProgress = async (jobs: readonly RunningJob[]): Promise<void> => {
    for (const { meter, claim } of jobs) {
      const news = meter.take();
      // A refusal means that the job ended or was lost in this moment; the next renewal tells which.
      if (news !== null) await catalog.leases.saveProgress(claim(), news);
    }
  };
  const endStandstills = (jobs: readonly RunningJob[]): void => {
    for (const { meter, interrupt } of jobs) {
      const { phase, ms } = meter.standstill();
      if (ms > (noProgressMs[phase ?? ''] ?? noProgressMs.otherwise)) interrupt(noProgress(phase, ms));
    }
  };

  return {
    cancel,
    async beat() {
      const now = clock.monotonicMs();
      if (now - beganAt > STANDSTILL_MS) for (const { meter } of running.values()) meter.forgive(now - beganAt);
      beganAt = now;
      // A job that is claimed during the query is missing from its answer for a good reason.
      const jobs = [...running.values()];
      await renew(jobs, now);
      await writeProgress(jobs);
      endStandstills(jobs);
    },
  };
}

function leaseLost(reason: string): LeafvaultError {
  return new LeafvaultError('JOBS_LEASE_LOST', `This worker lost the job: ${reason}`);
}

function noProgress(phase: string | null, ms: number): LeafvaultError {
  const where = phase === null ? '' : ` in its phase "${phase}"`;
  return new LeafvaultError('JOBS_NO_PROGRESS', `The job made no progress for ${Math.round(ms / 1000)} s${where}`, {
    hint: 'Look whether the cluster and the store answer, then ask for the job again',
  });
}
