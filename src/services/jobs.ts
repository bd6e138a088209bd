// Jobs as every door sees them; cancelling one.
import type { CatalogAggregates } from '../catalog/index.ts';
import { LeafvaultError } from '../foundation/errors.ts';
import { isId } from '../foundation/ids.ts';
import type { JobQueue } from '../jobs/queue.ts';
import type { Jobs } from './contracts.ts';
import { nameOf } from './principals.ts';

export function createJobs({ catalog, queue }: { readonly catalog: Pick<CatalogAggregates, 'jobs'>; readonly queue: JobQueue }): Jobs {
  return {
    async get(id) {
      const job = isId(id) ? await catalog.jobs.get(id) : null;
      return job ?? failWithoutJob({ id });
    },
    async byNumber(number) {
      return (await catalog.jobs.byNumber(number)) ?? failWithoutJob({ number });
    },
    list: (filter, page) => catalog.jobs.list(filter, page),
    async cancel(id, principal) {
      await cancelJob({ jobs: catalog.jobs, cancel: queue.cancel }, { id, by: nameOf(principal) });
    },
  };
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
