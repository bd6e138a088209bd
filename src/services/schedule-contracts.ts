// What a user may ask for of backup schedules. Handed on by contracts.ts.
import type { ScheduleExport } from '../domain/exports.ts';
import type { Cluster } from '../domain/records.ts';
import type { PolicyItem } from '../domain/retention.ts';
import type { Principal } from '../domain/roles.ts';
import type { SnapshotSchedule } from '../domain/schedule.ts';
import type { Preview } from '../domain/schedule-preview.ts';

export type ClusterSchedule = SnapshotSchedule & {
  /** When the next snapshot is asked for; null: nothing is. */
  readonly nextSnapshotAt: Date | null;
};

/** Without an id it is a new one. */
export type GivenItem = Omit<PolicyItem, 'id'> & { readonly id?: string | undefined };

/** What is absent stays. */
export type ScheduleChange = Partial<Pick<SnapshotSchedule, 'referenceHour' | 'referenceMinute' | 'restoreWindowDays' | 'extraDays'>> & {
  /** Has to be the schedule's. */
  readonly policyId?: string;
  /** All of them. Empty: nothing is taken any more. */
  readonly items?: readonly GivenItem[];
  /** By form; other forms keep theirs, and each what is not named. */
  readonly forms?: SnapshotSchedule['forms'];
  /** What is absent of it stays, too. null: nothing is exported any more. */
  readonly export?: Partial<ScheduleExport> | null;
};

export interface Schedules {
  /** A cluster that never had one has one without items. */
  get(cluster: Cluster): Promise<ClusterSchedule>;
  /**
   * `updateSnapshots`: those that are there get the new retention of their items; `deleteSnapshots`: those that stand for removed items alone go,
   * never the newest whole one. A function: of the schedule that it finds. @throws SCHEDULE_INVALID, details {rule, reason, value}; COMPLIANCE_PROTECTED, EXPORT_BUCKET_NOT_FOUND
   */
  change(request: {
    readonly cluster: Cluster; readonly change: ScheduleChange | ((current: SnapshotSchedule) => ScheduleChange); readonly updateSnapshots?: boolean; readonly deleteSnapshots?: boolean; readonly principal: Principal;
  }): Promise<ClusterSchedule>;
  /** What it would do from now on, `limit` runs at most, by the code that does it. */
  preview(cluster: Cluster, range: { readonly until: Date; readonly limit: number }): Promise<Preview>;
}
