// Restores of some collections: a restore, and how it was asked for (docs/design/collection-restores.md).
import { cutPage } from '../domain/cut-page.ts';
import type { CatalogStore } from '../catalog/index.ts';
import type { CollectionRestoreRequest, NamespaceChoice } from '../domain/collection-restore.ts';
import type { RestoreSelection } from '../domain/records.ts';
import { LeafvaultError } from '../foundation/errors.ts';
import { isId } from '../foundation/ids.ts';
import { collectionsOfJob } from './collection-states.ts';
import type { CollectionRestore, CollectionRestores } from './contracts.ts';
import { presentRestore } from './downloads.ts';
import { createRestore, type RestoresOptions } from './restores.ts';
import type { ReadContents } from './snapshot-contents.ts';

export interface CollectionRestoresOptions {
  readonly catalog: RestoresOptions['catalog'] & Pick<CatalogStore, 'collectionRestores' | 'jobs'>;
  readonly restores: RestoresOptions;
  readonly readContents: ReadContents;
}

export function createCollectionRestores({ catalog, restores, readContents }: CollectionRestoresOptions): CollectionRestores {
  const present = async (id: string, request: CollectionRestoreRequest): Promise<CollectionRestore> => {
    const record = await catalog.restores.get(id);
    const job = record === null ? null : await catalog.jobs.get(record.jobId);
    if (record === null || job === null) throw notFound(id);
    const restore = presentRestore(record, { now: restores.clock.now(), key: restores.key, baseUrl: restores.baseUrl });
    const plan = await catalog.restorePlans.load(id);
    const collections = collectionsOfJob({ request, plan, job, indexStrategy: record.indexStrategy, contents: job.state === 'completed' && plan !== null ? [] : await contentsOf(record.snapshotId) });
    return { restore, request, indexStrategy: record.indexStrategy, job, collections };
  };
  /** A snapshot that went meanwhile: what the plan says is left. One that is over says it all. */
  const contentsOf = async (snapshotId: string): ReturnType<ReadContents> => {
    const snapshot = await catalog.snapshots.get(snapshotId);
    // A snapshot that can't be read is told of by the job; its row has to be shown all the same.
    return snapshot === null || snapshot.deletedAt !== null ? [] : readContents(snapshotId).catch(() => []);
  };
  const find = async (clusterId: string, id: string): Promise<CollectionRestore> => {
    const row = isId(id) ? await catalog.collectionRestores.get(id) : null;
    const record = row === null ? null : await catalog.restores.get(id);
    if (row === null || record?.clusterId !== clusterId) throw notFound(id, clusterId);
    return present(id, row.request);
  };
  return {
    async create({ request, ...order }) {
      const restore = await createRestore(restores, {
        ...order, delivery: 'automated', selection: selectionOf(request), existing: request.writeStrategy === 'CREATE_NEW' ? 'refuse' : 'replace', usersAndRoles: false,
      }, (tx, { id, clusterId }) => tx.collectionRestores.insert(id, clusterId, request));
      return present(restore.id, request);
    },
    async list(clusterId, page) {
      const { items, totalCount } = await catalog.collectionRestores.list(clusterId, page);
      return { items: await Promise.all(items.map(({ restoreId, request }) => present(restoreId, request))), totalCount };
    },
    get: find,
    async collections({ clusterId, id, filter, page }) {
      const { collections } = await find(clusterId, id);
      return cutPage(collections.filter((each) => (filter.state === undefined || each.state === filter.state) && (filter.source === undefined || each.source === filter.source) && (filter.target === undefined || each.effectiveTarget === filter.target || each.target === filter.target)), page);
    },
    async collection(clusterId, id, source) {
      const found = (await find(clusterId, id)).collections.find((each) => each.source === source);
      if (found === undefined) throw new LeafvaultError('NAMESPACE_NOT_FOUND', `Reading ${JSON.stringify(source)} of the collection restore ${id} failed: it is none of its collections`, { details: { name: source, id } });
      return found;
    },
  };
}

/** Names go where they were told to, and get the suffixes there. */
export function selectionOf({ databases, collections, databaseSuffix, collectionSuffix }: CollectionRestoreRequest): RestoreSelection {
  const sources = (choices: readonly NamespaceChoice[]): string[] => [...new Set(choices.map(({ source }) => source))];
  const renames = [...databases, ...collections].flatMap(({ source, target }) => (target === undefined || target === source ? [] : [{ from: source, to: target }]));
  const suffixes = databaseSuffix === null && collectionSuffix === null ? {} : { suffixes: { database: databaseSuffix ?? '', collection: collectionSuffix ?? '' } };
  return { databases: sources(databases), collections: sources(collections), renames, ...suffixes };
}

function notFound(id: string, clusterId?: string): LeafvaultError {
  return new LeafvaultError('RESTORE_NOT_FOUND', `Reading collection restore ${id} failed: there is none`, { details: { id, ...(clusterId === undefined ? {} : { clusterId }) } });
}
