// How a collection restore job was asked for, and what it was to restore; all else is its restore's and its job's.
import { sql, type RawBuilder } from 'kysely';
import type { CollectionRestoreRequest } from '../domain/collection-restore.ts';
import type { RestoreInstant } from '../domain/instant.ts';
import type { Job, JobState, Page, PageOf } from '../domain/records.ts';
import { isOneOfMany, readPageOfCluster, type CatalogContext } from './context.ts';
import { instantOf, type IndexStrategy } from './restores.ts';

/** One that was to be restored, as its snapshot holds it. */
export interface ChosenNamespace { readonly db: string; readonly name: string; readonly documents: number }

/** As it is told: of its restore and its job no more than that, since a page of 500 has 500 of them. */
export interface CollectionRestoreRow {
  readonly restoreId: string;
  readonly projectId: string;
  readonly clusterId: string;
  readonly clusterName: string;
  readonly snapshotId: string;
  readonly instant: RestoreInstant | null;
  readonly targetProjectId: string | null;
  readonly targetClusterName: string | null;
  readonly createdAt: Date;
  readonly indexStrategy: IndexStrategy;
  readonly request: CollectionRestoreRequest;
  /** Null: nobody has looked into the snapshot yet. */
  readonly contents: readonly ChosenNamespace[] | null;
  /** What the engine reported at the end, or null. */
  readonly result: Readonly<Record<string, unknown>> | null;
  /** Once it is over it has no phase and no count any more. */
  readonly job: Pick<Job, 'id' | 'state' | 'phase' | 'documentsDone' | 'finishedAt' | 'errorMessage'>;
}

export interface CollectionRestores {
  /** Its restore has to be there. */
  insert(restoreId: string, clusterId: string, request: CollectionRestoreRequest): Promise<void>;
  get(restoreId: string): Promise<CollectionRestoreRow | null>;
  /** Of the source cluster, newest first. */
  list(clusterId: string, page: Page): Promise<PageOf<CollectionRestoreRow>>;
  /** Once known it never changes: a second call alters nothing. */
  keepContents(restoreId: string, contents: readonly ChosenNamespace[]): Promise<void>;
}

export function createCollectionRestores(context: CatalogContext): CollectionRestores {
  const { db, clock } = context;
  return {
    async insert(restoreId, clusterId, request) {
      await db.insertInto('collectionRestores').values({ restoreId, clusterId, createdAt: clock.now(), request: JSON.stringify(request) }).execute();
    },
    async get(restoreId) {
      const row = await selectRows(context).where('collectionRestores.restoreId', '=', restoreId).executeTakeFirst();
      return row === undefined ? null : rowOf(row);
    },
    list: (clusterId, page) => readPageOfCluster(context, page, {
      table: 'collectionRestores', key: 'restoreId', clusterId,
      async read(ids) {
        const rows = await selectRows(context)
          .where(isOneOfMany('collectionRestores.restoreId', ids))
          .orderBy('collectionRestores.createdAt', 'desc').orderBy('collectionRestores.restoreId', 'desc').execute();
        return rows.map(rowOf);
      },
    }),
    async keepContents(restoreId, contents) {
      await db.updateTable('collectionRestores').set({ contents: JSON.stringify(contents) }).where('restoreId', '=', restoreId).where('contents', 'is', null).execute();
    },
  };
}

/** Few jobs of a long list are under way; what is over has no progress to look up. */
function ofLease<T>(column: 'phase' | 'documents_done'): RawBuilder<T> {
  return sql<T>`case when jobs.state in ('queued', 'running') then (select ${sql.ref(column)} from leases where leases.job_id = jobs.id) end`;
}

function selectRows({ db }: CatalogContext) {
  return db
    .selectFrom('collectionRestores')
    .innerJoin('restores', 'restores.id', 'collectionRestores.restoreId')
    .innerJoin('jobs', 'jobs.id', 'restores.jobId')
    .select([
      'collectionRestores.restoreId', 'collectionRestores.request', 'collectionRestores.contents', 'restores.projectId', 'restores.clusterId', 'restores.clusterName', 'restores.snapshotId',
      'restores.chainId', 'restores.borderT', 'restores.borderI', 'restores.askedTimeMs', 'restores.targetProjectId', 'restores.targetClusterName', 'restores.createdAt', 'restores.indexStrategy', 'restores.result',
      'restores.jobId', 'jobs.state', 'jobs.finishedAt', 'jobs.errorMessage',
      ofLease<string | null>('phase').as('phase'), ofLease<number | null>('documents_done').as('documentsDone'),
    ]);
}

function rowOf(row: Awaited<ReturnType<ReturnType<typeof selectRows>['execute']>>[number]): CollectionRestoreRow {
  const { restoreId, projectId, clusterId, clusterName, snapshotId, targetProjectId, targetClusterName, createdAt, request, contents, result, jobId, state, finishedAt, errorMessage, phase, documentsDone } = row;
  return {
    restoreId, projectId, clusterId, clusterName, snapshotId, instant: instantOf(row), targetProjectId, targetClusterName, createdAt, indexStrategy: row.indexStrategy as IndexStrategy, request,
    contents: contents === null ? null : (JSON.parse(contents) as readonly ChosenNamespace[]),
    result: result === null ? null : (JSON.parse(result) as Readonly<Record<string, unknown>>),
    job: { id: jobId, state: state as JobState, phase, documentsDone: documentsDone ?? 0, finishedAt, errorMessage },
  };
}
