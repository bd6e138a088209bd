// Follows a job to its end with a progress bar. Whatever door started it, Commvault's job list shows it.
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from './http-client.ts';
import type { Story } from './story.ts';

interface JobSummary {
  readonly jobId: number;
  readonly percentComplete: number;
  readonly currentPhaseName: string;
  readonly pendingReason: string;
  readonly totalNumOfFiles: number;
  readonly sizeOfApplication: number;
}

const POLL_MS = 100;
const PATIENCE_MS = 90_000;

/**
 * @param isOver asks the API that started the job; throws when the job failed
 * @param commvault logged in
 */
export async function watchJob(options: {
  readonly story: Story; readonly label: string; readonly commvault: Client; readonly isOver: () => Promise<boolean>;
}): Promise<void> {
  const { story, label, commvault, isOver } = options;
  const bar = story.bar(label);
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await isOver())) {
    if (performance.now() > deadline) throw new Error(`${label} took longer than ${PATIENCE_MS / 1000} s`);
    const job = await newest(commvault, 'Active');
    if (job !== null) bar.update(job.percentComplete === 0 ? null : job.percentComplete / 100, `${job.currentPhaseName}  ${amountOf(job)}`);
    await delay(POLL_MS);
  }
  const job = await newest(commvault, 'Finished');
  bar.done(job === null ? '' : amountOf(job));
}

function amountOf({ totalNumOfFiles, sizeOfApplication }: JobSummary): string {
  return `${totalNumOfFiles.toLocaleString('en')} documents, ${(sizeOfApplication / 1e6).toFixed(0)} MB`;
}

async function newest(commvault: Client, category: 'Active' | 'Finished'): Promise<JobSummary | null> {
  const { body } = await commvault.call('GET', `/commandcenter/api/Job?jobCategory=${category}&completedJobLookupTime=600`);
  const jobs = (body.jobs ?? []) as readonly { readonly jobSummary: JobSummary }[];
  return jobs[0]?.jobSummary ?? null;
}

/** Why the newest job that is over failed. */
export async function newestFailure(commvault: Client): Promise<string> {
  return (await newest(commvault, 'Finished'))?.pendingReason ?? 'no reason is known';
}
