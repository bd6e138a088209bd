// Who did what, from where; written before it is done (docs/decisions/0019-audit-before-the-change.md).
import { sql, type RawBuilder } from 'kysely';
import type { Page, PageOf } from '../domain/records.ts';
import type { Principal } from '../domain/roles.ts';
import { atomically, countRows, isAnyOf, readLongPage, type CatalogContext, type MonthCount } from './context.ts';

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
  /** It was begun, and is not answered yet, never was, or ended in a failure on our side. */
  readonly outcomeUnknown: boolean;
}

/** `orgId`: where no known project says better. */
export type NewAuditEvent = Omit<AuditEvent, 'id' | 'at' | 'outcomeUnknown'>;

export interface AuditFilter {
  readonly projectId?: string | null | undefined;
  readonly orgId?: string | undefined;
  /** Of what was done in projects, that in these alone. */
  readonly inProjects?: readonly string[] | undefined;
  /** Requests that were answered with success, and those of which nobody knows. */
  readonly toldOnly?: boolean | undefined;
  readonly actions?: readonly string[] | undefined;
  readonly exceptActions?: readonly string[] | undefined;
  /** Both included. */
  readonly from?: Date | undefined;
  readonly to?: Date | undefined;
  readonly id?: number | undefined;
}

export interface AuditEvents {
  /** Of what is over. */
  insert(event: NewAuditEvent): Promise<void>;
  /** Of what is about to be done: its outcome is unknown until `settle`. @returns its id */
  begin(event: NewAuditEvent): Promise<number>;
  /** One event for each place that was changed, at least one; all of them, or none. The time stays that of `begin`. A `status` of 500 and more leaves the outcome unknown. */
  settle(id: number, events: readonly NewAuditEvent[]): Promise<void>;
  /** Those without an outcome that were begun before; `newestAt` null: there are none. */
  unknown(before: Date): Promise<{ readonly count: number; readonly newestAt: Date | null }>;
  /** Newest first; `projectId` null: of any. */
  list(filter: AuditFilter, page: Page): Promise<PageOf<AuditEvent>>;
}

const COLUMNS = [
  'id', 'at', 'principalKind', 'principalId', 'principalName', 'action', 'projectId', 'orgId', 'object', 'address', 'details', 'outcomeUnknown',
] as const;

export function createAuditEvents(context: CatalogContext): AuditEvents {
  const { db, clock } = context;
  return {
    async insert(event) {
      await db.insertInto('auditEvents').values({ ...columnsOf(event), at: clock.now() }).execute();
    },
    async begin(event) {
      const { id } = await db.insertInto('auditEvents').values({ ...columnsOf(event), at: clock.now(), outcomeUnknown: true }).returning('id').executeTakeFirstOrThrow();
      return id;
    },
    async settle(id, events) {
      // In one order everywhere: two that change the same places would wait for each other's counts.
      const [first, ...rest] = [...events].sort((a, b) => ((a.projectId ?? '') < (b.projectId ?? '') ? -1 : 1));
      if (first === undefined) throw new Error(`The event ${id} is to be settled without an outcome`);
      await atomically(context, async ({ db: tx }) => {
        const { at } = await tx.updateTable('auditEvents').set({ ...columnsOf(first), outcomeUnknown: brokeInBetween(first) }).where('id', '=', id).returning('at').executeTakeFirstOrThrow();
        for (const event of rest) await tx.insertInto('auditEvents').values({ ...columnsOf(event), at, outcomeUnknown: brokeInBetween(event) }).execute();
      });
    },
    unknown: (before) => db.selectFrom('auditEvents').select([sql<number>`count(*)`.as('count'), sql<Date | null>`max(at)`.as('newestAt')]).where(sql<boolean>`outcome_unknown`).where('at', '<', before).executeTakeFirstOrThrow(),
    async list(filter, page) {
      // The page is picked on an index alone: what is skipped is never read whole.
      const picked = db.selectFrom('auditEvents').select('id').where(matches(filter)).orderBy('at', 'desc').orderBy('id', 'desc');
      const { items, totalCount } = await readLongPage(page, { rows: picked, began: 'at', counts: await countEvents(context, filter) });
      const rows = await db.selectFrom('auditEvents').select(COLUMNS).where(sql<boolean>`id in (select unnest(${items.map(({ id }) => id)}::bigint[]))`).orderBy('at', 'desc').orderBy('id', 'desc').execute();
      return { items: rows.map((row) => ({ ...row, principalKind: row.principalKind as Principal['kind'] | null })), totalCount };
    },
  };
}

