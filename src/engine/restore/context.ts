// What every step of one restore attempt gets.
import type { ClusterTime } from '../../domain/cluster-time.ts';
import type { RestoreOptions } from '../contracts.ts';
import type { SequenceMaker } from '../mongo/raw-insert-sequence.ts';
import type { CollectionEntry, Expected } from '../snapshot/index.ts';
import type { Instant } from './instant/open-instant.ts';
import type { Target } from './open-target.ts';
import type { RestedShadow, RestorePlan, SwapStep, TimeSeriesStep } from './plan.ts';
import type { PlanStore } from './plan-store.ts';
import type { ProgressTally } from './progress-tally.ts';

export interface RestoreContext {
  readonly options: RestoreOptions;
  readonly target: Target;
  readonly plan: RestorePlan;
  readonly store: PlanStore;
  /** Collections and time series to load: entry and step. */
  readonly loads: readonly Load[];
  /** Entries of users and roles, when they are to be merged. */
  readonly authEntries: readonly CollectionEntry[];
  /** Accounts and roles (`db.name`) that are never merged: those in use. */
  readonly inUse: ReadonlySet<string>;
  readonly makeSequence: SequenceMaker | null;
  readonly tally: ProgressTally;
  /** Null: the snapshot as it is. */
  readonly instant: Instant | null;
}

export interface Load {
  readonly entry: CollectionEntry;
  readonly step: SwapStep | TimeSeriesStep;
  /** The collection that takes the raw documents: the shadow, or the shadow's buckets. */
  readonly collection: string;
  /** What the proof asks for: what the capture found, or what our fold says of the instant. */
  expected: Expected;
  /** What an attempt before this one left of it; null: nothing that can be taken over. */
  rested: RestedShadow | null;
  /** Null until every document was written, and while operations are on their way to it. `committed`: no election can take them back; else none may come before the barrier that says so. */
  loaded: { readonly committed: boolean; readonly electionId: string | null } | null;
  /** To an instant: every operation up to and including it is applied, and none behind it; null: none is. */
  replayedTo: ClusterTime | null;
  /** Operations that the fold passed over, since what they build on was left out. */
  skipped: number;
}

/** Collections that are loaded, built or read at once. */
export const COLLECTIONS_AT_ONCE = 4;
