// A backup compliance policy from Atlas's words to ours.
import { LeafvaultError } from '../../../../foundation/errors.ts';
import type { GivenPolicy } from '../../../../services/contracts.ts';
import { readBody } from '../../read-body.ts';
import { policyBody20230101, policyBody20231001 } from './schemas.ts';

/** From this version on a policy names a person. */
export const NAMED_VERSION = '2023-10-01';

/** @throws ATTRIBUTE_INVALID for the id of another project, and the faults of a body */
export function parsePolicy(body: unknown, version: string, projectId: string): GivenPolicy {
  const given = version >= NAMED_VERSION ? readBody(policyBody20231001, body) : readBody(policyBody20230101, body);
  if (given.projectId !== undefined && given.projectId !== projectId) {
    throw new LeafvaultError('ATTRIBUTE_INVALID', `Reading the body failed: attribute projectId is not ${projectId}`, { details: { name: 'projectId' } });
  }
  const { onDemandPolicyItem: onDemand } = given;
  return {
    authorizedEmail: given.authorizedEmail,
    authorizedUserFirstName: given.authorizedUserFirstName ?? null,
    authorizedUserLastName: given.authorizedUserLastName ?? null,
    copyProtectionEnabled: given.copyProtectionEnabled ?? false,
    encryptionAtRestEnabled: given.encryptionAtRestEnabled ?? false,
    pitEnabled: given.pitEnabled ?? false,
    restoreWindowDays: given.restoreWindowDays ?? 0,
    onDemandItem: onDemand === undefined ? null : { id: onDemand.id, frequencyInterval: onDemand.frequencyInterval, retentionUnit: onDemand.retentionUnit, retentionValue: onDemand.retentionValue },
    scheduledItems: given.scheduledPolicyItems ?? [],
  };
}
