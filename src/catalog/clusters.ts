// Clusters: what to back up and where to restore to. The connection string is sealed; hosts are plain.
import type { Cluster, Page, PageOf } from '../domain/records.ts';
import { countRows, isAnyOf, readPage, type CatalogContext } from './context.ts';

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
  get(id: string): Promise<Cluster | null>;
  byName(projectId: string, name: string): Promise<Cluster | null>;
  /** By name. */
  list(projectId: string, page: Page): Promise<PageOf<Cluster>>;
  /** Every cluster of these projects (null: of all), by project and name. */
  ofProjects(projectIds: readonly string[] | null): Promise<readonly Cluster[]>;
  /** The connection string, unsealed; keep it out of messages and logs. Null: no such cluster, or it waits for one. @throws SEAL_BROKEN */
  uriOf(id: string): Promise<string | null>;
  setUri(id: string, uri: string, hosts: readonly string[]): Promise<void>;
  /** Whoever follows the cluster hears of it with the next renewal of its lease. */
  setContinuousBackup(id: string, on: boolean): Promise<void>;
  /** Writes down what the last contact taught; absent fields stay. */
  learn(id: string, news: ClusterNews): Promise<void>;
}

export const URI_PURPOSE = 'cluster connection string';
const COLUMNS = [
  'id', 'projectId', 'name', 'createdAt', 'hosts', 'replicaSetName', 'mongodbVersion', 'lastSuccessAt', 'lastProvenAt', 'continuousBackup',
] as const;

export function createClusters({ db, clock, sealer }: CatalogContext): Clusters {
  const select = () => db.selectFrom('clusters').select(COLUMNS);
  return {
    async insert({ id, projectId, name, uri, hosts, continuousBackup = false }) {
      const plain = {
        id, projectId, name, hosts: [...hosts], createdAt: clock.now(), continuousBackup,
        replicaSetName: null, mongodbVersion: null, lastSuccessAt: null, lastProvenAt: null,
      };
      await db.insertInto('clusters').values({ ...plain, uriSealed: uri === null ? null : sealer.seal(uri, URI_PURPOSE) }).execute();
      return plain;
    },
    async get(id) {
      return (await select().where('id', '=', id).executeTakeFirst()) ?? null;
    },
    async byName(projectId, name) {
      return (await select().where('projectId', '=', projectId).where('name', '=', name).executeTakeFirst()) ?? null;
    },
    list(projectId, page) {
      return readPage(
        db,
        page,
        select().where('projectId', '=', projectId).orderBy('name').orderBy('id'),
        db.selectFrom('clusters').select(countRows).where('projectId', '=', projectId),
      );
    },
    async ofProjects(projectIds) {
      const rows = select().orderBy('projectId').orderBy('name');
      return projectIds === null ? rows.execute() : rows.where(isAnyOf('projectId', projectIds)).execute();
    },
    async uriOf(id) {
      const row = await db.selectFrom('clusters').select('uriSealed').where('id', '=', id).executeTakeFirst();
      return row?.uriSealed == null ? null : sealer.open(row.uriSealed, URI_PURPOSE);
    },
    async setUri(id, uri, hosts) {
      await db.updateTable('clusters').set({ uriSealed: sealer.seal(uri, URI_PURPOSE), hosts: [...hosts] }).where('id', '=', id).execute();
    },
    async setContinuousBackup(id, on) {
      await db.updateTable('clusters').set({ continuousBackup: on }).where('id', '=', id).execute();
    },
    async learn(id, news) {
      const { hosts, ...rest } = news;
      const changes = hosts === undefined ? rest : { ...rest, hosts: [...hosts] };
      if (Object.keys(changes).length === 0) return;
      await db.updateTable('clusters').set(changes).where('id', '=', id).execute();
    },
  };
}
