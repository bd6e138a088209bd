// Who did what, from where.
import type { Page, PageOf } from '../domain/records.ts';
import type { Principal } from '../domain/roles.ts';
import { countRows, readPage, type CatalogContext } from './context.ts';

export interface AuditEvent {
  readonly at: Date;
  readonly principalKind: Principal['kind'] | null;
  readonly principalId: string | null;
  readonly principalName: string | null;
  readonly action: string;
  readonly projectId: string | null;
  readonly object: string | null;
  readonly address: string;
  readonly details: Readonly<Record<string, unknown>>;
}

export interface AuditEvents {
  insert(event: Omit<AuditEvent, 'at'>): Promise<void>;
  /** Newest first; `projectId` null: all. */
  list(filter: { readonly projectId: string | null }, page: Page): Promise<PageOf<AuditEvent>>;
}

const COLUMNS = [
  'at', 'principalKind', 'principalId', 'principalName', 'action', 'projectId', 'object', 'address', 'details',
] as const;

export function createAuditEvents({ db, clock }: CatalogContext): AuditEvents {
  return {
    async insert(event) {
      await db.insertInto('auditEvents').values({ ...event, at: clock.now(), details: JSON.stringify(event.details) }).execute();
    },
    async list({ projectId }, page) {
      let rows = db.selectFrom('auditEvents').select(COLUMNS).orderBy('at', 'desc').orderBy('id', 'desc');
      let count = db.selectFrom('auditEvents').select(countRows);
      if (projectId !== null) {
        rows = rows.where('projectId', '=', projectId);
        count = count.where('projectId', '=', projectId);
      }
      const { items, totalCount } = await readPage(db, page, rows, count);
      return { items: items.map((row) => ({ ...row, principalKind: row.principalKind as Principal['kind'] | null })), totalCount };
    },
  };
}
