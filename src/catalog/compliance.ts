// Backup compliance policies as rows, and the lock that orders them and what they forbid: the row of the project.
import { sql } from 'kysely';
import type { CompliancePolicy } from '../domain/compliance.ts';
import type { CatalogContext } from './context.ts';

export interface ComplianceRecord {
  readonly policy: CompliancePolicy;
  readonly deletable: boolean;
  readonly updatedAt: Date;
  /** Name of who asked. */
  readonly updatedBy: string;
}

export interface Compliance {
  get(projectId: string): Promise<ComplianceRecord | null>;
  /** Inside a transaction, which keeps the policy as it is until it ends. */
  hold(projectId: string): Promise<CompliancePolicy | null>;
  /** The same for who changes it: nobody else holds it then. */
  holdToChange(projectId: string): Promise<ComplianceRecord | null>;
  /** Made or changed; what was released is no more. */
  save(policy: CompliancePolicy, updatedBy: string): Promise<ComplianceRecord>;
  /** False where there is none. */
  release(projectId: string): Promise<boolean>;
  delete(projectId: string): Promise<void>;
}

export function createCompliance({ db, clock }: CatalogContext): Compliance {
  const get = async (projectId: string): Promise<ComplianceRecord | null> => {
    const row = await db.selectFrom('compliancePolicies').selectAll().where('projectId', '=', projectId).executeTakeFirst();
    return row === undefined ? null : { policy: row.settings, deletable: row.deletable, updatedAt: row.updatedAt, updatedBy: row.updatedBy };
  };
  return {
    get,
    async hold(projectId) {
      await sql`select 1 from projects where id = ${projectId} for share`.execute(db);
      return (await get(projectId))?.policy ?? null;
    },
    async holdToChange(projectId) {
      await sql`select 1 from projects where id = ${projectId} for no key update`.execute(db);
      return get(projectId);
    },
    async save(policy, updatedBy) {
      const changes = { settings: JSON.stringify(policy), deletable: false, updatedAt: clock.now(), updatedBy };
      await db
        .insertInto('compliancePolicies').values({ projectId: policy.projectId, ...changes })
        .onConflict((conflict) => conflict.column('projectId').doUpdateSet(changes)).execute();
      return { policy, deletable: false, updatedAt: changes.updatedAt, updatedBy };
    },
    async release(projectId) {
      const { numUpdatedRows } = await db.updateTable('compliancePolicies').set({ deletable: true }).where('projectId', '=', projectId).executeTakeFirst();
      return numUpdatedRows === 1n;
    },
    async delete(projectId) {
      await db.deleteFrom('compliancePolicies').where('projectId', '=', projectId).execute();
    },
  };
}
