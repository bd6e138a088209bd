// The service of schedules over rows in memory; snapshots are none of its business there.
import type { CatalogStore, CatalogTransaction, ScheduleRecord } from '../../src/catalog/index.ts';
import type { Clock } from '../../src/foundation/clock.ts';
import type { Schedules } from '../../src/services/contracts.ts';
import { createSchedules } from '../../src/services/schedules.ts';

export function schedulesInMemory(clock: Clock): Schedules {
  const rows = new Map<string, ScheduleRecord>();
  const get = (clusterId: string): Promise<ScheduleRecord | null> => Promise.resolve(rows.get(clusterId) ?? null);
  const schedules = {
    get, hold: get,
    async save(record: ScheduleRecord) { rows.set(record.schedule.clusterId, record); },
    async insert(record: ScheduleRecord) { if (!rows.has(record.schedule.clusterId)) rows.set(record.schedule.clusterId, record); },
  };
  const snapshots = { irreplaceable: () => Promise.resolve([]), holdScheduled: () => Promise.resolve([]) };
  const tx = { schedules, snapshots, compliance: { hold: () => Promise.resolve(null) }, exportBuckets: { hold: () => Promise.resolve(null) }, executeSql: () => Promise.resolve({ rows: [] }) } as unknown as CatalogTransaction;
  const catalog = { schedules, transaction: (work: (inner: CatalogTransaction) => Promise<unknown>) => work(tx) } as unknown as Pick<CatalogStore, 'schedules' | 'transaction'>;
  return createSchedules({ catalog, clock, catchUp: 'once' });
}
