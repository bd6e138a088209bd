// The plan of one restore attempt: every name that is ours, and which way a crash is to be ended.
// docs/design/restore-protocol.md explains each field and state.
import { randomBytes } from 'node:crypto';
import type { ClusterTime } from '../../domain/cluster-time.ts';
import type { LeftOutReport } from '../../domain/leave-out.ts';
import { LeafvaultError } from '../../foundation/errors.ts';
import type { Expected } from '../snapshot/index.ts';

export type PlanState = 'preparing' | 'proven' | 'swapping' | 'committed' | 'finished' | 'undone';

/** What was read back and found equal to the snapshot. */
export interface ProvenContent {
  readonly documents: number;
  readonly bytes: number;
  /** 32 hex digits. */
  readonly hash: string;
}

export interface FailedIndex {
  readonly name: string;
  readonly reason: string;
}

/** Expiry values that are set once the collection is live; `index` null: the collection's own (clustered, time series). */
export interface Expiry {
  readonly index: string | null;
  /** base64 of a BSON document `{expireAfterSeconds: …}`, so that its type survives. */
  readonly value: string;
}

/** A live name that is moved out of the way: `old` takes the collection, `gap` an intruder. */
export interface Displaced {
  db: string;
  name: string;
  /** 32 hex digits; null: nothing was there. */
  liveUuid: string | null;
  old: string;
  gap: string;
}

export interface SwapStep extends Displaced {
  /** Namespace in the snapshot. */
  from: string;
  shadow: string;
  /** Null until all shadows exist. */
  shadowUuid: string | null;
  proven: ProvenContent | null;
  indexes: number;
  failedIndexes: FailedIndex[];
  expiries: Expiry[];
}

/** What an application made under a live name between two renames; it ends under its gap name. */
export interface Intruder {
  db: string;
  /** 32 hex digits. */
  uuid: string;
  gap: string;
}

export interface PlannedView {
  from: string;
  db: string;
  name: string;
  /** base64 of BSON: options as `listCollections` gave them. */
  options: string;
  viewOn: string;
  trial: string;
  /** In an undo: the kept copy that it is made from; dropped when it is live. */
  keptAs?: string;
  /** What the view was before, as `options`; null: there was none; absent: not looked at yet. */
  before?: string | null;
}

/** A live view that the snapshot lacks: made again as `old`, then dropped. */
export interface AsideView {
  db: string;
  name: string;
  options: string;
  old: string;
}

export interface TimeSeriesStep {
  from: string;
  db: string;
  /** Where the restored series ends: the live name, or one beside it. */
  name: string;
  /** Proven copy; the same as `name` when it stays beside. */
  shadow: string;
  /** UUID of the shadow's buckets. */
  shadowUuid: string | null;
  /** UUID of the live buckets that are to be replaced; null: the name is free. */
  liveUuid: string | null;
  /** base64 of BSON: options to create it with, without expiry. */
  options: string;
  /** base64 of BSON `{indexes: […]}`. */
  indexes: string;
  proven: ProvenContent | null;
  indexCount: number;
  failedIndexes: FailedIndex[];
  expiries: Expiry[];
  stage: 'beside' | 'dropping' | 'copying' | 'done';
  /** UUID of the new live buckets once they exist. From then on applications write to them: they are never dropped. */
  newUuid: string | null;
  /** Names that were given to plain collections which stood in the way; they hold acknowledged writes and are kept. */
  gaps: string[];
}

export interface AuthStep {
  /** Collections of `admin`; null: there was nothing of that kind. */
  users: string | null;
  roles: string | null;
  /** Accounts and roles that were left out, `db.name` each. */
  leftOut: string[];
  merged: boolean;
}

/** A collection under construction that was loaded whole by an attempt that was let to rest. */
export interface RestedShadow {
  /** Namespace in the snapshot. */
  readonly from: string;
  readonly db: string;
  readonly name: string;
  /** 32 hex digits. */
  readonly uuid: string;
  /** Of a restore to an instant. */
  readonly instant?: RestedInstant;
}

/** How far a collection that rests was brought to its instant. */
export interface RestedInstant {
  /** Every operation of the window up to and including it is applied, and none behind it; null: none is. */
  readonly to: ClusterTime | null;
  /** What it has to hold at the border: our own fold, made while the base was loaded. */
  readonly expected: Expected;
  /** Operations that the fold passed over, since what they build on was left out. */
  readonly skipped: number;
}

export interface RestorePlan {
  formatVersion: 1;
  /** `undo`: its shadows are the old collections of the restore before it, which no roll back may drop. */
  kind: 'restore' | 'undo';
  /** Whose undo it is: an attempt of the same one that comes later finishes it, and does not take it back. */
  undoId?: string;
  revision: number;
  restoreId: string;
  snapshotId: string;
  /** Of the target that the plan was made for; null: it has none, or it could not be seen. */
  replicaSetId: string | null;
  prefix: string;
  state: PlanState;
  /** Position that the snapshot is brought to; null: the snapshot as it is. */
  border: ClusterTime | null;
  oldCollections: 'drop' | 'keep';
  /** ISO 8601. */
  createdAt: string;
  swaps: SwapStep[];
  /** Live collections without a counterpart in the snapshot, or in the way of a view. */
  asides: Displaced[];
  views: PlannedView[];
  asideViews: AsideView[];
  timeSeries: TimeSeriesStep[];
  auth: AuthStep | null;
  /** Noted before each is displaced, so that a crash loses none. */
  intruders: Intruder[];
  /** UUIDs of shadows that a roll back found under their live name; saved before it moves the first of them. */
  wereLive: string[];
  warnings: string[];
  /** Time series whose proven copy was lost: the restore ends, and fails. `db.name` each. */
  lost: string[];
  /** An undo: whether the old collections are live once it is finished; false: it takes another undo back. */
  undone: boolean;
  /** Null where nothing was to be left out. */
  leftOut: LeftOutReport | null;
  /** Of the attempt before, until this one has taken them over. */
  rested: RestedShadow[];
  /** Collections that stay when all is over: old ones by policy, intruders after a roll back. `db.name` each. */
  kept: string[];
}

