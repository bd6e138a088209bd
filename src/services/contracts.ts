// What a user may ask for, as the doors see it. One factory per noun implements one interface below;
// every method throws LeafvaultError with a code of services/errors.ts and takes no wire form.
import type { Readable } from 'node:stream';
import type {
  Cluster, DeliveryKind, Job, JobForm, ListedRestore, Organization, Page, PageOf, Project, Restore, RestoreForm, RestoreSelection, Snapshot, TimeSeriesChoice,
} from '../domain/records.ts';
import type { Drill, DrillOrder, DrillPlace } from '../domain/drill.ts';
import type { KeepKind } from '../domain/keeps.ts';
import type { RecoveryTime } from '../domain/recovery-time.ts';
import type { ClusterTime } from '../domain/cluster-time.ts';
import type { LeaveOutRequest, LeftOutReport } from '../domain/leave-out.ts';
import type { Instant } from '../domain/instant.ts';
import type { NamespaceSelection } from '../domain/namespace-selection.ts';
import type { Principal } from '../domain/roles.ts';
import type { BackupConfigs, Hosts } from './backup-config-contracts.ts';
import type { Administration } from './administration-contracts.ts';
import type { CollectionRestores, CompliancePolicies, ExportBuckets, Exports, SnapshotContents } from './export-contracts.ts';
import type { Schedules } from './schedule-contracts.ts';
import type { Subclient, Subclients } from './subclient-contracts.ts';
import type { Timeline } from './timeline-contracts.ts';
import type { Upkeep } from './upkeep-contracts.ts';

export type { BackupConfig, BackupConfigs, Host, Hosts, MemberState } from './backup-config-contracts.ts';
export { COLLECTION_STATES } from './export-contracts.ts';
export type {
  ActivePolicy, CollectionRestore, CollectionRestores, CompliancePolicies, ExportBuckets, Exports, GivenPolicy, RestoredCollection, SnapshotContents, SnapshotNamespace,
} from './export-contracts.ts';
export type { ClusterSchedule, GivenItem, ScheduleChange, Schedules } from './schedule-contracts.ts';
export type { Subclient, SubclientContent, Subclients } from './subclient-contracts.ts';
export type { Restorable, Timeline, TimelineQuery } from './timeline-contracts.ts';
export type { ClusterContinuous, ClusterOverview, Overview } from './overview-contracts.ts';
export type { CheckOverview, CheckView, CopyOverview, DamagedSnapshot, LockOverview, PruneOverview, Upkeep, UpkeepView } from './upkeep-contracts.ts';

export interface Inventory {
  organizations(principal: Principal, page: Page): Promise<PageOf<Organization>>;
  projects(principal: Principal, page: Page): Promise<PageOf<Project>>;
  /** @throws PROJECT_NOT_FOUND */
  project(id: string): Promise<Project>;
  /** @throws CLUSTER_NOT_FOUND with details {name, projectId} */
  clusterByName(projectId: string, name: string): Promise<Cluster>;
  /** @throws CLUSTER_NOT_FOUND with details {id, projectId} */
  clusterById(projectId: string, id: string): Promise<Cluster>;
  clusters(projectId: string, page: Page): Promise<PageOf<Cluster>>;
  /** All clusters that the principal may read, with their project: Commvault's tree. */
  visibleClusters(principal: Principal): Promise<readonly { readonly project: Project; readonly cluster: Cluster }[]>;
}

export interface SnapshotFilter {
  readonly completedOnly?: boolean; readonly unfinishedOnly?: boolean;
}

