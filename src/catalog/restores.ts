// Restore jobs and their downloads. State and times are those of the job that does the work.
import { sql } from 'kysely';
import type { RestoreInstant } from '../domain/instant.ts';
import type { JobState, ListedRestore, Page, PageOf, Restore, RestoreProof, RestoreSelection } from '../domain/records.ts';
import { atomically, isOneOfMany, readPageOfCluster, type CatalogContext } from './context.ts';

export interface DownloadRecord {
  readonly expirationHours: number;
  /** null: as often as one likes until it expires. */
  readonly maxDownloads: number | null;
  /** Completed transfers. */
  readonly downloads: number;
  readonly fileName: string;
  /** null while it is prepared. */
  readonly readyAt: Date | null;
  readonly expiresAt: Date | null;
  readonly sha1: string | null;
}

export type IndexStrategy = 'ALL' | 'NONE' | 'ALL_EXCEPT_TTL';

/** `download.state` and its URL are worked out by the service, from these facts and the clock. */
export type RestoreRecord = Omit<Restore, 'download'> & {
  readonly selection: RestoreSelection;
  readonly indexStrategy: IndexStrategy;
  readonly usersAndRoles: boolean;
  readonly download: DownloadRecord | null;
};

export type ListedRestoreRecord = Omit<ListedRestore, 'download'> & Pick<RestoreRecord, 'download'>;

export interface NewRestore {
  readonly id: string;
  readonly delivery: Restore['delivery'];
  readonly projectId: string;
  readonly clusterId: string;
  readonly clusterName: string;
  readonly snapshotId: string;
  readonly instant?: RestoreInstant | null;
  readonly target: { readonly projectId: string; readonly clusterId: string; readonly clusterName: string } | null;
  readonly selection: RestoreSelection;
  readonly indexStrategy: IndexStrategy;
  readonly usersAndRoles: boolean;
  readonly jobId: string;
  readonly form?: Restore['form'];
  /** With `readyAtOnce` the hours count from now, else from the moment it is ready. */
  readonly download: {
    readonly expirationHours: number; readonly maxDownloads: number | null; readonly fileName: string; readonly readyAtOnce: boolean;
  } | null;
}

export interface Restores {
  /** In one transaction with its job, which must be there before. */
  insert(row: NewRestore): Promise<RestoreRecord>;
  get(id: string): Promise<RestoreRecord | null>;
  byJob(jobId: string): Promise<RestoreRecord | null>;
  /** Of the source cluster, newest first. */
  list(clusterId: string, page: Page): Promise<PageOf<ListedRestoreRecord>>;
  saveProof(id: string, proof: RestoreProof, result: Readonly<Record<string, unknown>>): Promise<void>;
  /** What stays beside after an undo, or after what was kept is gone. */
  setMovedAside(id: string, names: readonly string[]): Promise<void>;
  /** What the engine reported at the end, or null. */
  result(id: string): Promise<Readonly<Record<string, unknown>> | null>;
  /** The hours begin to run, unless they run already. */
  setDownloadReady(id: string): Promise<void>;
  /** Counts one whole transfer and keeps the checksum of what was sent. */
  countDownload(id: string, sha1: string): Promise<void>;
  /** Its time is over as of now: transfers under way finish, none begins. */
  endDownload(id: string): Promise<void>;
}

export function createRestores(context: CatalogContext): Restores {
  const { db, clock } = context;
  const one = async (column: 'restores.id' | 'restores.jobId', value: string): Promise<RestoreRecord | null> => {
    const row = await selectRestores(context).where(column, '=', value).executeTakeFirst();
    return row === undefined ? null : recordOf(row);
  };
  return {
    insert: (row) => atomically(context, (inner) => insertRestore(inner, row)),
    get: (id) => one('restores.id', id),
    byJob: (jobId) => one('restores.jobId', jobId),
    list: (clusterId, page) => readPageOfCluster(context, page, {
      table: 'restores', clusterId,
      async read(ids) {
        const rows = await selectListed(context).where(isOneOfMany('restores.id', ids)).orderBy('restores.createdAt', 'desc').orderBy('restores.id', 'desc').execute();
        return rows.map(listedOf);
      },
    }),
    async saveProof(id, proof, result) {
      await db
        .updateTable('restores')
        .set({
          provenAt: proof.provenAt, provenCollections: proof.collections, provenDocuments: proof.documents, provenBytes: proof.bytes,
          result: JSON.stringify(result),
        })
        .where('id', '=', id)
        .execute();
    },
    async setMovedAside(id, movedAside) {
      const row = await db.selectFrom('restores').select('result').where('id', '=', id).forUpdate().executeTakeFirst();
      if (row?.result == null) return;
      await db.updateTable('restores').set({ result: JSON.stringify({ ...(JSON.parse(row.result) as object), movedAside }) }).where('id', '=', id).execute();
    },
    async result(id) {
      const row = await db.selectFrom('restores').select('result').where('id', '=', id).executeTakeFirst();
      return row?.result == null ? null : (JSON.parse(row.result) as Readonly<Record<string, unknown>>);
    },
    async setDownloadReady(id) {
      const now = clock.now();
      await db
        .updateTable('downloads')
        .set({ readyAt: now, expiresAt: sql<Date>`${now}::timestamptz + expiration_hours * interval '1 hour'` })
        .where('restoreId', '=', id).where('readyAt', 'is', null)
        .execute();
    },
    async countDownload(id, sha1) {
      await db.updateTable('downloads').set({ downloads: sql<number>`downloads + 1`, sha1 }).where('restoreId', '=', id).execute();
    },
    async endDownload(id) {
      await db.updateTable('downloads').set({ expiresAt: clock.now() }).where('restoreId', '=', id).execute();
    },
  };
}

