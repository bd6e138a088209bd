// Doors in a process of its own, to be killed by tests: asks Atlas v2 for one change and says what was answered.
import { openCatalog, type CatalogOptions } from '../../src/catalog/index.ts';
import { systemClock } from '../../src/foundation/clock.ts';
import { silent, testSealer, type TestDatabase } from './postgres.ts';
import { openRealDoors } from './real-doors.ts';

export interface DoorsChildOptions {
  readonly database: CatalogOptions['database'];
  readonly schema: string;
  readonly path: string;
  readonly body: unknown;
}

const { database, schema, path, body } = JSON.parse(process.argv[2] ?? '{}') as DoorsChildOptions;
const open: TestDatabase['open'] = () => openCatalog({ database, schema, clock: systemClock, sealer: testSealer, log: silent });
const doors = await openRealDoors({ open } as TestDatabase, systemClock);
const { status } = await doors.atlas('POST', path, { body });
process.stdout.write(`${JSON.stringify({ status })}\n`);
