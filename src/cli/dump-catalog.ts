// `leafvault dump-catalog`: a sealed dump of the catalog into the repository, now.
import { dumpCatalogOf } from '../app.ts';
import type { Config } from '../config/index.ts';
import { systemClock } from '../foundation/clock.ts';
import { createLogger } from '../foundation/logger.ts';
import { EXIT_CODES } from './errors.ts';
import type { CliWorld } from './world.ts';

export async function runDumpCatalog(world: CliWorld, config: Config, { json }: { readonly json: boolean }): Promise<number> {
  const { id, createdAt, storedBytes, parts } = await dumpCatalogOf(config, { clock: systemClock, log: createLogger(config.logLevel), signal: world.stop });
  world.out(json ? `${JSON.stringify({ id, createdAt, storedBytes, parts })}\n` : `dumped the catalog as ${id}, ${storedBytes} bytes; \`leafvault rescue\` brings it back\n`);
  return EXIT_CODES.ok.code;
}
