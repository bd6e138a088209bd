// Jobs as every door sees them; ending one, letting one rest, asking for one again.
import type { CatalogStore, CatalogTransaction } from '../catalog/index.ts';
import { forbidCancelOfSnapshot, forbidPauseOfSnapshot, type CompliancePolicy } from '../domain/compliance.ts';
import type { Job, JobKind } from '../domain/records.ts';
import { LeafvaultError } from '../foundation/errors.ts';
import { isId } from '../foundation/ids.ts';
import type { JobQueue } from '../jobs/queue.ts';
import { abandonRestore, type AbandonParts } from './abandon-restore.ts';
import type { Jobs, Restores, Snapshots } from './contracts.ts';
import { nameOf } from './principals.ts';
import { repeatJob } from './repeat-job.ts';

export interface JobsOptions {
  readonly catalog: Pick<CatalogStore, 'jobs' | 'snapshots' | 'restores' | 'clusters' | 'transaction'>;
  readonly queue: JobQueue;
  readonly snapshots: Pick<Snapshots, 'create'>;
  readonly restores: Pick<Restores, 'create'>;
}

/** The others are short, or Leafvault's own. */
const PAUSABLE: ReadonlySet<JobKind> = new Set(['snapshot', 'restore']);

export function createJobs(options: JobsOptions): Jobs {
  const { catalog, queue } = options;
  const find = (id: string): Promise<Job> => findJob(catalog, id);
  return {
    get: find,
    async byNumber(number) {
      return (await catalog.jobs.byNumber(number)) ?? failWithoutJob({ number });
    },
    list: (filter, page) => catalog.jobs.list(filter, page),
    async cancel(id, principal) {
      await cancelJob({ catalog, cancel: queue.cancel }, { id, by: nameOf(principal) });
    },
    async pause(id) {
      await pauseJob({ catalog, pause: queue.pause }, id);
    },
    resume: (id) => resumeJob({ catalog, resume: queue.resume }, id),
    async repeat(id, principal, { pause = false } = {}) {
      const job = await find(id);
      // Before another one is made.
      if (pause) await unlessForbidden(catalog, job, forbidPauseOfSnapshot, () => Promise.resolve());
      const made = await repeatJob(options, job, principal);
      if (pause) await unlessForbidden(catalog, made, forbidPauseOfSnapshot, (tx) => queue.pause(made.id, tx));
      return made;
    },
  };
}

function notPausable(id: string, details: Readonly<Record<string, unknown>>, why: string): LeafvaultError {
  return new LeafvaultError('JOB_NOT_PAUSABLE', `Pausing job ${id} failed: ${why}`, { details: { id, why, ...details } });
}

/** Acts in the transaction in which the compliance policy is asked, as far as the job makes what one keeps: none is made in between. */
function unlessForbidden<T>(
  catalog: Pick<CatalogStore, 'transaction'>, { id, kind, projectId }: Job, forbid: (policy: CompliancePolicy | null, jobId: string) => void, act: (tx: CatalogTransaction) => Promise<T>,
): Promise<T> {
  return catalog.transaction(async (tx) => {
    if (kind === 'snapshot') forbid(await tx.compliance.hold(projectId), id);
    return act(tx);
  });
}

/**
 * @param by who asks, for people
 * @returns `cancelled`: it had not begun and is over; `requested`: its worker was told
 * @throws JOB_NOT_FOUND, JOB_NOT_CANCELLABLE, COMPLIANCE_PROTECTED
 */
export async function cancelJob(
  { catalog, cancel }: { readonly catalog: Pick<CatalogStore, 'jobs' | 'transaction'>; readonly cancel: JobQueue['cancel'] }, { id, by }: { readonly id: string; readonly by: string },
): Promise<'cancelled' | 'requested'> {
  const job = await findJob(catalog, id);
  const answer = (await unlessForbidden(catalog, job, forbidCancelOfSnapshot, (tx) => cancel(id, by, tx))) ?? failWithoutJob({ id });
  if (answer !== 'over') return answer;
  const { state } = await findJob(catalog, id);
  throw new LeafvaultError('JOB_NOT_CANCELLABLE', `Cancelling job ${id} failed: it is already ${state}`, { details: { id, state } });
}

/**
 * @returns `paused`: nobody works on it; `requested`: its worker was told
 * @throws JOB_NOT_FOUND, JOB_NOT_PAUSABLE, COMPLIANCE_PROTECTED
 */
export async function pauseJob(
  { catalog, pause }: { readonly catalog: Pick<CatalogStore, 'jobs' | 'transaction'>; readonly pause: JobQueue['pause'] }, id: string,
): Promise<'paused' | 'requested'> {
  const job = await findJob(catalog, id);
  const { kind } = job;
  if (!PAUSABLE.has(kind)) throw notPausable(id, { kind }, `a job of kind ${kind} is never paused`);
  const answer = (await unlessForbidden(catalog, job, forbidPauseOfSnapshot, (tx) => pause(id, tx))) ?? failWithoutJob({ id });
  if (answer === 'paused' || answer === 'requested') return answer;
  const { state } = await findJob(catalog, id);
  throw notPausable(id, { state: answer === 'ending' ? 'ending' : state }, answer === 'ending' ? 'its end was asked for' : `it is already ${state}`);
}

/** @throws JOB_NOT_FOUND, JOB_NOT_PAUSED */
export async function resumeJob({ catalog, resume }: { readonly catalog: Pick<CatalogStore, 'jobs'>; readonly resume: JobQueue['resume'] }, id: string): Promise<void> {
  const answer = (isId(id) ? await resume(id) : null) ?? failWithoutJob({ id });
  if (answer === 'resumed') return;
  const { state } = await findJob(catalog, id);
  throw new LeafvaultError('JOB_NOT_PAUSED', `Resuming job ${id} failed: it is ${answer === 'over' ? `already ${state}` : 'not paused'}`, { details: { id, state } });
}

/**
 * What the restore of a job left, or what its undo did.
 * @param by who asks, for people
 * @throws JOB_NOT_FOUND, RESTORE_NOT_ABANDONABLE
 */
export async function abandonJob(parts: AbandonParts, { id, by }: { readonly id: string; readonly by: string }): Promise<void> {
  const { restoreId, kind } = await findJob(parts.catalog, id);
  if (restoreId !== null) return abandonRestore(parts, { restoreId, by });
  const why = `a job of kind ${kind} leaves nothing on a target`;
  throw new LeafvaultError('RESTORE_NOT_ABANDONABLE', `Abandoning what job ${id} left was refused: ${why}`, { details: { id, why } });
}

async function findJob({ jobs }: Pick<CatalogStore, 'jobs'>, id: string): Promise<Job> {
  return (isId(id) ? await jobs.get(id) : null) ?? failWithoutJob({ id });
}

function failWithoutJob(by: { readonly id: string } | { readonly number: number }): never {
  throw new LeafvaultError('JOB_NOT_FOUND', `Reading job ${'id' in by ? by.id : by.number} failed: there is no such job`, { details: by });
}
