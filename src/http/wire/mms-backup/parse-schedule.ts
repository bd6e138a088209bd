// A change of the schedule in the form of Ops Manager and of Atlas's legacy backup, to ours.
import type { Cluster } from '../../../domain/records.ts';
import type { SnapshotSchedule } from '../../../domain/schedule.ts';
import { withTiers } from '../../../domain/tiered-schedule.ts';
import { LeafvaultError } from '../../../foundation/errors.ts';
import type { ScheduleChange } from '../../../services/contracts.ts';
import { readBody } from '../read-body.ts';
import { MMS_FORM, windowHoursOf } from './present-schedule.ts';
import { requireSamePlace } from './require-same-place.ts';
import { changeScheduleBody } from './schemas.ts';

/**
 * What the change makes of the schedule that is there when it is done.
 * @throws GROUP_MISMATCH, CHECKPOINTS_UNFIT beside the faults of the body
 * @param zero what a retention of 0 means: `none` takes the tier away; `unchanged`: mongocli sends it for every flag that was not given
 */
export function parseChangeSchedule(body: unknown, cluster: Cluster, { zero, checkpoints }: { readonly zero: 'none' | 'unchanged'; readonly checkpoints: 'kept' | 'refused' }): (current: SnapshotSchedule) => ScheduleChange {
  const given = readBody(changeScheduleBody, body);
  requireSamePlace(given, cluster);
  if (checkpoints === 'refused' && given.clusterCheckpointIntervalMin !== undefined) {
    throw new LeafvaultError('CHECKPOINTS_UNFIT', `Changing the schedule of cluster ${cluster.name} failed: only a sharded one has checkpoints`, { details: { name: 'clusterCheckpointIntervalMin' } });
  }
  const kept = (value: number | undefined): number | undefined => (zero === 'unchanged' && value === 0 ? undefined : value);
  return (current) => ({
    items: withTiers(current.items, {
      intervalHours: kept(given.snapshotIntervalHours),
      retentionDays: kept(given.snapshotRetentionDays),
      dailyDays: kept(given.dailySnapshotRetentionDays),
      weeklyWeeks: kept(given.weeklySnapshotRetentionWeeks),
      monthlyMonths: kept(given.monthlySnapshotRetentionMonths),
    }),
    ...(given.referenceHourOfDay === undefined ? {} : { referenceHour: given.referenceHourOfDay }),
    ...(given.referenceMinuteOfHour === undefined ? {} : { referenceMinute: given.referenceMinuteOfHour }),
    ...windowOf(current, given.pointInTimeWindowHours),
    forms: { [MMS_FORM]: formOf(given) },
  });
}

/** Days are what all forms have; the hours themselves are kept for this one. */
function windowOf(current: SnapshotSchedule, hours: number | undefined): Pick<ScheduleChange, 'restoreWindowDays'> {
  // A window of nothing is none that anybody can mean: mongocli sends it where no flag was given.
  if (hours === undefined || hours === 0 || hours === windowHoursOf(current)) return {};
  return { restoreWindowDays: Math.ceil(hours / 24) };
}

function formOf({ pointInTimeWindowHours, clusterCheckpointIntervalMin }: { readonly pointInTimeWindowHours?: number | undefined; readonly clusterCheckpointIntervalMin?: number | undefined }): Record<string, unknown> {
  return {
    ...(pointInTimeWindowHours === undefined || pointInTimeWindowHours === 0 ? {} : { pointInTimeWindowHours }),
    ...(clusterCheckpointIntervalMin === undefined ? {} : { clusterCheckpointIntervalMin }),
  };
}
