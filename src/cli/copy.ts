// `leafvault copy`: brings second copies up to date, with the master key and without the catalog, beside a service that runs.
import { openRepositoryOf, openStorage, ownersThatAreGone, readNeededUntil, withLimit, type CopyReport, type ReadShare } from '../app.ts';
import type { Config } from '../config/index.ts';
import { systemClock } from '../foundation/clock.ts';
import { LeafvaultError } from '../foundation/errors.ts';
import { limitRate } from '../foundation/limit-rate.ts';
import { createLogger } from '../foundation/logger.ts';
import type { Progress } from '../foundation/progress.ts';
import { EXIT_CODES } from './errors.ts';
import { size } from './size.ts';
import type { CliWorld } from './world.ts';

export interface CopyFlags {
  /** null: those of the settings. */
  readonly to: string | null;
  readonly dryRun: boolean;
  /** Take the store of the settings, which is a copy, into use; nothing is copied. */
  readonly promote: boolean;
  readonly allowEmptySource: boolean;
  readonly readData: boolean | ReadShare;
  readonly endSessionsAfterHours: number | null;
  /** What went from the repository stays in the copy for so long. */
  readonly keepDays: number;
  /** null, 0: no limit. */
  readonly bytesPerSecond: number | null;
  readonly json: boolean;
}

const HOUR_MS = 3_600_000;
const TELL_EVERY_MS = 10_000;

/** Exit code 3 where something is damaged or withheld. */
export async function runCopy(world: CliWorld, config: Config, flags: CopyFlags): Promise<number> {
  const log = createLogger(config.logLevel);
  const repository = await openRepositoryOf(config, { clock: systemClock, log });
  try {
    const isOver = await ownersThatAreGone({ clock: systemClock, since: 'created', afterMs: flags.endSessionsAfterHours === null ? null : flags.endSessionsAfterHours * HOUR_MS });
    if (flags.promote) {
      if (repository.isCopy) await repository.promote({ isOver });
      world.out(`The repository in ${config.repositoryStore} is ${repository.isCopy ? 'no copy any more' : 'no copy'}: it can be written to. Do not write to the store that it was copied from\n`);
      return EXIT_CODES.ok.code;
    }
    const addresses = flags.to === null ? config.repositoryCopies : [flags.to];
    if (addresses.length === 0) throw new LeafvaultError('CLI_COPY_UNKNOWN', 'Copying the repository failed: no second copy is named', { hint: 'Add --to <address>, or set repository.copies' });
    const take = limitRate(systemClock, flags.bytesPerSecond ?? undefined);
    let isWhole = true;
    for (const address of addresses) {
      const to = withLimit(openStorage(address), take);
      try {
        const report = await repository.copyTo({
          to, isOver, keepDays: flags.keepDays, ...(to.objectLock === undefined ? {} : { neededUntil: await readNeededUntil(repository, systemClock) }), dryRun: flags.dryRun, readData: flags.readData, allowEmptySource: flags.allowEmptySource, signal: world.stop, ...(flags.json ? {} : { onProgress: teller(world) }),
        });
        isWhole = isWhole && report.damaged.length === 0 && report.withheld.length === 0 && (report.locks?.failed ?? []).length === 0;
        world.out(flags.json ? `${JSON.stringify({ copy: to.address, ...report })}\n` : describe(to.address, report, flags.dryRun));
      } finally {
        await to.close();
      }
    }
    return isWhole ? EXIT_CODES.ok.code : EXIT_CODES.damaged.code;
  } finally {
    await repository.close();
  }
}

function describe(address: string, report: CopyReport, dryRun: boolean): string {
  const { snapshots, objects, bytes, skipped, deleted, replaced, rotted, readBytes, damaged, withheld, postponed, kept, stuck, locks } = report;
  const lines = [
    `${address}: ${snapshots} snapshots`,
    dryRun
      ? `would copy ${objects} objects with ${size(bytes)}; ${skipped} are there${deleted === 0 ? '' : `; would take away ${deleted} that the repository has no more`}`
      : `copied ${objects} objects with ${size(bytes)}, each verified; ${skipped} were there${deleted === 0 ? '' : `; took away ${deleted} that the repository has no more`}`,
    ...(kept === 0 ? [] : [`${kept} objects that the repository has no more are kept for now`]),
    ...(stuck.length === 0 ? [] : [`${stuck.length} objects stay, since the store does not let them go; the next run asks again`]),
    ...(locks === null ? [] : [`object lock (${locks.mode}, ${locks.days} days): ${locks.objects} objects are needed, ${locks.extended} of them are held longer now`, ...locks.failed.map(({ object, message }) => `NOT HELD ${object}: ${message}`)]),
    ...replaced.map((name) => `put again, since it had another size there: ${name} (what was there is under quarantine/)`),
    ...(readBytes === 0 ? [] : [`read back ${size(readBytes)} of what was there; ${rotted.length} objects had rotted`]),
    ...rotted.map((name) => `put again, since it had rotted there: ${name} (what was there is under quarantine/)`),
    ...damaged.map(({ object, message }) => `DAMAGED ${object}: ${message}`),
    ...withheld.map((name) => `withheld, since it needs what is damaged: ${name}`),
    ...(damaged.length === 0 ? [] : ['Run `leafvault check --read-data --repair-from <copy>` to mend what the copy has whole']),
    ...(postponed ? ['What the repository has no more stays in the copy until the next run: something is damaged, a snapshot could not be taken away, or somebody reads there'] : []),
  ];
  return `${lines.join('\n')}\n`;
}

function teller(world: CliWorld): (progress: Progress) => void {
  let next = systemClock.now().getTime() + TELL_EVERY_MS;
  return ({ documentsDone, bytesDone }) => {
    if (systemClock.now().getTime() < next) return;
    next = systemClock.now().getTime() + TELL_EVERY_MS;
    world.err(`${documentsDone} objects, ${size(bytesDone)} so far\n`);
  };
}
