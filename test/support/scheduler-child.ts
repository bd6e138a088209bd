// Follows the schedules of a catalog in a process of its own, on a clock that goes where lines on its input say.
import { createInterface } from 'node:readline';
import { openCatalog, type CatalogOptions } from '../../src/catalog/index.ts';
import { createScheduleChores, openPostgresQueue } from '../../src/jobs/index.ts';
import { silent, testSealer } from './postgres.ts';

export interface SchedulerChildOptions { readonly database: CatalogOptions['database']; readonly schema: string }

const { database, schema } = JSON.parse(process.argv[2] ?? '{}') as SchedulerChildOptions;
const say = (line: Record<string, unknown>): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
let now = new Date(0);
const clock = { now: () => now, monotonicMs: () => now.getTime() };
const catalog = await openCatalog({ database, schema, clock, sealer: testSealer, log: silent });
const queue = await openPostgresQueue({ catalog, log: silent });
const [follow] = createScheduleChores({ catalog, queue, clock, log: silent, catchUp: 'once' });
say({ pid: process.pid });
for await (const line of createInterface({ input: process.stdin })) {
  now = new Date(line);
  await follow?.run(AbortSignal.timeout(60_000));
  say({ looked: line });
}
await queue.close();
await catalog.close();
