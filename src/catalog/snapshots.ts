// Snapshots as rows. A row is `completed` only together with what the root in the repository says.
import { sql, type ExpressionBuilder, type RawBuilder } from 'kysely';
import type { ClusterTime } from '../domain/cluster-time.ts';
import type { Keep, KeepKind } from '../domain/keeps.ts';
import { usualSelection } from '../domain/namespace-selection.ts';
import type { Page, PageOf, Snapshot, SnapshotState } from '../domain/records.ts';
import { daysKept, type KeptItem } from '../domain/retention.ts';
import { atomically, countsOf, isOneOfMany, readLongPage, type CatalogContext } from './context.ts';
import type { SnapshotSelection, Tables } from './tables.ts';
import { isOf, isOfSame, isWhole } from './whole-snapshot.ts';

export type { SnapshotSelection } from './tables.ts';

export type SnapshotRecord = Snapshot & {
  /** null: everything. */
  readonly selection: SnapshotSelection | null;
};

export interface NewSnapshot {
  readonly id: string;
  readonly projectId: string;
  readonly clusterId: string;
  readonly clusterName: string;
  readonly type: Snapshot['type'];
  readonly description: string | null;
  readonly retentionDays: number;
  readonly selection: SnapshotSelection | null;
  /** Counted from the request until the capture is known. */
  readonly expiresAt: Date;
  readonly jobId: string;
  /** Absent: of no schedule. */
  readonly policyItems?: readonly KeptItem[] | null;
}

export interface SnapshotOutcome {
  readonly pointInTime: ClusterTime | null;
  readonly capturedAt: Date;
  readonly expiresAt: Date;
  readonly mongodbVersion: string;
  readonly replicaSetName: string | null;
  /** As the set's configuration says; null where the account could not read it. */
  readonly replicaSetId?: string | null;
  readonly consistency: 'point-in-time' | 'fuzzy';
  readonly documents: number;
  readonly dataSizeBytes: number;
  readonly storageSizeBytes: number;
}

/** What the repository has still to be told. */
export interface PendingFact {
  readonly id: number;
  readonly snapshotId: string;
  readonly kind: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly createdAt: Date;
}

export interface SubclientOfSnapshots { readonly id: string; readonly clusterId: string; readonly isDefault: boolean }

