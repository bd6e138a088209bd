// Pins and holds: what keeps a snapshot whatever its retention says (docs/design/pins-and-holds.md).
import { LeafvaultError } from '../foundation/errors.ts';
import type { Snapshot } from './records.ts';

export const KEEP_KINDS = ['pin', 'hold'] as const;
export type KeepKind = (typeof KEEP_KINDS)[number];

export interface Keep {
  /** For people. */
  readonly by: string;
  readonly reason: string | null;
  /** ISO 8601. */
  readonly at: string;
}

export const MOST_REASON = 1_000;

type Kept = Pick<Snapshot, 'id' | 'state' | KeepKind>;

/** What failed stands for nothing. @throws SNAPSHOT_KEPT, for whoever would delete it */
export function forbidDeletionOfKept(snapshot: Kept): void {
  const kind = KEEP_KINDS.find((each) => snapshot[each] !== null);
  if (kind !== undefined && isWorthKeeping(snapshot)) throw kept(`Deleting snapshot ${snapshot.id} was refused`, snapshot, kind);
}

/** The hold that is there is somebody else's: who ends it later must not end a second one with it. @throws SNAPSHOT_KEPT */
export function forbidSecondHold(snapshot: Kept): void {
  if (snapshot.hold !== null) throw kept(`Holding snapshot ${snapshot.id} was refused`, snapshot, 'hold');
}

/** Whether there is, or may be, something to keep. */
export function isWorthKeeping({ state }: Pick<Snapshot, 'state'>): boolean {
  return state !== 'failed' && state !== 'cancelled';
}

function kept(refusal: string, snapshot: Kept, kind: KeepKind): LeafvaultError {
  const { by, reason } = snapshot[kind] ?? { by: 'unknown', reason: null };
  return new LeafvaultError('SNAPSHOT_KEPT', `${refusal}: ${kind === 'pin' ? 'it is pinned' : 'there is a hold on it'} by ${by}${reason === null ? '' : ` (${reason})`}`, {
    details: { id: snapshot.id, kind, by, reason }, hint: kind === 'pin' ? 'Unpin it first' : 'The hold has to be released first, by an owner of the project',
  });
}
