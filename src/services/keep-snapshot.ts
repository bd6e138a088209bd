// Pins and holds on a snapshot, set and taken away; for the doors and for the command line.
import type { CatalogStore, CatalogTransaction, SnapshotRecord } from '../catalog/index.ts';
import { forbidSecondHold, isWorthKeeping, MOST_REASON, type KeepKind } from '../domain/keeps.ts';
import type { Clock } from '../foundation/clock.ts';
import { LeafvaultError } from '../foundation/errors.ts';
import { isId } from '../foundation/ids.ts';
import { keptText } from './storable.ts';

export interface KeepParts {
  readonly catalog: Pick<CatalogStore, 'transaction'>;
  readonly clock: Clock;
}

/** Who took away the wrong pin has so long to see it. */
const LEFT_MS = 86_400_000;

/**
 * @param by who wants it, for people
 * @param beside runs in the same transaction, with what becomes of it
 * @throws SNAPSHOT_NOT_FOUND, SNAPSHOT_NOT_COMPLETE (it failed), SNAPSHOT_KEPT (a second hold), REASON_INVALID, TEXT_NOT_STORABLE
 */
export async function keepSnapshot(
  { catalog, clock }: KeepParts, { id, kind, reason, by }: { readonly id: string; readonly kind: KeepKind; readonly reason: string | null; readonly by: string },
  beside: (tx: CatalogTransaction, snapshot: SnapshotRecord) => Promise<void> = nothing,
): Promise<SnapshotRecord> {
  const text = reasonOf(kind, reason);
  return catalog.transaction(async (tx) => {
    const snapshot = await hold(tx, id);
    if (!isWorthKeeping(snapshot)) throw new LeafvaultError('SNAPSHOT_NOT_COMPLETE', `Keeping snapshot ${id} failed: it is ${snapshot.state}`, { details: { id, state: snapshot.state } });
    if (kind === 'hold') forbidSecondHold(snapshot);
    if (snapshot[kind] === null) await tx.snapshots.setKeep(id, kind, { by, reason: text, at: clock.now().toISOString() }, true);
    await beside(tx, snapshot);
    return hold(tx, id);
  });
}

/** @param by who wants it, for people @param beside runs in the same transaction, with what was @throws SNAPSHOT_NOT_FOUND */
export async function letGoOfSnapshot(
  { catalog, clock }: KeepParts, { id, kind, by }: { readonly id: string; readonly kind: KeepKind; readonly by: string },
  beside: (tx: CatalogTransaction, snapshot: SnapshotRecord) => Promise<void> = nothing,
): Promise<SnapshotRecord> {
  return catalog.transaction(async (tx) => {
    const snapshot = await hold(tx, id);
    if (snapshot[kind] !== null) {
      await tx.snapshots.setKeep(id, kind, { by, reason: null, at: clock.now().toISOString() }, false);
      const least = new Date(clock.now().getTime() + LEFT_MS);
      if (snapshot.expiresAt < least) await tx.snapshots.setExpiry(id, least);
    }
    await beside(tx, snapshot);
    return hold(tx, id);
  });
}

const nothing = (): Promise<void> => Promise.resolve();

async function hold(tx: CatalogTransaction, id: string): Promise<SnapshotRecord> {
  const snapshot = isId(id) ? await tx.snapshots.hold(id) : null;
  if (snapshot !== null && snapshot.deletedAt === null) return snapshot;
  throw new LeafvaultError('SNAPSHOT_NOT_FOUND', `Reading snapshot ${id} failed: there is none`, { details: { id, clusterId: snapshot?.clusterId ?? null } });
}

function reasonOf(kind: KeepKind, given: string | null): string | null {
  const reason = given === null || given.trim() === '' ? null : keptText('reason', given.trim());
  if ((reason !== null || kind === 'pin') && (reason?.length ?? 0) <= MOST_REASON) return reason;
  throw new LeafvaultError('REASON_INVALID', `Keeping a snapshot failed: ${reason === null ? 'a hold needs a reason' : `its reason has more than ${MOST_REASON} characters`}`, { details: { kind } });
}
