// Role checks that every facade shares: `x-required-role` lists in, a project out.
import type { JobKind, Project } from '../domain/records.ts';
import { orgRolesOf, projectRolesOf, type GlobalRole, type OrgRole, type Principal, type ProjectRole } from '../domain/roles.ts';
import { LeafvaultError } from '../foundation/errors.ts';
import type { Services } from '../services/contracts.ts';

/**
 * The project, once the principal holds any of the roles there (inherited ones count).
 * @throws PROJECT_NOT_FOUND (details {id}), ROLE_MISSING (details {projectId, anyOf})
 */
export async function requireProjectRole(
  services: Pick<Services, 'inventory'>,
  request: { readonly principal: Principal; readonly projectId: string; readonly anyOf: readonly ProjectRole[] },
): Promise<Project> {
  const project = await services.inventory.project(request.projectId);
  const held = projectRolesOf(request.principal, project);
  if (!request.anyOf.some((role) => held.has(role))) throw roleMissing(request.principal, { projectId: project.id, anyOf: request.anyOf });
  return project;
}

/** Who may end, pause, resume and ask again for a job is who may ask for one of its kind, at every door; those who manage backups hold each of these roles. */
export function rolesToChange(kind: JobKind): readonly ProjectRole[] {
  return kind === 'snapshot' ? ['GROUP_BACKUP_CREATOR'] : kind === 'export' ? ['GROUP_BACKUP_EXPORT_OPERATOR'] : ['GROUP_BACKUP_RECOVERY_OPERATOR'];
}

/** @throws ROLE_MISSING (details {orgId, anyOf}) unless the principal holds any of the roles in the organization, or owns everything. */
export function requireOrgRole(principal: Principal, orgId: string, anyOf: readonly OrgRole[]): void {
  const held = orgRolesOf(principal, orgId);
  if (!anyOf.some((role) => held.has(role))) throw roleMissing(principal, { orgId, anyOf });
}

/** An owner of everything holds each of them, of which none is asked for where the list is empty. */
export function holdsGlobalRole({ grants }: Principal, anyOf: readonly GlobalRole[]): boolean {
  return anyOf.length > 0 && grants.some(({ role }) => role === 'GLOBAL_OWNER' || (anyOf as readonly string[]).includes(role));
}

function roleMissing(principal: Principal, details: { readonly projectId?: string; readonly orgId?: string; readonly anyOf: readonly string[] }): LeafvaultError {
  const where = details.projectId !== undefined ? `project ${details.projectId}` : details.orgId !== undefined ? `organization ${details.orgId}` : 'all of it';
  return new LeafvaultError('ROLE_MISSING', `${principal.kind} ${principal.name} holds none of ${details.anyOf.join(', ')} in ${where}`, {
    details,
    hint: 'Use a credential with one of these roles, or have an owner grant it',
  });
}