export interface Snapshots {
  /** State `queued`; in one transaction with its job. */
  insert(row: NewSnapshot): Promise<SnapshotRecord>;
  /** Deleted ones too: look at `deletedAt`. */
  get(id: string): Promise<SnapshotRecord | null>;
  byJob(jobId: string): Promise<SnapshotRecord | null>;
  /** Newest first, without deleted ones. */
  list(clusterId: string, page: Page, filter?: { readonly completedOnly?: boolean; readonly unfinishedOnly?: boolean }): Promise<PageOf<SnapshotRecord>>;
  /** Ids of all that are completed and not deleted, those of deleted clusters among them. */
  allKept(): Promise<readonly string[]>;
  /** The newest completed one that is not deleted. */
  newestCompleted(clusterId: string): Promise<SnapshotRecord | null>;
  /** Of everything, not of chosen namespaces; completed and not deleted. */
  newestWhole(clusterId: string): Promise<SnapshotRecord | null>;
  /** The same of what is taken of the cluster by itself now: of everything, or of what its filter says. */
  newestUsual(clusterId: string): Promise<SnapshotRecord | null>;
  /** Ids of completed ones that no newer one replaces, being sound and of everything or of the same selection: whatever deletes by rule leaves them. */
  irreplaceable(clusterId: string): Promise<readonly string[]>;
  /** The same of what was asked for as one of Commvault's subclients; of `default` also what nobody asked for as another one, under whatever filter. `notAfter`: of a time up to it. */
  newestOfSubclient(subclient: SubclientOfSnapshots, notAfter?: Date | null): Promise<SnapshotRecord | null>;
  /** Whether this one is among those. */
  isOfSubclient(subclient: SubclientOfSnapshots, id: string): Promise<boolean>;
  /** State `completed`. The caller has seen the root. */
  complete(id: string, outcome: SnapshotOutcome): Promise<void>;
  /** Ids of completed ones whose time is over, oldest end first; never the newest of its cluster and selection, whatever its age. */
  expired(limit: number): Promise<readonly string[]>;
  /** Deletes it if that still holds of it; false when somebody gave it more time, or it became the newest. */
  markExpired(id: string): Promise<boolean>;
  /** Also leaves the fact for the repository. False when it was deleted before, or a pin or hold keeps it. */
  markDeleted(id: string): Promise<boolean>;
  /** Also leaves the fact for the repository. From then on no policy changes it. */
  setExpiry(id: string, expiresAt: Date): Promise<void>;
  /** What the newest check found: these can't be read whole, all others can. One that can't replaces no older one. */
  noteDamaged(ids: readonly string[]): Promise<void>;
  /** Also leaves the fact for the repository. @param kept false: nothing keeps it any more, and `keep` says who says so */
  setKeep(id: string, kind: KeepKind, keep: Keep, kept: boolean): Promise<void>;
  /** Those of schedules, which a policy may change: not deleted, not failed, without an expiry that was set by hand. Inside a transaction, which then holds them. */
  holdScheduled(clusterId: string): Promise<readonly SnapshotRecord[]>;
  /** Held, newly read; null: no such snapshot. */
  hold(id: string): Promise<SnapshotRecord | null>;
  /** Its retention is that of the longest. False where its job has begun: what it stands for is said by then. */
  joinItems(id: string, items: readonly KeptItem[], expiresAt: Date): Promise<boolean>;
  /** By a policy; its retention is that of the longest item. Of a completed one also the fact for the repository. */
  changePolicy(id: string, items: readonly KeptItem[], expiresAt: Date): Promise<void>;
  /**
   * Oldest first. Nothing of a snapshot that a job makes, and of one that a job reads nothing that lets it go: the repository refuses
   * one that it was told is deleted, and a restore that was promised still has to begin, or to begin again, at rest or not.
   */
  pendingFacts(limit: number): Promise<readonly PendingFact[]>;
  forgetFact(id: number): Promise<void>;
}

const COLUMNS = [
  'id', 'projectId', 'clusterId', 'clusterName', 'state', 'type', 'description', 'retentionDays', 'selection', 'requestedAt',
  'startedAt', 'pointInTimeT', 'pointInTimeI', 'capturedAt', 'finishedAt', 'expiresAt', 'mongodbVersion', 'replicaSetName',
  'consistency', 'documents', 'dataSizeBytes', 'storageSizeBytes', 'jobId', 'deletedAt', 'policyItems', 'pin', 'hold',
] as const;

/** Of one that nothing keeps, in the statements that delete: no door gets past it. What failed stands for nothing. */
const NOT_KEPT = sql<boolean>`((pin is null and hold is null) or state in ('failed', 'cancelled'))`;

/** A fact behind which a snapshot may be gone, or without which one from another catalog would count. */
const LETS_GO = sql<boolean>`(pending_facts.kind = 'deleted' or pending_facts.body -> 'kept' = 'false'::jsonb)`;


/** Whether a newer completed one that no check found damaged is of everything, or of the same selection: no other has all that this one has. */
function isReplaced(eb: ExpressionBuilder<Tables, 'snapshots'>) {
  return eb.exists(eb
    .selectFrom('snapshots as newer').select('newer.id').whereRef('newer.clusterId', '=', 'snapshots.clusterId')
    .where('newer.deletedAt', 'is', null).where('newer.state', '=', 'completed').where('newer.damagedAt', 'is', null)
    .where(sql<boolean>`(newer.requested_at, newer.id) > (snapshots.requested_at, snapshots.id)`)
    .where(sql<boolean>`(${isWhole('newer.selection')} or ${isOfSame('newer.selection', 'snapshots.selection')})`));
}

