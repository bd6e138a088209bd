// The backup compliance policy in the document of the API.
import { z } from 'zod';
import { FREQUENCIES, RETENTION_UNITS } from '../../../../domain/retention.ts';
import type { DescribedResource, Named } from '../../describe.ts';
import { hexId, time } from '../../shapes.ts';
import * as handlers from './handlers.ts';
import { NAMED_VERSION } from './parse.ts';
import { policyBody20230101, policyBody20231001 } from './schemas.ts';

const item = { id: hexId, frequencyInterval: z.int(), retentionUnit: z.enum(RETENTION_UNITS), retentionValue: z.int() };
const members = z.strictObject({
  authorizedEmail: z.string(), authorizedUserFirstName: z.string().optional(), authorizedUserLastName: z.string().optional(), copyProtectionEnabled: z.boolean(), deletable: z.boolean(),
  encryptionAtRestEnabled: z.boolean(), onDemandPolicyItem: z.strictObject({ ...item, frequencyType: z.literal('ondemand') }).nullable(), pitEnabled: z.boolean(), projectId: hexId, restoreWindowDays: z.int(),
  scheduledPolicyItems: z.array(z.strictObject({ ...item, frequencyType: z.enum(FREQUENCIES) })), state: z.literal('ACTIVE'), updatedDate: time, updatedUser: z.string(),
});
const policy = { name: 'BackupCompliancePolicy', schema: members };
/** An empty object: there is none. */
const policyOrNone = { name: 'BackupCompliancePolicyOrNone', schema: z.union([members, z.strictObject({})]) };
const bodies = {
  older: { name: 'PutBackupCompliancePolicy20230101', schema: policyBody20230101 },
  newer: { name: 'PutBackupCompliancePolicy20231001', schema: policyBody20231001 },
};
const body = (version: string): Named => (version >= NAMED_VERSION ? bodies.newer : bodies.older);

export const COMPLIANCE_OPERATIONS: DescribedResource = {
  tag: 'Compliance policy',
  operations: [
    [handlers.getPolicy, { summary: 'Reads the backup compliance policy; an empty object where there is none', answer: { kind: 'one', of: policyOrNone } }],
    [handlers.putPolicy, { summary: 'Makes or replaces the backup compliance policy', query: { overwriteBackupPolicies: z.boolean() }, body, answer: { kind: 'one', of: policy } }],
    [handlers.deletePolicy, { summary: 'Removes the backup compliance policy, once it was released on the machine of Leafvault', answer: { kind: 'none' } }],
  ],
};
