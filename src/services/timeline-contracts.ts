// The time line as its doors see it; a part of contracts.ts.
import type { ClusterTime } from '../domain/cluster-time.ts';
import type { Cluster } from '../domain/records.ts';
import type { Mark, MinuteCount, OperationFilter, OperationPage, OperationView, TimelineRange } from '../domain/timeline.ts';

/** Whether `justBefore` can be restored. */
export type Restorable = { readonly restorable: true; readonly reason: null } | { readonly restorable: false; readonly reason: string };

export interface TimelineQuery {
  /** Both included. Null: an hour before `to`, and the newest that is kept. */
  readonly from: ClusterTime | null;
  readonly to: ClusterTime | null;
  /** `db.collection` or a database. */
  readonly namespace?: string | undefined;
  /** From how many deletes or updates of a namespace in one burst on they are marked; default MASS_COUNT. */
  readonly threshold?: number | undefined;
}

export interface Timeline {
  /**
   * Ends early where there is very much of it, with a whole minute; `continueFrom` then begins the rest.
   * @throws TIMELINE_EMPTY, RANGE_INVALID, REPOSITORY_CHAIN_*
   */
  read(cluster: Cluster, query: TimelineQuery): Promise<TimelineRange & {
    /** Oldest first. */
    readonly counts: readonly MinuteCount[];
    readonly marks: readonly (Mark & Restorable)[];
    /** Transactions that began so early that a part of them was not read. */
    readonly partialTransactions: number;
    readonly continueFrom: ClusterTime | null;
  }>;
  /** @throws TIMELINE_EMPTY, RANGE_INVALID, FILTER_ID_MALFORMED, REPOSITORY_CHAIN_* */
  find(cluster: Cluster, query: Pick<TimelineQuery, 'from' | 'to'> & {
    readonly filter: OperationFilter; readonly after: OperationPage['next']; readonly limit: number;
    /** Operations with more are told without their content. */
    readonly bytesShown: number;
  }): Promise<{ readonly operations: readonly (OperationView & Restorable)[]; readonly next: OperationPage['next'] }>;
}
