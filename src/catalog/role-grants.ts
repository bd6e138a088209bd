// Which roles a principal holds, and where.
import type { Principal, Role, RoleGrant } from '../domain/roles.ts';
import { countRows, isAnyOf, type CatalogContext } from './context.ts';

type PrincipalKind = Principal['kind'];

export interface RoleGrants {
  of(kind: PrincipalKind, principalId: string): Promise<readonly RoleGrant[]>;
  /** Adds what is missing, takes nothing away. */
  add(kind: PrincipalKind, principalId: string, grants: readonly RoleGrant[]): Promise<void>;
  remove(kind: PrincipalKind, principalId: string): Promise<void>;
  /** Takes what it holds at one place away. */
  removeAt(kind: PrincipalKind, principalId: string, place: { readonly orgId: string } | { readonly projectId: string }): Promise<void>;
  /** Of everybody in a project. */
  removeProject(projectId: string): Promise<void>;
  /** By id, for many at once; who holds none is left out. */
  ofMany(kind: PrincipalKind, principalIds: readonly string[]): Promise<ReadonlyMap<string, readonly RoleGrant[]>>;
  /** How many hold `ORG_OWNER` of the organization. */
  countOwners(orgId: string): Promise<number>;
}

export function createRoleGrants({ db }: CatalogContext): RoleGrants {
  return {
    async of(kind, principalId) {
      const rows = await db
        .selectFrom('roleGrants').select(['role', 'orgId', 'projectId'])
        .where('principalKind', '=', kind).where('principalId', '=', principalId)
        .orderBy('role').execute();
      return rows.map(grantOf);
    },
    async add(kind, principalId, grants) {
      if (grants.length === 0) return;
      await db
        .insertInto('roleGrants')
        .values(grants.map(({ role, orgId, projectId }) => ({
          principalKind: kind, principalId, role, orgId: orgId ?? null, projectId: projectId ?? null,
        })))
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    },
    async remove(kind, principalId) {
      await db.deleteFrom('roleGrants').where('principalKind', '=', kind).where('principalId', '=', principalId).execute();
    },
    async removeAt(kind, principalId, place) {
      const held = db.deleteFrom('roleGrants').where('principalKind', '=', kind).where('principalId', '=', principalId);
      await ('projectId' in place ? held.where('projectId', '=', place.projectId) : held.where('orgId', '=', place.orgId)).execute();
    },
    async removeProject(projectId) {
      await db.deleteFrom('roleGrants').where('projectId', '=', projectId).execute();
    },
    async ofMany(kind, principalIds) {
      const rows = await db
        .selectFrom('roleGrants').select(['principalId', 'role', 'orgId', 'projectId'])
        .where('principalKind', '=', kind).where(isAnyOf('principalId', principalIds))
        .orderBy('role').execute();
      return new Map([...Map.groupBy(rows, (row) => row.principalId)].map(([id, grants]) => [id, grants.map(grantOf)]));
    },
    async countOwners(orgId) {
      return (await db.selectFrom('roleGrants').select(countRows).where('orgId', '=', orgId).where('role', '=', 'ORG_OWNER').executeTakeFirstOrThrow()).n;
    },
  };
}

function grantOf({ role, orgId, projectId }: { role: string; orgId: string | null; projectId: string | null }): RoleGrant {
  return {
    role: role as Role,
    ...(orgId === null ? {} : { orgId }),
    ...(projectId === null ? {} : { projectId }),
  };
}
