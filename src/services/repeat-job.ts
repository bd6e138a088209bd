// A job that is over, asked for again: the same choice of the same cluster, or the same restore into the same target.
import type { Cluster, Job } from '../domain/records.ts';
import type { LeaveOutRequest } from '../domain/leave-out.ts';
import type { TimeSeriesChoice } from '../domain/records.ts';
import type { Principal } from '../domain/roles.ts';
import { LeafvaultError } from '../foundation/errors.ts';
import type { JobsOptions } from './jobs.ts';

/** Roles are asked for anew: of the target by the restore itself, of the source by the door. @throws JOB_NOT_REPEATABLE */
export async function repeatJob(options: JobsOptions, job: Job, principal: Principal): Promise<Job> {
  if (job.state === 'queued' || job.state === 'running') throw notRepeatable(job, `it is still ${job.state}`);
  const cluster = await options.catalog.clusters.get(job.clusterId);
  if (cluster === null) throw notRepeatable(job, 'its cluster is gone');
  if (job.kind === 'snapshot') return repeatSnapshot(options, job, cluster, principal);
  if (job.kind === 'restore') return repeatRestore(options, job, cluster, principal);
  throw notRepeatable(job, `a job of kind ${job.kind} is not asked for again`);
}

async function repeatSnapshot({ catalog, snapshots }: JobsOptions, job: Job, cluster: Cluster, principal: Principal): Promise<Job> {
  const old = job.snapshotId === null ? null : await catalog.snapshots.get(job.snapshotId);
  if (old === null) throw notRepeatable(job, 'its snapshot is not known any more');
  const { description, retentionDays, selection } = old;
  const made = await snapshots.create({
    cluster, principal, description, retentionDays, exactDays: true, isRetentionAsked: false, jobForm: job.form ?? undefined, ...(selection === null ? {} : { selection }),
  });
  return made.job;
}

async function repeatRestore({ catalog, restores }: JobsOptions, job: Job, cluster: Cluster, principal: Principal): Promise<Job> {
  const old = job.restoreId === null ? null : await catalog.restores.get(job.restoreId);
  if (old === null || old.targetProjectId === null || old.targetClusterId === null) throw notRepeatable(job, 'its restore is not known any more');
  // As the handler of the first one read it.
  const { timeSeries, leaveOut, existing } = ((await catalog.jobs.payload(job.id)) ?? {}) as { readonly timeSeries?: TimeSeriesChoice; readonly leaveOut?: LeaveOutRequest; readonly existing?: 'replace' | 'refuse' };
  const { selection, indexStrategy, usersAndRoles, snapshotId, instant } = old;
  const made = await restores.create({
    cluster, principal, delivery: 'automated', selection, indexStrategy, usersAndRoles, timeSeries, jobForm: job.form ?? undefined,
    target: { projectId: old.targetProjectId, cluster: { id: old.targetClusterId } },
    ...(instant === null ? { snapshotId } : { instant: instant.asked }),
    ...(leaveOut === undefined ? {} : { leaveOut }),
    ...(existing === undefined ? {} : { existing }),
  });
  return (await catalog.jobs.get(made.jobId)) ?? job;
}

function notRepeatable({ id, state }: Job, why: string): LeafvaultError {
  return new LeafvaultError('JOB_NOT_REPEATABLE', `Asking again for job ${id} failed: ${why}`, { details: { id, state, why } });
}
