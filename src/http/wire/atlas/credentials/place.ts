// Which credential an operation speaks of: that of the path, in the organization or the group of the path.
import type { CredentialPlace } from '../../../../services/administration-contracts.ts';
import type { OrganizationCall, ProjectCall } from '../../mms-routes.ts';

export type PlacedCall = OrganizationCall | ProjectCall;

export function placeOf(call: PlacedCall): CredentialPlace {
  return 'project' in call ? { orgId: call.project.orgId, projectId: call.project.id } : { orgId: call.organization.id, projectId: null };
}
