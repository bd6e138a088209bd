// Jobs as every door sees them; ending one, letting one rest, asking for one again.
import type { CatalogAggregates } from '../catalog/index.ts';
import type { Job, JobKind } from '../domain/records.ts';
import { LeafvaultError } from '../foundation/errors.ts';
import { isId } from '../foundation/ids.ts';
import type { JobQueue } from '../jobs/queue.ts';
import type { Jobs, Restores, Snapshots } from './contracts.ts';
import { nameOf } from './principals.ts';
import { repeatJob } from './repeat-job.ts';

export interface JobsOptions {
  readonly catalog: Pick<CatalogAggregates, 'jobs' | 'snapshots' | 'restores' | 'clusters'>;
  readonly queue: JobQueue;
  readonly snapshots: Pick<Snapshots, 'create'>;
  readonly restores: Pick<Restores, 'create'>;
}

/** The others are short, or Leafvault's own. */
const PAUSABLE: ReadonlySet<JobKind> = new Set(['snapshot', 'restore']);

export function createJobs(options: JobsOptions): Jobs {
  const { catalog, queue } = options;
  const find = async (id: string): Promise<Job> => (isId(id) ? await catalog.jobs.get(id) : null) ?? failWithoutJob({ id });
  return {
    get: find,
    async byNumber(number) {
      return (await catalog.jobs.byNumber(number)) ?? failWithoutJob({ number });
    },
    list: (filter, page) => catalog.jobs.list(filter, page),
    async cancel(id, principal) {
      await cancelJob({ jobs: catalog.jobs, cancel: queue.cancel }, { id, by: nameOf(principal) });
    },
    async pause(id) {
      const { kind } = await find(id);
      if (!PAUSABLE.has(kind)) throw notPausable(id, { kind }, `a job of kind ${kind} is never paused`);
      const answer = (await queue.pause(id)) ?? failWithoutJob({ id });
      if (answer === 'paused' || answer === 'requested') return;
      const { state } = await find(id);
      throw notPausable(id, { state: answer === 'ending' ? 'ending' : state }, answer === 'ending' ? 'its end was asked for' : `it is already ${state}`);
    },
    async resume(id) {
      const answer = (isId(id) ? await queue.resume(id) : null) ?? failWithoutJob({ id });
      if (answer === 'resumed') return;
      const { state } = await find(id);
      throw new LeafvaultError('JOB_NOT_PAUSED', `Resuming job ${id} failed: it is ${answer === 'over' ? `already ${state}` : 'not paused'}`, { details: { id, state } });
    },
    repeat: async (id, principal) => repeatJob(options, await find(id), principal),
  };
}

function notPausable(id: string, details: Readonly<Record<string, unknown>>, why: string): LeafvaultError {
  return new LeafvaultError('JOB_NOT_PAUSABLE', `Pausing job ${id} failed: ${why}`, { details: { id, why, ...details } });
}

/**
 * @param by who asks, for people
 * @returns `cancelled`: it had not begun and is over; `requested`: its worker was told
 * @throws JOB_NOT_FOUND, JOB_NOT_CANCELLABLE
 */
export async function cancelJob(
  { jobs, cancel }: { readonly jobs: Pick<CatalogAggregates['jobs'], 'get'>; readonly cancel: JobQueue['cancel'] }, { id, by }: { readonly id: string; readonly by: string },
): Promise<'cancelled' | 'requested'> {
  const answer = isId(id) ? await cancel(id, by) : null;
  if (answer === null) failWithoutJob({ id });
  if (answer !== 'over') return answer;
  const state = (await jobs.get(id))?.state ?? 'gone';
  throw new LeafvaultError('JOB_NOT_CANCELLABLE', `Cancelling job ${id} failed: it is already ${state}`, { details: { id, state } });
}

function failWithoutJob(by: { readonly id: string } | { readonly number: number }): never {
  throw new LeafvaultError('JOB_NOT_FOUND', `Reading job ${'id' in by ? by.id : by.number} failed: there is no such job`, { details: by });
}