export interface Snapshots {
  /** The row and its job are there when this resolves. @throws CLUSTER_NOT_FOUND, TEXT_NOT_STORABLE, COMPLIANCE_PROTECTED */
  create(request: {
    readonly cluster: Cluster; readonly description: string | null; readonly retentionDays: number; readonly principal: Principal;
    /** False: nobody asked for these days, so a compliance policy that asks for more raises them; true unless told. */
    readonly isRetentionAsked?: boolean;
    readonly selection?: NamespaceSelection;
    /** What the door wants to tell of the job again. */
    readonly jobForm?: JobForm | undefined;
    /** `retentionDays` is all: nothing is added for snapshots on demand. */
    readonly exactDays?: boolean;
  }): Promise<{ readonly snapshot: Snapshot; readonly job: Job }>;
  /** Newest first. */
  list(clusterId: string, page: Page, filter?: SnapshotFilter): Promise<PageOf<Snapshot>>;
  /** @throws SNAPSHOT_NOT_FOUND (deleted ones too) */
  get(clusterId: string, id: string): Promise<Snapshot>;
  /** The newest completed one, up to a time if one is given, that was asked for as this subclient; of `default` the newest that was asked for as no other one, whole or under a filter of namespaces. @throws SNAPSHOT_NOT_FOUND */
  newestOf(subclient: Pick<Subclient, 'id' | 'clusterId' | 'isDefault'>, notAfter?: Date | null): Promise<Snapshot>;
  /** Whether it was asked for as this subclient, as for the newest of one. */
  isOf(subclient: Pick<Subclient, 'id' | 'clusterId' | 'isDefault'>, id: string): Promise<boolean>;
  /** Answers at once; a running capture is cancelled, running readers finish. `unfinishedOnly`: one that is whole by then stays. @throws SNAPSHOT_NOT_FOUND, COMPLIANCE_PROTECTED, SNAPSHOT_KEPT */
  delete(request: { readonly cluster: Cluster; readonly id: string; readonly principal: Principal; readonly unfinishedOnly?: boolean }): Promise<void>;
  /** @throws SNAPSHOT_NOT_FOUND, EXPIRY_INVALID (before the capture), COMPLIANCE_PROTECTED (earlier than now) */
  setExpiry(request: { readonly cluster: Cluster; readonly id: string; readonly expiresAt: Date; readonly principal: Principal }): Promise<Snapshot>;
  /** Keeps it until `letGo`, whatever its retention says. One that is pinned stays as it is. @throws SNAPSHOT_NOT_FOUND, SNAPSHOT_NOT_COMPLETE (failed), SNAPSHOT_KEPT (a second hold), REASON_INVALID, TEXT_NOT_STORABLE */
  keep(request: { readonly cluster: Cluster; readonly id: string; readonly kind: KeepKind; readonly reason: string | null; readonly principal: Principal }): Promise<Snapshot>;
  /** Its retention counts again, a day at least. Nothing happens where nothing keeps it. @throws SNAPSHOT_NOT_FOUND */
  letGo(request: { readonly cluster: Cluster; readonly id: string; readonly kind: KeepKind; readonly principal: Principal }): Promise<Snapshot>;
}

/** What became of a restore, for people. */
export interface RestoreOutcome {
  readonly collections: readonly {
    readonly from: string; readonly to: string; readonly documents: number; readonly bytes: number; readonly indexes: number;
    readonly failedIndexes: readonly { readonly name: string; readonly reason: string }[];
  }[];
  /** `db.collection` each: what stays beside, for an undo or because applications wrote to it. */
  readonly movedAside: readonly string[];
  readonly warnings: readonly string[];
  /** Null where nothing was to be left out. */
  readonly leftOut: LeftOutReport | null;
}

