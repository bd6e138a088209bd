// What a rescue writes that nothing else may: rows as the store has them, without telling the repository what it said itself.
import { sql } from 'kysely';
import type { Keep, KeepKind } from '../domain/keeps.ts';
import type { KeptItem } from '../domain/retention.ts';
import type { CatalogContext } from './context.ts';
import type { NewDrill } from './drills.ts';
import type { JobFailure } from './leases.ts';
import { RESCUE_MARK } from './rescue-mark.ts';
import { jsonOrNull, type NewSnapshot, type SnapshotOutcome } from './snapshots.ts';

export interface KnownSnapshot {
  readonly id: string;
  readonly clusterId: string;
  readonly state: string;
  readonly deleted: boolean;
  readonly expiresAt: Date;
  readonly capturedAt: Date | null;
  readonly policyItems: readonly KeptItem[] | null;
  /** When the newest expiry was decided that the repository has still to be told; null: there is none. */
  readonly expiryToTellAt: Date | null;
  readonly pin: Keep | null;
  readonly hold: Keep | null;
  /** As of an expiry. */
  readonly pinToTellAt: Date | null;
  readonly holdToTellAt: Date | null;
}

/** A snapshot whose root is there. */
export type FoundSnapshot = NewSnapshot & Omit<SnapshotOutcome, 'expiresAt'> & { readonly requestedAt: Date; readonly finishedAt: Date; readonly expiryByHand: boolean } & Readonly<Record<KeepKind, Keep | null>>;

/** Inside one transaction. */
export interface Rescues {
  /** All rows; some 300 bytes each. */
  snapshots(): Promise<ReadonlyMap<string, KnownSnapshot>>;
  /** Completed, whatever the row said; what was asked for stays as the row has it. Its job is completed as well. */
  saveFound(snapshot: FoundSnapshot): Promise<void>;
  /** @param byHand it is not what the items of its schedule say: somebody wanted it, no policy changes it */
  setExpiry(id: string, expiresAt: Date, options: { readonly byHand: boolean }): Promise<void>;
  /** @param keep null: nothing keeps it */
  setKeep(id: string, kind: KeepKind, keep: Keep | null): Promise<void>;
  markDeleted(id: string, at: Date): Promise<void>;
  /** Fails what was queued or running, with its snapshot. @returns how many */
  failJobs(failure: JobFailure): Promise<number>;
  /** The copies on the targets are newer. */
  emptyPlans(): Promise<void>;
  /** A drill of which only its plan on the target is left, as one that failed and has to be settled. @throws CATALOG_DUPLICATE where another process was faster */
  saveLostDrill(drill: Pick<NewDrill, 'id' | 'jobId' | 'projectId' | 'clusterId' | 'snapshotId' | 'targetClusterId'>, failure: JobFailure): Promise<void>;
  /** Whether a rescue began and has not ended. */
  isUnderWay(): Promise<boolean>;
  end(): Promise<void>;
}

export function createRescues({ db, clock }: CatalogContext): Rescues {
  return {
    async snapshots() {
      const { rows } = await sql<KnownSnapshot>`
        select s.id, s.cluster_id, s.state, s.deleted_at is not null as deleted, s.expires_at, s.captured_at, s.policy_items, s.pin, s.hold,
          told.expiry_to_tell_at, told.pin_to_tell_at, told.hold_to_tell_at
        from snapshots s
        left join (
          select snapshot_id, max(created_at) filter (where kind = 'expiry') as expiry_to_tell_at, max(created_at) filter (where kind = 'pin') as pin_to_tell_at,
            max(created_at) filter (where kind = 'hold') as hold_to_tell_at
          from pending_facts group by snapshot_id
        ) told on told.snapshot_id = s.id`.execute(db);
      return new Map(rows.map((row) => [row.id, row]));
    },
    async saveFound({ pointInTime, selection, replicaSetId, policyItems = null, pin, hold, ...row }) {
      const outcome = {
        state: 'completed', pointInTimeT: pointInTime?.t ?? null, pointInTimeI: pointInTime?.i ?? null, capturedAt: row.capturedAt, finishedAt: row.finishedAt,
        mongodbVersion: row.mongodbVersion, replicaSetName: row.replicaSetName, replicaSetId: replicaSetId ?? null, consistency: row.consistency, documents: row.documents,
        dataSizeBytes: row.dataSizeBytes, storageSizeBytes: row.storageSizeBytes, expiresAt: row.expiresAt, expiryByHand: row.expiryByHand,
      };
      // Due times that joined it after the dump are in what the store says of it.
      const stoodFor = policyItems === null ? {} : { policyItems: JSON.stringify(policyItems), retentionDays: row.retentionDays };
      await db
        .insertInto('snapshots').values({ ...row, ...outcome, ...stoodFor, selection: JSON.stringify(selection), pin: jsonOrNull(pin), hold: jsonOrNull(hold) })
        .onConflict((conflict) => conflict.column('id').doUpdateSet({ ...outcome, ...stoodFor })).execute();
      await db
        .updateTable('jobs').set({ state: 'completed', finishedAt: row.finishedAt })
        .where('snapshotId', '=', row.id).where('kind', '=', 'snapshot').where('state', 'in', ['queued', 'running']).execute();
    },
    async setExpiry(id, expiresAt, { byHand }) {
      await db.updateTable('snapshots').set({ expiresAt, expiryByHand: byHand }).where('id', '=', id).execute();
    },
    async setKeep(id, kind, keep) {
      await db.updateTable('snapshots').set({ [kind]: jsonOrNull(keep) }).where('id', '=', id).execute();
    },
    async markDeleted(id, at) {
      await db.updateTable('snapshots').set({ deletedAt: at }).where('id', '=', id).where('deletedAt', 'is', null).execute();
    },
    async failJobs({ code, message, hint }) {
      const finishedAt = clock.now();
      const failed = await db
        .updateTable('jobs').set({ state: 'failed', finishedAt, errorCode: code, errorMessage: message, errorHint: hint })
        .where('state', 'in', ['queued', 'running']).returning('id').execute();
      await db.updateTable('snapshots').set({ state: 'failed', finishedAt }).where('state', 'in', ['queued', 'inProgress']).execute();
      return failed.length;
    },
    async emptyPlans() {
      await db.updateTable('restorePlans').set({ plan: 'null' }).execute();
    },
    async saveLostDrill({ id, jobId, ...where }, { code, message, hint }) {
      const [createdAt, { projectId, clusterId, snapshotId }] = [clock.now(), where];
      await db.insertInto('jobs').values({
        id: jobId, kind: 'drill', projectId, clusterId, snapshotId, restoreId: null, payload: JSON.stringify({ drillId: id, target: null }), requestedBy: 'leafvault rescue', exclusiveKey: null,
        state: 'failed', createdAt, finishedAt: createdAt, errorCode: code, errorMessage: message, errorHint: hint,
      }).execute();
      await db.insertInto('leases').values({ jobId }).execute();
      // As of restores: the copy of the plan on the target is all that there is.
      await db.insertInto('drills').values({ ...where, id, jobId, trigger: 'asked', place: 'scratch', namespaces: [], createdAt, plan: 'null' }).execute();
    },
    async isUnderWay() {
      return (await db.selectFrom('settings').select('key').where('key', '=', RESCUE_MARK).executeTakeFirst()) !== undefined;
    },
    async end() {
      await db.deleteFrom('settings').where('key', '=', RESCUE_MARK).execute();
    },
  };
}
