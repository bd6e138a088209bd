// How far the second copies of the repository are: one value of the catalog's settings, for workers and doors.
import type { RunningChore } from './running-chore.ts';

/** Instants are ISO 8601. */
export interface CopyState {
  readonly address: string;
  /** Its place in `repository.copies`, from 1 up. */
  readonly number: number;
  readonly startedAt: string;
  /** When a run last ended with everything copied; null: never. */
  readonly succeededAt: string | null;
  readonly problems: number;
  /** Who is at it, and how far. Absent in states of older versions, like all below. */
  readonly running?: (Omit<RunningChore, 'token'> & { readonly objects: number; readonly bytes: number }) | null;
  /** The last run that came to its end; null before the first. */
  readonly last?: CopyResult | null;
  /** The share of the copy that was read back last; null: none was yet. */
  readonly read?: { readonly part: number; readonly of: number; readonly at: string; readonly bytes: number } | null;
  /** Objects that had rotted in the copy and were put anew, since it is there; the newest of their names. Null: none. */
  readonly rotted?: { readonly objects: number; readonly lastAt: string; readonly names: readonly string[] } | null;
  /** Why the newest run did not come to its end; null once one did. */
  readonly failure?: { readonly at: string; readonly cause: string } | null;
}

export interface CopyResult {
  readonly endedAt: string;
  /** That the copy shows. */
  readonly snapshots: number;
  readonly objects: number;
  readonly bytes: number;
  readonly deleted: number;
  readonly kept: number;
  readonly postponed: boolean;
  /** Objects of the repository that are damaged or gone, the first of them. */
  readonly damaged: readonly string[];
  /** Roots that were withheld for them, the first of them. */
  readonly withheld: readonly string[];
  /** Objects that are not held as they should be, where the copy's store holds them; null: it holds none. */
  readonly unheld: number | null;
}

export const COPY_STATES = 'copyStates';

/** Of what stands in the catalog: nothing yet, or a list. */
export function readCopyStates(value: unknown): readonly CopyState[] {
  return Array.isArray(value) ? (value as CopyState[]) : [];
}
