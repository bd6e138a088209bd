// The time line of a cluster: what the kept oplog says happened, for a person who looks for a mistake
// (docs/design/continuous-backup.md, "Time line").
import type { ClusterTime } from './cluster-time.ts';
import type { LeaveOut } from './leave-out.ts';

export type WriteKind = 'insert' | 'update' | 'delete';

/** How often something happened to one namespace in one minute. */
export interface MinuteCount {
  readonly namespace: string;
  /** Seconds since the epoch, a whole minute. */
  readonly minute: number;
  readonly insert: number;
  readonly update: number;
  readonly delete: number;
  /** Drops, creates, index builds and the like. */
  readonly command: number;
  /** Bytes of the operations in the oplog. */
  readonly bytes: number;
}

export type MarkKind = 'massDelete' | 'massUpdate' | 'drop' | 'dropDatabase' | 'rename' | 'dropIndexes' | 'collMod';

/** Something that a person who looks for a mistake wants to see. */
export interface Mark {
  readonly kind: MarkKind;
  /** `db.collection`; of `dropDatabase` the database. */
  readonly namespace: string;
  /** Of a rename: the new name. */
  readonly to: string | null;
  /** Operations, or of `dropDatabase` collections. */
  readonly count: number;
  readonly first: ClusterTime;
  readonly last: ClusterTime;
  /** The position before `first`: restored to it, none of this has happened. */
  readonly justBefore: ClusterTime;
  /** What a restore to a later instant leaves out to be without it. */
  readonly leaveOut: LeaveOut;
}

export interface TimelineRange {
  /** Both included. */
  readonly from: ClusterTime;
  readonly to: ClusterTime;
}

export interface TimelinePart {
  readonly counts: readonly MinuteCount[];
  readonly marks: readonly Mark[];
  /** Transactions of which an earlier part was not read: their counts lack it. */
  readonly partial: number;
  /** Null: everything up to the end of the range was read; else the position behind which to go on. */
  readonly readTo: ClusterTime | null;
}

/** From how many deletes or updates of a namespace in one burst on they are marked, unless another number is asked for. */
export const MASS_COUNT = 1_000;

/** One operation, as it is told to people. */
export interface OperationView {
  /** When it counts: of a transaction its commit. */
  readonly position: ClusterTime;
  /** Which it is of its entry or transaction, from 0. */
  readonly number: number;
  readonly kind: WriteKind | 'command';
  readonly namespace: string;
  /** Of a command: `drop`, `create`, … */
  readonly command: string | null;
  /** Canonical Extended JSON; null for commands and documents without one. */
  readonly id: string | null;
  /** The oplog's `o` in relaxed Extended JSON; null where it has more than `bytesShown`. */
  readonly object: unknown;
  readonly bytes: number;
  /** `lsid.id`, 32 hex digits. */
  readonly session: string | null;
  /** Operations of its transaction; null: it is in none. */
  readonly ofTransaction: number | null;
  /** A part of its transaction was not read: `number` counts from what was. */
  readonly partial: boolean;
  readonly justBefore: ClusterTime;
}

export interface OperationFilter {
  /** `db.collection`, or a database. */
  readonly namespace?: string | undefined;
  readonly kind?: OperationView['kind'] | undefined;
  /** Extended JSON of an `_id`, of either form. */
  readonly id?: string | undefined;
}

export interface OperationPage {
  readonly operations: readonly OperationView[];
  /** Null: nothing of the range is left; else from where to go on: the operation behind this position and number. */
  readonly next: { readonly position: ClusterTime; readonly number: number } | null;
}