/** A plan without steps. `prefix` is new for each attempt, so that no attempt meets another's names. */
export function newPlan(facts: Pick<RestorePlan, 'restoreId' | 'snapshotId' | 'oldCollections' | 'createdAt' | 'warnings'> & Partial<Pick<RestorePlan, 'border' | 'leftOut'>>): RestorePlan {
  return {
    formatVersion: 1, kind: 'restore', revision: 0, prefix: `__lv_${randomBytes(6).toString('hex')}`, state: 'preparing', border: null, leftOut: null, replicaSetId: null,
    swaps: [], asides: [], views: [], asideViews: [], timeSeries: [], auth: null, intruders: [], wereLive: [], kept: [], lost: [], rested: [], undone: false, ...facts,
  };
}

/** @throws LeafvaultError RESTORE_PLAN_INVALID */
export function parsePlan(stored: Readonly<Record<string, unknown>>): RestorePlan {
  // What the target's copy holds beside the plan.
  const { _id, shadows, barriers, ...plan } = stored as Record<string, unknown> & Partial<RestorePlan>;
  const lists = [plan.swaps, plan.asides, plan.views, plan.asideViews, plan.timeSeries, plan.kept];
  if (plan.formatVersion !== 1 || typeof plan.prefix !== 'string' || typeof plan.revision !== 'number' || lists.some((list) => !Array.isArray(list))) {
    throw new LeafvaultError('RESTORE_PLAN_INVALID', `Reading the plan of restore ${String(plan.restoreId)} failed: its form is not known`, {
      hint: 'Let the version of Leafvault that began this restore, or a newer one, finish it',
    });
  }
  // Fields that plans of the first versions lack.
  return { kind: 'restore', replicaSetId: null, border: null, leftOut: null, intruders: [], wereLive: [], lost: [], rested: [], undone: plan.kind === 'undo', ...plan, timeSeries: plan.timeSeries?.map((step) => ({ ...step, gaps: step.gaps ?? [] })) } as RestorePlan;
}

/** Every collection and view that the plan may have made, with the UUID where it is known. */
export function shadowsOf(plan: RestorePlan): { readonly db: string; readonly name: string; readonly uuid: string | null; readonly timeSeries: boolean }[] {
  return [
    ...plan.swaps.map((step) => ({ db: step.db, name: step.shadow, uuid: step.shadowUuid, timeSeries: false })),
    ...plan.rested.map(({ db, name, uuid }) => ({ db, name, uuid, timeSeries: false })),
    ...plan.views.map((view) => ({ db: view.db, name: view.trial, uuid: null, timeSeries: false })),
    ...plan.timeSeries.map((step) => ({ db: step.db, name: step.shadow, uuid: step.shadowUuid, timeSeries: true })),
    ...[plan.auth?.users, plan.auth?.roles].filter((name) => name != null).map((name) => ({ db: 'admin', name, uuid: null, timeSeries: false })),
  ];
}

/** Intruders beyond the first get a number of their own; the last name is the last try. */
export function gapNames(step: Displaced): string[] {
  return numbered(step.gap);
}

/** Where collections go that an application made under the name of a view. */
export function gapNamesOfView(view: PlannedView): string[] {
  return numbered(`${view.trial}.gap`);
}

function numbered(first: string): string[] {
  return [first, ...[2, 3, 4, 5].map((nth) => `${first}.${nth}`)];
}

/** Every name in the plan that is not a live one: what a capture leaves out of a snapshot. */
export function namesInPlan(plan: RestorePlan): { readonly db: string; readonly name: string }[] {
  return [
    ...shadowsOf(plan),
    ...[...plan.swaps, ...plan.asides].flatMap((step) => [step.old, ...gapNames(step)].map((name) => ({ db: step.db, name }))),
    ...plan.asideViews.map(({ db, old }) => ({ db, name: old })),
    ...plan.views.flatMap((view) => gapNamesOfView(view).map((name) => ({ db: view.db, name }))),
    ...plan.timeSeries.flatMap(({ db, gaps }) => gaps.map((name) => ({ db, name }))),
  ].map(({ db, name }) => ({ db, name }));
}

/** Names of shadows that rest, or are taken over. */
export function restedNames({ rested }: Pick<RestorePlan, 'rested'>): string[] {
  return rested.map(({ db, name }) => `${db}.${name}`);
}

/** Live names that a plan changes or has changed, `db.name` each. */
export function namesOnTarget(plan: RestorePlan): string[] {
  return [...plan.swaps, ...plan.asides, ...plan.timeSeries, ...plan.views, ...plan.asideViews].map(({ db, name }) => `${db}.${name}`);
}
