// Which roles a principal holds, and where.
import type { Principal, Role, RoleGrant } from '../domain/roles.ts';
import type { CatalogContext } from './context.ts';

type PrincipalKind = Principal['kind'];

export interface RoleGrants {
  of(kind: PrincipalKind, principalId: string): Promise<readonly RoleGrant[]>;
  /** Adds what is missing, takes nothing away. */
  add(kind: PrincipalKind, principalId: string, grants: readonly RoleGrant[]): Promise<void>;
  remove(kind: PrincipalKind, principalId: string): Promise<void>;
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
  };
}

function grantOf({ role, orgId, projectId }: { role: string; orgId: string | null; projectId: string | null }): RoleGrant {
  return {
    role: role as Role,
    ...(orgId === null ? {} : { orgId }),
    ...(projectId === null ? {} : { projectId }),
  };
}
