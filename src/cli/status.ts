// `leafvault status`: what workers do with the repository by themselves, how far they are and what they found. Read from the catalog.
import { openUpkeepOf, type UpkeepView } from '../app.ts';
import type { Config } from '../config/index.ts';
import { systemClock } from '../foundation/clock.ts';
import { createLogger } from '../foundation/logger.ts';
import { EXIT_CODES } from './errors.ts';
import { size } from './size.ts';
import { plain } from './text-table.ts';
import type { CliWorld } from './world.ts';

type Copy = UpkeepView['copies'][number];

/** Exit code 3 where the last check, copy or hold found something. @throws what keeps the catalog from being opened */
export async function runStatus(world: CliWorld, config: Config, { json }: { readonly json: boolean }): Promise<number> {
  const open = await openUpkeepOf(config, { clock: systemClock, log: createLogger(config.logLevel) });
  try {
    const view = await open.upkeep.read(null);
    world.out(json ? `${JSON.stringify(view, null, 2)}\n` : textOf(view));
    const problems = (view.check?.last?.problems ?? 0) + view.copies.reduce((sum, copy) => sum + copy.problems, 0) + (view.locks?.last?.failed ?? 0);
    return problems === 0 ? EXIT_CODES.ok.code : EXIT_CODES.damaged.code;
  } finally {
    await open.close();
  }
}

function textOf({ check, prune, copies, locks, mended, store, unknownChanges }: UpkeepView): string {
  const lines = [...storeLines(store), ...checkLines(check), ...mendedLines(mended), ...pruneLines(prune), ...copies.flatMap(copyLines), ...lockLines(locks), ...changeLines(unknownChanges)];
  return `${lines.map(plainLine).join('\n')}\n`;
}

/** Each line keeps its indent. */
function plainLine(line: string): string {
  return `${/^ */.exec(line)?.[0] ?? ''}${plain(line.trimStart())}`;
}

function storeLines(store: UpkeepView['store']): string[] {
  return store?.conditionalPut === false ? ['store: it has no conditional put, so NOTHING IS PRUNED and it only grows; copy the repository to one that has it (`leafvault copy --to`, then `--promote`)'] : [];
}

function checkLines(check: UpkeepView['check']): string[] {
  if (check === null) return ['checks: none was planned yet; a worker plans the first one'];
  const { last, running, failure, dueAt, nextPart, damaged } = check;
  return [
    last === null ? 'checks: none has ended yet' : `checks: the last one ended ${last.endedAt}, part ${last.part} of ${last.of}, ${size(last.bytesRead)} read: ${last.problems === 0 ? 'sound' : `${last.problems} PROBLEMS`}`,
    ...(last?.objects ?? []).map((object) => `  damaged: ${object}`),
    ...(last?.lostSnapshots?.length ? ['  roots of snapshots are gone, and nothing is pruned: bring them back from a copy of the store, or delete these snapshots where they are really lost'] : []),
    ...damaged.map(({ snapshotId, clusterName, namespaces }) => `  can't be read whole: snapshot ${snapshotId} of ${clusterName}${namespaces.length === 0 ? '' : ` (${namespaces.join(', ')})`}`),
    ...(running === null ? [`  the next one is due ${dueAt}, with part ${nextPart}`] : [`  one is at work since ${running.since}${running.progress == null ? '' : `: ${progressText(running.progress)}`}`]),
    ...(failure === null ? [] : [`  the newest did not come to its end (${failure.at}): ${failure.cause}`]),
  ];
}

function mendedLines(mended: UpkeepView['mended']): string[] {
  if (mended === null) return [];
  return [`fetched again from a second copy: ${mended.objects} damaged objects, the newest ${mended.lastAt}`, ...mended.names.map((name) => `  ${name}`)];
}

