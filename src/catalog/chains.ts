// Chains of oplog slices as rows, and the snapshots that are their bases. What the store holds is the truth; rows answer quickly.
import { sql } from 'kysely';
import type { ClusterTime } from '../domain/cluster-time.ts';
import type { CatalogContext } from './context.ts';
import { isWhole } from './whole-snapshot.ts';

export interface Chain {
  readonly id: string;
  readonly clusterId: string;
  readonly replicaSetId: string | null;
  /** Exclusive. */
  readonly from: ClusterTime;
  /** Inclusive: of the newest slice, or `from`. */
  readonly to: ClusterTime;
  readonly slices: number;
  readonly records: number;
  readonly rawBytes: number;
  readonly storedBytes: number;
  readonly createdAt: Date;
  readonly newestSliceAt: Date | null;
  /** Null while it goes on. */
  readonly end: { readonly reason: string; readonly message: string | null; readonly at: Date } | null;
}

/** One or more slices that were put behind those that the row knows. */
export interface ChainGrowth extends Pick<Chain, 'to' | 'records' | 'rawBytes' | 'storedBytes'> {
  /** Number of the newest slice. */
  readonly sequence: number;
  /** How many they are. */
  readonly slices: number;
  readonly newestSliceAt: Date;
}

/** A chain with the instant of its oldest base; null: it has none with `from <= T1 <= to`. */
export interface ChainWindow extends Chain { readonly base: ClusterTime | null }

export interface ChainTotals {
  readonly clusterId: string;
  readonly slices: number;
  readonly rawBytes: number;
  readonly storedBytes: number;
  /** The newest `to` of a chain with a base. */
  readonly recoveryPoint: ClusterTime | null;
  /** There is a chain that goes on, and it has a base. */
  readonly openHasBase: boolean;
}

export interface Chains {
  // The first four belong inside `catalog.following`.

  /** Also over a row that is there: the store knows better. */
  save(chain: Chain): Promise<void>;
  /** Nothing when the row knows these slices already. */
  grow(id: string, growth: ChainGrowth): Promise<void>;
  /** The first end counts. */
  end(id: string, end: { readonly reason: string; readonly message: string | null; readonly at: Date }): Promise<void>;
  /** True: the open chain has no base that was taken in the last `freshMs`, none is on its way, and none failed in the last `patienceMs`. */
  needsBase(id: string, times: { readonly patienceMs: number; readonly freshMs: number }): Promise<boolean>;

  /** Slices at its front went with so many bytes. What was written (slices, records, raw bytes) stays as it is. */
  shrink(id: string, storedBytes: number): Promise<void>;
  /** Why the newest try to get a base for the open chain failed; null where it has one, or another try is under way. */
  baseFailure(id: string): Promise<{ readonly code: string; readonly message: string } | null>;
  get(id: string): Promise<Chain | null>;
  /** The one that goes on. */
  openOf(clusterId: string): Promise<Chain | null>;
  /** All chains of a cluster, oldest first. */
  windows(clusterId: string): Promise<readonly ChainWindow[]>;
  /** Id of the newest snapshot of the chain with `from <= T1 <= border`. */
  newestBase(chain: Chain, border: ClusterTime): Promise<string | null>;
  totals(): Promise<readonly ChainTotals[]>;
  /** All, each with the number of its newest slice. */
  known(): Promise<readonly Pick<Chain, 'id' | 'slices'>[]>;
}

const WHOLE = isWhole('s.selection');
/** Snapshots `s` that are bases of the chain `c`, whatever its newest slice. */
const IS_BASE = sql`s.cluster_id = c.cluster_id and s.state = 'completed' and s.deleted_at is null and s.consistency = 'point-in-time'
  and s.replica_set_id is not distinct from c.replica_set_id and ${WHOLE} and (s.point_in_time_t, s.point_in_time_i) >= (c.from_t, c.from_i)`;
const IN_WINDOW = sql`${IS_BASE} and (s.point_in_time_t, s.point_in_time_i) <= (c.to_t, c.to_i)`;
const COLUMNS = sql`c.id, c.cluster_id, c.replica_set_id, c.from_t, c.from_i, c.to_t, c.to_i, c.slices, c.records, c.raw_bytes, c.stored_bytes,
  c.created_at, c.newest_slice_at, c.ended_reason, c.ended_message, c.ended_at`;

