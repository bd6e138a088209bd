// The backup schedule in the document of the API, in its two forms.
import { z } from 'zod';
import { FREQUENCIES, RETENTION_UNITS } from '../../../../domain/retention.ts';
import type { DescribedResource, Named } from '../../describe.ts';
import { hexId, links, time } from '../../shapes.ts';
import * as handlers from './handlers.ts';
import { ZONES_VERSION } from './parse.ts';
import { changeBody20230101, changeBody20240805 } from './schemas.ts';

const policyItem = z.strictObject({
  id: hexId, frequencyType: z.enum(FREQUENCIES), frequencyInterval: z.int(), retentionUnit: z.enum(RETENTION_UNITS), retentionValue: z.int().min(1),
});
const shared = {
  autoExportEnabled: z.boolean(),
  clusterId: hexId,
  clusterName: z.string(),
  copyPolicyItemsEnabled: z.boolean(),
  copySettings: z.array(z.unknown()),
  export: z.strictObject({ exportBucketId: hexId, frequencyType: z.string() }).optional(),
  extraRetentionSettings: z.array(z.strictObject({ frequencyType: z.string(), retentionDays: z.int() })),
  links,
  nextSnapshot: time.optional(),
  policies: z.array(z.strictObject({ id: hexId, policyItems: z.array(policyItem) })),
  referenceHourOfDay: z.int(),
  referenceMinuteOfHour: z.int(),
  restoreWindowDays: z.int(),
  useOrgAndGroupNamesInExportPrefix: z.boolean(),
};
const schedules = {
  older: { name: 'BackupSchedule20230101', schema: z.strictObject(shared) },
  newer: { name: 'BackupSchedule20240805', schema: z.strictObject({ ...shared, autoCopySettingsEnabled: z.boolean() }) },
};
const schedule = (version: string): Named => (version >= ZONES_VERSION ? schedules.newer : schedules.older);
const change = (version: string): Named => (version >= ZONES_VERSION
  ? { name: 'ChangeBackupSchedule20240805', schema: changeBody20240805 }
  : { name: 'ChangeBackupSchedule20230101', schema: changeBody20230101 });

export const SCHEDULE_OPERATIONS: DescribedResource = {
  tag: 'Schedule',
  operations: [
    [handlers.getSchedule, { summary: 'Reads when snapshots are taken and how long they are kept', answer: { kind: 'one', of: schedule } }],
    [handlers.updateSchedule, { summary: 'Changes the schedule; what is absent stays', body: change, answer: { kind: 'one', of: schedule } }],
    [handlers.deleteSchedule, { summary: 'Takes all items away: no snapshot is taken by itself any more', answer: { kind: 'one', of: schedule } }],
  ],
};
