// Saves a plan in the catalog's journal, then on the target; of two copies the higher revision counts.
import type { Collection } from 'mongodb';
import { BSON, MongoServerError } from 'mongodb';
import { systemClock, type Clock } from '../../foundation/clock.ts';
import { LeafvaultError } from '../../foundation/errors.ts';
import type { RestoreJournal } from '../contracts.ts';
import { PLAN_COLLECTION, PLAN_DB } from '../mongo/namespaces.ts';
import type { Target } from './open-target.ts';
import { refuseExchanged } from './exchanged-target.ts';
import { namesInPlan, parsePlan, type RestorePlan } from './plan.ts';

export interface PlanStore {
  /** Durable in both places when it resolves. @throws what the journal throws when the lease is lost */
  save(plan: RestorePlan): Promise<void>;
  /** Saves again when the last save is 250 ms old: proof that the lease still is ours. Before each step on the target. */
  hold(plan: RestorePlan): Promise<void>;
  /** Brings the target's copy of a plan that is over up to date, if there is one. */
  settleCopy(plan: RestorePlan): Promise<void>;
  /** Takes the plan off the target; the journal keeps it. */
  forget(plan: RestorePlan): Promise<void>;
}

/** A plan as it lies on the target. `shadows` lists the namespaces that no capture takes into a snapshot. */
interface StoredPlan {
  readonly _id: string;
  readonly revision: number;
  readonly prefix: string;
  readonly shadows: readonly string[];
}

const HOLD_MS = 250;
const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024;

export function createPlanStore(journal: RestoreJournal, target: Target, clock: Pick<Clock, 'monotonicMs'> = systemClock): PlanStore {
  let savedAt = Number.NEGATIVE_INFINITY;
  return {
    async save(plan) {
      plan.replicaSetId ??= await target.replicaSetId();
      plan.revision += 1;
      await journal.save(JSON.parse(JSON.stringify(plan)) as Record<string, unknown>);
      try {
        await plansOf(target).replaceOne({ _id: plan.restoreId, revision: { $lt: plan.revision } }, storedOf(plan), { upsert: true, writeConcern: { w: 'majority' } });
      } catch (cause) {
        if (!(cause instanceof MongoServerError) || cause.code !== 11000) throw cause;
        throw new LeafvaultError('RESTORE_PLAN_INVALID', `Saving the plan of restore ${plan.restoreId} on the target failed: another worker has saved a later one`, { cause });
      }
      savedAt = clock.monotonicMs();
    },
    async hold(plan) {
      if (clock.monotonicMs() - savedAt >= HOLD_MS) await this.save(plan);
    },
    async settleCopy(plan) {
      const { _id, ...copy } = storedOf(plan);
      if (plan.kept.length === 0) await this.forget(plan);
      else await plansOf(target).replaceOne({ _id, prefix: plan.prefix }, copy, { writeConcern: { w: 'majority' } });
    },
    async forget(plan) {
      // Never the plan of a later attempt.
      await plansOf(target).deleteOne({ _id: plan.restoreId, prefix: plan.prefix }, { writeConcern: { w: 'majority' } });
    },
  };
}

/**
 * The plan of a restore, null when there is none in either place.
 * @throws RESTORE_PLAN_INVALID, RESTORE_TARGET_EXCHANGED where other servers hold what the journal's plan speaks of
 */
export async function loadPlan(restoreId: string, journal: Pick<RestoreJournal, 'load'>, target: Target): Promise<RestorePlan | null> {
  const fromJournal = await journal.load();
  const fromTarget = await plansOf(target).findOne({ _id: restoreId });
  if (fromJournal !== null) await refuseExchanged(parsePlan(fromJournal), target, fromTarget !== null);
  const copies = [fromJournal, fromTarget as Record<string, unknown> | null].filter((copy) => copy !== null).map((copy) => parsePlan(copy));
  return copies.sort((a, b) => b.revision - a.revision)[0] ?? null;
}

/** Plans of other restores that lie on the target. */
export async function otherPlans(restoreId: string, target: Target): Promise<RestorePlan[]> {
  const found = await plansOf(target).find({ _id: { $ne: restoreId } }).toArray();
  return found.map((each) => parsePlan(each as unknown as Record<string, unknown>));
}

/** The plan is one document on the target. @throws RESTORE_PREFLIGHT_REFUSED when it would pass the limit of 16 MiB */
export function refuseLargePlan(plan: RestorePlan): void {
  if (fitsOneDocument(plan)) return;
  const reason = `its plan names ${plan.swaps.length + plan.asides.length + plan.timeSeries.length} collections, and a plan has to fit into one document`;
  throw new LeafvaultError('RESTORE_PREFLIGHT_REFUSED', `Restoring was refused before it began: ${reason}`, {
    details: { reasons: [reason] }, hint: 'Restore a few databases at a time',
  });
}

/** With room for what is found out later: UUIDs, proofs, failed indexes. */
export function fitsOneDocument(plan: RestorePlan): boolean {
  return BSON.calculateObjectSize(storedOf(plan)) * 1.25 < MAX_DOCUMENT_BYTES;
}

function storedOf(plan: RestorePlan): StoredPlan & RestorePlan {
  return { ...plan, _id: plan.restoreId, shadows: shadowNamesOf(plan) };
}

/** What a capture leaves out because of this plan, `db.name` each. */
export function shadowNamesOf(plan: RestorePlan): string[] {
  if (plan.state === 'finished' || plan.state === 'undone') return plan.kept;
  return [...plan.kept, ...namesInPlan(plan).map(({ db, name }) => `${db}.${name}`)];
}

function plansOf(target: Target): Collection<StoredPlan> {
  return target.db(PLAN_DB).collection<StoredPlan>(PLAN_COLLECTION);
}
