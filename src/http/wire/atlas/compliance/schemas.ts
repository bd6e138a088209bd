// Body of a backup compliance policy, in its two forms. Read-only members are accepted and ignored: clients send back what they read.
import { z } from 'zod';
import { FREQUENCIES, RETENTION_UNITS } from '../../../../domain/retention.ts';

const hexId = z.string().regex(/^[0-9a-f]{24}$/);
const ignored = z.unknown().optional();
const retention = { retentionUnit: z.enum(RETENTION_UNITS), retentionValue: z.int() };

const shared = {
  authorizedEmail: z.string().min(1).max(320),
  copyProtectionEnabled: z.boolean().optional(),
  encryptionAtRestEnabled: z.boolean().optional(),
  onDemandPolicyItem: z.strictObject({ id: hexId.optional(), frequencyType: z.enum(['ondemand']), frequencyInterval: z.int().min(0).max(40), ...retention }).optional(),
  pitEnabled: z.boolean().optional(),
  projectId: hexId.optional(),
  restoreWindowDays: z.int().optional(),
  scheduledPolicyItems: z.array(z.strictObject({ id: hexId.optional(), frequencyType: z.enum(FREQUENCIES), frequencyInterval: z.int(), ...retention })).optional(),
  deletable: ignored,
  links: ignored,
  state: ignored,
  updatedDate: ignored,
  updatedUser: ignored,
};

const name = z.string().min(1).max(256);

/** Of 2023-01-01 and v1.0. */
export const policyBody20230101 = z.strictObject({ ...shared, authorizedUserFirstName: name.optional(), authorizedUserLastName: name.optional() });

/** Of 2023-10-01: who answers for it has a name. */
export const policyBody20231001 = z.strictObject({ ...shared, authorizedUserFirstName: name, authorizedUserLastName: name });
