// How the objects of the repository are held: one value of the catalog's settings, for workers and doors.
import type { RunningChore } from './running-chore.ts';

/** Value of the setting `locks <repository id>`. Instants are ISO 8601. */
export interface LockState {
  readonly mode: 'governance' | 'compliance';
  readonly days: number;
  /** Of the newest try. */
  readonly startedAt: string;
  /** Absent in states of older versions. */
  readonly running?: RunningChore | null;
  /** Of the newest try that came to an end, good or bad; one that began later is at work (`running`), or its worker died. */
  readonly endedAt: string | null;
  /** When one last ended with everything held; null: never. */
  readonly succeededAt: string | null;
  /** Of the last one that came to its end; null before the first. */
  readonly last: {
    readonly objects: number;
    readonly extended: number;
    readonly failed: number;
    /** The first of them. */
    readonly failedObjects: readonly string[];
    /** Deleted and still there, at the cost of these bytes; null where it was not looked at. */
    readonly hiddenBytes: number | null;
  } | null;
  /** Why the newest try did not come to its end; null once one did. */
  readonly failure: { readonly at: string; readonly cause: string } | null;
}

export const locksKey = (repositoryId: string): string => `locks ${repositoryId}`;
