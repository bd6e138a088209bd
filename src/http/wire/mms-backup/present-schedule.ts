// The schedule in the form of Ops Manager and of Atlas's legacy backup: one retention for each frequency.
import type { Cluster } from '../../../domain/records.ts';
import type { SnapshotSchedule } from '../../../domain/schedule.ts';
import { tiersOf } from '../../../domain/tiered-schedule.ts';

/** Name of this form's own part of a schedule. */
export const MMS_FORM = 'mms';

/** What both doors show. Numbers are told as they are, also those that the vendor's lists of choices lack. */
export function presentSchedule(schedule: SnapshotSchedule, { id, projectId }: Cluster): object {
  const { intervalHours, retentionDays, dailyDays, weeklyWeeks, monthlyMonths } = tiersOf(schedule.items);
  return {
    clusterId: id,
    dailySnapshotRetentionDays: dailyDays,
    groupId: projectId,
    monthlySnapshotRetentionMonths: monthlyMonths,
    pointInTimeWindowHours: windowHoursOf(schedule),
    snapshotIntervalHours: intervalHours,
    snapshotRetentionDays: retentionDays,
    weeklySnapshotRetentionWeeks: weeklyWeeks,
  };
}

/** As they were given, as long as no other form has changed the days. */
export function windowHoursOf({ restoreWindowDays, forms }: Pick<SnapshotSchedule, 'restoreWindowDays' | 'forms'>): number {
  const hours = forms[MMS_FORM]?.['pointInTimeWindowHours'];
  return typeof hours === 'number' && Math.ceil(hours / 24) === restoreWindowDays ? hours : 24 * restoreWindowDays;
}

/** Between checkpoints of a sharded cluster. Kept and told; no cluster here has any. */
export function checkpointIntervalOf({ forms }: Pick<SnapshotSchedule, 'forms'>): number {
  const minutes = forms[MMS_FORM]?.['clusterCheckpointIntervalMin'];
  return typeof minutes === 'number' ? minutes : 15;
}
