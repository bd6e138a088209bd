// The journal of a restore: the plan that tells after a crash what was begun on the target.
import { isAnyOf, isOneOfMany, type CatalogContext } from './context.ts';

export interface RestorePlans {
  load(restoreId: string): Promise<Readonly<Record<string, unknown>> | null>;
  /** Of those of these restores that have one, by id. */
  loadMany(restoreIds: readonly string[]): Promise<ReadonlyMap<string, Readonly<Record<string, unknown>> | null>>;
  /** Call it only inside `catalog.fenced`: a worker that lost its job must not touch the journal. */
  save(restoreId: string, jobId: string, plan: Readonly<Record<string, unknown>>): Promise<void>;
  /** `old`: the target is as it was; `new`: the restore stands. */
  markSettled(restoreId: string, outcome: 'old' | 'new'): Promise<void>;
  /** What it left on servers that are gone: nobody ends it any more, and nothing counts as kept. */
  markAbandoned(restoreId: string): Promise<void>;
  /** Whether something was begun and never ended. */
  isOpen(restoreId: string): Promise<boolean>;
  /** Of these restores those of which that is so. */
  openAmong(restoreIds: readonly string[]): Promise<ReadonlySet<string>>;
  /** Until when its old collections are kept; null: they are not. */
  keptUntil(restoreId: string): Promise<Date | null>;
  keep(restoreId: string, until: Date | null): Promise<void>;
  /** The undo, or the drop of what is kept, that is queued or running; the row stays locked until the transaction ends, so that two can't be asked for. */
  changeUnderWay(restoreId: string): Promise<{ readonly jobId: string; readonly kind: 'undo' | 'dropKept' } | null>;
  /** Restores whose kept collections are due to be dropped and that no job is changing, locked until the transaction ends; others' are passed over, and those on a cluster that was deleted, or waits for its connection string. */
  due(limit: number): Promise<readonly string[]>;
}

/** Kinds of jobs that change what is kept. */
const CHANGES = ['undo', 'dropKept'];

export function createRestorePlans({ db, clock }: CatalogContext): RestorePlans {
  return {
    async load(restoreId) {
      const row = await db.selectFrom('restorePlans').select('plan').where('restoreId', '=', restoreId).executeTakeFirst();
      return row === undefined ? null : (JSON.parse(row.plan) as Readonly<Record<string, unknown>>);
    },
    async loadMany(restoreIds) {
      if (restoreIds.length === 0) return new Map();
      const rows = await db.selectFrom('restorePlans').select(['restoreId', 'plan']).where(isOneOfMany('restoreId', restoreIds)).execute();
      return new Map(rows.map(({ restoreId, plan }) => [restoreId, JSON.parse(plan) as Readonly<Record<string, unknown>> | null]));
    },
    async save(restoreId, jobId, plan) {
      // The job changes with an undo: whoever settles what a job left must not take it for over while it runs.
      const row = { jobId, plan: JSON.stringify(plan), savedAt: clock.now(), settledAt: null, outcome: null };
      await db
        .insertInto('restorePlans').values({ restoreId, ...row, keptUntil: null })
        .onConflict((conflict) => conflict.column('restoreId').doUpdateSet(row))
        .execute();
    },
    async markSettled(restoreId, outcome) {
      await db.updateTable('restorePlans').set({ settledAt: clock.now(), outcome }).where('restoreId', '=', restoreId).execute();
    },
    async markAbandoned(restoreId) {
      await db.updateTable('restorePlans').set({ settledAt: clock.now(), outcome: 'abandoned', keptUntil: null }).where('restoreId', '=', restoreId).execute();
    },
    async openAmong(restoreIds) {
      const rows = await db
        .selectFrom('restorePlans').select('restoreId').where(isAnyOf('restoreId', restoreIds)).where('settledAt', 'is', null).execute();
      return new Set(rows.map(({ restoreId }) => restoreId));
    },
    async keptUntil(restoreId) {
      const row = await db.selectFrom('restorePlans').select('keptUntil').where('restoreId', '=', restoreId).executeTakeFirst();
      return row?.keptUntil ?? null;
    },
    async keep(restoreId, until) {
      await db.updateTable('restorePlans').set({ keptUntil: until }).where('restoreId', '=', restoreId).execute();
    },
    async changeUnderWay(restoreId) {
      await db.selectFrom('restorePlans').select('restoreId').where('restoreId', '=', restoreId).forUpdate().execute();
      const row = await db
        .selectFrom('jobs').select(['id', 'kind']).where('restoreId', '=', restoreId).where('kind', 'in', CHANGES).where('state', 'in', ['queued', 'running'])
        .orderBy('createdAt').limit(1).executeTakeFirst();
      return row === undefined ? null : { jobId: row.id, kind: row.kind as 'undo' | 'dropKept' };
    },
    async due(limit) {
      const rows = await db
        .selectFrom('restorePlans').select('restoreId').where('keptUntil', '<=', clock.now()).where('settledAt', 'is not', null)
        .where((eb) => eb.not(eb.exists(eb.selectFrom('jobs').select('jobs.id').whereRef('jobs.restoreId', '=', 'restorePlans.restoreId')
          .where('jobs.kind', 'in', CHANGES).where('jobs.state', 'in', ['queued', 'running']))))
        .where((eb) => eb.not(eb.exists(eb.selectFrom('restores').innerJoin('clusters', 'clusters.id', 'restores.targetClusterId').select('clusters.id')
          .whereRef('restores.id', '=', 'restorePlans.restoreId').where('clusters.uriSealed', 'is', null))))
        .orderBy('keptUntil').limit(limit).forUpdate().skipLocked().execute();
      return rows.map(({ restoreId }) => restoreId);
    },
    async isOpen(restoreId) {
      const row = await db
        .selectFrom('restorePlans').select('restoreId').where('restoreId', '=', restoreId).where('settledAt', 'is', null).executeTakeFirst();
      return row !== undefined;
    },
  };
}
