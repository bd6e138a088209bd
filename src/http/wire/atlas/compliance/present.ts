// A backup compliance policy in Atlas's form, with the members that were recorded; without links, as recorded.
import type { ActivePolicy } from '../../../../services/contracts.ts';
import { isoSeconds } from '../../time-text.ts';

/** It counts from the commit of its request on, so no state but this one is ever seen. */
const STATE = 'ACTIVE';

/** None: an empty object, which clients take for that. */
export function presentPolicy(policy: ActivePolicy | null): object {
  if (policy === null) return {};
  const { onDemandItem } = policy;
  return {
    authorizedEmail: policy.authorizedEmail,
    authorizedUserFirstName: policy.authorizedUserFirstName ?? undefined,
    authorizedUserLastName: policy.authorizedUserLastName ?? undefined,
    copyProtectionEnabled: policy.copyProtectionEnabled,
    deletable: policy.deletable,
    encryptionAtRestEnabled: policy.encryptionAtRestEnabled,
    onDemandPolicyItem: onDemandItem === null ? null : { ...onDemandItem, frequencyType: 'ondemand' },
    pitEnabled: policy.pitEnabled,
    projectId: policy.projectId,
    restoreWindowDays: policy.restoreWindowDays,
    scheduledPolicyItems: policy.scheduledItems.map(({ id, frequencyInterval, frequencyType, retentionUnit, retentionValue }) => ({ id, frequencyInterval, frequencyType, retentionUnit, retentionValue })),
    state: STATE,
    updatedDate: isoSeconds(policy.updatedAt),
    updatedUser: policy.updatedBy,
  };
}
