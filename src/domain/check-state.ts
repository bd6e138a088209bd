// What stands in the catalog of the checks that run by themselves.
import type { RunningChore } from './running-chore.ts';

/** Value of the setting `check <repository id>`. Instants are ISO 8601. */
export interface CheckState {
  /** The part of the bytes that is read next, from 1. */
  readonly nextPart: number;
  /** The next one is due then. */
  readonly dueAt: string;
  readonly running: (RunningChore & { readonly progress?: CheckProgress | null }) | null;
  /** How the last one that came to its end did. */
  readonly last: CheckResult | null;
  /** Why the newest try did not come to its end; null once one did. */
  readonly failure: { readonly at: string; readonly cause: string } | null;
  /** Slices and dumps that are damaged: each check reads them again, whatever its part. Absent: of before it was kept. */
  readonly again?: readonly string[];
  /** Objects that are just being fetched again from a copy: whoever comes next goes on with them. Absent: none. */
  readonly mending?: readonly string[];
}

/** `done` of `total`: whatever the phase counts; null: not known. */
export interface CheckProgress {
  readonly phase: string;
  readonly done: number;
  readonly total: number | null;
  readonly bytesDone: number;
  readonly bytesTotal: number | null;
}

export interface CheckResult {
  readonly startedAt: string;
  readonly endedAt: string;
  readonly part: number;
  readonly of: number;
  readonly bytesRead: number;
  readonly problems: number;
  /** Copies of chunks that this check put under quarantine. */
  readonly quarantinedCopies: number;
  /** Objects that were damaged and were fetched again from a copy; `problems` are those that are left. Absent: of before it was done. */
  readonly mended?: number;
  /** Objects that are damaged, the first of them. */
  readonly objects: readonly string[];
  /** Kept snapshots whose roots are not in the store, the first of them; `objects` names their roots. Absent: of before it was looked for. */
  readonly lostSnapshots?: readonly string[];
  /** Snapshots that can't be read whole, the first of them, with their namespaces; no namespace: all may be hit. */
  readonly damaged: readonly { readonly snapshotId: string; readonly namespaces: readonly string[] }[];
}

export const checkKey = (repositoryId: string): string => `check ${repositoryId}`;