function pruneLines(prune: UpkeepView['prune']): string[] {
  if (prune === null) return ['prunes: no worker has pruned yet; the first one is a day behind the first start'];
  const { last, running, failure } = prune;
  return [
    last === null ? 'prunes: none has ended yet' : `prunes: the last one ended ${last.endedAt}, ${size(last.freedBytes)} of ${size(last.bytes)} went${last.waitingBytes === 0 ? '' : `, ${size(last.waitingBytes)} wait`}`,
    ...(last?.inTheWay ?? []).map(({ kind, createdAt, owner }) => `  it waits for a ${kind} since ${createdAt}: ${owner}`),
    ...(last?.damagedPacks ?? []).map((id) => `  left alone, since it can't be read whole: pack ${id}`),
    ...(last === null || last.stuck === 0 ? [] : [`  ${last.stuck} objects that nobody needs are not let go by the store`]),
    ...(last === null || last.postponedPacks === 0 ? [] : [`  ${last.postponedPacks} packs were not written anew: the store is full`]),
    ...(running === null ? [] : [`  one is at work since ${running.since}: ${running.phase}, ${running.done}${running.total === null ? '' : ` of ${running.total}`}`]),
    ...(failure === null ? [] : [`  the newest did not come to its end (${failure.at}): ${failure.cause}`]),
  ];
}

function progressText({ phase, done, total, bytesDone }: NonNullable<NonNullable<NonNullable<UpkeepView['check']>['running']>['progress']>): string {
  return `${phase}, ${done}${total === null ? '' : ` of ${total}`}, ${size(bytesDone)} read`;
}

function copyLines({ number, address, startedAt, succeededAt, problems, running, last, read, rotted, failure }: Copy): string[] {
  return [
    `second copy ${number} (${address}): ${succeededAt === null ? 'not up to date yet' : `up to date ${succeededAt}`}${problems === 0 ? '' : `, ${problems} PROBLEMS`}`,
    ...(running === null ? [`  the newest run began ${startedAt}`] : [`  a copier is at work since ${running.since}: ${running.objects} objects with ${size(running.bytes)}`]),
    ...(last === null ? [] : [`  the last one to end put ${last.objects} objects with ${size(last.bytes)}, took away ${last.deleted}, kept ${last.kept}; it shows ${last.snapshots} snapshots`]),
    ...(read === null ? [] : [`  part ${read.part} of ${read.of} of it was read back ${read.at} (${size(read.bytes)})`]),
    ...(rotted === null ? [] : [`  ${rotted.objects} objects had rotted there and were put anew, the newest ${rotted.lastAt}`, ...rotted.names.map((name) => `    ${name}`)]),
    ...(last?.damaged ?? []).map((object) => `  damaged or gone in the repository: ${object}`),
    ...(last?.withheld ?? []).map((name) => `  withheld, since it needs what is damaged: ${name}`),
    ...(failure === null ? [] : [`  the newest did not come to its end (${failure.at}): ${failure.cause}`]),
  ];
}

function lockLines(locks: UpkeepView['locks']): string[] {
  if (locks === null) return [];
  const { mode, days, succeededAt, last, failure } = locks;
  return [
    `object lock (${mode}, ${days} days): ${succeededAt === null ? 'not everything was held yet' : `everything was held ${succeededAt}`}`,
    ...(last === null ? [] : [`  ${last.objects} objects are needed, ${last.extended} were extended, ${last.failed} are NOT held as they should be${last.hiddenBytes === null ? '' : `; ${size(last.hiddenBytes)} are deleted and still there`}`.replace(', 0 are NOT held as they should be', '')]),
    ...(last?.failedObjects ?? []).map((object) => `  not held: ${object}`),
    ...(failure === null ? [] : [`  the newest did not come to its end (${failure.at}): ${failure.cause}`]),
  ];
}

function changeLines({ count, newestAt }: NonNullable<UpkeepView['unknownChanges']> = { count: 0, newestAt: null }): string[] {
  return count === 0 || newestAt === null ? [] : [`changes: the outcome of ${count} is not known, the newest of ${newestAt.toISOString()}; events named …_OUTCOME_UNKNOWN tell which (docs/reference/authentication.md, "Audit")`];
}