export interface Restores {
  /**
   * @throws SNAPSHOT_NOT_FOUND, SNAPSHOT_NOT_COMPLETE, TARGET_NOT_FOUND, TARGET_FORBIDDEN (no role in the target project),
   *   SELECTION_INVALID, CONTINUOUS_* when the instant can't be restored, with the nearest ones that can
   */
  create(request: {
    readonly cluster: Cluster; readonly delivery: DeliveryKind; readonly principal: Principal;
    /** Exactly one of both. An instant is for `automated` alone; the snapshot to begin with is found for it. */
    readonly snapshotId?: string; readonly instant?: Instant;
    /** What is left out of the instant; without one nothing can be. */
    readonly leaveOut?: LeaveOutRequest;
    readonly target?: { readonly projectId: string; readonly cluster: { readonly name: string } | { readonly id: string } };
    readonly selection?: RestoreSelection;
    readonly indexStrategy?: 'ALL' | 'NONE' | 'ALL_EXCEPT_TTL';
    /** `refuse`: nothing that is there is replaced; default `replace`. */
    readonly existing?: 'replace' | 'refuse';
    /** Also restore users and roles; default true for a whole-cluster restore. */
    readonly usersAndRoles?: boolean;
    /** Default: the setting `restore.timeSeries`. */
    readonly timeSeries?: TimeSeriesChoice | undefined;
    /** What the door wants to tell of the job again. */
    readonly jobForm?: JobForm | undefined;
    readonly download?: { readonly expirationHours: number; readonly maxDownloads: number | null; readonly readyAtOnce: boolean };
    readonly form?: RestoreForm;
  }): Promise<Restore>;
  /** Of the source cluster, newest first. */
  list(clusterId: string, page: Page): Promise<PageOf<ListedRestore>>;
  /** @throws RESTORE_NOT_FOUND */
  get(clusterId: string, id: string): Promise<Restore>;
  /**
   * Asks for the job that swaps what a restore replaced back; what it had made live is kept in turn, so that can be undone too. While one is
   * queued or runs, that one is answered.
   * @throws RESTORE_NOT_FOUND, RESTORE_NOT_UNDOABLE, TARGET_FORBIDDEN (no role in the project that was restored into)
   */
  undo(request: {
    readonly cluster: Cluster; readonly id: string; readonly principal: Principal;
    /** What is to be live: true: what the restore replaced; false: what it restored. Absent: the other than now. */
    readonly undone?: boolean | undefined;
  }): Promise<Job>;
  /** Whether what the restore replaced is live again; null: the catalog was rescued, and the next undo finds out. @throws RESTORE_NOT_FOUND */
  isUndone(clusterId: string, id: string): Promise<boolean | null>;
  /**
   * Asks for the job that drops what a restore keeps for an undo, before its time; while one is queued or runs, that one is answered.
   * @throws RESTORE_NOT_FOUND, RESTORE_NOTHING_KEPT, TARGET_FORBIDDEN
   */
  letGo(request: { readonly cluster: Cluster; readonly id: string; readonly principal: Principal }): Promise<Job>;
  /**
   * Gives up what a restore left on servers that are gone for good: nobody tries to end it any more, and nothing counts as kept.
   * @throws RESTORE_NOT_FOUND, RESTORE_NOT_ABANDONABLE (its servers are there, or nobody can tell), TARGET_FORBIDDEN
   */
  abandon(request: { readonly cluster: Cluster; readonly id: string; readonly principal: Principal }): Promise<void>;
  /** Until when `undo` works; null: nothing is kept. @throws RESTORE_NOT_FOUND */
  undoableUntil(clusterId: string, id: string): Promise<Date | null>;
  /** What the engine reported at its end; null before that, and of a download. @throws RESTORE_NOT_FOUND */
  outcome(clusterId: string, id: string): Promise<RestoreOutcome | null>;
  /** A prepared download is cancelled by ending its address. @throws RESTORE_NOT_FOUND, RESTORE_NOT_CANCELLABLE (already over) */
  cancel(request: { readonly cluster: Cluster; readonly id: string; readonly principal: Principal }): Promise<void>;
}

export type ContinuousState = 'off' | 'starting' | 'running' | 'warning' | 'failed';

/** Instants of one chain: borders with `from <= border <= to`. */
export interface ContinuousWindow {
  readonly chainId: string;
  /** T1 of the oldest base. */
  readonly from: ClusterTime;
  /** Of the newest slice. */
  readonly to: ClusterTime;
  /** Null while it goes on. */
  readonly end: { readonly reason: string; readonly message: string | null; readonly at: Date } | null;
}

/** Between two windows: nothing with `from < border < to` can be restored. */
export interface ContinuousGap {
  readonly from: ClusterTime;
  readonly to: ClusterTime;
  /** For which the earlier chain ended: `FCV_CHANGED`, `STOPPED`, … */
  readonly reason: string;
}

export interface ContinuousStatus {
  readonly state: ContinuousState;
  /** With state `failed`. */
  readonly cause: { readonly code: string; readonly message: string; readonly hint: string | null; readonly at: Date | null } | null;
  /** Words, with state `warning`; with `starting` where the base could not be taken yet. */
  readonly warning: string | null;
  /** The newest border that can be restored; null without a window. */
  readonly recoveryPoint: ClusterTime | null;
  /** From the recovery point to now. */
  readonly lagSeconds: number | null;
  /** Seconds of oplog that can still be lost before the tailer loses something; null before it was followed. */
  readonly headroomSeconds: number | null;
  /** `host:port` that is read. */
  readonly member: string | null;
  /** Oldest first. */
  readonly windows: readonly ContinuousWindow[];
  readonly gaps: readonly ContinuousGap[];
}

/** An instant that can be restored, in both forms; `time` is null where the window is too short for a whole second. */
export interface RestorableInstant { readonly border: ClusterTime; readonly time: Date | null }

