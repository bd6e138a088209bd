// What a restore leaves out, judged before anything is written, and told at the end.
import { showClusterTime } from '../../../domain/cluster-time.ts';
import type { Dependent, DependentsChoice, LeftOutReport } from '../../../domain/leave-out.ts';
import { LeafvaultError } from '../../../foundation/errors.ts';
import { joinNamespace, showNamespace } from '../../mongo/index.ts';
import { EXAMPLES, type CollectionNumber, type ReplayOperation } from '../../replay/index.ts';
import type { CollectionEntry } from '../../snapshot/index.ts';
import { VIEWS } from './base-catalog.ts';
import type { Instant, InstantLeftOut } from './open-instant.ts';

/** Dependents that a message names; whoever asks sees no details of a job. */
const NAMED = 20;

/** What `foldDocument` is told of an operation that does not fit: the server never gets it. */
export function skipIn({ table, leftOut }: Pick<Instant, 'table' | 'leftOut'>): (operation: ReplayOperation) => void {
  return (operation) => {
    table.mark(operation, 'skipped');
    if (leftOut !== null) leftOut.skippedLater += 1;
  };
}

/** @throws RESTORE_LEAVE_OUT_CONFLICT when a dropped name that is left out was taken anew */
export function refuseNameConflicts(entries: readonly CollectionEntry[]): void {
  const met = new Set<string>();
  for (const { namespace, body } of entries) {
    if (body.kind === 'users' || body.kind === 'roles') continue;
    if (met.has(namespace)) {
      throw new LeafvaultError('RESTORE_LEAVE_OUT_CONFLICT', `Leaving out failed: at that instant two collections would be called ${showNamespace(namespace)}`, {
        details: { namespace }, hint: 'The name was taken anew after it had become free: restore an instant before that, or into another name an instant before the drop',
      });
    }
    met.add(namespace);
  }
}

/**
 * What is left out of the chosen collections; null where nothing was to be.
 * @throws RESTORE_LEAVE_OUT_UNMATCHED, RESTORE_LEAVE_OUT_DEPENDENTS
 */
export function judgeLeftOut(instant: Instant, chosen: readonly CollectionEntry[], dependents: DependentsChoice): LeftOutReport | null {
  const { leftOut } = instant;
  if (leftOut === null) return null;
  const namespaces = new Map<CollectionNumber, string>();
  for (const entry of chosen) {
    const number = instant.numberOf(entry);
    if (number !== null) namespaces.set(number, entry.namespace);
  }
  for (const { uuid, db, name } of instant.window.collections) {
    const number = instant.window.numberOf(uuid);
    if (name === VIEWS && number !== null) namespaces.set(number, joinNamespace(db, name));
  }
  const uuids = new Set(chosen.map(({ body }) => body.uuid));
  const report = reportOf({ ...leftOut, commands: leftOut.commands.filter(({ uuid }) => uuids.has(uuid)) }, namespaces);
  if (report.operations + report.commands.length === 0) throw nothingChosen();
  const { applied, overwrites, skipped } = report.dependents;
  if (dependents === 'refuse' && applied + overwrites + skipped > 0) throw dependentsRefused(report);
  return report;
}

function reportOf({ collections, commands }: InstantLeftOut, namespaces: ReadonlyMap<CollectionNumber, string>): LeftOutReport {
  const dependents = { applied: 0, overwrites: 0, skipped: 0, moot: 0 };
  const examples: Dependent[] = [];
  let operations = 0;
  for (const [number, found] of collections) {
    const namespace = namespaces.get(number);
    if (namespace === undefined) continue;
    operations += found.operations;
    for (const outcome of ['applied', 'overwrites', 'skipped', 'moot'] as const) dependents[outcome] += found.dependents[outcome];
    for (const example of found.examples.slice(0, EXAMPLES - examples.length)) examples.push({ ...example, namespace });
  }
  return { operations, commands: commands.map(({ position, name, namespace }) => ({ position, name, namespace })), dependents, examples };
}

function nothingChosen(): LeafvaultError {
  return new LeafvaultError('RESTORE_LEAVE_OUT_UNMATCHED', 'Leaving out failed: nothing of it lies in what is restored', {
    hint: 'Choose the collections that it happened to, or leave nothing out',
  });
}

function dependentsRefused({ dependents, examples, ...report }: LeftOutReport): LeafvaultError {
  const { applied, overwrites, skipped } = dependents;
  const all = applied + overwrites + skipped;
  const named = examples.filter(({ outcome }) => outcome !== 'moot').slice(0, NAMED).map(showDependent).join('; ');
  return new LeafvaultError('RESTORE_LEAVE_OUT_DEPENDENTS', `Leaving out was refused before anything was written: ${all} later operations build on it: ${named}${all > NAMED ? '; …' : ''}`, {
    details: { ...report, dependents, examples },
    hint: `With dependents: apply, ${applied} of them are applied to what is there then, ${overwrites} take its place, ${skipped} are skipped`,
  });
}

const WORDS = { applied: 'applied to what is there then', overwrites: 'takes its place', skipped: 'skipped', moot: 'nothing to do' } as const;

function showDependent({ kind, position, namespace, id, outcome }: Dependent): string {
  return `the ${kind} at ${showClusterTime(position)} on ${showNamespace(namespace)}, _id ${id} (${WORDS[outcome]})`;
}

/** The report as it is once every document has been seen. */
export function withSkippedLater(report: LeftOutReport | null, leftOut: InstantLeftOut | null): LeftOutReport | null {
  if (report === null || leftOut === null || leftOut.skippedLater === 0) return report;
  const { dependents } = report;
  return { ...report, dependents: { ...dependents, applied: dependents.applied - leftOut.skippedLater, skipped: dependents.skipped + leftOut.skippedLater } };
}
