// What workers do with the repository by themselves, as the doors see it; a part of contracts.ts.
import type { CheckState } from '../domain/check-state.ts';
import type { CopyState } from '../domain/copy-state.ts';
import type { MendedState } from '../domain/mended-state.ts';
import type { PruneState } from '../domain/prune-state.ts';
import type { LockState } from '../domain/lock-state.ts';
import type { StoreState } from '../domain/store-state.ts';

export interface CheckOverview {
  /** When the last one that came to its end did. */
  readonly endedAt: Date | null;
  readonly problems: number | null;
  /** What it found and was fetched again from a copy. */
  readonly mended: number | null;
  /** The newest try did not come to its end. */
  readonly failed: boolean;
  /** By cluster: snapshots that can't be read whole, and are kept. */
  readonly damagedSnapshots: ReadonlyMap<string, number>;
}

export interface CopyOverview {
  /** From 1 up: addresses are not for everybody. */
  readonly number: number;
  /** When a run last ended with everything copied; null: never. */
  readonly succeededAt: Date | null;
  /** Objects of the repository that were found damaged or gone, and roots that were withheld for them, in the last run. */
  readonly problems: number;
  /** Objects that had rotted in the copy and were put anew, since it is there. */
  readonly rotted: number;
}

export interface LockOverview {
  /** When everything that snapshots need was last found held, or extended; null: never. */
  readonly succeededAt: Date | null;
  /** Objects that are needed and not held as they should be, or not there; null before the first run ended. */
  readonly failed: number | null;
  /** Deleted, still there, and paid for; null where it was not looked at. */
  readonly hiddenBytes: number | null;
}

export interface PruneOverview {
  /** When the last one that came to its end did; null: never. */
  readonly endedAt: Date | null;
  /** The newest try did not come to its end. */
  readonly failed: boolean;
}

export interface DamagedSnapshot {
  readonly snapshotId: string;
  /** None: all may be hit. */
  readonly namespaces: readonly string[];
  readonly projectId: string;
  readonly clusterId: string;
  readonly clusterName: string;
}

export type CheckView = CheckState & {
  /** Kept snapshots that the last check found damaged, of the project that was asked for. */
  readonly damaged: readonly DamagedSnapshot[];
  /** How many there are besides. */
  readonly damagedElsewhere: number;
};

export interface UpkeepView {
  /** null: none was planned yet. */
  readonly check: CheckView | null;
  /** In the order of the setting. */
  readonly copies: readonly Required<CopyState>[];
  /** null: nothing is held, or no worker has looked yet. */
  readonly locks: LockState | null;
  /** null: no worker has pruned yet. */
  readonly prune: PruneState | null;
  /** What the store could when the service last began; null: nobody asked it yet. Absent: as null. */
  readonly store?: StoreState | null;
  /** Damaged objects that were fetched again from a copy; null: none yet. */
  readonly mended: MendedState | null;
  /** Changes, of all projects, of which the audit does not tell whether they were done, though they were begun an hour ago. Absent: nobody counted. */
  readonly unknownChanges?: { readonly count: number; readonly newestAt: Date | null };
}

/** What workers do with the repository by themselves. */
export interface Upkeep {
  /** @param projectId null: of all projects */
  read(projectId: string | null): Promise<UpkeepView>;
}
