// How a collection restore job was asked for; all else is the restore's.
import type { CollectionRestoreRequest } from '../domain/collection-restore.ts';
import type { Page, PageOf } from '../domain/records.ts';
import { countRows, readPage, type CatalogContext } from './context.ts';

export interface CollectionRestoreRow { readonly restoreId: string; readonly request: CollectionRestoreRequest }

export interface CollectionRestores {
  /** Its restore has to be there. */
  insert(restoreId: string, clusterId: string, request: CollectionRestoreRequest): Promise<void>;
  get(restoreId: string): Promise<CollectionRestoreRow | null>;
  /** Of the source cluster, newest first. */
  list(clusterId: string, page: Page): Promise<PageOf<CollectionRestoreRow>>;
}

export function createCollectionRestores({ db, clock }: CatalogContext): CollectionRestores {
  const select = () => db.selectFrom('collectionRestores').select(['restoreId', 'request']);
  return {
    async insert(restoreId, clusterId, request) {
      await db.insertInto('collectionRestores').values({ restoreId, clusterId, createdAt: clock.now(), request: JSON.stringify(request) }).execute();
    },
    async get(restoreId) {
      return (await select().where('restoreId', '=', restoreId).executeTakeFirst()) ?? null;
    },
    list: (clusterId, page) => readPage(
      db, page, select().where('clusterId', '=', clusterId).orderBy('createdAt', 'desc').orderBy('restoreId', 'desc'),
      db.selectFrom('collectionRestores').select(countRows).where('clusterId', '=', clusterId),
    ),
  };
}
