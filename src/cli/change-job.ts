// `leafvault jobs cancel|pause|resume|abandon <id>`: ends a job, lets it rest, lets it go on, gives up what it left, whoever asked for it, beside a service that runs and without one.
import { abandonJob, cancelJob, openCatalogOf, pauseJob, resumeJob, standsElsewhere } from '../app.ts';
import type { Config } from '../config/index.ts';
import { systemClock } from '../foundation/clock.ts';
import { createLogger } from '../foundation/logger.ts';
import { auditWork, BY_COMMAND_LINE } from './audit-command.ts';
import { EXIT_CODES } from './errors.ts';
import type { CliWorld } from './world.ts';

export type JobChange = 'cancel' | 'pause' | 'resume' | 'abandon';
type Catalog = Awaited<ReturnType<typeof openCatalogOf>>;

/** Each tells what became of it, for people. */
const CHANGES: Readonly<Record<JobChange, (catalog: Catalog, id: string) => Promise<string>>> = {
  async cancel(catalog, id) {
    const answer = await cancelJob({ catalog, cancel: (job, by, tx) => (tx ?? catalog).jobs.requestCancel(job, by) }, { id, by: BY_COMMAND_LINE });
    return answer === 'cancelled' ? `The job ${id} was cancelled before it began` : `The job ${id} is asked to end; its worker sees that within moments, and \`leafvault jobs\` shows its end`;
  },
  async pause(catalog, id) {
    const answer = await pauseJob({ catalog, pause: (job, tx) => (tx ?? catalog).jobs.requestPause(job) }, id);
    return answer === 'paused' ? `The job ${id} rests until \`leafvault jobs resume ${id}\`` : `The job ${id} is asked to rest; its worker sees that within moments, and \`leafvault jobs resume ${id}\` lets it go on`;
  },
  async resume(catalog, id) {
    await resumeJob({ catalog, resume: catalog.jobs.resume }, id);
    return `The job ${id} goes on as soon as a worker is free`;
  },
  async abandon(catalog, id) {
    await abandonJob({ catalog, clock: systemClock, standsElsewhere }, { id, by: BY_COMMAND_LINE });
    return `What the job ${id} had left on its target is given up: nobody tries to end it any more, and nothing counts as kept`;
  },
};

/** @throws JOB_NOT_FOUND, JOB_NOT_CANCELLABLE, JOB_NOT_PAUSABLE, JOB_NOT_PAUSED, RESTORE_NOT_ABANDONABLE, COMPLIANCE_PROTECTED, what keeps the catalog from being opened */
export async function runChangeJob(world: CliWorld, config: Config, { id, change, json }: { readonly id: string; readonly change: JobChange; readonly json: boolean }): Promise<number> {
  const catalog = await openCatalogOf(config, { clock: systemClock, log: createLogger(config.logLevel) });
  try {
    const known = await catalog.jobs.get(id);
    const work = (): Promise<string> => CHANGES[change](catalog, id);
    // Without a job there is nothing to change, and the work says so.
    const words = known === null ? await work() : await auditWork(catalog, { action: `jobs ${change}`, projectId: known.projectId, object: id }, work);
    const job = await catalog.jobs.get(id);
    world.out(json ? `${JSON.stringify(job, null, 2)}\n` : `${words}\n`);
    return EXIT_CODES.ok.code;
  } finally {
    await catalog.close();
  }
}
