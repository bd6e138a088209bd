// Schedules as rows: what is taken when, how far it was followed, and which due time became which snapshot (docs/design/schedules.md).
import { sql } from 'kysely';
import { nextLook, type ScheduleProgress } from '../domain/plan-run.ts';
import { joinItems, type PolicyItem } from '../domain/retention.ts';
import { policyIdOf, type SnapshotSchedule } from '../domain/schedule.ts';
import type { SnapshotState } from '../domain/records.ts';
import type { CatalogContext } from './context.ts';
import type { SnapshotSelection } from './tables.ts';
import { isOf } from './whole-snapshot.ts';

export interface ScheduleRecord { readonly schedule: SnapshotSchedule; readonly progress: ScheduleProgress }

/** A snapshot that came to its end, which nobody took into account yet. */
export interface EndedSnapshot {
  readonly clusterId: string;
  readonly snapshotId: string;
  readonly snapshotState: SnapshotState;
}

export interface NewRun {
  readonly clusterId: string;
  readonly dueAt: Date;
  readonly snapshotId: string;
  readonly items: readonly PolicyItem[];
  /** Due times before this one that the snapshot stands for as well. */
  readonly missed: number;
}

export interface Schedules {
  /** null: nothing is taken of the cluster. */
  get(clusterId: string): Promise<ScheduleRecord | null>;
  /** Clusters whose schedule takes something. */
  withItems(): Promise<readonly string[]>;
  /** That of `get` inside a transaction, which then holds it; `wait` false: null also where another holds it. */
  hold(clusterId: string, options: { readonly wait: boolean }): Promise<ScheduleRecord | null>;
  /** The row as given, made or changed. */
  save(record: ScheduleRecord): Promise<void>;
  /** Only where there is none. */
  insert(record: ScheduleRecord): Promise<void>;
  /** Clusters that are to be looked at: due, or followed further than the clock is. */
  due(limit: number): Promise<readonly string[]>;
  hasRun(clusterId: string, dueAt: Date): Promise<boolean>;
  /** @throws CATALOG_DUPLICATE: this due time has its snapshot */
  addRun(run: NewRun): Promise<void>;
  /** The snapshot of this selection that waits for its job and was asked for by the schedule; null: none. */
  waitingSnapshot(clusterId: string, selection: SnapshotSelection | null): Promise<string | null>;
  /** That of the oldest due time first. */
  ended(limit: number): Promise<readonly EndedSnapshot[]>;
  /** All due times of the snapshot. @returns their items, each once; null: somebody did */
  settle(snapshotId: string): Promise<readonly PolicyItem[] | null>;
  /** @returns how many went */
  forgetRuns(before: Date): Promise<number>;
}

const COLUMNS = ['clusterId', 'items', 'referenceHour', 'referenceMinute', 'restoreWindowDays', 'extraDays', 'forms', 'export', 'handledUntil', 'owed', 'failures', 'retryAt'] as const;

