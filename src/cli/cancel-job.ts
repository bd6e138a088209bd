// `leafvault jobs cancel <id>`: ends a job, whoever asked for it, beside a service that runs and without one.
import { cancelJob, openCatalogOf } from '../app.ts';
import type { Config } from '../config/index.ts';
import { systemClock } from '../foundation/clock.ts';
import { createLogger } from '../foundation/logger.ts';
import { EXIT_CODES } from './errors.ts';
import type { CliWorld } from './world.ts';

/** @throws JOB_NOT_FOUND, JOB_NOT_CANCELLABLE, COMPLIANCE_PROTECTED, what keeps the catalog from being opened */
export async function runCancelJob(world: CliWorld, config: Config, { id, json }: { readonly id: string; readonly json: boolean }): Promise<number> {
  const catalog = await openCatalogOf(config, { clock: systemClock, log: createLogger(config.logLevel) });
  try {
    const answer = await cancelJob({ catalog, cancel: (job, by, tx) => (tx ?? catalog).jobs.requestCancel(job, by) }, { id, by: 'command line' });
    if (json) world.out(`${JSON.stringify(await catalog.jobs.get(id), null, 2)}\n`);
    else world.out(answer === 'cancelled' ? `The job ${id} was cancelled before it began\n` : `The job ${id} is asked to end; its worker sees that within moments, and \`leafvault jobs\` shows its end\n`);
    return EXIT_CODES.ok.code;
  } finally {
    await catalog.close();
  }
}