export interface Continuous {
  status(cluster: Cluster): Promise<ContinuousStatus>;
  /**
   * The newest usable base not behind the instant, in the newest chain whose window holds it; `border`: what the instant means.
   * @throws CONTINUOUS_NO_WINDOW, CONTINUOUS_IN_FUTURE, CONTINUOUS_NOT_YET, CONTINUOUS_IN_GAP, CONTINUOUS_OUTSIDE_WINDOW, all but the
   *   first with details {before, after}: the nearest `RestorableInstant`s, null where there is none; LEAVE_OUT_BEFORE_BASE
   * With `leaveOut` the base lies before all of it: what a base holds can't be left out.
   */
  findBase(cluster: Cluster, instant: Instant, leaveOut?: LeaveOutRequest): Promise<{ readonly snapshot: Snapshot; readonly chainId: string; readonly border: ClusterTime }>;
}

export interface Downloads {
  /**
   * Opens the archive behind a signed path. @throws DOWNLOAD_NOT_FOUND (altered), DOWNLOAD_EXPIRED, DOWNLOAD_EXHAUSTED, SNAPSHOT_NOT_FOUND
   * `open` begins the transfer; `completed` is told by the door when the last byte left, with the SHA-1 of what was sent.
   */
  resolve(request: { readonly restoreId: string; readonly secret: string }): Promise<{
    readonly fileName: string;
    open(signal: AbortSignal): Readable;
    completed(sha1: string): Promise<void>;
  }>;
}

export interface Jobs {
  /** @throws JOB_NOT_FOUND */
  get(id: string): Promise<Job>;
  /** By Commvault's integer. @throws JOB_NOT_FOUND */
  byNumber(number: number): Promise<Job>;
  list(filter: { readonly clusterIds: readonly string[]; readonly kinds?: readonly Job['kind'][]; readonly active?: boolean; readonly subclientId?: string; readonly endedAfter?: Date }, page: Page): Promise<PageOf<Job>>;
  /** @throws JOB_NOT_FOUND, JOB_NOT_CANCELLABLE, COMPLIANCE_PROTECTED (a snapshot) */
  cancel(id: string, principal: Principal): Promise<void>;
  /**
   * Of a snapshot or a restore: its worker is free within seconds, and nobody takes the job until `resume`. A job that ends first is over.
   * Asking again changes nothing. @throws JOB_NOT_FOUND, JOB_NOT_PAUSABLE, COMPLIANCE_PROTECTED (a snapshot)
   */
  pause(id: string): Promise<void>;
  /** @throws JOB_NOT_FOUND, JOB_NOT_PAUSED */
  resume(id: string): Promise<void>;
  /** Another job that does what this one, which is over, was asked to do; with `pause` it rests at once. @throws JOB_NOT_REPEATABLE, and what asking for it throws */
  repeat(id: string, principal: Principal, how?: { readonly pause?: boolean }): Promise<Job>;
}

/** Whether a cluster could be brought back, and how long it would take. */
export interface ClusterRecovery {
  /** By a drill or a restore. */
  readonly lastProvenAt: Date | null;
  /** What counts for its drills. */
  readonly order: DrillOrder;
  /** Null: never, or not planned yet. One that waits for a first snapshot may lie in the past. */
  readonly nextDrillAt: Date | null;
  /** The newest that was proven or failed. */
  readonly lastDrill: Drill | null;
  readonly lastProven: Drill | null;
  /** Of a whole restore of the newest snapshot; null without a proven drill. */
  readonly expected: RecoveryTime | null;
}

export interface Drills {
  /** Of the newest whole snapshot; the row and its job are there when this resolves. @throws DRILL_WITHOUT_SNAPSHOT, SELECTION_INVALID */
  ask(request: {
    readonly cluster: Cluster;
    /** For people: `apiKey abcdefgh`. */
    readonly requestedBy: string;
    /** Absent: as declared for the cluster. Databases or `db.collection`; empty: everything. */
    readonly namespaces?: readonly string[] | undefined;
    readonly place?: DrillPlace | undefined;
  }): Promise<Drill>;
  /** Newest first. */
  list(clusterId: string, page: Page): Promise<PageOf<Drill>>;
  /** @throws DRILL_NOT_FOUND */
  get(clusterId: string, id: string): Promise<Drill>;
  /** @throws DRILL_NOT_FOUND, JOB_NOT_CANCELLABLE */
  cancel(request: { readonly cluster: Cluster; readonly id: string; readonly requestedBy: string }): Promise<void>;
  recovery(cluster: Cluster): Promise<ClusterRecovery>;
}

