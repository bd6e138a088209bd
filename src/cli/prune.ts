// `leafvault prune`: takes away what no snapshot needs, with the master key, beside a service that runs; the catalog is only asked, where there is one.
import { mayPrune, openRepositoryOf, ownersThatAreGone, readNeededUntil, trimCatalogDumps, trimChains, type LockReport, type OpenSession, type PruneReport, type TrimmedChain } from '../app.ts';
import type { Config } from '../config/index.ts';
import { systemClock } from '../foundation/clock.ts';
import { createLogger } from '../foundation/logger.ts';
import { askPassphrase } from './ask-secret.ts';
import { EXIT_CODES } from './errors.ts';
import { size } from './size.ts';
import type { CliWorld } from './world.ts';

export interface PruneFlags {
  readonly dryRun: boolean;
  /** Hours after which a session of whose owner nothing is known is ended; null: none is. */
  readonly endSessionsAfterHours: number | null;
  /** Does not ask the catalog whether roots are lost. */
  readonly withoutCatalog: boolean;
  readonly json: boolean;
  /** Asks for one, in the place of the key file. */
  readonly passphrase: boolean;
}

const HOUR_MS = 3_600_000;

export async function runPrune(world: CliWorld, config: Config, { dryRun, endSessionsAfterHours, withoutCatalog, json, passphrase }: PruneFlags): Promise<number> {
  const options = { clock: systemClock, log: createLogger(config.logLevel) };
  const repository = await openRepositoryOf(config, options, passphrase ? await askPassphrase(world) : null);
  try {
    const catalogNotAsked = withoutCatalog ? '--without-catalog says so' : await mayPrune(config, repository, options);
    const isOver = await ownersThatAreGone({ clock: systemClock, since: 'created', afterMs: endSessionsAfterHours === null ? null : endSessionsAfterHours * HOUR_MS });
    const report = await repository.prune({ dryRun, isOver, signal: world.stop });
    const chains = dryRun ? [] : await trimChains(repository, { now: systemClock.now(), signal: world.stop });
    const { dumps } = dryRun ? { dumps: [] } : await trimCatalogDumps(repository, { signal: world.stop });
    const locks = dryRun ? null : await repository.extendLocks({ neededUntil: await readNeededUntil(repository, systemClock), signal: world.stop });
    const ofDumps = dumps.length === 0 ? '' : `dumps of the catalog: ${dumps.length} old ones went\n`;
    world.out(json ? `${JSON.stringify({ ...report, chains, dumps, locks, catalogNotAsked })}\n` : `${describe(report, dryRun)}${describeChains(chains)}${ofDumps}${describeLocks(locks)}${catalogNotAsked === null ? '' : `the catalog was not asked whether snapshots lost their roots: ${catalogNotAsked}\n`}`);
    return report.damagedPacks.length === 0 && (locks?.failed ?? []).length === 0 ? EXIT_CODES.ok.code : EXIT_CODES.damaged.code;
  } finally {
    await repository.close();
  }
}

function describe(report: PruneReport, dryRun: boolean): string {
  const { snapshots, forgotten, packs, bytes, deadBytes, waitingBytes, inTheWay, ended, damagedPacks, postponedPacks, rebuiltIndexes, stuck } = report;
  const lines = [
    `${snapshots} snapshots, ${packs} packs with ${size(bytes)}, of which ${size(deadBytes)} no snapshot needs`,
    freedLine(report, dryRun),
    ...(forgotten === 0 ? [] : [`${dryRun ? 'would forget' : 'forgot'} ${forgotten} deleted snapshots`]),
    ...(waitingBytes === 0 ? [] : [`${size(waitingBytes)} ${dryRun ? 'would go with a later prune' : 'go with the next prune'}, when these are through:`, ...inTheWay.map(sessionLine)]),
    ...(ended.length === 0 ? [] : [`${dryRun ? 'would be ended' : 'ended'}, since their owners are gone:`, ...ended.map(sessionLine)]),
    ...rebuiltIndexes.map((name) => `built anew from its packs: ${name}, which was damaged and lies below quarantine/ now`),
    ...(postponedPacks === 0 ? [] : [`${postponedPacks} packs are worth writing anew and stayed: the store had no room for that; run it again, now there is more`]),
    ...(stuck.length === 0 ? [] : [`${stuck.length} objects stay, since the store does not let them go (object lock, or a key that may not delete); the next prune asks again. The first: ${stuck[0] ?? ''}`]),
    ...damagedPacks.map((pack) => `left alone: the pack ${pack} holds chunks that can not be read; run \`leafvault check --read-data\``),
  ];
  return `${lines.join('\n')}\n`;
}

/** More may have been written anew than went yet: the packs that it stands in for wait for somebody. */
function freedLine({ freedBytes, rewrittenBytes }: PruneReport, dryRun: boolean): string {
  const anew = rewrittenBytes === 0 ? '' : `${size(rewrittenBytes)} ${dryRun ? 'would be' : 'were'} written anew`;
  if (freedBytes < 0) return `${dryRun ? 'would free nothing' : 'freed nothing'} yet (${anew})`;
  return `${dryRun ? 'would free' : 'freed'} ${size(freedBytes)}${anew === '' ? '' : ` (${anew})`}`;
}

function describeChains(chains: readonly TrimmedChain[]): string {
  if (chains.length === 0) return '';
  const [slices, bytes] = [chains.reduce((sum, chain) => sum + chain.slices, 0), chains.reduce((sum, chain) => sum + chain.storedBytes, 0)];
  return `kept oplog: ${slices} slices with ${size(bytes)} went, no snapshot needs them\n`;
}

/** null: the store holds nothing. */
function describeLocks(locks: LockReport | null): string {
  if (locks === null) return '';
  const { mode, days, objects, extended, failed, purged } = locks;
  const lines = [
    `object lock (${mode}, ${days} days): ${objects} objects are needed, ${extended} of them are held longer now`,
    ...(purged === null || purged.removed + purged.hidden === 0 ? [] : [`deleted objects: ${purged.removed} versions with ${size(purged.removedBytes)} went for good, ${purged.hidden} with ${size(purged.hiddenBytes)} are still there, hidden`]),
    ...(purged?.refused == null ? [] : [`they stay: ${purged.refused}`]),
    ...failed.map(({ object, message }) => `NOT HELD ${object}: ${message}`),
  ];
  return `${lines.join('\n')}\n`;
}

function sessionLine({ id, kind, createdAt, owner }: OpenSession): string {
  return `  ${kind} ${id} since ${createdAt}, owner ${owner === '' ? 'unknown' : owner}`;
}
