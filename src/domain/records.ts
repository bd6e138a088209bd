// What things are: the records that services hand to the doors. Dates are `Date`, sizes bytes, ids 24 hex digits.
import type { Keep } from './keeps.ts';
import type { KeptItem } from './retention.ts';
import type { RestoreInstant } from './instant.ts';
import type { BackupState } from './backup-state.ts';
import type { ClusterTime } from './cluster-time.ts';
import type { NamespaceFilter, NamespaceSelection } from './namespace-selection.ts';

export interface Organization { readonly id: string; readonly name: string; readonly createdAt: Date }

/** A name and a value that somebody put on something. */
export interface Tag { readonly key: string; readonly value: string }

export interface Project {
  readonly id: string;
  readonly orgId: string;
  readonly name: string;
  readonly createdAt: Date;
  readonly tags: readonly Tag[];
  /** Null: it is there. */
  readonly deletedAt: Date | null;
}

export interface Cluster {
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
  readonly createdAt: Date;
  /** Hosts only, never credentials. */
  readonly hosts: readonly string[];
  /** Learned at the last contact; null before. */
  readonly replicaSetName: string | null;
  readonly mongodbVersion: string | null;
  readonly lastSuccessAt: Date | null;
  readonly lastProvenAt: Date | null;
  /** Its oplog is to be followed, so that any instant can be restored. */
  readonly continuousBackup: boolean;
  readonly tags: readonly Tag[];
  readonly labels: readonly Tag[];
  readonly backupState: BackupState;
  /** What snapshots take of it; null: everything. */
  readonly namespaceFilter: NamespaceFilter | null;
  /** It is not to be deleted. */
  readonly terminationProtection: boolean;
  /** Null: it is there. Snapshots of one that is gone may have been kept. */
  readonly deletedAt: Date | null;
}

export type JobKind = 'snapshot' | 'restore' | 'undo' | 'dropKept' | 'prepareDownload' | 'verify' | 'drill' | 'export';
export type JobState = 'queued' | 'running' | 'completed' | 'failed' | 'cancelled';

/** What one door has to tell of a job and no other has: kept as it was given, read by that door alone. */
export type JobForm = Readonly<Record<string, string | number | boolean | null>>;

/** A job, whatever it does; the same row stands behind every door. */
export interface Job {
  readonly id: string;
  readonly kind: JobKind;
  readonly state: JobState;
  readonly projectId: string;
  readonly clusterId: string;
  /** The snapshot that it makes or reads. */
  readonly snapshotId: string | null;
  readonly restoreId: string | null;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  readonly cancelRequestedAt: Date | null;
  /** Since when it rests, or is asked to; no worker takes it until it is resumed. Means nothing once it is over. */
  readonly pausedAt: Date | null;
  readonly phase: string | null;
  readonly documentsDone: number;
  readonly documentsTotal: number | null;
  readonly bytesDone: number;
  readonly bytesTotal: number | null;
  readonly bytesPerSecond: number | null;
  readonly etaSeconds: number | null;
  readonly namespace: string | null;
  /** Bytes that a completed snapshot added to the repository; null for every other job. */
  readonly storedBytes: number | null;
  readonly attempt: number;
  /** Code and words of the failure; never a secret. */
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
  readonly errorHint: string | null;
  /** What it warns of; of a restore before it writes anything, and again at its end. */
  readonly warnings: readonly string[];
  /** Who asked, for people: `apiKey abcdefgh`. */
  readonly requestedBy: string;
  /** Commvault's integer id. */
  readonly number: number;
  /** Null: nothing but what every job has. */
  readonly form: JobForm | null;
}

export type SnapshotState = 'queued' | 'inProgress' | 'completed' | 'failed' | 'cancelled';

