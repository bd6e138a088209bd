// What a handler gets and gives back. One file for each kind stands in `handlers/`.
import type { CatalogTransaction, ClaimedJob } from '../catalog/index.ts';
import type { JobKind } from '../domain/records.ts';
import type { Logger } from '../foundation/logger.ts';
import type { OnProgress } from '../foundation/progress.ts';

export interface JobContext {
  readonly job: ClaimedJob;
  /** Aborted with a LeafvaultError that says why: cancel, release, no progress, lease lost. */
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
  readonly log: Logger;
  /** Private and empty; removed when the handler has returned. */
  readonly tempDir: string;
  /** The only way to write: refused once the job is another worker's or over. @throws CATALOG_LEASE_LOST */
  fenced<T>(work: (tx: CatalogTransaction) => Promise<T>): Promise<T>;
  /** Text that must never appear in a message: passwords of the connection strings in use. */
  hide(secret: string): void;
}

/** Rows that become true together with the end of the job. */
export type Completion = (tx: CatalogTransaction) => Promise<void>;

/** Does the work; what it throws fails the job, unless its signal had been aborted. */
export type JobHandler = (context: JobContext) => Promise<Completion>;

export type JobHandlers = Readonly<Record<JobKind, JobHandler>> & {
  /** Settles the target of a restore whose job is over. */
  readonly settle: JobHandler;
};
