// How a collection restore job was asked for, and what it was to restore; all else is the restore's.
import type { CollectionRestoreRequest } from '../domain/collection-restore.ts';
import type { Page, PageOf } from '../domain/records.ts';
import { countsOf, isOneOfMany, readLongPage, type CatalogContext } from './context.ts';

/** One that was to be restored, as its snapshot holds it. */
export interface ChosenNamespace { readonly db: string; readonly name: string; readonly documents: number }

export interface CollectionRestoreRow {
  readonly restoreId: string;
  readonly request: CollectionRestoreRequest;
  /** Null: nobody has looked into the snapshot yet. */
  readonly contents: readonly ChosenNamespace[] | null;
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

export function createCollectionRestores({ db, clock }: CatalogContext): CollectionRestores {
  const select = () => db.selectFrom('collectionRestores').select(['restoreId', 'request', 'contents']);
  return {
    async insert(restoreId, clusterId, request) {
      await db.insertInto('collectionRestores').values({ restoreId, clusterId, createdAt: clock.now(), request: JSON.stringify(request) }).execute();
    },
    async get(restoreId) {
      const row = await select().where('restoreId', '=', restoreId).executeTakeFirst();
      return row === undefined ? null : rowOf(row);
    },
    async list(clusterId, page) {
      const ids = db.selectFrom('collectionRestores').select('restoreId').where('clusterId', '=', clusterId).orderBy('createdAt', 'desc').orderBy('restoreId', 'desc');
      const { items, totalCount } = await readLongPage(page, { rows: ids, began: 'createdAt', counts: await countsOf(db, 'collectionRestores', { clusterIds: [clusterId] }) });
      const rows = await select().where(isOneOfMany('restoreId', items.map(({ restoreId }) => restoreId))).orderBy('createdAt', 'desc').orderBy('restoreId', 'desc').execute();
      return { items: rows.map(rowOf), totalCount };
    },
    async keepContents(restoreId, contents) {
      await db.updateTable('collectionRestores').set({ contents: JSON.stringify(contents) }).where('restoreId', '=', restoreId).where('contents', 'is', null).execute();
    },
  };
}

function rowOf({ contents, ...row }: { readonly restoreId: string; readonly request: CollectionRestoreRequest; readonly contents: string | null }): CollectionRestoreRow {
  return { ...row, contents: contents === null ? null : (JSON.parse(contents) as readonly ChosenNamespace[]) };
}
