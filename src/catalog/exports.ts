// Exports as rows beside their jobs.
import type { NewExport, SnapshotExport } from '../domain/exports.ts';
import type { JobState, Page, PageOf } from '../domain/records.ts';
import { isOneOfMany, readPageOfCluster, type CatalogContext } from './context.ts';

export interface Exports {
  /** Its job has to be there. A prefix that is taken gets the next free second. @throws CATALOG_DUPLICATE where another takes that one at the same moment */
  insert(row: NewExport): Promise<SnapshotExport>;
  get(id: string): Promise<SnapshotExport | null>;
  /** Of one cluster, newest first. */
  list(clusterId: string, page: Page): Promise<PageOf<SnapshotExport>>;
  saveStatus(id: string, status: Pick<SnapshotExport, 'exportedCollections' | 'totalCollections'>): Promise<void>;
}

export function createExports(context: CatalogContext): Exports {
  const { db, clock } = context;
  const select = () => selectExports(context);
  const get = async (id: string): Promise<SnapshotExport | null> => {
    const row = await select().where('exports.id', '=', id).executeTakeFirst();
    return row === undefined ? null : recordOf(row);
  };
  return {
    async insert({ labels, ...row }) {
      const prefix = await freePrefix(context, row.prefix);
      await db.insertInto('exports').values({ ...row, prefix, labels: JSON.stringify(labels), createdAt: clock.now() }).execute();
      return recordOf(await select().where('exports.id', '=', row.id).executeTakeFirstOrThrow());
    },
    get,
    list: (clusterId, page) => readPageOfCluster(context, page, {
      table: 'exports', clusterId,
      async read(ids) {
        const rows = await select().where(isOneOfMany('exports.id', ids)).orderBy('exports.createdAt', 'desc').orderBy('exports.id', 'desc').execute();
        return rows.map(recordOf);
      },
    }),
    async saveStatus(id, status) {
      await db.updateTable('exports').set(status).where('id', '=', id).execute();
    },
  };
}

/** It ends in seconds. */
async function freePrefix({ db }: CatalogContext, wanted: string): Promise<string> {
  const slash = wanted.lastIndexOf('/');
  for (let second = Number(wanted.slice(slash + 1)); ; second += 1) {
    const prefix = `${wanted.slice(0, slash)}/${second}`;
    if ((await db.selectFrom('exports').select('id').where('prefix', '=', prefix).executeTakeFirst()) === undefined) return prefix;
  }
}

function selectExports({ db }: CatalogContext) {
  return db.selectFrom('exports').innerJoin('jobs', 'jobs.id', 'exports.jobId').select([
    'exports.id', 'exports.projectId', 'exports.clusterId', 'exports.clusterName', 'exports.snapshotId', 'exports.bucketId', 'exports.jobId', 'exports.prefix', 'exports.labels', 'exports.createdAt',
    'exports.exportedCollections', 'exports.totalCollections', 'jobs.state', 'jobs.finishedAt', 'jobs.errorCode', 'jobs.errorMessage',
  ]);
}

type ExportRow = Awaited<ReturnType<ReturnType<typeof selectExports>['execute']>>[number];

function recordOf(row: ExportRow): SnapshotExport {
  return row as ExportRow & { state: JobState };
}