/** Those that are replaced, and that no restore waits for: one that rests reads its snapshot, and kept oplog from there on, when it goes on. Of a deleted cluster no newer one comes: there each ends when its time is over. */
function expiredOnes({ db, clock }: CatalogContext) {
  return db
    .selectFrom('snapshots').select('id').where('deletedAt', 'is', null).where('state', '=', 'completed').where('expiresAt', '<=', clock.now()).where(NOT_KEPT)
    .where((eb) => eb.not(eb.exists(eb.selectFrom('jobs').select('jobs.id').whereRef('jobs.snapshotId', '=', 'snapshots.id').where('jobs.kind', '=', 'restore').where('jobs.state', 'in', ['queued', 'running']))))
    .where((eb) => eb.or([
      eb.exists(eb.selectFrom('clusters').select('clusters.id').whereRef('clusters.id', '=', 'snapshots.clusterId').where('clusters.deletedAt', 'is not', null)), isReplaced(eb),
    ]));
}

function upTo(notAfter: Date | null, which: RawBuilder<boolean>): RawBuilder<boolean> {
  return notAfter === null ? which : sql<boolean>`(${which} and captured_at <= ${notAfter})`;
}

/** A part whose job is lost may be that of any subclient, so it is not taken for everything. */
function isOfSubclient({ id, isDefault }: SubclientOfSnapshots): RawBuilder<boolean> {
  const askedForAs = (form: RawBuilder<unknown>) => sql<boolean>`exists (select 1 from jobs where jobs.id = snapshots.job_id and ${form} = ${id})`;
  const form = sql`jobs.form ->> 'subclientId'`;
  return isDefault ? sql<boolean>`(${isWhole('selection')} or policy_items is not null or ${askedForAs(sql`coalesce(${form}, ${id})`)})` : askedForAs(form);
}

