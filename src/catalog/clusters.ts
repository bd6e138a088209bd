// Clusters: what to back up and where to restore to. The connection string is sealed; hosts are plain. The row of one that
// was deleted stays, without its connection string: snapshots and jobs refer to it.
import { sql } from 'kysely';
import { isDeepStrictEqual } from 'node:util';
import type { BackupState } from '../domain/backup-state.ts';
import type { NamespaceFilter } from '../domain/namespace-selection.ts';
import type { Cluster, Page, PageOf, Tag } from '../domain/records.ts';
import { atomically, countRows, isAnyOf, readPage, type CatalogContext } from './context.ts';
import { requestEndOfChain } from './tailers.ts';

export interface NewCluster {
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
  /** Any connection string that the driver takes; sealed before it is stored. Null: it waits for one. */
  readonly uri: string | null;
  /** `host:port` each, without credentials. */
  readonly hosts: readonly string[];
  /** False when absent. */
  readonly continuousBackup?: boolean;
  readonly tags?: readonly Tag[];
  readonly labels?: readonly Tag[];
  readonly terminationProtection?: boolean;
}

/** What is absent stays. */
export interface ClusterChange {
  readonly tags?: readonly Tag[] | undefined;
  readonly labels?: readonly Tag[] | undefined;
  readonly terminationProtection?: boolean | undefined;
}

export interface ClusterNews {
  readonly hosts?: readonly string[];
  readonly replicaSetName?: string | null;
  readonly mongodbVersion?: string | null;
  readonly lastSuccessAt?: Date;
  readonly lastProvenAt?: Date;
}

export interface Clusters {
  /** @throws CATALOG_DUPLICATE, CATALOG_REFERENCE_MISSING */
  insert(row: NewCluster): Promise<Cluster>;
  /** Deleted ones too. */
  get(id: string): Promise<Cluster | null>;
  byName(projectId: string, name: string): Promise<Cluster | null>;
  /** The one of that name that was deleted last and has whole snapshots. */
  keptByName(projectId: string, name: string): Promise<Cluster | null>;
  /** By name. */
  list(projectId: string, page: Page): Promise<PageOf<Cluster>>;
  /** Those that were deleted and have whole snapshots, by name. */
  kept(projectId: string): Promise<readonly Cluster[]>;
  /** Every cluster of these projects (null: of all), by project and name. */
  ofProjects(projectIds: readonly string[] | null): Promise<readonly Cluster[]>;
  /** The connection string, unsealed; keep it out of messages and logs. Null: no such cluster, or it waits for one. @throws SEAL_BROKEN */
  uriOf(id: string): Promise<string | null>;
  setUri(id: string, uri: string, hosts: readonly string[]): Promise<void>;
  /** Whoever follows the cluster hears of it with the next renewal of its lease. */
  setContinuousBackup(id: string, on: boolean): Promise<void>;
  setBackupState(id: string, state: BackupState): Promise<void>;
  /** Null: everything is taken. */
  setNamespaceFilter(id: string, filter: NamespaceFilter | null): Promise<void>;
  change(id: string, change: ClusterChange): Promise<void>;
  /** A job that restores into it or from it, or undoes that, is asked for or runs; or one that is over has left something on it that is not settled. */
  isRestoring(id: string): Promise<boolean>;
  /** Waits for whoever else holds it, and holds it to the end of the transaction. */
  hold(id: string): Promise<void>;
  /** Takes its connection string and continuous backup away, too. */
  markDeleted(id: string): Promise<void>;
  /** Is there again, under its name, its backups as those of a new one; a connection string has to be set. @throws CATALOG_DUPLICATE */
  revive(id: string): Promise<void>;
  /** Writes down what the last contact taught; absent fields stay. */
  learn(id: string, news: ClusterNews): Promise<void>;
}

export const URI_PURPOSE = 'cluster connection string';
const COLUMNS = [
  'id', 'projectId', 'name', 'createdAt', 'hosts', 'replicaSetName', 'mongodbVersion', 'lastSuccessAt', 'lastProvenAt', 'continuousBackup',
  'tags', 'labels', 'terminationProtection', 'deletedAt', 'backupState', 'namespaceFilter',
] as const;

