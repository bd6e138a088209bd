// Job rows: what was asked for and how it ended. Who works on one, and how far it is, stands in its lease.
import { sql } from 'kysely';
import type { Job, JobForm, JobKind, JobState, Page, PageOf } from '../domain/records.ts';
import { storable } from '../foundation/storable.ts';
import { atomically, countRows, countsOf, isAnyOf, isOneOfMany, readLongPage, type CatalogContext, type MonthCount } from './context.ts';

export interface NewJob {
  readonly id: string;
  readonly kind: JobKind;
  readonly projectId: string;
  readonly clusterId: string;
  readonly snapshotId: string | null;
  readonly restoreId: string | null;
  readonly payload: Readonly<Record<string, unknown>>;
  /** For people: `apiKey abcdefgh`. */
  readonly requestedBy: string;
  /** Jobs with the same key never run at the same time; null: no limit. */
  readonly exclusiveKey: string | null;
  readonly form?: JobForm | undefined;
}

export interface JobFilter {
  readonly clusterIds?: readonly string[];
  readonly projectId?: string;
  readonly kinds?: readonly JobKind[];
  /** true: queued or running; false: over. */
  readonly active?: boolean;
  /** Those whose form names this subclient. */
  readonly subclientId?: string;
  /** Without those that ended before. */
  readonly endedAfter?: Date;
}

/** `cancelled`: it had not begun and is over now; `requested`: its worker was told; `over`: too late. */
export type CancelAnswer = 'cancelled' | 'requested' | 'over';
/** `paused`: no worker has it; `requested`: its worker gives it back at the next renewal; `ending`: its cancel was asked for; `over`: too late. */
export type PauseAnswer = 'paused' | 'requested' | 'ending' | 'over';
export type ResumeAnswer = 'resumed' | 'notPaused' | 'over';

export interface Jobs {
  /** The row and its lease, without a wake-up for the workers: see `JobQueue.enqueue`. */
  insert(job: NewJob): Promise<Job>;
  get(id: string): Promise<Job | null>;
  byNumber(number: number): Promise<Job | null>;
  /** Newest first. */
  list(filter: JobFilter, page: Page): Promise<PageOf<Job>>;
  /** The newest ones, newest first, without the count that a list has. */
  newest(filter: { readonly clusterIds?: readonly string[]; readonly failed?: boolean }, limit: number): Promise<readonly Job[]>;
  payload(id: string): Promise<Readonly<Record<string, unknown>> | null>;
  /** null: no such job. Rows of its snapshot follow. Workers hear of it by NOTIFY and by their own looking. */
  requestCancel(id: string, by: string): Promise<CancelAnswer | null>;
  /** null: no such job. Until `resume` no worker takes it; its worker, if it has one, hears of it by its renewal. */
  requestPause(id: string): Promise<PauseAnswer | null>;
  /** null: no such job. One whose worker had not heard of the pause just goes on. */
  resume(id: string): Promise<ResumeAnswer | null>;
  /** In the place of those before. Call it only inside `catalog.fenced`. */
  setWarnings(id: string, warnings: readonly string[]): Promise<void>;
  /** What came to light after the end of a job. */
  addToMessage(id: string, sentence: string): Promise<void>;
}

/** Channel on which the id of a job is sent whose cancel was requested. */
export const CANCEL_CHANNEL = 'leafvault_cancel';