export function createSnapshots(context: CatalogContext): Snapshots {
  const { db, clock } = context;
  const select = () => db.selectFrom('snapshots').select(COLUMNS);
  const newest = async (clusterId: string, which = sql<boolean>`true`): Promise<SnapshotRecord | null> => {
    const row = await select()
      .where('clusterId', '=', clusterId).where('deletedAt', 'is', null).where('state', '=', 'completed').where(which)
      .orderBy('requestedAt', 'desc').orderBy('id', 'desc').limit(1).executeTakeFirst();
    return row === undefined ? null : recordOf(row);
  };

  return {
    async insert(row) {
      const made = await db
        .insertInto('snapshots')
        .values({ ...row, selection: JSON.stringify(row.selection), policyItems: jsonOrNull(row.policyItems), state: 'queued', requestedAt: clock.now() })
        .returning(COLUMNS)
        .executeTakeFirstOrThrow();
      return recordOf(made);
    },
    async get(id) {
      const row = await select().where('id', '=', id).executeTakeFirst();
      return row === undefined ? null : recordOf(row);
    },
    async byJob(jobId) {
      const row = await select().where('jobId', '=', jobId).executeTakeFirst();
      return row === undefined ? null : recordOf(row);
    },
    async list(clusterId, page, { completedOnly = false, unfinishedOnly = false } = {}) {
      const counts = await countsOf(db, 'snapshots', { clusterIds: [clusterId], active: completedOnly ? true : unfinishedOnly ? false : undefined });
      const all = db
        .selectFrom('snapshots').select('id').where('clusterId', '=', clusterId).where('deletedAt', 'is', null)
        .orderBy('requestedAt', 'desc').orderBy('id', 'desc');
      // In the words of the partial indexes, so that the planner takes them.
      const ids = completedOnly ? all.where(sql<boolean>`state = 'completed'`) : unfinishedOnly ? all.where(sql<boolean>`state <> 'completed'`) : all;
      const { items, totalCount } = await readLongPage(page, { rows: ids, began: 'requestedAt', counts });
      const rows = await select().where(isOneOfMany('id', items.map(({ id }) => id))).orderBy('requestedAt', 'desc').orderBy('id', 'desc').execute();
      return { items: rows.map(recordOf), totalCount };
    },
    newestCompleted: (clusterId) => newest(clusterId),
    newestWhole: (clusterId) => newest(clusterId, isWhole('selection')),
    newestOfSubclient: (subclient, notAfter = null) => newest(subclient.clusterId, upTo(notAfter, isOfSubclient(subclient))),
    async isOfSubclient(subclient, id) {
      return (await db.selectFrom('snapshots').select('id').where('id', '=', id).where('clusterId', '=', subclient.clusterId).where(isOfSubclient(subclient)).executeTakeFirst()) !== undefined;
    },
    async newestUsual(clusterId) {
      const cluster = await db.selectFrom('clusters').select('namespaceFilter').where('id', '=', clusterId).executeTakeFirst();
      return cluster === undefined ? null : newest(clusterId, isOf('selection', usualSelection(cluster)));
    },
    async irreplaceable(clusterId) {
      const rows = await db
        .selectFrom('snapshots').select('id').where('clusterId', '=', clusterId).where('deletedAt', 'is', null).where('state', '=', 'completed')
        .where((eb) => eb.not(isReplaced(eb))).execute();
      return rows.map(({ id }) => id);
    },
    async complete(id, { pointInTime, expiresAt, ...outcome }) {
      // An expiry that somebody set while the capture ran is a wish, and counts.
      const kept = sql<Date>`case when exists (select 1 from pending_facts where snapshot_id = ${id} and kind = 'expiry')
        then expires_at else ${expiresAt}::timestamptz end`;
      await db
        .updateTable('snapshots')
        .set({
          ...outcome, expiresAt: kept, state: 'completed', finishedAt: clock.now(), pointInTimeT: pointInTime?.t ?? null, pointInTimeI: pointInTime?.i ?? null,
        })
        .where('id', '=', id)
        .execute();
    },
    async expired(limit) {
      const rows = await expiredOnes(context).orderBy('expiresAt').limit(limit).execute();
      return rows.map(({ id }) => id);
    },
    markExpired: (id) =>
      atomically(context, async (inner) => {
        // Two ends in one cluster follow each other: each must see the other's newest.
        await sql`select 1 from clusters where id = (select cluster_id from snapshots where id = ${id}) for update`.execute(inner.db);
        const row = await expiredOnes(inner).where('id', '=', id).executeTakeFirst();
        return row !== undefined && createSnapshots(inner).markDeleted(id);
      }),
    markDeleted: (id) =>
      atomically(context, async (inner) => {
        const row = await inner.db
          .updateTable('snapshots').set({ deletedAt: clock.now() }).where('id', '=', id).where('deletedAt', 'is', null).where(NOT_KEPT)
          .returning('id').executeTakeFirst();
        if (row !== undefined) await leaveFact(inner, id, 'deleted', {});
        return row !== undefined;
      }),
    async allKept() {
      const rows = await db.selectFrom('snapshots').select('id').where('state', '=', 'completed').where('deletedAt', 'is', null).execute();
      return rows.map(({ id }) => id);
    },
    async noteDamaged(ids) {
      const are = isOneOfMany('id', ids);
      await db.updateTable('snapshots').set({ damagedAt: clock.now() }).where('damagedAt', 'is', null).where(are).execute();
      await db.updateTable('snapshots').set({ damagedAt: null }).where('damagedAt', 'is not', null).where(sql<boolean>`not (${are})`).execute();
    },
    setExpiry: (id, expiresAt) =>
      atomically(context, async (inner) => {
        await inner.db.updateTable('snapshots').set({ expiresAt, expiryByHand: true }).where('id', '=', id).execute();
        await leaveFact(inner, id, 'expiry', { expiresAt: expiresAt.toISOString() });
      }),
    setKeep: (id, kind, { by, reason, at }, kept) =>
      atomically(context, async (inner) => {
        await inner.db.updateTable('snapshots').set({ [kind]: kept ? JSON.stringify({ by, reason, at }) : null }).where('id', '=', id).execute();
        await leaveFact(inner, id, kind, kept ? { kept, by, reason } : { kept, by });
      }),
    async holdScheduled(clusterId) {
      const rows = await select()
        .where('clusterId', '=', clusterId).where('deletedAt', 'is', null).where('policyItems', 'is not', null).where('expiryByHand', '=', false)
        .where('state', 'in', ['queued', 'inProgress', 'completed']).orderBy('id').forUpdate().execute();
      return rows.map(recordOf);
    },
    async hold(id) {
      const row = await select().where('id', '=', id).forUpdate().executeTakeFirst();
      return row === undefined ? null : recordOf(row);
    },
    async joinItems(id, items, expiresAt) {
      const row = await db
        .updateTable('snapshots').set({ policyItems: JSON.stringify(items), retentionDays: daysKept(items), expiresAt })
        .where('id', '=', id).where('state', '=', 'queued').where('deletedAt', 'is', null).returning('id').executeTakeFirst();
      return row !== undefined;
    },
    changePolicy: (id, items, expiresAt) =>
      atomically(context, async (inner) => {
        const { state } = await inner.db
          .updateTable('snapshots').set({ policyItems: JSON.stringify(items), retentionDays: daysKept(items), expiresAt }).where('id', '=', id).returning('state').executeTakeFirstOrThrow();
        // Of one that is captured the job says it, with its end.
        if (state === 'completed') await leaveFact(inner, id, 'expiry', { expiresAt: expiresAt.toISOString() });
      }),
    async pendingFacts(limit) {
      return db
        .selectFrom('pendingFacts').select(['id', 'snapshotId', 'kind', 'body', 'createdAt'])
        .where((eb) => eb.not(eb.exists(
          eb.selectFrom('jobs').select('jobs.id').whereRef('jobs.snapshotId', '=', 'pendingFacts.snapshotId').where('jobs.state', 'in', ['queued', 'running'])
            .where((job) => job.or([job('jobs.kind', '=', 'snapshot'), LETS_GO])),
        )))
        .orderBy('id').limit(limit).execute();
    },
    async forgetFact(id) {
      await db.deleteFrom('pendingFacts').where('id', '=', id).execute();
    },
  };
}

