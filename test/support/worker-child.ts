// A worker in a process of its own, to be killed or stopped by tests; run as a script by `startWorkerChild`.
import { openCatalog, type CatalogOptions } from '../../src/catalog/index.ts';
import { sleep } from '../../src/foundation/abort.ts';
import { systemClock } from '../../src/foundation/clock.ts';
import { isLeafvaultError } from '../../src/foundation/errors.ts';
import { createLogger } from '../../src/foundation/logger.ts';
import { createSealer } from '../../src/foundation/seal.ts';
import { openPostgresQueue, Worker, type JobHandler } from '../../src/jobs/index.ts';

export interface WorkerChildOptions {
  readonly database: CatalogOptions['database'];
  readonly schema: string;
  readonly tempRoot: string;
  readonly leaseSeconds: number;
  /** `write`: saves a plan again and again, deaf to its signal; `wait`: hears it; `die`: ends the process with the job in its hands. */
  readonly behaviour: 'write' | 'wait' | 'die';
}

const options = JSON.parse(process.argv[2] ?? '{}') as WorkerChildOptions;
const say = (line: Record<string, unknown>): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

const write: JobHandler = async ({ job, fenced, signal, onProgress }) => {
  say({ begun: job.claim.jobId, attempt: job.attempt });
  signal.addEventListener('abort', () => say({ aborted: isLeafvaultError(signal.reason) ? signal.reason.code : String(signal.reason) }));
  for (let round = 1; ; round += 1) {
    try {
      // Does not look at its signal on purpose: the fence alone has to hold.
      await fenced((tx) => tx.restorePlans.save(job.restoreId ?? '', job.claim.jobId, { by: process.pid, round }));
    } catch (error) {
      say({ refused: isLeafvaultError(error) ? error.code : String(error) });
      throw error;
    }
    onProgress({ phase: 'load', documentsDone: round, documentsTotal: null, bytesDone: round, bytesTotal: null, namespace: null });
    if (round === 1) say({ saved: round });
    await sleep(20);
  }
};
const wait: JobHandler = async ({ signal }) => {
  say({ waiting: true });
  await sleep(600_000, signal);
  return () => Promise.resolve();
};
const die: JobHandler = () => {
  process.kill(process.pid, 'SIGKILL');
  return new Promise(() => undefined);
};

const handler = { write, wait, die }[options.behaviour];
const log = createLogger('silent');
const catalog = await openCatalog({ database: options.database, schema: options.schema, sealer: createSealer(Buffer.alloc(32, 7)), log, clock: systemClock });
const queue = await openPostgresQueue({ catalog, log });
const worker = new Worker({
  catalog, queue, log, clock: systemClock, tempRoot: options.tempRoot, leaseSeconds: options.leaseSeconds, drainMs: 0,
  handlers: { snapshot: handler, restore: handler, undo: handler, dropKept: handler, prepareDownload: handler, verify: handler, drill: handler, export: handler, settle: handler },
});
await worker.start();
say({ started: process.pid });
process.on('SIGTERM', () => {
  void (async () => {
    await worker.stop();
    await queue.close();
    await catalog.close();
    say({ stopped: true });
    process.stdout.end();
  })();
});
