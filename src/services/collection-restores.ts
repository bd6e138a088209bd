// Restores of some collections: a restore, and how it was asked for (docs/design/collection-restores.md).
import { cutPage } from '../domain/cut-page.ts';
import type { CatalogStore, ChosenNamespace, CollectionRestoreRow } from '../catalog/index.ts';
import type { CollectionRestoreRequest, NamespaceChoice } from '../domain/collection-restore.ts';
import type { RestoreSelection } from '../domain/records.ts';
import { LeafvaultError } from '../foundation/errors.ts';
import { isId } from '../foundation/ids.ts';
import { collectionsOfJob } from './collection-states.ts';
import type { CollectionRestore, CollectionRestores, RestoreOutcome } from './contracts.ts';
import { createRestore, type RestoresOptions } from './restores.ts';
import type { ReadContents } from './snapshot-contents.ts';

export interface CollectionRestoresOptions {
  readonly catalog: RestoresOptions['catalog'] & Pick<CatalogStore, 'collectionRestores' | 'jobs'>;
  readonly restores: RestoresOptions;
  readonly readContents: ReadContents;
}

export function createCollectionRestores({ catalog, restores, readContents }: CollectionRestoresOptions): CollectionRestores {
  const presentAll = async (rows: readonly CollectionRestoreRow[]): Promise<readonly CollectionRestore[]> => {
    const plans = await catalog.restorePlans.loadMany(rows.filter(({ contents, result }) => contents === null || result === null).map(({ restoreId }) => restoreId));
    const presented: CollectionRestore[] = [];
    for (const row of rows) {
      const { restoreId: id, request, result, indexStrategy, job, projectId, clusterId, clusterName, snapshotId, instant, targetProjectId, targetClusterName, createdAt } = row;
      const outcome = result as RestoreOutcome | null;
      // One after another: each that is not kept yet opens a reader of the repository.
      const contents = row.contents ?? (outcome === null ? await learnContents(row) : null);
      presented.push({ restore: { id, jobId: job.id, projectId, clusterId, clusterName, snapshotId, instant, targetProjectId, targetClusterName, createdAt }, request, indexStrategy, job, collections: collectionsOfJob({ request, plan: plans.get(id) ?? null, outcome, job, indexStrategy, contents }) });
    }
    return presented;
  };
  /** Looks into the snapshot, once, and keeps what counts. Null where it went before anybody looked: what the plan says is left. */
  const learnContents = async ({ restoreId, request, snapshotId }: CollectionRestoreRow): Promise<readonly ChosenNamespace[] | null> => {
    const snapshot = await catalog.snapshots.get(snapshotId);
    // A snapshot that can't be read is told of by the job; its row has to be shown all the same.
    const all = snapshot === null || snapshot.deletedAt !== null ? null : await readContents(snapshotId).catch(() => null);
    if (all === null) return null;
    const [databases, collections] = [request.databases, request.collections].map((choices) => new Set(choices.map(({ source }) => source)));
    const chosen = all.filter(({ db, name }) => databases?.has(db) || collections?.has(`${db}.${name}`)).map(({ db, name, documents }) => ({ db, name, documents }));
    await catalog.collectionRestores.keepContents(restoreId, chosen);
    return chosen;
  };
  const find = async (clusterId: string, id: string): Promise<CollectionRestore> => {
    const row = isId(id) ? await catalog.collectionRestores.get(id) : null;
    const [found] = row?.clusterId === clusterId ? await presentAll([row]) : [];
    if (found === undefined) throw notFound(id, clusterId);
    return found;
  };
  return {
    async create({ request, ...order }) {
      const restore = await createRestore(restores, {
        ...order, delivery: 'automated', selection: selectionOf(request), existing: request.writeStrategy === 'CREATE_NEW' ? 'refuse' : 'replace', usersAndRoles: false,
      }, (tx, { id, clusterId }) => tx.collectionRestores.insert(id, clusterId, request));
      return find(restore.clusterId, restore.id);
    },
    async list(clusterId, page) {
      const { items, totalCount } = await catalog.collectionRestores.list(clusterId, page);
      return { items: await presentAll(items), totalCount };
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

function notFound(id: string, clusterId: string): LeafvaultError {
  return new LeafvaultError('RESTORE_NOT_FOUND', `Reading collection restore ${id} failed: there is none`, { details: { id, clusterId } });
}
