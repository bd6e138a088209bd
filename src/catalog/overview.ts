// Numbers over everything, for metrics: one pass over each table, no page of rows.
import { sql } from 'kysely';
import type { JobKind, JobState } from '../domain/records.ts';
import type { CatalogContext } from './context.ts';
import { isWhole } from './whole-snapshot.ts';

export interface JobCount { readonly kind: JobKind; readonly state: JobState; readonly count: number }

export interface ClusterTotals {
  readonly clusterId: string;
  /** Completed and not deleted. */
  readonly snapshots: number;
  /** Bytes that these snapshots added to the repository. */
  readonly storageSizeBytes: number;
  /** Raw bytes of the newest one that is not of chosen namespaces; null without such a one. */
  readonly dataSizeBytes: number | null;
  /** The newest instant that can be restored; null without a snapshot. */
  readonly newestCapturedAt: Date | null;
}

export interface Overview {
  jobCounts(): Promise<readonly JobCount[]>;
  /** Clusters without a completed snapshot are left out. */
  clusterTotals(): Promise<readonly ClusterTotals[]>;
}

export function createOverview({ db }: CatalogContext): Overview {
  return {
    async jobCounts() {
      const { rows } = await sql<{ kind: JobKind; state: JobState; count: number }>`
        select kind, state, count(*) as count from jobs group by kind, state`.execute(db);
      return rows;
    },
    async clusterTotals() {
      const { rows } = await sql<ClusterTotals>`
        select cluster_id, count(*) as snapshots, coalesce(sum(storage_size_bytes), 0)::bigint as storage_size_bytes,
          (array_agg(data_size_bytes order by captured_at desc nulls last) filter (where ${isWhole('selection')}))[1] as data_size_bytes,
          max(captured_at) as newest_captured_at
        from snapshots where state = 'completed' and deleted_at is null group by cluster_id`.execute(db);
      return rows;
    },
  };
}
