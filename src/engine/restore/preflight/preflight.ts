// The first step of a restore: gathers facts about the target and judges them before anything is written.
import type { LeftOutReport } from '../../../domain/leave-out.ts';
import { LeafvaultError } from '../../../foundation/errors.ts';
import type { RestoreOptions, SnapshotBody } from '../../contracts.ts';
import { collectionEntries, type CollectionEntry } from '../../snapshot/index.ts';
import { needsRoom } from '../capped-room.ts';
import { capturedSelection, isWholeCluster, isSelected, renamed, type SelectedEntry } from '../select-entries.ts';
import { warnOfCrossings } from '../instant/crossing-transactions.ts';
import { judgeLeftOut, refuseNameConflicts } from '../instant/instant-left-out.ts';
import { openInstant, type Instant } from '../instant/open-instant.ts';
import type { Target } from '../open-target.ts';
import { isReplayed } from '../rest-shadows.ts';
import { restedNames, type RestedShadow } from '../plan.ts';
import type { ProgressTally } from '../progress-tally.ts';
import { warnOfExpiry } from './expiring-documents.ts';
import { gatherFacts, type TargetFacts } from './gather-facts.ts';
import { judgeFacts } from './judge-facts.ts';

export interface Preflight {
  readonly facts: TargetFacts;
  readonly selected: readonly SelectedEntry[];
  readonly warnings: readonly string[];
  /** Null where nothing is. */
  readonly leftOut: LeftOutReport | null;
}

/**
 * @returns with `instant` the caller closes it
 * @throws RESTORE_PREFLIGHT_REFUSED with `details.reasons`, RESTORE_SELECTION_EMPTY, RESTORE_LEAVE_OUT_CONFLICT, RESTORE_LEAVE_OUT_DEPENDENTS, and what `openInstant` throws
 */
export async function preflight(options: RestoreOptions, target: Target, tally: ProgressTally, rested: readonly RestedShadow[] = []): Promise<Preflight & { readonly instant: Instant | null }> {
  const entries: CollectionEntry[] = [];
  for await (const entry of collectionEntries(options.reader, options.root, { temporaries: options.instant !== undefined })) entries.push(entry);
  if (options.instant === undefined) return { ...(await judge(options, target, entries, null, rested)), instant: null };
  const instant = await openInstant({ ...options, instant: options.instant, tally }, entries);
  try {
    return { ...(await judge(options, target, instant.entries, instant, rested)), instant };
  } catch (error) {
    await instant.close();
    throw error;
  }
}

async function judge(options: RestoreOptions, target: Target, entries: readonly CollectionEntry[], instant: Instant | null, rested: readonly RestedShadow[]): Promise<Preflight> {
  const { selection, root } = options;
  const selected = selectEntries(entries, options);
  if (instant?.leftOut != null) refuseNameConflicts(selected.map(({ entry }) => entry));
  const databases = [...new Set(selected.filter(({ entry }) => !isAuth(entry)).map(({ db }) => db))];
  const done = new Set(rested.filter((shadow) => instant !== null && isReplayed(shadow.instant?.to ?? null, instant.border)).map(({ from }) => from));
  const replayed = instant === null ? null : selected.reduce((sum, { entry }) => sum + (done.has(entry.namespace) ? 0 : bytesToReplay(instant, entry)), 0);
  const gathered = await gatherFacts(target, options.restoreId, databases, isWholeCluster(selection));
  const facts = { ...gathered, shadows: new Set([...gathered.shadows, ...restedNames({ rested: [...rested] })]) };
  const loaded = new Set(rested.map(({ from }) => from));
  const body = root.body as unknown as SnapshotBody;
  const { reasons, warnings } = judgeFacts(facts, {
    selection, existing: options.existing, timeSeries: options.timeSeries, usersAndRoles: options.usersAndRoles, entries, selected, captured: capturedSelection(body), replayed, there: selected.reduce((sum, { entry }) => sum + (loaded.has(entry.namespace) ? entry.body.bytes : 0), 0), rehearse: options.rehearse, room: options.room,
    needRoom: selected.filter(({ entry }) => needsRoom(entry, instant)).map(({ entry }) => entry.namespace),
    sourceVersion: body.source.serverVersion, sourceFeatureCompatibilityVersion: body.source.featureCompatibilityVersion,
  });
  if (reasons.length > 0) throw refused(reasons, warnings);
  if (selected.length === 0 && !isWholeCluster(selection)) throw new LeafvaultError('RESTORE_SELECTION_EMPTY', `Restoring was refused: nothing of what was chosen ${instant === null ? 'is in the snapshot' : 'was there at that instant'}`);
  const leftOut = instant === null ? null : judgeLeftOut(instant, selected.map(({ entry }) => entry), options.instant?.leaveOut?.dependents ?? 'refuse');
  const expiring = options.indexStrategy === 'ALL' ? await warnOfExpiry(options.reader, selected.map(({ entry }) => entry), options.clock) : [];
  const crossing = instant === null ? [] : [...instant.warnings, ...warnOfCrossings(instant.window, instant.entries, selected.map(({ entry }) => entry))];
  const all = [...warnings, ...expiring, ...crossing];
  for (const warning of all) options.log.warn({ restoreId: options.restoreId }, `Preflight: ${warning}`);
  return { facts, selected, warnings: all, leftOut };
}

function bytesToReplay({ numberOf, table }: Instant, entry: CollectionEntry): number {
  const number = numberOf(entry);
  return number === null ? 0 : table.operationBytes(number);
}

function selectEntries(entries: readonly CollectionEntry[], { selection, usersAndRoles }: RestoreOptions): SelectedEntry[] {
  return entries
    .filter((entry) => (isAuth(entry) ? usersAndRoles : isSelected(selection, entry.body.db, entry.body.name)))
    .map((entry) => ({ entry, ...(isAuth(entry) ? { db: entry.body.db, name: entry.body.name } : renamed(selection, entry.body.db, entry.body.name)) }));
}

function isAuth({ body }: CollectionEntry): boolean {
  return body.kind === 'users' || body.kind === 'roles';
}

function refused(reasons: readonly string[], warnings: readonly string[]): LeafvaultError {
  return new LeafvaultError('RESTORE_PREFLIGHT_REFUSED', `Restoring was refused before it began: ${reasons.join('; ')}`, {
    details: { reasons, warnings },
    hint: 'Remove what is in the way, then restore again; `leafvault roles` prints the role that a target needs',
  });
}
