// Restore drills: rows beside their jobs, the journal of what each makes on a target, and from when the next one counts.
import { sql } from 'kysely';
import type { Drill, DrillChoices, DrillPhase, DrillPlace, DrillTrigger } from '../domain/drill.ts';
import type { JobState, Page, PageOf } from '../domain/records.ts';
import { storable } from '../foundation/storable.ts';
import { countRows, readPage, type CatalogContext } from './context.ts';

export type NewDrill = Pick<Drill, 'id' | 'projectId' | 'clusterId' | 'snapshotId' | 'jobId' | 'trigger' | 'place' | 'targetClusterId' | 'namespaces'>;

export interface DrillOutcome extends Pick<Drill, 'phases' | 'warnings'> {
  readonly documents: number;
  readonly bytes: number;
  readonly collections: number;
  readonly indexes: number;
}

/** A cluster as the schedule sees it. */
export interface DrillSchedule {
  readonly clusterId: string;
  readonly projectId: string;
  readonly choices: DrillChoices | null;
  /** Null: never looked at. */
  readonly from: Date | null;
}

export interface Drills {
  /** Its job has to be there. */
  insert(row: NewDrill): Promise<Drill>;
  get(id: string): Promise<Drill | null>;
  /** Newest first. */
  list(clusterId: string, page: Page): Promise<PageOf<Drill>>;
  /** Of each cluster the newest that was proven or failed, and its newest proven ones (`provenEach` at most), newest first. Null: of every cluster. */
  newest(clusterIds: readonly string[] | null, provenEach: number): Promise<readonly Drill[]>;
  /** Whether one of the cluster is queued or running. */
  isUnderWay(clusterId: string): Promise<boolean>;
  /** What was proven; together with the end of its job. */
  complete(id: string, outcome: DrillOutcome): Promise<void>;
  /** How long the phases of an attempt took that did not prove anything. */
  savePhases(id: string, phases: readonly DrillPhase[]): Promise<void>;
  loadPlan(id: string): Promise<Readonly<Record<string, unknown>> | null>;
  /** Only inside `catalog.fenced`; the plan is open from then on. */
  savePlan(id: string, plan: Readonly<Record<string, unknown>>): Promise<void>;
  /** Nothing of it is on its target any more. */
  markSettled(id: string): Promise<void>;
  /** Whether something was begun on a target and never taken away. */
  isOpen(id: string): Promise<boolean>;
  /** Every cluster with what it chose. */
  schedules(): Promise<readonly DrillSchedule[]>;
  schedule(clusterId: string): Promise<DrillSchedule | null>;
  /** Null: as the settings say. @returns whether that is news */
  choose(clusterId: string, choices: DrillChoices | null): Promise<boolean>;
  /** Moves the anchor where it still is `from`; of several callers one succeeds. */
  moveAnchor(clusterId: string, from: Date | null, to: Date): Promise<boolean>;
}