export function createJobs(context: CatalogContext): Jobs {
  const { db, clock } = context;
  return {
    async insert(job) {
      const form = job.form === undefined ? null : JSON.stringify(job.form);
      const row = { ...job, form, payload: JSON.stringify(job.payload), state: 'queued', createdAt: clock.now() };
      return atomically(context, async (inner) => {
        await inner.db.insertInto('jobs').values(row).execute();
        await inner.db.insertInto('leases').values({ jobId: job.id }).execute();
        return recordOf(await selectJobs(inner).where('jobs.id', '=', job.id).executeTakeFirstOrThrow());
      });
    },
    async get(id) {
      const row = await selectJobs(context).where('jobs.id', '=', id).executeTakeFirst();
      return row === undefined ? null : recordOf(row);
    },
    async byNumber(number) {
      if (!Number.isSafeInteger(number)) return null;
      const row = await selectJobs(context).where('jobs.number', '=', number).executeTakeFirst();
      return row === undefined ? null : recordOf(row);
    },
    list: (filter, page) => listJobs(context, filter, page),
    async newest({ clusterIds, failed = false }, limit) {
      const chosen = selectJobs(context).orderBy('jobs.createdAt', 'desc').orderBy('jobs.id', 'desc').limit(limit);
      const ofClusters = clusterIds === undefined ? chosen : chosen.where(isAnyOf('jobs.clusterId', clusterIds));
      const rows = await (failed ? ofClusters.where('jobs.state', '=', 'failed') : ofClusters).execute();
      return rows.map(recordOf);
    },
    async payload(id) {
      return (await db.selectFrom('jobs').select('payload').where('id', '=', id).executeTakeFirst())?.payload ?? null;
    },
    requestCancel: (id, by) => atomically(context, (inner) => cancelJob(inner, id, by)),
    requestPause: (id) => atomically(context, (inner) => pauseJob(inner, id)),
    resume: (id) => atomically(context, (inner) => resumeJob(inner, id)),
    async setWarnings(id, warnings) {
      await db.updateTable('jobs').set({ warnings: JSON.stringify(warnings.map(storable)) }).where('id', '=', id).execute();
    },
    async addToMessage(id, sentence) {
      await db
        .updateTable('jobs').set({ errorMessage: sql<string>`concat_ws('. ', error_message, ${sentence}::text)` }).where('id', '=', id).execute();
    },
  };
}

async function listJobs(context: CatalogContext, filter: JobFilter, page: Page): Promise<PageOf<Job>> {
  const { db } = context;
  // The page is picked on the narrow index first: joining before an offset would join every row skipped.
  const ids = conditionsOf(filter).reduce(
    (query, condition) => query.where(condition), db.selectFrom('jobs').select('id').orderBy('createdAt', 'desc').orderBy('id', 'desc'),
  );
  const { items, totalCount } = await readLongPage(page, { rows: ids, began: 'createdAt', counts: await countJobs(context, filter) });
  const rows = await selectJobs(context)
    .where(isOneOfMany('jobs.id', items.map(({ id }) => id)))
    .orderBy('jobs.createdAt', 'desc').orderBy('jobs.id', 'desc').execute();
  return { items: rows.map(recordOf), totalCount };
}

/** The kept counts know nothing of forms and ends: those are counted, as if they were of one month. */
async function countJobs({ db }: CatalogContext, filter: JobFilter): Promise<readonly MonthCount[]> {
  if (filter.subclientId === undefined && filter.endedAfter === undefined) return countsOf(db, 'jobs', filter);
  const { n } = await conditionsOf(filter).reduce((query, condition) => query.where(condition), db.selectFrom('jobs').select(countRows)).executeTakeFirstOrThrow();
  return [{ month: new Date(0), n }];
}

function conditionsOf({ clusterIds, projectId, kinds, active, subclientId, endedAfter }: JobFilter) {
  const only = clusterIds?.length === 1 ? clusterIds[0] : undefined;
  return [
    // With one cluster the index gives the order as well.
    ...(only === undefined ? [] : [sql<boolean>`cluster_id = ${only}`]),
    ...(clusterIds === undefined || only !== undefined ? [] : [sql<boolean>`cluster_id = any(${[...clusterIds]}::text[])`]),
    ...(projectId === undefined ? [] : [sql<boolean>`project_id = ${projectId}`]),
    ...(kinds === undefined ? [] : [sql<boolean>`kind = any(${[...kinds]}::text[])`]),
    ...(active === undefined ? [] : [active ? sql<boolean>`state in ('queued', 'running')` : sql<boolean>`state not in ('queued', 'running')`]),
    ...(subclientId === undefined ? [] : [sql<boolean>`form ->> 'subclientId' = ${subclientId}`]),
    ...(endedAfter === undefined ? [] : [sql<boolean>`(finished_at is null or finished_at >= ${endedAfter})`]),
  ];
}