async function insertRestore(context: CatalogContext, { target, download, instant, ...row }: NewRestore): Promise<RestoreRecord> {
  await context.db
    .insertInto('restores')
    .values({
      ...row,
      selection: JSON.stringify(row.selection),
      targetProjectId: target?.projectId ?? null,
      targetClusterId: target?.clusterId ?? null,
      targetClusterName: target?.clusterName ?? null,
      chainId: instant?.chainId ?? null,
      borderT: instant?.border.t ?? null,
      borderI: instant?.border.i ?? null,
      askedTimeMs: instant != null && 'time' in instant.asked ? instant.asked.time.getTime() : null,
      form: row.form ?? null,
      createdAt: context.clock.now(),
    })
    .execute();
  if (download !== null) await insertDownload(context, row.id, download);
  return recordOf(await selectRestores(context).where('restores.id', '=', row.id).executeTakeFirstOrThrow());
}

async function insertDownload({ db, clock }: CatalogContext, restoreId: string, download: NonNullable<NewRestore['download']>): Promise<void> {
  const { readyAtOnce, ...rest } = download;
  const readyAt = readyAtOnce ? clock.now() : null;
  const expiresAt = readyAt === null ? null : new Date(readyAt.getTime() + rest.expirationHours * 3_600_000);
  await db.insertInto('downloads').values({ ...rest, restoreId, readyAt, expiresAt }).execute();
}

function selectListed({ db }: CatalogContext) {
  return db
    .selectFrom('restores')
    .innerJoin('snapshots', 'snapshots.id', 'restores.snapshotId')
    .innerJoin('jobs', 'jobs.id', 'restores.jobId')
    .leftJoin('downloads', 'downloads.restoreId', 'restores.id')
    .select([
      'restores.id', 'restores.delivery', 'restores.projectId', 'restores.clusterId', 'restores.clusterName', 'restores.snapshotId',
      'snapshots.capturedAt as snapshotCapturedAt', 'snapshots.pointInTimeT', 'snapshots.pointInTimeI', 'snapshots.finishedAt as snapshotFinishedAt',
      'restores.chainId', 'restores.borderT', 'restores.borderI', 'restores.askedTimeMs', 'restores.targetProjectId', 'restores.targetClusterId', 'restores.targetClusterName',
      'restores.createdAt', 'jobs.finishedAt', 'jobs.state', 'jobs.form as jobForm',
      'downloads.expirationHours', 'downloads.maxDownloads', 'downloads.downloads', 'downloads.fileName', 'downloads.readyAt', 'downloads.expiresAt', 'downloads.sha1',
    ]);
}

function selectRestores(context: CatalogContext) {
  return selectListed(context).select([
    'restores.selection', 'jobs.startedAt', 'restores.jobId', 'restores.form', 'restores.indexStrategy', 'restores.usersAndRoles',
    'restores.provenAt', 'restores.provenCollections', 'restores.provenDocuments', 'restores.provenBytes',
  ]);
}

type ListedRow = Awaited<ReturnType<ReturnType<typeof selectListed>['execute']>>[number];
type RestoreRow = Awaited<ReturnType<ReturnType<typeof selectRestores>['execute']>>[number];

function listedOf(row: ListedRow): ListedRestoreRecord {
  const { pointInTimeT, pointInTimeI } = row;
  return {
    id: row.id,
    delivery: row.delivery as Restore['delivery'],
    projectId: row.projectId,
    clusterId: row.clusterId,
    clusterName: row.clusterName,
    snapshotId: row.snapshotId,
    snapshotCapturedAt: row.snapshotCapturedAt,
    snapshotPointInTime: pointInTimeT === null || pointInTimeI === null ? null : { t: pointInTimeT, i: pointInTimeI },
    snapshotFinishedAt: row.snapshotFinishedAt,
    instant: instantOf(row),
    targetProjectId: row.targetProjectId,
    targetClusterId: row.targetClusterId,
    targetClusterName: row.targetClusterName,
    createdAt: row.createdAt,
    finishedAt: row.finishedAt,
    state: row.state as JobState,
    jobForm: row.jobForm,
    download: downloadOf(row),
  };
}

function recordOf(row: RestoreRow): RestoreRecord {
  const { provenAt, provenCollections, provenDocuments, provenBytes } = row;
  return {
    ...listedOf(row),
    selection: row.selection,
    startedAt: row.startedAt,
    jobId: row.jobId,
    form: row.form as Restore['form'],
    indexStrategy: row.indexStrategy as IndexStrategy,
    usersAndRoles: row.usersAndRoles,
    proof: provenAt === null ? null : { provenAt, collections: provenCollections ?? 0, documents: provenDocuments ?? 0, bytes: provenBytes ?? 0 },
  };
}

/** Of the columns that hold it; null: a restore of a whole snapshot. */
export function instantOf({ chainId, borderT, borderI, askedTimeMs }: Pick<ListedRow, 'chainId' | 'borderT' | 'borderI' | 'askedTimeMs'>): RestoreInstant | null {
  if (chainId === null || borderT === null || borderI === null) return null;
  const border = { t: borderT, i: borderI };
  return { chainId, border, asked: askedTimeMs === null ? { border } : { time: new Date(askedTimeMs) } };
}

function downloadOf(row: ListedRow): DownloadRecord | null {
  const { expirationHours, maxDownloads, downloads, fileName, readyAt, expiresAt, sha1 } = row;
  if (expirationHours === null || fileName === null) return null;
  return { expirationHours, maxDownloads, downloads: downloads ?? 0, fileName, readyAt, expiresAt, sha1 };
}