async function leaveFact({ db, clock }: CatalogContext, snapshotId: string, kind: string, body: Record<string, unknown>): Promise<void> {
  await db.insertInto('pendingFacts').values({ snapshotId, kind, body: JSON.stringify(body), createdAt: clock.now() }).execute();
}

interface SnapshotRow {
  id: string; projectId: string; clusterId: string; clusterName: string; state: string; type: string; description: string | null;
  retentionDays: number; selection: SnapshotSelection | null; requestedAt: Date; startedAt: Date | null; pointInTimeT: number | null;
  pointInTimeI: number | null; capturedAt: Date | null; finishedAt: Date | null; expiresAt: Date; mongodbVersion: string | null;
  replicaSetName: string | null; consistency: string | null; documents: number | null; dataSizeBytes: number | null;
  storageSizeBytes: number | null; jobId: string; deletedAt: Date | null; policyItems: readonly KeptItem[] | null;
  pin: Keep | null; hold: Keep | null;
}

/** For a column of JSON that may be empty. */
export function jsonOrNull(value: unknown): string | null {
  return value === null || value === undefined ? null : JSON.stringify(value);
}

/** Field by field: taking rows apart and spreading them costs more than reading them. */
function recordOf(row: SnapshotRow): SnapshotRecord {
  return {
    id: row.id,
    projectId: row.projectId,
    clusterId: row.clusterId,
    clusterName: row.clusterName,
    state: row.state as SnapshotState,
    type: row.type as Snapshot['type'],
    description: row.description,
    retentionDays: row.retentionDays,
    selection: row.selection,
    requestedAt: row.requestedAt,
    startedAt: row.startedAt,
    pointInTime: row.pointInTimeT === null || row.pointInTimeI === null ? null : { t: row.pointInTimeT, i: row.pointInTimeI },
    capturedAt: row.capturedAt,
    finishedAt: row.finishedAt,
    expiresAt: row.expiresAt,
    mongodbVersion: row.mongodbVersion,
    replicaSetName: row.replicaSetName,
    consistency: row.consistency as Snapshot['consistency'],
    documents: row.documents,
    dataSizeBytes: row.dataSizeBytes,
    storageSizeBytes: row.storageSizeBytes,
    jobId: row.jobId,
    deletedAt: row.deletedAt,
    policyItems: row.policyItems,
    pin: row.pin,
    hold: row.hold,
  };
}
