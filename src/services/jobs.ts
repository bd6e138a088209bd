// Jobs as every door sees them; cancelling one.
import type { CatalogStore } from '../catalog/index.ts';
import { forbidCancelOfSnapshot } from '../domain/compliance.ts';
import { LeafvaultError } from '../foundation/errors.ts';
import { isId } from '../foundation/ids.ts';
import type { JobQueue } from '../jobs/queue.ts';
import type { Jobs } from './contracts.ts';
import { nameOf } from './principals.ts';

export function createJobs({ catalog, queue }: { readonly catalog: Pick<CatalogStore, 'jobs' | 'transaction'>; readonly queue: JobQueue }): Jobs {
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
      const job = isId(id) ? await catalog.jobs.get(id) : null;
      if (job?.kind === 'snapshot') await catalog.transaction(async (tx) => forbidCancelOfSnapshot(await tx.compliance.hold(job.projectId), id));
      const answer = isId(id) ? await queue.cancel(id, nameOf(principal)) : null;
      if (answer === null) failWithoutJob({ id });
      if (answer !== 'over') return;
      const state = (await catalog.jobs.get(id))?.state ?? 'gone';
      throw new LeafvaultError('JOB_NOT_CANCELLABLE', `Cancelling job ${id} failed: it is already ${state}`, { details: { id, state } });
    },
  };
}

function failWithoutJob(by: { readonly id: string } | { readonly number: number }): never {
  throw new LeafvaultError('JOB_NOT_FOUND', `Reading job ${'id' in by ? by.id : by.number} failed: there is no such job`, { details: by });
}
