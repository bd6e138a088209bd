// A process of its own that uses the catalog of a home; run as a script by `startCatalogChild`.
// Says what it did as lines of JSON, does what lines on its input say.
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { openCatalog, type CatalogOptions } from '../../src/catalog/index.ts';
import { systemClock } from '../../src/foundation/clock.ts';
import { isLeafvaultError } from '../../src/foundation/errors.ts';
import { newId } from '../../src/foundation/ids.ts';
import { createLogger } from '../../src/foundation/logger.ts';
import { createSealer } from '../../src/foundation/seal.ts';

const database = JSON.parse(process.argv[2] ?? '{}') as CatalogOptions['database'];
const say = (line: Record<string, unknown>): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

try {
  const catalog = await openCatalog({ database, sealer: createSealer(Buffer.alloc(32, 7)), log: createLogger('silent'), clock: systemClock });
  say({ open: true, uid: process.getuid?.(), address: catalog.address });
  createInterface({ input: process.stdin }).on('line', (line) => void obey(line));
  const obey = async (line: string): Promise<void> => {
    if (line === 'insert') say({ inserted: (await catalog.organizations.insert({ id: newId(), name: newId() })).id });
    if (line !== 'close') return;
    await catalog.close();
    say({ closed: true });
    process.stdin.destroy();
  };
  await once(process.stdin, 'close');
} catch (error) {
  say({ error: isLeafvaultError(error) ? error.code : String(error), message: (error as Error).message, hint: isLeafvaultError(error) ? error.hint : undefined });
}