export interface Snapshot {
  readonly id: string;
  readonly projectId: string;
  readonly clusterId: string;
  readonly clusterName: string;
  readonly state: SnapshotState;
  readonly type: 'onDemand' | 'scheduled';
  readonly description: string | null;
  readonly retentionDays: number;
  readonly requestedAt: Date;
  /** When work began. */
  readonly startedAt: Date | null;
  /** The instant the data stands for (T1); null until known. */
  readonly pointInTime: ClusterTime | null;
  readonly capturedAt: Date | null;
  readonly finishedAt: Date | null;
  readonly expiresAt: Date;
  readonly mongodbVersion: string | null;
  readonly replicaSetName: string | null;
  readonly consistency: 'point-in-time' | 'fuzzy' | null;
  readonly documents: number | null;
  /** Raw BSON bytes. */
  readonly dataSizeBytes: number | null;
  /** Bytes that this snapshot added to the repository. */
  readonly storageSizeBytes: number | null;
  readonly jobId: string;
  readonly deletedAt: Date | null;
  /** Items of its schedule that it stands for; null: of none. */
  readonly policyItems: readonly KeptItem[] | null;
  /** What keeps it whatever its retention says; null: nothing does. */
  readonly pin: Keep | null;
  readonly hold: Keep | null;
  /** What it takes; null or absent: everything. */
  readonly selection?: NamespaceSelection | null;
}

/** How a restore names its namespaces. All optional: nothing chosen means everything. */
export interface RestoreSelection {
  readonly databases: readonly string[];
  /** `db.collection` each. */
  readonly collections: readonly string[];
  /** From `db` or `db.collection` to the same form. */
  readonly renames: readonly { readonly from: string; readonly to: string }[];
  /** Put behind every name, renamed or not; '' each: nothing. */
  readonly suffixes?: { readonly database: string; readonly collection: string };
}

/**
 * What a restore does with a time series that exists on its target. Nothing can be renamed over one, so either choice is the caller's
 * to make: `beside` leaves it and puts the restored one under a name beside it, `replace` drops it once the restored one is proven.
 */
export const TIME_SERIES_CHOICES = ['refuse', 'beside', 'replace'] as const;
export type TimeSeriesChoice = (typeof TIME_SERIES_CHOICES)[number];

export type DeliveryKind = 'automated' | 'download';

export interface Restore {
  readonly id: string;
  /** Which door made it; each lists its own forms but reads all. */
  readonly delivery: DeliveryKind;
  readonly projectId: string;
  readonly clusterId: string;
  readonly clusterName: string;
  readonly snapshotId: string;
  readonly snapshotCapturedAt: Date | null;
  readonly snapshotPointInTime: ClusterTime | null;
  readonly snapshotFinishedAt: Date | null;
  /** Null: that of the snapshot. Else the snapshot is the base that is replayed from. */
  readonly instant: RestoreInstant | null;
  /** Nothing chosen: everything. */
  readonly selection: RestoreSelection;
  readonly targetProjectId: string | null;
  readonly targetClusterId: string | null;
  readonly targetClusterName: string | null;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  readonly state: JobState;
  /** Download only. */
  readonly download: Download | null;
  /** What was proven, once it was. */
  readonly proof: RestoreProof | null;
  readonly jobId: string;
  /** The form that it was asked for in, where only that form reads it again. */
  readonly form?: RestoreForm | null;
  /** What the door that made it wants to tell of it again. */
  readonly jobForm?: JobForm | null;
}

/** As lists have it: a page has 500 of them, and no list tells the rest. */
export type ListedRestore = Omit<Restore, 'selection' | 'startedAt' | 'proof' | 'jobId' | 'form'>;

/** Forms whose jobs are told apart: clients of all others take any job. */
export type RestoreForm = 'flex';

export interface RestoreProof {
  readonly provenAt: Date;
  readonly collections: number;
  readonly documents: number;
  readonly bytes: number;
}

export type DownloadState = 'preparing' | 'ready' | 'expired' | 'exhausted' | 'failed' | 'cancelled';

export interface Download {
  readonly state: DownloadState;
  /** Absolute signed URL; the path is the secret. Present once ready. */
  readonly url: string | null;
  /** The same archive at an address without a secret, for whoever shows `value` as a bearer token. Present once ready. */
  readonly bearer?: { readonly url: string; readonly value: string };
  readonly expiresAt: Date | null;
  readonly expirationHours: number;
  readonly maxDownloads: number | null;
  readonly downloads: number;
  readonly fileName: string;
  /** Of the archive, after it was downloaded whole. */
  readonly sha1: string | null;
}

export interface Page { readonly pageNumber: number; readonly itemsPerPage: number }
export interface PageOf<T> { readonly items: readonly T[]; readonly totalCount: number }