export function createClusters(context: CatalogContext): Clusters {
  const { db, clock, sealer } = context;
  const select = () => db.selectFrom('clusters').select(COLUMNS);
  const kept = (projectId: string) => select()
    .where('projectId', '=', projectId).where('deletedAt', 'is not', null)
    .where(sql<boolean>`exists (select 1 from snapshots s where s.cluster_id = clusters.id and s.deleted_at is null and s.state = 'completed')`);
  return {
    async insert({ id, projectId, name, uri, hosts, continuousBackup = false, tags = [], labels = [], terminationProtection = false }) {
      const plain = {
        id, projectId, name, hosts: [...hosts], createdAt: clock.now(), continuousBackup, terminationProtection,
        replicaSetName: null, mongodbVersion: null, lastSuccessAt: null, lastProvenAt: null,
      };
      await db
        .insertInto('clusters')
        .values({ ...plain, tags: JSON.stringify(tags), labels: JSON.stringify(labels), uriSealed: uri === null ? null : sealer.seal(uri, URI_PURPOSE) })
        .execute();
      return { ...plain, tags, labels, deletedAt: null, backupState: 'started', namespaceFilter: null };
    },
    async get(id) {
      return (await select().where('id', '=', id).executeTakeFirst()) ?? null;
    },
    async byName(projectId, name) {
      return (await select().where('projectId', '=', projectId).where('name', '=', name).where('deletedAt', 'is', null).executeTakeFirst()) ?? null;
    },
    async keptByName(projectId, name) {
      return (await kept(projectId).where('name', '=', name).orderBy('deletedAt', 'desc').limit(1).executeTakeFirst()) ?? null;
    },
    kept: (projectId) => kept(projectId).orderBy('name').orderBy('id').execute(),
    list(projectId, page) {
      return readPage(
        db,
        page,
        select().where('projectId', '=', projectId).where('deletedAt', 'is', null).orderBy('name').orderBy('id'),
        db.selectFrom('clusters').select(countRows).where('projectId', '=', projectId).where('deletedAt', 'is', null),
      );
    },
    async ofProjects(projectIds) {
      const rows = select().where('deletedAt', 'is', null).orderBy('projectId').orderBy('name');
      return projectIds === null ? rows.execute() : rows.where(isAnyOf('projectId', projectIds)).execute();
    },
    async uriOf(id) {
      const row = await db.selectFrom('clusters').select('uriSealed').where('id', '=', id).executeTakeFirst();
      return row?.uriSealed == null ? null : sealer.open(row.uriSealed, URI_PURPOSE);
    },
    setUri: (id, uri, hosts) => atomically(context, async (inner) => {
      const before = await inner.db.selectFrom('clusters').select('hosts').where('id', '=', id).executeTakeFirst();
      await inner.db.updateTable('clusters').set({ uriSealed: sealer.seal(uri, URI_PURPOSE), hosts: [...hosts] }).where('id', '=', id).execute();
      // Whoever follows the servers of before would go on there, and what they log is not the new ones'.
      if (before !== undefined && !isDeepStrictEqual([...before.hosts].sort(), [...hosts].sort())) await requestEndOfChain(inner, id, 'ADDRESS_CHANGED');
    }),
    async setContinuousBackup(id, on) {
      await db.updateTable('clusters').set({ continuousBackup: on }).where('id', '=', id).execute();
    },
    async setBackupState(id, state) {
      await db.updateTable('clusters').set({ backupState: state }).where('id', '=', id).execute();
    },
    async setNamespaceFilter(id, filter) {
      await db.updateTable('clusters').set({ namespaceFilter: filter === null ? null : JSON.stringify(filter) }).where('id', '=', id).execute();
    },
    async change(id, { tags, labels, terminationProtection }) {
      const news = {
        ...(tags === undefined ? {} : { tags: JSON.stringify(tags) }),
        ...(labels === undefined ? {} : { labels: JSON.stringify(labels) }),
        ...(terminationProtection === undefined ? {} : { terminationProtection }),
      };
      if (Object.keys(news).length > 0) await db.updateTable('clusters').set(news).where('id', '=', id).execute();
    },
    async isRestoring(id) {
      const { rows } = await sql`
        select 1 from jobs j left join restores r on r.id = j.restore_id
        where j.state in ('queued', 'running') and j.kind in ('restore', 'undo', 'dropKept', 'prepareDownload') and (j.cluster_id = ${id} or r.target_cluster_id = ${id})
        union all
        select 1 from restore_plans p join restores r on r.id = p.restore_id where p.settled_at is null and r.target_cluster_id = ${id}
        limit 1`.execute(db);
      return rows.length > 0;
    },
    async hold(id) {
      await db.selectFrom('clusters').select('id').where('id', '=', id).forUpdate().execute();
    },
    async markDeleted(id) {
      await db.updateTable('clusters').set({ deletedAt: clock.now(), uriSealed: null, continuousBackup: false }).where('id', '=', id).execute();
    },
    async revive(id) {
      await db.updateTable('clusters').set({ deletedAt: null, backupState: 'started', namespaceFilter: null }).where('id', '=', id).execute();
    },
    async learn(id, news) {
      const { hosts, ...rest } = news;
      const changes = hosts === undefined ? rest : { ...rest, hosts: [...hosts] };
      if (Object.keys(changes).length === 0) return;
      await db.updateTable('clusters').set(changes).where('id', '=', id).execute();
    },
  };
}
