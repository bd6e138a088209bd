// Backup configurations and hosts for fast tests of the doors, over clusters in memory that nobody can reach. Their own tests run on a real catalog.
import type { CatalogStore, CatalogTransaction } from '../../src/catalog/index.ts';
import type { Cluster } from '../../src/domain/records.ts';
import type { Clock } from '../../src/foundation/clock.ts';
import type { Services } from '../../src/services/contracts.ts';
import { createBackupConfigs } from '../../src/services/backup-configs.ts';
import { createHosts } from '../../src/services/hosts.ts';

/** @param clusters the rows, which a change replaces */
export function backupsInMemory(clusters: Cluster[], clock: Clock): Pick<Services, 'backupConfigs' | 'hosts'> {
  const change = (id: string, news: Partial<Cluster>): Promise<void> => {
    const at = clusters.findIndex((each) => each.id === id);
    const old = clusters[at];
    if (old !== undefined) clusters[at] = { ...old, ...news };
    return Promise.resolve();
  };
  const rows = {
    get: (id: string) => Promise.resolve(clusters.find((each) => each.id === id) ?? null),
    uriOf: () => Promise.resolve(null), hold: () => Promise.resolve(),
    setBackupState: (id: string, backupState: Cluster['backupState']) => change(id, { backupState }),
    setNamespaceFilter: (id: string, namespaceFilter: Cluster['namespaceFilter']) => change(id, { namespaceFilter }),
    setContinuousBackup: (id: string, continuousBackup: boolean) => change(id, { continuousBackup }),
  };
  const schedules = { get: () => Promise.resolve(null), insert: () => Promise.resolve(), hold: () => Promise.resolve(null), save: () => Promise.resolve() };
  const snapshots = { list: () => Promise.resolve({ items: [], totalCount: 0 }) };
  const tx = { clusters: rows, schedules, snapshots, compliance: { hold: () => Promise.resolve(null) } } as unknown as CatalogTransaction;
  const catalog = { clusters: rows, schedules, snapshots, transaction: (work: (inner: CatalogTransaction) => Promise<unknown>) => work(tx) } as unknown as CatalogStore;
  return {
    backupConfigs: createBackupConfigs({ catalog, clock, snapshots: { delete: () => Promise.resolve() }, probe: () => Promise.reject(new Error('Nobody is there')) }),
    hosts: createHosts({ catalog, clock, probe: () => Promise.reject(new Error('Nobody is there')) }),
  };
}
