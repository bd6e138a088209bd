// `leafvault serve` and `leafvault worker`: build the app, start it, wait for the end, stop it.
import { buildApp, type AppRole } from '../app.ts';
import type { Config } from '../config/index.ts';
import { systemClock } from '../foundation/clock.ts';
import { createLogger } from '../foundation/logger.ts';
import { EXIT_CODES } from './errors.ts';
import { leafvaultVersion } from './version.ts';
import type { CliWorld } from './world.ts';

/** Resolves once everything is put away after the stop signal. @throws what kept the app from starting */
export async function runService(world: CliWorld, config: Config, role: AppRole): Promise<number> {
  const version = leafvaultVersion();
  const log = createLogger(config.logLevel);
  for (const warning of config.warnings) world.err(`WARNING: ${warning}\n`);
  const app = buildApp({
    config, role, version, log,
    clock: systemClock,
    announce: world.out,
    warn: (text) => world.err(`WARNING: ${text}\n`),
  });
  try {
    await app.start();
    if (!world.stop.aborted) {
      world.out(readyLine(version.text, role, app.address()));
      await aborted(world.stop);
    }
  } finally {
    await app.stop();
  }
  world.out('Stopped\n');
  return EXIT_CODES.ok.code;
}

function readyLine(version: string, role: AppRole, address: string | null): string {
  const where = address === null ? 'waits for jobs' : `is ready at ${address}`;
  return `Leafvault ${version} ${where}${role === 'door' ? ' (jobs run elsewhere)' : ''}\n`;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
