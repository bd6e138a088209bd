// Body of a change of the backup schedule, in its two forms. Read-only members are accepted and ignored: clients send back what they read.
import { z } from 'zod';
import { FREQUENCIES, RETENTION_UNITS } from '../../../../domain/retention.ts';

const hexId = z.string().regex(/^[0-9a-f]{24}$/);
const ignored = z.unknown().optional();
const provider = z.enum(['AWS', 'AZURE', 'GCP']).optional();

/** Members are looked at one by one: the vendor has one word for an item that lacks any. */
const policyItem = z.strictObject({
  id: hexId.optional(),
  frequencyType: z.enum([...FREQUENCIES, 'ondemand']).optional(),
  frequencyInterval: z.int().optional(),
  retentionUnit: z.enum(RETENTION_UNITS).optional(),
  retentionValue: z.int().optional(),
});
export type WirePolicyItem = z.infer<typeof policyItem>;

const EXTRA_FREQUENCIES = ['HOURLY', 'DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY', 'ON_DEMAND'] as const;

const shared = {
  policies: z.array(z.strictObject({ id: hexId.optional(), policyItems: z.array(policyItem) })).optional(),
  referenceHourOfDay: z.int().optional(),
  referenceMinuteOfHour: z.int().optional(),
  restoreWindowDays: z.int().optional(),
  extraRetentionSettings: z.array(z.strictObject({ frequencyType: z.enum(EXTRA_FREQUENCIES), retentionDays: z.int() })).optional(),
  updateSnapshots: z.boolean().optional(),
  deleteSnapshots: z.boolean().optional(),
  autoExportEnabled: z.boolean().optional(),
  export: z.strictObject({ exportBucketId: hexId.optional(), frequencyType: z.enum(FREQUENCIES).optional() }).optional(),
  useOrgAndGroupNamesInExportPrefix: z.boolean().optional(),
  copyPolicyItemsEnabled: z.boolean().optional(),
  copySettings: z.array(z.record(z.string(), z.unknown())).optional(),
  // There are no copies by region, so these have nothing to act upon.
  deleteCopySnapshots: z.boolean().optional(),
  updateCopySnapshots: z.boolean().optional(),
  clusterId: ignored,
  clusterName: ignored,
  links: ignored,
  nextSnapshot: ignored,
};

const deleted = { cloudProvider: provider, regionName: z.string().optional(), zoneId: hexId.optional() };

/** Of 2023-01-01 and v1.0. */
export const changeBody20230101 = z.strictObject({
  ...shared,
  deleteCopiedBackups: z.array(z.strictObject({ ...deleted, replicationSpecId: hexId.optional() })).optional(),
});

/** Of 2024-08-05: zones in the place of replication specs. */
export const changeBody20240805 = z.strictObject({
  ...shared,
  autoCopySettingsEnabled: z.boolean().optional(),
  deleteCopiedBackups: z.array(z.strictObject(deleted)).optional(),
});
