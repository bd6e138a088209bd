// The queue as services see it: put a job beside the rows it belongs to, ask for its end.
import type { CancelAnswer, CatalogTransaction, PauseAnswer, ResumeAnswer } from '../catalog/index.ts';
import type { Job, JobForm, JobKind } from '../domain/records.ts';
import type { JobPayloadInput } from './contracts.ts';

export interface JobRequest<K extends JobKind = JobKind> {
  /** 24 hex digits; made by the caller, whose rows refer to it. */
  readonly id: string;
  readonly kind: K;
  readonly payload: JobPayloadInput<K>;
  readonly projectId: string;
  /** The cluster it is listed under: the source of a snapshot or restore. */
  readonly clusterId: string;
  readonly snapshotId: string | null;
  readonly restoreId: string | null;
  /** The cluster that is written to; jobs that write to the same one run one after the other. Restores, undos and what follows them. */
  readonly targetClusterId?: string;
  /** For people: `apiKey abcdefgh`. */
  readonly requestedBy: string;
  /** What the door that asks wants to tell of it again. */
  readonly form?: JobForm | undefined;
}

export interface JobQueue {
  /**
   * Inserts the job's row and wakes a worker when the transaction commits; rolled back, there was never a job.
   * Insert the job before a restore that refers to it.
   */
  enqueue<K extends JobKind>(tx: CatalogTransaction, request: JobRequest<K>): Promise<Job>;
  /** Ends a job that has not begun, else tells its worker (within 2 s). null: no such job. @param tx it happens with the commit of that one */
  cancel(jobId: string, by: string, tx?: CatalogTransaction): Promise<CancelAnswer | null>;
  /** Frees its worker (within 2 s); nobody takes the job until `resume`. null: no such job. @param tx as for a cancel */
  pause(jobId: string, tx?: CatalogTransaction): Promise<PauseAnswer | null>;
  /** A worker takes it within a second. null: no such job. */
  resume(jobId: string): Promise<ResumeAnswer | null>;
}