async function cancelJob({ db, clock }: CatalogContext, id: string, by: string): Promise<CancelAnswer | null> {
  const job = await db.selectFrom('jobs').select(['state', 'attempt']).where('id', '=', id).forUpdate().executeTakeFirst();
  if (job === undefined) return null;
  if (job.state !== 'queued' && job.state !== 'running') return 'over';
  const now = clock.now();
  // One that was begun before and waits for its next attempt may have left something on a target: a worker ends it.
  if (job.state === 'queued' && job.attempt === 0) {
    const end = { state: 'cancelled', finishedAt: now };
    await db.updateTable('jobs').set({ ...end, cancelRequestedAt: now, cancelRequestedBy: by }).where('id', '=', id).execute();
    await db.updateTable('snapshots').set(end).where('jobId', '=', id).execute();
    return 'cancelled';
  }
  await db
    .updateTable('jobs').set({ cancelRequestedAt: now, cancelRequestedBy: by })
    .where('id', '=', id).where('cancelRequestedAt', 'is', null).execute();
  await sql`select pg_notify(${CANCEL_CHANNEL}, ${id})`.execute(db);
  return 'requested';
}

async function pauseJob({ db, clock }: CatalogContext, id: string): Promise<PauseAnswer | null> {
  const job = await db.selectFrom('jobs').select(['state', 'cancelRequestedAt']).where('id', '=', id).forUpdate().executeTakeFirst();
  if (job === undefined) return null;
  if (job.state !== 'queued' && job.state !== 'running') return 'over';
  if (job.cancelRequestedAt !== null) return 'ending';
  await db.updateTable('jobs').set({ pausedAt: clock.now() }).where('id', '=', id).where('pausedAt', 'is', null).execute();
  return job.state === 'queued' ? 'paused' : 'requested';
}

async function resumeJob({ db }: CatalogContext, id: string): Promise<ResumeAnswer | null> {
  const job = await db.selectFrom('jobs').select(['state', 'pausedAt']).where('id', '=', id).forUpdate().executeTakeFirst();
  if (job === undefined) return null;
  if (job.state !== 'queued' && job.state !== 'running') return 'over';
  if (job.pausedAt === null) return 'notPaused';
  await db.updateTable('jobs').set({ pausedAt: null }).where('id', '=', id).execute();
  return 'resumed';
}

function selectJobs({ db }: CatalogContext) {
  return db
    .selectFrom('jobs')
    .innerJoin('leases', 'leases.jobId', 'jobs.id')
    .leftJoin('snapshots', (join) => join.onRef('snapshots.id', '=', 'jobs.snapshotId').on('jobs.kind', '=', 'snapshot'))
    .select([
      'jobs.id', 'jobs.kind', 'jobs.state', 'jobs.projectId', 'jobs.clusterId', 'jobs.snapshotId', 'jobs.restoreId', 'jobs.createdAt',
      'jobs.startedAt', 'jobs.finishedAt', 'jobs.cancelRequestedAt', 'jobs.attempt', 'jobs.errorCode', 'jobs.errorMessage',
      'jobs.errorHint', 'jobs.warnings', 'jobs.requestedBy', 'jobs.number', 'jobs.pausedAt', 'jobs.form', 'leases.phase', 'leases.namespace', 'leases.documentsDone',
      'leases.documentsTotal', 'leases.bytesDone', 'leases.bytesTotal', 'leases.bytesPerSecond', 'leases.etaSeconds',
      'snapshots.storageSizeBytes as storedBytes',
    ]);
}

type JobRow = Awaited<ReturnType<ReturnType<typeof selectJobs>['execute']>>[number];

/** The columns are the record's fields; copying 500 rows of 25 would cost more than reading them. */
function recordOf(row: JobRow): Job {
  return row as JobRow & { kind: JobKind; state: JobState };
}
