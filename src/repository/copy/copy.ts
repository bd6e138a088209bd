// What a copier is told and what it tells (docs/design/second-copy.md).
import type { OnProgress } from '../../foundation/progress.ts';
import type { Storage } from '../../storage/index.ts';
import type { LockReport } from '../lock/extend-locks.ts';
import type { NeededUntil } from '../lock/needed-objects.ts';
import type { OpenSession, ReadShare } from '../repository.ts';

export interface CopyOptions {
  /** Store of the copy: empty, or marked as a copy of this repository. */
  readonly to: Storage;
  /** Nothing is put or taken away; the report tells what would be. */
  readonly dryRun?: boolean;
  /** What went from the source stays, and stays in sight, for so many days after a run missed it first. Default 0: it goes with this run. */
  readonly keepDays?: number;
  /** Until when snapshots are needed: for a copy in a store that holds objects. Default: for ever. */
  readonly neededUntil?: NeededUntil;
  /** What is in the copy is read back, or a share of it: what rotted there is put anew. Default: sizes alone are compared. Nothing is read in a dry run. */
  readonly readData?: boolean | ReadShare | undefined;
  /** Take everything from the copy where the source shows no snapshots any more. Default: refused. */
  readonly allowEmptySource?: boolean;
  /** The copy was made before: an empty store is not where it was, and refused. Default: it is where one begins. */
  readonly goesOn?: boolean;
  /** Sessions in the copy whose owner is gone: they are ended. Default: none is. */
  readonly isOver?: (session: OpenSession) => boolean | Promise<boolean>;
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

export interface CopyReport {
  readonly repositoryId: string;
  /** Snapshots that the copy shows afterwards. */
  readonly snapshots: number;
  /** Objects that were put, each verified before. */
  readonly objects: number;
  readonly bytes: number;
  /** Objects that were there, of the same size. */
  readonly skipped: number;
  /** Objects that went, since the source has them no more. */
  readonly deleted: number;
  /** Objects that went from the source and stay for now, and facts that delete and do not come yet, since their days are not over. */
  readonly kept: number;
  /** Names of objects that the store of the copy did not let go, as under an object lock; the next run asks again. */
  readonly stuck: readonly string[];
  /** How the objects of the copy are held; null: its store holds none, or it was a dry run. */
  readonly locks: LockReport | null;
  /** Objects of the copy that had another size: in its quarantine now, and put anew. Their names. */
  readonly replaced: readonly string[];
  /** Objects of the copy that were read back and had rotted: likewise. */
  readonly rotted: readonly string[];
  /** Bytes of the copy that were read back. */
  readonly readBytes: number;
  /** Objects of the source that are damaged or gone, and are not in the copy. */
  readonly damaged: readonly { readonly object: string; readonly message: string }[];
  /** Names of roots that were not put, since they need what is damaged. */
  readonly withheld: readonly string[];
  /** True where things that went from the source stay until the next run: something is damaged, or a reader is open in the copy. */
  readonly postponed: boolean;
}
