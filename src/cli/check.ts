// `leafvault check`: proves that the repository is whole, with the master key and without the catalog.
import { openRepositoryOf, openStorage, ownersThatAreGone, type CheckReport, type ReadShare, type Repository } from '../app.ts';
import type { Config } from '../config/index.ts';
import { systemClock } from '../foundation/clock.ts';
import { createLogger } from '../foundation/logger.ts';
import { askPassphrase } from './ask-secret.ts';
import { EXIT_CODES } from './errors.ts';
import type { CliWorld } from './world.ts';

export interface CheckFlags {
  readonly readData: boolean | ReadShare;
  /** Bad copies are written down. */
  readonly quarantine: boolean;
  readonly passphrase: boolean;
  readonly json: boolean;
  /** Address of a copy to mend from what is found; null: nothing is mended. */
  readonly repairFrom: string | null;
}

type Mended = Awaited<ReturnType<Repository['heal']>>;

/** Prints every problem and what it costs. Exit code 3 when there is one, or one is left after a repair. */
export async function runCheck(world: CliWorld, config: Config, { readData, quarantine, passphrase, json, repairFrom }: CheckFlags): Promise<number> {
  const repository = await openRepositoryOf(config, { clock: systemClock, log: createLogger(config.logLevel) }, passphrase ? await askPassphrase(world) : null);
  try {
    const report = await repository.check({ readData, quarantine, signal: world.stop });
    if (report.problems.length === 0 || repairFrom === null) {
      if (json) world.out(`${JSON.stringify(report)}\n`);
      else tell(world, report, readData);
      return codeOf(report);
    }
    if (!json) tell(world, report, readData);
    const { mended, after } = await repair(world, repository, { report, readData, repairFrom });
    if (json) world.out(`${JSON.stringify({ ...report, mended, after })}\n`);
    else tellMended(world, mended, after, readData);
    return codeOf(after);
  } finally {
    await repository.close();
  }
}

function tell(world: CliWorld, report: CheckReport, readData: CheckFlags['readData']): void {
  for (const problem of report.problems) {
    const affected = problem.affects.map(({ snapshotId, entry }) => (entry === null ? snapshotId : `${snapshotId} (${entry})`));
    world.err(`${problem.code} ${problem.object}: ${problem.message}${affected.length === 0 ? '' : `; affects ${affected.join(', ')}`}\n`);
  }
  const read = readData !== false ? `, ${report.bytesRead} bytes read` : '';
  world.out(`${report.snapshots} snapshots, ${report.packs} packs, ${report.chunks} chunks${read}: ${verdict(report.problems.length)}\n`);
  if (report.quarantinedPacks > 0) world.out(`${report.quarantinedCopies} damaged copies in ${report.quarantinedPacks} packs were put under quarantine: the next snapshot stores anew what its source still has\n`);
  if (report.releasedPacks > 0) world.out(`${report.releasedPacks} packs are sound again and were released from quarantine\n`);
}

/** What is damaged goes to quarantine, and comes again from the copy; then everything is checked once more. */
async function repair(
  world: CliWorld, repository: Repository, { report, readData, repairFrom }: { readonly report: CheckReport; readonly readData: CheckFlags['readData']; readonly repairFrom: string },
): Promise<{ readonly mended: Mended; readonly after: CheckReport }> {
  const from = openStorage(repairFrom);
  try {
    const isOver = await ownersThatAreGone({ clock: systemClock, afterMs: null });
    const mended = await repository.heal({ from, objects: report.problems.map(({ object }) => object), isOver, signal: world.stop });
    // What was fetched again is released from quarantine.
    return { mended, after: await repository.check({ readData, quarantine: true, signal: world.stop }) };
  } finally {
    await from.close();
  }
}

function tellMended(world: CliWorld, { healed, failed }: Mended, after: CheckReport, readData: CheckFlags['readData']): void {
  for (const { name, quarantined } of healed) world.out(`fetched again: ${name}${quarantined === null ? '' : `; what was there is kept as ${quarantined}`}\n`);
  for (const { object, message } of failed) world.err(`not mended: ${object}: ${message}\n`);
  tell(world, after, readData);
}

function codeOf({ problems }: CheckReport): number {
  return problems.length === 0 ? EXIT_CODES.ok.code : EXIT_CODES.damaged.code;
}

function verdict(problems: number): string {
  if (problems === 0) return 'no problems found';
  return problems === 1 ? '1 problem' : `${problems} problems`;
}