export function createSchedules({ db, clock }: CatalogContext): Schedules {
  const select = () => db.selectFrom('schedules').select(COLUMNS);
  const upsert = (record: ScheduleRecord) => db.insertInto('schedules').values(rowOf(record));
  return {
    async get(clusterId) {
      const row = await select().where('clusterId', '=', clusterId).executeTakeFirst();
      return row === undefined ? null : recordOf(row);
    },
    async withItems() {
      const rows = await db.selectFrom('schedules').select('clusterId').where(sql<boolean>`jsonb_array_length(items) > 0`).execute();
      return rows.map(({ clusterId }) => clusterId);
    },
    async hold(clusterId, { wait }) {
      const query = select().where('clusterId', '=', clusterId).forUpdate();
      const row = await (wait ? query : query.skipLocked()).executeTakeFirst();
      return row === undefined ? null : recordOf(row);
    },
    async save(record) {
      const { clusterId: _, ...changes } = rowOf(record);
      await upsert(record).onConflict((conflict) => conflict.column('clusterId').doUpdateSet(changes)).execute();
    },
    async insert(record) {
      await upsert(record).onConflict((conflict) => conflict.doNothing()).execute();
    },
    async due(limit) {
      const now = clock.now();
      const rows = await db
        .selectFrom('schedules').select('clusterId').where('nextAt', 'is not', null)
        .where('clusterId', 'in', db.selectFrom('clusters').select('id').where('deletedAt', 'is', null).where('backupState', '=', 'started'))
        .where((eb) => eb.or([eb('nextAt', '<=', now), eb('handledUntil', '>', sql<Date>`${now}::timestamptz + interval '1 hour'`)]))
        .orderBy('nextAt').limit(limit).execute();
      return rows.map(({ clusterId }) => clusterId);
    },
    async hasRun(clusterId, dueAt) {
      return (await db.selectFrom('scheduleRuns').select('dueAt').where('clusterId', '=', clusterId).where('dueAt', '=', dueAt).executeTakeFirst()) !== undefined;
    },
    async addRun(run) {
      await db.insertInto('scheduleRuns').values({ ...run, items: JSON.stringify(run.items), settledAt: null }).execute();
    },
    async waitingSnapshot(clusterId, selection) {
      const row = await db
        .selectFrom('scheduleRuns').innerJoin('snapshots', 'snapshots.id', 'scheduleRuns.snapshotId').select('snapshots.id')
        .where('scheduleRuns.clusterId', '=', clusterId).where('scheduleRuns.settledAt', 'is', null)
        .where('snapshots.state', '=', 'queued').where('snapshots.deletedAt', 'is', null).where(isOf('snapshots.selection', selection))
        // One that rests would hold up every due time that joined it.
        .where(({ exists, selectFrom }) => exists(selectFrom('jobs').select('jobs.id').whereRef('jobs.id', '=', 'snapshots.jobId').where('jobs.pausedAt', 'is', null)))
        .limit(1).executeTakeFirst();
      return row?.id ?? null;
    },
    async ended(limit) {
      const rows = await db
        .selectFrom('scheduleRuns').innerJoin('snapshots', 'snapshots.id', 'scheduleRuns.snapshotId')
        .select(['scheduleRuns.clusterId', 'scheduleRuns.snapshotId', 'snapshots.state as snapshotState'])
        .where('scheduleRuns.settledAt', 'is', null).where('snapshots.state', 'in', ['completed', 'failed', 'cancelled'])
        .groupBy(['scheduleRuns.clusterId', 'scheduleRuns.snapshotId', 'snapshots.state'])
        .orderBy(sql`min(schedule_runs.due_at)`).limit(limit).execute();
      return rows.map((row) => ({ ...row, snapshotState: row.snapshotState as SnapshotState }));
    },
    async settle(snapshotId) {
      const rows = await db
        .updateTable('scheduleRuns').set({ settledAt: clock.now() })
        .where('snapshotId', '=', snapshotId).where('settledAt', 'is', null).returning('items').execute();
      return rows.length === 0 ? null : joinItems([], rows.flatMap(({ items }) => items));
    },
    async forgetRuns(before) {
      const { numDeletedRows } = await db.deleteFrom('scheduleRuns').where('dueAt', '<', before).where('settledAt', 'is not', null).executeTakeFirst();
      return Number(numDeletedRows);
    },
  };
}

interface Row {
  clusterId: string; items: readonly PolicyItem[]; referenceHour: number; referenceMinute: number; restoreWindowDays: number;
  extraDays: SnapshotSchedule['extraDays']; forms: SnapshotSchedule['forms']; export: SnapshotSchedule['export']; handledUntil: Date; owed: readonly string[]; failures: number; retryAt: Date | null;
}

function recordOf({ handledUntil, owed, failures, retryAt, ...schedule }: Row): ScheduleRecord {
  return { schedule: { ...schedule, policyId: policyIdOf(schedule.clusterId) }, progress: { handledUntil, owed, failures, retryAt } };
}

function rowOf({ schedule, progress }: ScheduleRecord) {
  const { policyId: _, items, extraDays, forms, export: exported, ...plain } = schedule;
  return {
    ...plain, items: JSON.stringify(items), extraDays: JSON.stringify(extraDays), forms: JSON.stringify(forms), export: exported === null ? null : JSON.stringify(exported),
    ...progress, owed: JSON.stringify(progress.owed), nextAt: nextLook(schedule, progress),
  };
}