/** Integer ids for Commvault, stable for ever, by kind and our id. */
export interface Numbers {
  /** From 2 up, one sequence for all kinds. */
  numberOf(kind: 'project' | 'cluster' | 'subclient' | 'backupset' | 'task' | 'user', id: string): Promise<number>;
  idOf(kind: 'project' | 'cluster' | 'subclient' | 'backupset' | 'task' | 'user', number: number): Promise<string | null>;
}

/** Proven credentials to principals. Every check that the doors need, none of their wire forms. */
export interface Identity {
  /** What digest needs: HA1 (MD5 of public:realm:private, unsealed) and the principal; null for an unknown key. */
  apiKey(publicKey: string): Promise<{ readonly ha1: string; readonly principal: Principal; readonly accessList: readonly string[] } | null>;
  /** True exactly once for each pair, over all doors and processes. `expiresAt`: when the nonce dies anyway. */
  takeNonceCount(nonce: string, count: number, expiresAt: Date): Promise<boolean>;
  /** Secret for signing nonces, download URLs and bearer tokens; derived from the master key. */
  signingKey(purpose: 'digest-nonce' | 'download-url' | 'bearer'): Buffer;
  /** Client credentials. null when wrong. */
  serviceAccount(clientId: string, clientSecret: string): Promise<{ readonly principal: Principal } | null>;
  /** Issues and reads OAuth access tokens (1 hour). */
  issueBearer(principal: Principal): Promise<{ readonly token: string; readonly expiresInSeconds: number }>;
  readBearer(token: string): Promise<{ readonly principal: Principal; readonly accessList: readonly string[] } | null>;
  revokeBearer(token: string): Promise<void>;
  /** User name and password; null when wrong or locked (`lockedSeconds` then says how long). */
  login(name: string, password: string): Promise<{ readonly principal: Principal } | { readonly lockedSeconds: number } | null>;
  /** Session tokens (Commvault, console): hex, stored hashed, 30 minutes of inactivity. */
  openSession(principal: Principal): Promise<string>;
  readSession(token: string): Promise<Principal | null>;
  closeSession(token: string): Promise<void>;
}

/** Who asks for what, from where, and with its outcome in `details`. */
export interface AuditedRequest {
  readonly principal: Principal | null;
  readonly action: string;
  readonly projectId: string | null;
  readonly orgId?: string | null;
  readonly object: string | null;
  readonly address: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

export interface Audit {
  /** Of what is over, or changes nothing. */
  record(event: AuditedRequest): Promise<void>;
  /** Before something is changed: its outcome is told as unknown until `settle`. @returns the number of the event */
  begin(event: AuditedRequest): Promise<number>;
  /** With the outcome; one event for each place that was changed, at least one. */
  settle(id: number, events: readonly AuditedRequest[]): Promise<void>;
}

/**
 * All that `work` asks of the services that it is given counts, or nothing. An instant that is not kept yet is not waited for.
 * What it throws is thrown on.
 */
export type Together = <T>(work: (inside: InsideTogether) => Promise<T>) => Promise<T>;

export interface InsideTogether extends Pick<Services, 'snapshots' | 'restores' | 'schedules' | 'jobs' | 'numbers'> {
  /** Before the first is changed of several: whoever asks for the same ones in another order waits then, and none fails for the other's sake. */
  hold(clusters: readonly Pick<Cluster, 'id' | 'projectId'>[]): Promise<void>;
}

export interface Services {
  readonly inventory: Inventory;
  readonly snapshots: Snapshots;
  readonly schedules: Schedules;
  readonly backupConfigs: BackupConfigs;
  readonly hosts: Hosts;
  readonly compliance: CompliancePolicies;
  readonly exportBuckets: ExportBuckets;
  readonly exports: Exports;
  readonly contents: SnapshotContents;
  readonly collectionRestores: CollectionRestores;
  readonly restores: Restores;
  readonly continuous: Continuous;
  readonly timeline: Timeline;
  readonly downloads: Downloads;
  readonly jobs: Jobs;
  readonly upkeep: Upkeep;
  readonly drills: Drills;
  readonly numbers: Numbers;
  readonly subclients: Subclients;
  readonly identity: Identity;
  readonly together: Together;
  readonly audit: Audit;
  readonly administration: Administration;
}
