// Tailers, or a real worker, in a process of their own, to be frozen, woken and killed by tests; run as a script by `startTailerChild`.
import { openCatalog, type CatalogOptions } from '../../src/catalog/index.ts';
import { tailOplog } from '../../src/engine/index.ts';
import { systemClock } from '../../src/foundation/clock.ts';
import { createLogger } from '../../src/foundation/logger.ts';
import { createSealer } from '../../src/foundation/seal.ts';
import { createTailers, openPostgresQueue } from '../../src/jobs/index.ts';
import { openStorage } from '../../src/storage/index.ts';
import { openTestRepository } from './repository-fixture.ts';
import { realWorker, SMALL } from './tailer-world.ts';

export interface TailerChildOptions {
  readonly database: CatalogOptions['database'];
  readonly schema: string;
  /** `file:…` */
  readonly store: string;
  /** A worker with its private files there, instead of tailers. */
  readonly workerFolder?: string;
}

const options = JSON.parse(process.argv[2] ?? '{}') as TailerChildOptions;
const say = (line: Record<string, unknown>): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

const log = createLogger('silent');
const catalog = await openCatalog({ database: options.database, schema: options.schema, sealer: createSealer(Buffer.alloc(32, 7)), log, clock: systemClock });
const queue = await openPostgresQueue({ catalog, log });
const repository = await openTestRepository(openStorage(options.store));
const repositories = { forProject: () => Promise.resolve(repository) };
const tailers = options.workerFolder === undefined
  ? createTailers({ ...SMALL, catalog, queue, repositories, tail: tailOplog, clock: systemClock, log })
  : realWorker({ catalog, queue, repositories, tempRoot: options.workerFolder });
await tailers.start();
let active = -1;
const watch = setInterval(() => {
  if (tailers.active !== active) say({ active: tailers.active });
  active = tailers.active;
}, 20);
process.on('SIGTERM', () => {
  void (async () => {
    clearInterval(watch);
    await tailers.stop();
    await queue.close();
    await catalog.close();
    await repository.close();
    say({ stopped: true });
    process.stdout.end();
  })();
});
