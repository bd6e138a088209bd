// Who did what, from where.
import { sql, type RawBuilder } from 'kysely';
import type { Page, PageOf } from '../domain/records.ts';
import type { Principal } from '../domain/roles.ts';
import { countRows, isAnyOf, readPage, type CatalogContext } from './context.ts';

export interface AuditEvent {
  /** Counts up. */
  readonly id: number;
  readonly at: Date;
  readonly principalKind: Principal['kind'] | null;
  readonly principalId: string | null;
  readonly principalName: string | null;
  readonly action: string;
  readonly projectId: string | null;
  readonly orgId: string | null;
  readonly object: string | null;
  readonly address: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** `orgId`: where no known project says better. */
export type NewAuditEvent = Omit<AuditEvent, 'id' | 'at'>;

export interface AuditFilter {
  readonly projectId?: string | null | undefined;
  readonly orgId?: string | undefined;
  /** Of what was done in projects, that in these alone. */
  readonly inProjects?: readonly string[] | undefined;
  /** Requests that were answered with success. */
  readonly doneOnly?: boolean | undefined;
  readonly actions?: readonly string[] | undefined;
  readonly exceptActions?: readonly string[] | undefined;
  /** Both included. */
  readonly from?: Date | undefined;
  readonly to?: Date | undefined;
  readonly id?: number | undefined;
}

export interface AuditEvents {
  insert(event: NewAuditEvent): Promise<void>;
  /** Newest first; `projectId` null: of any. */
  list(filter: AuditFilter, page: Page): Promise<PageOf<AuditEvent>>;
}

const COLUMNS = [
  'id', 'at', 'principalKind', 'principalId', 'principalName', 'action', 'projectId', 'orgId', 'object', 'address', 'details',
] as const;

export function createAuditEvents({ db, clock }: CatalogContext): AuditEvents {
  return {
    async insert({ orgId, ...event }) {
      const known = sql<string | null>`coalesce((select org_id from projects where id = ${event.projectId}), ${orgId})`;
      await db.insertInto('auditEvents').values({ ...event, orgId: known, at: clock.now(), details: JSON.stringify(event.details) }).execute();
    },
    async list(filter, page) {
      const found = matches(filter);
      // The page is picked on an index alone: what is skipped is never read whole.
      const picked = db.selectFrom('auditEvents').select('id').where(found).orderBy('at', 'desc').orderBy('id', 'desc');
      const { items, totalCount } = await readPage(db, page, picked, db.selectFrom('auditEvents').select(countRows).where(found));
      const rows = await db.selectFrom('auditEvents').select(COLUMNS).where(sql<boolean>`id in (select unnest(${items.map(({ id }) => id)}::bigint[]))`).orderBy('at', 'desc').orderBy('id', 'desc').execute();
      return { items: rows.map((row) => ({ ...row, principalKind: row.principalKind as Principal['kind'] | null })), totalCount };
    },
  };
}

function matches({ projectId, orgId, inProjects, doneOnly = false, actions, exceptActions, from, to, id }: AuditFilter): RawBuilder<boolean> {
  const conditions = [
    ...(projectId === undefined || projectId === null ? [] : [sql`project_id = ${projectId}`]),
    ...(orgId === undefined ? [] : [sql`org_id = ${orgId}`]),
    ...(inProjects === undefined ? [] : [sql`(project_id is null or ${isAnyOf('project_id', inProjects)})`]),
    ...(doneOnly ? [sql`(details ->> 'status')::integer < 400`] : []),
    ...(actions === undefined ? [] : [isAnyOf('action', actions)]),
    ...(exceptActions === undefined ? [] : [sql`not ${isAnyOf('action', exceptActions)}`]),
    ...(from === undefined ? [] : [sql`at >= ${from}`]),
    ...(to === undefined ? [] : [sql`at <= ${to}`]),
    ...(id === undefined ? [] : [sql`id = ${id}`]),
  ];
  return conditions.length === 0 ? sql<boolean>`true` : sql<boolean>`${sql.join(conditions, sql` and `)}`;
}
