// Groups (our projects) that are made, changed and ended.
import { requireOrgRole } from '../../../authorize.ts';
import type { Answer } from '../../answer.ts';
import type { Call, ProjectCall } from '../../mms-routes.ts';
import { readBody } from '../../read-body.ts';
import { parameter } from '../../read-query.ts';
import { getGroup } from '../inventory/handlers.ts';
import { presentGroup } from '../inventory/present.ts';
import { createGroupBody, updateGroupBody } from './schemas.ts';

/** The specification names no role; the vendor's docs ask for one that may make projects in the organization. */
export async function createGroup(call: Call): Promise<Answer> {
  const { name, orgId, tags = [] } = readBody(createGroupBody, call.body);
  requireOrgRole(call.principal, orgId, ['ORG_GROUP_CREATOR']);
  const made = await call.services.administration.projects.create({ orgId, name, tags, ownerId: parameter(call.query, 'projectOwnerId'), principal: call.principal });
  return { kind: 'one', body: presentGroup(made, 0, call.root) };
}

export async function updateGroup(call: ProjectCall): Promise<Answer> {
  const { name, tags } = readBody(updateGroupBody, call.body);
  return getGroup({ ...call, project: await call.services.administration.projects.change(call.project, { name, tags }) });
}

export async function deleteGroup(call: ProjectCall): Promise<Answer> {
  await call.services.administration.projects.delete(call.project);
  return { kind: 'none' };
}
