// A change of the backup schedule from Atlas's words to ours.
import type { z } from 'zod';
import { LeafvaultError } from '../../../../foundation/errors.ts';
import type { GivenItem, ScheduleChange } from '../../../../services/contracts.ts';
import { readBody } from '../../read-body.ts';
import { changeBody20230101, changeBody20240805, type WirePolicyItem } from './schemas.ts';

/** Name of Atlas's own part of a schedule. */
export const ATLAS_FORM = 'atlas';
/** From this version on schedules speak of zones. */
export const ZONES_VERSION = '2024-08-05';

type Body = z.infer<typeof changeBody20230101> | z.infer<typeof changeBody20240805>;

export interface ParsedChange {
  readonly change: ScheduleChange;
  readonly updateSnapshots: boolean;
  readonly deleteSnapshots: boolean;
}

/** @throws SCHEDULE_FORM, SCHEDULE_FEATURE beside the faults of a body */
export function parseChangeSchedule(body: unknown, version: string): ParsedChange {
  const given: Body = readBody<z.ZodType<Body>>(version >= ZONES_VERSION ? changeBody20240805 : changeBody20230101, body);
  refuseUnserved(given);
  const { referenceHourOfDay, referenceMinuteOfHour, restoreWindowDays, policies, extraRetentionSettings } = given;
  return {
    updateSnapshots: given.updateSnapshots ?? false,
    deleteSnapshots: given.deleteSnapshots ?? false,
    change: {
      ...(referenceHourOfDay === undefined ? {} : { referenceHour: referenceHourOfDay }),
      ...(referenceMinuteOfHour === undefined ? {} : { referenceMinute: referenceMinuteOfHour }),
      ...(restoreWindowDays === undefined ? {} : { restoreWindowDays }),
      ...(policies === undefined ? {} : policyOf(policies)),
      ...(extraRetentionSettings === undefined ? {} : { extraDays: Object.fromEntries(extraRetentionSettings.map(({ frequencyType, retentionDays }) => [frequencyType.toLowerCase().replace('_', ''), retentionDays])) }),
      ...formOf(given),
      ...exportOf(given),
    },
  };
}

function policyOf(policies: NonNullable<Body['policies']>): Pick<ScheduleChange, 'policyId' | 'items'> {
  const [policy, ...more] = policies;
  if (policy === undefined || more.length > 0) throw form('policies', 'there is not exactly one policy');
  if (policy.policyItems.length === 0) throw form('items', 'the policy has no item; DELETE takes all of them away');
  return { items: policy.policyItems.map(itemOf), ...(policy.id === undefined ? {} : { policyId: policy.id }) };
}

function itemOf({ id, frequencyType, frequencyInterval, retentionUnit, retentionValue }: WirePolicyItem): GivenItem {
  if (frequencyType === undefined || frequencyInterval === undefined || retentionUnit === undefined || retentionValue === undefined) throw form('item', 'an item lacks a member');
  if (frequencyType === 'ondemand') throw unserved('an item of type ondemand belongs to a compliance policy');
  return { id, frequencyType, frequencyInterval, retentionUnit, retentionValue };
}

/** What is kept for this form alone, and echoed. */
function formOf({ copyPolicyItemsEnabled, useOrgAndGroupNamesInExportPrefix }: Body): Pick<ScheduleChange, 'forms'> {
  const kept = {
    ...(copyPolicyItemsEnabled === undefined ? {} : { copyPolicyItemsEnabled }),
    ...(useOrgAndGroupNamesInExportPrefix === undefined ? {} : { useOrgAndGroupNamesInExportPrefix }),
  };
  return Object.keys(kept).length === 0 ? {} : { forms: { [ATLAS_FORM]: kept } };
}

/** `autoExportEnabled` may be changed alone. */
function exportOf({ export: given, autoExportEnabled }: Body): Pick<ScheduleChange, 'export'> {
  const change = {
    ...(given?.exportBucketId === undefined ? {} : { bucketId: given.exportBucketId }), ...(given?.frequencyType === undefined ? {} : { frequencyType: given.frequencyType }),
    ...(autoExportEnabled === undefined ? {} : { isEnabled: autoExportEnabled }),
  };
  return Object.keys(change).length === 0 ? {} : { export: change };
}

/** What would not happen is not promised. */
function refuseUnserved(given: Body): void {
  if ((given.copySettings?.length ?? 0) > 0) throw unserved('copies by region are not made; a second copy of the whole repository is (repository.copies)');
  if ('autoCopySettingsEnabled' in given && given.autoCopySettingsEnabled === true) throw unserved('copies by region are not made');
}

function form(part: 'policies' | 'items' | 'item', why: string): LeafvaultError {
  return new LeafvaultError('SCHEDULE_FORM', `Reading a schedule failed: ${why}`, { details: { part } });
}

function unserved(reason: string): LeafvaultError {
  return new LeafvaultError('SCHEDULE_FEATURE', `Changing a schedule failed: ${reason}`, { details: { reason } });
}
