// `leafvault check`: proves that the repository is whole, with the master key and without the catalog.
import { openRepositoryOf, type ReadShare } from '../app.ts';
import type { Config } from '../config/index.ts';
import { systemClock } from '../foundation/clock.ts';
import { createLogger } from '../foundation/logger.ts';
import { askPassphrase } from './ask-secret.ts';
import { EXIT_CODES } from './errors.ts';
import type { CliWorld } from './world.ts';

/** Prints every problem and what it costs, and what was put under quarantine. Exit code 3 when there is a problem. */
export async function runCheck(world: CliWorld, config: Config, { readData, quarantine, passphrase }: { readonly readData: boolean | ReadShare; readonly quarantine: boolean; readonly passphrase: boolean }): Promise<number> {
  const repository = await openRepositoryOf(config, { clock: systemClock, log: createLogger(config.logLevel) }, passphrase ? await askPassphrase(world) : null);
  try {
    const report = await repository.check({ readData, quarantine, signal: world.stop });
    for (const problem of report.problems) {
      const affected = problem.affects.map(({ snapshotId, entry }) => (entry === null ? snapshotId : `${snapshotId} (${entry})`));
      world.err(`${problem.code} ${problem.object}: ${problem.message}${affected.length === 0 ? '' : `; affects ${affected.join(', ')}`}\n`);
    }
    const read = readData !== false ? `, ${report.bytesRead} bytes read` : '';
    world.out(`${report.snapshots} snapshots, ${report.packs} packs, ${report.chunks} chunks${read}: ${verdict(report.problems.length)}\n`);
    if (report.quarantinedPacks > 0) world.out(`${report.quarantinedCopies} damaged copies in ${report.quarantinedPacks} packs were put under quarantine: the next snapshot stores anew what its source still has\n`);
    if (report.releasedPacks > 0) world.out(`${report.releasedPacks} packs are sound again and were released from quarantine\n`);
    return report.problems.length === 0 ? EXIT_CODES.ok.code : EXIT_CODES.damaged.code;
  } finally {
    await repository.close();
  }
}

function verdict(problems: number): string {
  if (problems === 0) return 'no problems found';
  return problems === 1 ? '1 problem' : `${problems} problems`;
}