export function createChains({ db, clock }: CatalogContext): Chains {
  const find = async (where: ReturnType<typeof sql>): Promise<Chain | null> => {
    const { rows } = await sql<ChainRow>`select ${COLUMNS} from chains c where ${where}`.execute(db);
    return rows[0] === undefined ? null : recordOf(rows[0]);
  };
  return {
    async save({ id, from, to, end, ...chain }) {
      const row = {
        ...chain, fromT: from.t, fromI: from.i, toT: to.t, toI: to.i,
        endedReason: end?.reason ?? null, endedMessage: end?.message ?? null, endedAt: end?.at ?? null,
      };
      await db.insertInto('chains').values({ id, ...row }).onConflict((conflict) => conflict.column('id').doUpdateSet(row)).execute();
    },
    async grow(id, { to, sequence, slices, records, rawBytes, storedBytes, newestSliceAt }) {
      await sql`
        update chains set to_t = ${to.t}, to_i = ${to.i}, slices = ${sequence}, records = records + ${records}, raw_bytes = raw_bytes + ${rawBytes},
          stored_bytes = stored_bytes + ${storedBytes}, newest_slice_at = ${newestSliceAt}
        where id = ${id} and slices = ${sequence - slices}`.execute(db);
      await db.updateTable('tailers').set({ positionT: to.t, positionI: to.i }).where('chainId', '=', id).execute();
    },
    async end(id, { reason, message, at }) {
      await db.updateTable('chains').set({ endedReason: reason, endedMessage: message, endedAt: at }).where('id', '=', id).where('endedAt', 'is', null).execute();
    },
    async shrink(id, storedBytes) {
      await db.updateTable('chains').set({ storedBytes: sql<number>`greatest(0, stored_bytes - ${storedBytes})` }).where('id', '=', id).execute();
    },
    async needsBase(id, { patienceMs, freshMs }) {
      const now = clock.now().getTime();
      const { rows } = await sql`
        select 1 from chains c where c.id = ${id} and c.ended_at is null
          and not exists (select 1 from snapshots s where ${IS_BASE} and s.finished_at > ${new Date(now - freshMs)})
          and not exists (select 1 from snapshots s where s.cluster_id = c.cluster_id and s.deleted_at is null and s.state in ('queued', 'inProgress') and ${WHOLE}
            and not exists (select 1 from jobs j where j.id = s.job_id and j.paused_at is not null))
          and not exists (select 1 from snapshots s where s.cluster_id = c.cluster_id and s.state in ('failed', 'cancelled') and ${WHOLE}
            and s.requested_at >= c.created_at and s.finished_at > ${new Date(now - patienceMs)})`.execute(db);
      return rows.length > 0;
    },
    async baseFailure(id) {
      const { rows } = await sql<{ state: string; code: string | null; message: string | null }>`
        select s.state, j.error_code as code, j.error_message as message from chains c, snapshots s, jobs j
        where c.id = ${id} and c.ended_at is null and s.cluster_id = c.cluster_id and s.requested_at >= c.created_at and s.deleted_at is null and ${WHOLE}
          and j.id = s.job_id and not exists (select 1 from snapshots s where ${IS_BASE})
        order by s.requested_at desc, s.id desc limit 1`.execute(db);
      const [newest] = rows;
      return newest?.state === 'failed' ? { code: newest.code ?? 'JOBS_FAILED', message: newest.message ?? '' } : null;
    },
    get: (id) => find(sql`c.id = ${id}`),
    openOf: (clusterId) => find(sql`c.cluster_id = ${clusterId} and c.ended_at is null`),
    async windows(clusterId) {
      const { rows } = await sql<ChainRow & { baseT: number | null; baseI: number | null }>`
        select ${COLUMNS}, b.t as base_t, b.i as base_i from chains c left join lateral (
          select s.point_in_time_t as t, s.point_in_time_i as i from snapshots s where ${IN_WINDOW} order by s.point_in_time_t, s.point_in_time_i limit 1
        ) b on true
        where c.cluster_id = ${clusterId} order by c.created_at, c.id`.execute(db);
      return rows.map((row) => ({ ...recordOf(row), base: row.baseT === null || row.baseI === null ? null : { t: row.baseT, i: row.baseI } }));
    },
    async newestBase({ id }, { t, i }) {
      const { rows } = await sql<{ id: string }>`
        select s.id from chains c, snapshots s where c.id = ${id} and ${IN_WINDOW} and (s.point_in_time_t, s.point_in_time_i) <= (${t}, ${i})
        order by s.point_in_time_t desc, s.point_in_time_i desc limit 1`.execute(db);
      return rows[0]?.id ?? null;
    },
    known: () => db.selectFrom('chains').select(['id', 'slices']).execute(),
    async totals() {
      const { rows } = await sql<Omit<ChainTotals, 'recoveryPoint'> & { recoveryT: number | null; recoveryI: number | null }>`
        select c.cluster_id, sum(c.slices)::bigint as slices, sum(c.raw_bytes)::bigint as raw_bytes, sum(c.stored_bytes)::bigint as stored_bytes,
          (array_agg(c.to_t order by c.to_t desc, c.to_i desc) filter (where b.found))[1] as recovery_t,
          (array_agg(c.to_i order by c.to_t desc, c.to_i desc) filter (where b.found))[1] as recovery_i,
          coalesce(bool_or(b.found and c.ended_at is null), false) as open_has_base
        from chains c left join lateral (select true as found from snapshots s where ${IN_WINDOW} limit 1) b on true
        group by c.cluster_id`.execute(db);
      return rows.map(({ recoveryT, recoveryI, ...totals }) => ({
        ...totals, recoveryPoint: recoveryT === null || recoveryI === null ? null : { t: recoveryT, i: recoveryI },
      }));
    },
  };
}

interface ChainRow {
  id: string; clusterId: string; replicaSetId: string | null; fromT: number; fromI: number; toT: number; toI: number; slices: number; records: number;
  rawBytes: number; storedBytes: number; createdAt: Date; newestSliceAt: Date | null; endedReason: string | null; endedMessage: string | null; endedAt: Date | null;
}

function recordOf(row: ChainRow): Chain {
  const { endedReason: reason, endedMessage: message, endedAt: at } = row;
  return {
    id: row.id, clusterId: row.clusterId, replicaSetId: row.replicaSetId, from: { t: row.fromT, i: row.fromI }, to: { t: row.toT, i: row.toI },
    slices: row.slices, records: row.records, rawBytes: row.rawBytes, storedBytes: row.storedBytes, createdAt: row.createdAt,
    newestSliceAt: row.newestSliceAt, end: reason === null || at === null ? null : { reason, message, at },
  };
}
