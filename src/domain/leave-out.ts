// What a restore to an instant leaves out (docs/design/continuous-backup.md, "Leaving something out").
import { compareClusterTimes, showClusterTime, type ClusterTime } from './cluster-time.ts';

export const LEFT_OUT_KINDS = ['insert', 'update', 'delete', 'drop'] as const;
export type LeftOutKind = (typeof LEFT_OUT_KINDS)[number];

export type LeaveOut =
  /** An entry, or the transaction that counts there; `operation`: one of its operations, from 0. */
  | { readonly at: ClusterTime; readonly operation?: number | undefined }
  /** `lsid.id` as 32 hex digits; both ends included. */
  | { readonly session: string; readonly from?: ClusterTime | undefined; readonly to?: ClusterTime | undefined }
  /** `db.collection`, with `drop` also `db` alone; both ends included. */
  | { readonly namespace: string; readonly kind: LeftOutKind; readonly from: ClusterTime; readonly to: ClusterTime };

/** `refuse`: the restore fails, telling them, if anything depends on what is left out. */
export const DEPENDENTS_CHOICES = ['refuse', 'apply'] as const;
export type DependentsChoice = (typeof DEPENDENTS_CHOICES)[number];

/** Whoever asks for more means a range. */
export const MOST_CHOICES = 1_000;

export interface LeaveOutRequest {
  readonly what: readonly LeaveOut[];
  readonly dependents: DependentsChoice;
}

/** What became of an operation that depends on something left out. */
export type DependentOutcome = 'applied' | 'overwrites' | 'skipped' | 'moot';

export interface Dependent {
  readonly position: ClusterTime;
  readonly namespace: string;
  /** Canonical Extended JSON, cut where it is long. */
  readonly id: string;
  readonly kind: 'insert' | 'update' | 'delete';
  readonly outcome: DependentOutcome;
}

/** What a restore left out, and what that changed. */
export interface LeftOutReport {
  /** Operations on documents that exist no more at the border count for nothing and are not among them. */
  readonly operations: number;
  readonly commands: readonly { readonly position: ClusterTime; readonly name: string; readonly namespace: string }[];
  readonly dependents: Readonly<Record<DependentOutcome, number>>;
  /** The first of them. */
  readonly examples: readonly Dependent[];
}

/** Where an operation stands: when it counts, which it is of its entry or transaction, and whose. */
export interface OperationPlace {
  readonly time: ClusterTime;
  readonly number: number;
  readonly session: string | null;
}

/** Whether a choice means a write or command. @param namespace as the collection was called then */
export function means(choice: LeaveOut, kind: LeftOutKind | 'command', namespace: string, { time, number, session }: OperationPlace): boolean {
  if ('at' in choice) return compareClusterTimes(choice.at, time) === 0 && (choice.operation ?? number) === number;
  if (choice.from !== undefined && compareClusterTimes(time, choice.from) < 0) return false;
  if (choice.to !== undefined && compareClusterTimes(time, choice.to) > 0) return false;
  if ('session' in choice) return choice.session === session;
  if (choice.kind !== kind) return false;
  return choice.namespace === namespace || (kind === 'drop' && !choice.namespace.includes('.') && namespace.startsWith(`${choice.namespace}.`));
}

/** Where a choice begins; null: nobody said. */
export function beginOf(choice: LeaveOut): ClusterTime | null {
  return 'at' in choice ? choice.at : (choice.from ?? null);
}

/** For messages. */
export function showChoice(choice: LeaveOut): string {
  if ('at' in choice) return `the operation at ${showClusterTime(choice.at)}${choice.operation === undefined ? '' : `, number ${choice.operation}`}`;
  const range = `${choice.from === undefined ? '' : ` from ${showClusterTime(choice.from)}`}${choice.to === undefined ? '' : ` to ${showClusterTime(choice.to)}`}`;
  return 'session' in choice ? `the session ${choice.session}${range}` : `each ${choice.kind} of ${choice.namespace}${range}`;
}
