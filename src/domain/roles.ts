// Roles by their API names, and what each includes.

export const ORG_ROLES = [
  'ORG_OWNER', 'ORG_GROUP_CREATOR', 'ORG_BILLING_ADMIN', 'ORG_BILLING_READ_ONLY', 'ORG_STREAM_PROCESSING_ADMIN', 'ORG_READ_ONLY', 'ORG_MEMBER',
] as const;
export const PROJECT_ROLES = [
  'GROUP_OWNER',
  'GROUP_BACKUP_MANAGER',
  'GROUP_BACKUP_ADMIN',
  'GROUP_BACKUP_CREATOR',
  'GROUP_BACKUP_RECOVERY_OPERATOR',
  'GROUP_BACKUP_EXPORT_OPERATOR',
  'GROUP_ACCESS_MANAGER',
  'GROUP_CLUSTER_CREATOR',
  'GROUP_CLUSTER_MANAGER',
  'GROUP_CLUSTER_RESILIENCE_TESTER',
  'GROUP_REPLICA_SET_MANAGER',
  'GROUP_DATA_ACCESS_ADMIN',
  'GROUP_DATA_ACCESS_READ_WRITE',
  'GROUP_DATA_ACCESS_READ_ONLY',
  'GROUP_SEARCH_INDEX_EDITOR',
  'GROUP_STREAM_PROCESSING_OWNER',
  'GROUP_READ_ONLY',
] as const;
export const GLOBAL_ROLES = ['GLOBAL_OWNER', 'GLOBAL_BACKUP_ADMIN', 'GLOBAL_READ_ONLY'] as const;

export type OrgRole = (typeof ORG_ROLES)[number];
export type ProjectRole = (typeof PROJECT_ROLES)[number];
export type GlobalRole = (typeof GLOBAL_ROLES)[number];
export type Role = OrgRole | ProjectRole | GlobalRole;

/** A role at a place: `orgId` or `projectId` says where, neither means everywhere (global roles). */
export interface RoleGrant {
  readonly role: Role;
  readonly orgId?: string;
  readonly projectId?: string;
}

/** Who is asking, once a credential was proven. */
export interface Principal {
  readonly kind: 'apiKey' | 'serviceAccount' | 'user';
  readonly id: string;
  /** Public key, client id or user name. */
  readonly name: string;
  readonly orgId: string;
  readonly grants: readonly RoleGrant[];
}

const INCLUDES: Readonly<Record<ProjectRole, readonly ProjectRole[]>> = {
  GROUP_OWNER: PROJECT_ROLES,
  GROUP_BACKUP_MANAGER: ['GROUP_BACKUP_ADMIN', 'GROUP_BACKUP_CREATOR', 'GROUP_BACKUP_RECOVERY_OPERATOR', 'GROUP_BACKUP_EXPORT_OPERATOR', 'GROUP_READ_ONLY'],
  GROUP_BACKUP_ADMIN: ['GROUP_BACKUP_MANAGER', 'GROUP_BACKUP_CREATOR', 'GROUP_BACKUP_RECOVERY_OPERATOR', 'GROUP_BACKUP_EXPORT_OPERATOR', 'GROUP_READ_ONLY'],
  GROUP_BACKUP_CREATOR: ['GROUP_READ_ONLY'],
  GROUP_BACKUP_RECOVERY_OPERATOR: ['GROUP_READ_ONLY'],
  GROUP_BACKUP_EXPORT_OPERATOR: ['GROUP_READ_ONLY'],
  GROUP_ACCESS_MANAGER: ['GROUP_READ_ONLY'],
  GROUP_CLUSTER_CREATOR: ['GROUP_READ_ONLY'],
  GROUP_CLUSTER_MANAGER: ['GROUP_READ_ONLY'],
  GROUP_CLUSTER_RESILIENCE_TESTER: ['GROUP_READ_ONLY'],
  GROUP_REPLICA_SET_MANAGER: ['GROUP_READ_ONLY'],
  // What is about data and its use has no meaning here beyond looking at the project.
  GROUP_DATA_ACCESS_ADMIN: ['GROUP_READ_ONLY'],
  GROUP_DATA_ACCESS_READ_WRITE: ['GROUP_READ_ONLY'],
  GROUP_DATA_ACCESS_READ_ONLY: ['GROUP_READ_ONLY'],
  GROUP_SEARCH_INDEX_EDITOR: ['GROUP_READ_ONLY'],
  GROUP_STREAM_PROCESSING_OWNER: ['GROUP_READ_ONLY'],
  GROUP_READ_ONLY: [],
};

/** Every project role that the principal holds in this project, inherited ones included. */
export function projectRolesOf(principal: Principal, project: { readonly id: string; readonly orgId: string }): ReadonlySet<ProjectRole> {
  const held = new Set<ProjectRole>();
  const take = (role: ProjectRole): void => {
    held.add(role);
    for (const included of INCLUDES[role]) held.add(included);
  };
  for (const grant of principal.grants) {
    if (grant.role === 'GLOBAL_OWNER') take('GROUP_OWNER');
    else if (grant.role === 'GLOBAL_BACKUP_ADMIN') take('GROUP_BACKUP_MANAGER');
    else if (grant.role === 'GLOBAL_READ_ONLY') take('GROUP_READ_ONLY');
    else if (grant.role === 'ORG_OWNER' && grant.orgId === project.orgId) take('GROUP_OWNER');
    else if (grant.role === 'ORG_READ_ONLY' && grant.orgId === project.orgId) take('GROUP_READ_ONLY');
    else if (grant.projectId === project.id && isProjectRole(grant.role)) take(grant.role);
  }
  return held;
}

/** Every role that the principal holds in this organization; whoever belongs to it is a member. */
export function orgRolesOf(principal: Pick<Principal, 'orgId' | 'grants'>, orgId: string): ReadonlySet<OrgRole> {
  const held = new Set<OrgRole>(principal.orgId === orgId ? ['ORG_MEMBER'] : []);
  for (const { role, orgId: at } of principal.grants) {
    if (role === 'GLOBAL_OWNER' || (role === 'ORG_OWNER' && at === orgId)) return new Set(ORG_ROLES);
    if (role === 'GLOBAL_READ_ONLY' || role === 'GLOBAL_BACKUP_ADMIN') for (const read of ['ORG_READ_ONLY', 'ORG_MEMBER'] as const) held.add(read);
    else if (at === orgId && isOrgRole(role)) for (const each of [role, 'ORG_MEMBER'] as const) held.add(each);
  }
  return held;
}

/**
 * Those of the grants that allow what the principal may not do itself.
 * @param orgId of the credential that holds them, or will: its projects belong to it
 */
export function grantsBeyond(principal: Principal, orgId: string, grants: readonly RoleGrant[]): readonly RoleGrant[] {
  return grants.filter(({ role, orgId: at, projectId }) => {
    if (isProjectRole(role)) return projectId === undefined || !projectRolesOf(principal, { id: projectId, orgId }).has(role);
    if (isOrgRole(role)) return at === undefined || !orgRolesOf(principal, at).has(role);
    return !principal.grants.some((held) => held.role === 'GLOBAL_OWNER' || held.role === role);
  });
}

export function isProjectRole(role: string): role is ProjectRole {
  return (PROJECT_ROLES as readonly string[]).includes(role);
}

export function isOrgRole(role: string): role is OrgRole {
  return (ORG_ROLES as readonly string[]).includes(role);
}