/** What failed on our side may have been done all the same: the failure may be that of the answer, or of the commit's. */
function brokeInBetween({ details: { status } }: NewAuditEvent): boolean {
  return typeof status === 'number' && status >= 500;
}

function columnsOf({ orgId, details, ...event }: NewAuditEvent) {
  const known = sql<string | null>`coalesce((select org_id from projects where id = ${event.projectId}), ${orgId})`;
  return { ...event, orgId: known, details: JSON.stringify(details) };
}

/** The kept counts know what was done in whole months; months that begin or end in between are counted by index, all else as if it were of one month. */
async function countEvents({ db }: CatalogContext, filter: AuditFilter): Promise<readonly MonthCount[]> {
  const { toldOnly = false, from, to, id } = filter;
  if (!toldOnly || id !== undefined) {
    const { n } = await db.selectFrom('auditEvents').select(countRows).where(matches(filter)).executeTakeFirstOrThrow();
    return [{ month: new Date(0), n }];
  }
  const first = from === undefined ? undefined : nextMonth(from);
  const past = to === undefined ? undefined : monthOf(to);
  const inside = (column: string): RawBuilder<boolean> => allOf([...(first === undefined ? [] : [sql`${sql.ref(column)} >= ${first}`]), ...(past === undefined ? [] : [sql`${sql.ref(column)} < ${past}`])]);
  const edges = first !== undefined && past !== undefined && first >= past ? [sql`true`] : [...(first === undefined ? [] : [sql`at < ${first}`]), ...(past === undefined ? [] : [sql`at >= ${past}`])];
  const { rows } = await sql<MonthCount>`
    select month, sum(n)::bigint as n from (
      select month, n from event_counts where ${placesOf(filter, sql`project_id = ''`)} and ${inside('month')}
      union all select month_of(at), count(*) from audit_events where outcome_unknown and ${placesOf(filter)} and ${inside('at')} group by 1
      ${sql.join(edges.map((edge) => sql`union all select month_of(at), count(*) from audit_events where ${matches(filter)} and ${edge} group by 1`), sql` `)}
    ) told group by month order by month desc`.execute(db);
  return rows;
}

/** Where the first UTC month begins that lies whole behind `time`. */
function nextMonth(time: Date): Date {
  const month = monthOf(time);
  if (month.getTime() < time.getTime()) month.setUTCMonth(month.getUTCMonth() + 1);
  return month;
}

function monthOf(time: Date): Date {
  const month = new Date(time);
  month.setUTCDate(1);
  month.setUTCHours(0, 0, 0, 0);
  return month;
}

function matches(filter: AuditFilter): RawBuilder<boolean> {
  const { toldOnly = false, from, to, id } = filter;
  return allOf([
    placesOf(filter),
    // In the words of the partial indexes, so that the planner takes them.
    ...(toldOnly ? [sql`((details ->> 'status')::integer < 400 or outcome_unknown)`] : []),
    ...(from === undefined ? [] : [sql`at >= ${from}`]),
    ...(to === undefined ? [] : [sql`at <= ${to}`]),
    ...(id === undefined ? [] : [sql`id = ${id}`]),
  ]);
}

/** What events and their counts have in common. */
function placesOf({ projectId, orgId, inProjects, actions, exceptActions }: AuditFilter, inNone = sql`project_id is null`): RawBuilder<boolean> {
  return allOf([
    ...(projectId === undefined || projectId === null ? [] : [sql`project_id = ${projectId}`]),
    ...(orgId === undefined ? [] : [sql`org_id = ${orgId}`]),
    ...(inProjects === undefined ? [] : [sql`(${inNone} or ${isAnyOf('project_id', inProjects)})`]),
    ...(actions === undefined ? [] : [isAnyOf('action', actions)]),
    ...(exceptActions === undefined ? [] : [sql`not ${isAnyOf('action', exceptActions)}`]),
  ]);
}

function allOf(conditions: readonly RawBuilder<unknown>[]): RawBuilder<boolean> {
  return conditions.length === 0 ? sql<boolean>`true` : sql<boolean>`${sql.join(conditions, sql` and `)}`;
}
