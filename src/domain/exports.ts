// Exports of snapshots: where they go, what they are, and under which prefix (docs/design/exports.md).
import type { Cluster, JobState, Organization, Project } from './records.ts';
import type { FrequencyType, PolicyItem } from './retention.ts';

export interface ExportBucket {
  readonly id: string;
  readonly projectId: string;
  readonly bucketName: string;
  /** Names an entry of `exportTargets`; of none: the SDK's own chain says where it is. */
  readonly iamRoleId: string;
  /** Whether there was an entry of that name when the bucket was last opened; null: it was not opened since that is noted. */
  readonly isDeclared: boolean | null;
  /** Null: not known. */
  readonly region: string | null;
  readonly createdAt: Date;
}

/** What a schedule exports. */
export interface ScheduleExport {
  readonly bucketId: string;
  readonly frequencyType: FrequencyType;
  readonly isEnabled: boolean;
}

export interface Label { readonly key?: string | undefined; readonly value?: string | undefined }

export interface SnapshotExport {
  readonly id: string;
  readonly projectId: string;
  readonly clusterId: string;
  readonly clusterName: string;
  readonly snapshotId: string;
  readonly bucketId: string;
  readonly jobId: string;
  /** Without a slash at either end. */
  readonly prefix: string;
  readonly labels: readonly Label[];
  readonly createdAt: Date;
  readonly exportedCollections: number;
  /** 0 until they were counted. */
  readonly totalCollections: number;
  readonly state: JobState;
  readonly finishedAt: Date | null;
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
}

export type NewExport = Pick<SnapshotExport, 'id' | 'projectId' | 'clusterId' | 'clusterName' | 'snapshotId' | 'bucketId' | 'jobId' | 'prefix' | 'labels'>;

/** A bucket as who writes to it sees it; handed in by the composition root. */
export interface OpenBucket {
  /** For messages; holds no secret. */
  readonly address: string;
  readonly region: string | null;
  /** Whether it lies at an entry of `exportTargets`. */
  readonly isDeclared: boolean;
  put(key: string, bytes: Uint8Array, options?: { readonly signal?: AbortSignal }): Promise<void>;
  has(key: string): Promise<boolean>;
  close(): Promise<void>;
}

/** Nothing is asked of it yet. @throws EXPORT_TARGET_FORBIDDEN: its entry is kept for other projects; EXPORT_TARGET_GONE: it had one, and has none any more */
export type OpenBucketOf = (bucket: Pick<ExportBucket, 'projectId' | 'bucketName' | 'iamRoleId' | 'isDeclared' | 'region'>) => OpenBucket;

/** Folder of all exports in a bucket. */
export const EXPORTS_FOLDER = 'exported_snapshots';
/** Written when a bucket is made and when an export begins: whoever may not write learns it then. */
export const PERMISSION_CHECK = `${EXPORTS_FOLDER}/.permissioncheck`;

const BUCKET_NAME = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/** As S3 takes them; also the name of a folder, so no `..` is one. */
export function isBucketName(name: string): boolean {
  return BUCKET_NAME.test(name) && !name.includes('..');
}

/** Whether the end of a snapshot that stands for these items is an occasion to export it. */
export function isExportDue(choice: ScheduleExport | null, items: readonly Pick<PolicyItem, 'frequencyType'>[]): choice is ScheduleExport {
  return choice !== null && choice.isEnabled && items.some(({ frequencyType }) => frequencyType === choice.frequencyType);
}

/** Rows of an export, for whoever asks for one. */
export function newExport({ ids, cluster, project, organization, snapshot, bucketId, labels, useNames, now }: {
  readonly ids: { readonly exportId: string; readonly jobId: string };
  readonly cluster: Pick<Cluster, 'id' | 'name' | 'projectId'>; readonly project: Project; readonly organization: Pick<Organization, 'id' | 'name'>;
  readonly snapshot: { readonly id: string; readonly capturedAt: Date | null; readonly requestedAt: Date };
  readonly bucketId: string; readonly labels: readonly Label[]; readonly useNames: boolean; readonly now: Date;
}): NewExport {
  const place = ({ id, name }: { readonly id: string; readonly name: string }): string => (useNames ? plain(name, id) : id);
  const taken = (snapshot.capturedAt ?? snapshot.requestedAt).toISOString();
  return {
    id: ids.exportId, jobId: ids.jobId, projectId: cluster.projectId, clusterId: cluster.id, clusterName: cluster.name, snapshotId: snapshot.id, bucketId, labels,
    prefix: [EXPORTS_FOLDER, place(organization), place(project), cluster.name, `${taken.slice(0, 13)}${taken.slice(14, 16)}`, String(Math.floor(now.getTime() / 1000))].join('/'),
  };
}

/** A name as a part of a path: blanks as `_`, odd characters left out; the id where nothing is left of it. */
function plain(name: string, id: string): string {
  const text = name.replace(/\s/g, '_').replace(/[^A-Za-z0-9._-]/g, '');
  return /^\.*$/.test(text) ? id : text;
}
