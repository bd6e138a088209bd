// How far the daily prune of the repository is, and what the last one found: one value of the catalog's settings, for workers and doors.
import type { RunningChore } from './running-chore.ts';

/** Value of the setting `prune <repository id>`. Instants are ISO 8601. */
export interface PruneState {
  /** Who is at it, and how far; null: nobody. */
  readonly running: (Omit<RunningChore, 'token'> & { readonly phase: string; readonly done: number; readonly total: number | null }) | null;
  /** The last one that came to its end; null before the first. */
  readonly last: PruneResult | null;
  /** Why the newest did not come to its end; null once one did. */
  readonly failure: { readonly at: string; readonly cause: string } | null;
}

export interface PruneResult {
  readonly endedAt: string;
  readonly snapshots: number;
  /** Bytes of all packs, before. */
  readonly bytes: number;
  readonly freedBytes: number;
  /** That go once the sessions in the way are over. */
  readonly waitingBytes: number;
  /** Sessions that it waits for, the first of them. */
  readonly inTheWay: readonly { readonly kind: string; readonly createdAt: string; readonly owner: string }[];
  /** Packs that were left alone because they can't be read whole, the first of them. */
  readonly damagedPacks: readonly string[];
  /** Objects that the store does not let go. */
  readonly stuck: number;
  /** Packs that would be written anew if the store had the room. */
  readonly postponedPacks: number;
}

export const pruneKey = (repositoryId: string): string => `prune ${repositoryId}`;