export function createDrills(context: CatalogContext): Drills {
  const { db, clock } = context;
  const select = () => selectDrills(context);
  const schedules = () => db.selectFrom('clusters').select(['id as clusterId', 'projectId', 'drillChoices as choices', 'drilledFrom as from']).where('deletedAt', 'is', null).orderBy('projectId').orderBy('name');
  return {
    async insert(row) {
      await db.insertInto('drills').values({ ...row, namespaces: [...row.namespaces], createdAt: clock.now() }).execute();
      return recordOf(await select().where('drills.id', '=', row.id).executeTakeFirstOrThrow());
    },
    async get(id) {
      const row = await select().where('drills.id', '=', id).executeTakeFirst();
      return row === undefined ? null : recordOf(row);
    },
    async list(clusterId, page) {
      const rows = select().where('drills.clusterId', '=', clusterId).orderBy('drills.createdAt', 'desc').orderBy('drills.id', 'desc');
      const { items, totalCount } = await readPage(db, page, rows, db.selectFrom('drills').select(countRows).where('clusterId', '=', clusterId));
      return { items: items.map(recordOf), totalCount };
    },
    async newest(clusterIds, provenEach) {
      const ids = sql<string>`(
        select found.id from clusters c, lateral (
          (select d.id from drills d join jobs j on j.id = d.job_id where d.cluster_id = c.id and j.state in ('completed', 'failed') order by d.created_at desc, d.id desc limit 1)
          union (select d.id from drills d join jobs j on j.id = d.job_id where d.cluster_id = c.id and j.state = 'completed' order by d.created_at desc, d.id desc limit ${provenEach})
        ) found where ${clusterIds === null ? sql`true` : sql`c.id = any(${[...clusterIds]}::text[])`})`;
      const rows = await select().where(sql<boolean>`drills.id in ${ids}`).orderBy('drills.createdAt', 'desc').orderBy('drills.id', 'desc').execute();
      return rows.map(recordOf);
    },
    async isUnderWay(clusterId) {
      const row = await db
        .selectFrom('jobs').select('id').where('clusterId', '=', clusterId).where('kind', '=', 'drill').where('state', 'in', ['queued', 'running'])
        .limit(1).executeTakeFirst();
      return row !== undefined;
    },
    async complete(id, { phases, warnings, ...counts }) {
      await db.updateTable('drills').set({ ...counts, phases: JSON.stringify(phases), warnings: JSON.stringify(warnings.map(storable)) }).where('id', '=', id).execute();
    },
    async savePhases(id, phases) {
      await db.updateTable('drills').set({ phases: JSON.stringify(phases) }).where('id', '=', id).execute();
    },
    async loadPlan(id) {
      const row = await db.selectFrom('drills').select('plan').where('id', '=', id).executeTakeFirst();
      return row?.plan == null ? null : (JSON.parse(row.plan) as Readonly<Record<string, unknown>>);
    },
    async savePlan(id, plan) {
      await db.updateTable('drills').set({ plan: JSON.stringify(plan), settledAt: null }).where('id', '=', id).execute();
    },
    async markSettled(id) {
      await db.updateTable('drills').set({ settledAt: clock.now() }).where('id', '=', id).execute();
    },
    async isOpen(id) {
      const row = await db.selectFrom('drills').select('id').where('id', '=', id).where('plan', 'is not', null).where('settledAt', 'is', null).executeTakeFirst();
      return row !== undefined;
    },
    schedules: () => schedules().execute(),
    async schedule(clusterId) {
      return (await schedules().where('id', '=', clusterId).executeTakeFirst()) ?? null;
    },
    async choose(clusterId, choices) {
      const value = choices === null ? null : JSON.stringify(choices);
      const { numUpdatedRows } = await db
        .updateTable('clusters').set({ drillChoices: value })
        .where('id', '=', clusterId).where(sql<boolean>`drill_choices is distinct from ${value}::jsonb`).executeTakeFirst();
      return numUpdatedRows === 1n;
    },
    async moveAnchor(clusterId, from, to) {
      const { numUpdatedRows } = await db
        .updateTable('clusters').set({ drilledFrom: to })
        .where('id', '=', clusterId).where(sql<boolean>`drilled_from is not distinct from ${from}::timestamptz`).executeTakeFirst();
      return numUpdatedRows === 1n;
    },
  };
}

function selectDrills({ db }: CatalogContext) {
  return db.selectFrom('drills').innerJoin('jobs', 'jobs.id', 'drills.jobId').select([
    'drills.id', 'drills.projectId', 'drills.clusterId', 'drills.snapshotId', 'drills.jobId', 'drills.trigger', 'drills.place', 'drills.targetClusterId',
    'drills.namespaces', 'drills.createdAt', 'drills.phases', 'drills.documents', 'drills.bytes', 'drills.collections', 'drills.indexes', 'drills.warnings',
    'jobs.state', 'jobs.startedAt', 'jobs.finishedAt', 'jobs.errorCode', 'jobs.errorMessage', 'jobs.errorHint',
  ]);
}

type DrillRow = Awaited<ReturnType<ReturnType<typeof selectDrills>['execute']>>[number];

function recordOf(row: DrillRow): Drill {
  return row as DrillRow & { trigger: DrillTrigger; place: DrillPlace; state: JobState };
}
