// What a user may ask for of compliance policies, exports, the contents of snapshots and collection restores. Handed on by contracts.ts.
import type { CollectionRestoreRequest } from '../domain/collection-restore.ts';
import type { CompliancePolicy } from '../domain/compliance.ts';
import type { ExportBucket, Label, SnapshotExport } from '../domain/exports.ts';
import type { Cluster, Job, Page, PageOf, Project, Restore } from '../domain/records.ts';
import type { Principal } from '../domain/roles.ts';
import type { Restores } from './contracts.ts';
import type { GivenItem } from './schedule-contracts.ts';
import type { SnapshotNamespace } from './snapshot-contents.ts';

export type { SnapshotNamespace };

/** A policy as somebody wrote it: items with an id that is known keep it. */
export type GivenPolicy = Omit<CompliancePolicy, 'projectId' | 'onDemandItem' | 'scheduledItems'> & {
  readonly onDemandItem: (Omit<NonNullable<CompliancePolicy['onDemandItem']>, 'id'> & { readonly id?: string | undefined }) | null;
  readonly scheduledItems: readonly GivenItem[];
};

export type ActivePolicy = CompliancePolicy & { readonly deletable: boolean; readonly updatedAt: Date; readonly updatedBy: string };

export interface CompliancePolicies {
  /** null: the project has none. */
  get(projectId: string): Promise<ActivePolicy | null>;
  /**
   * Counts when it resolves. `overwrite`: schedules and continuous backup of clusters that keep less are raised; else they refuse it.
   * @throws COMPLIANCE_INVALID, COMPLIANCE_PROTECTED (weaker than before), COMPLIANCE_UNMET
   */
  put(request: { readonly project: Project; readonly policy: GivenPolicy; readonly overwrite: boolean; readonly principal: Principal }): Promise<ActivePolicy>;
  /** @throws COMPLIANCE_NOT_FOUND, COMPLIANCE_PROTECTED (not released) */
  remove(request: { readonly project: Project; readonly principal: Principal }): Promise<void>;
}

export interface ExportBuckets {
  /** It was written to when this resolves. @throws EXPORT_BUCKET_INVALID, EXPORT_BUCKET_UNREACHABLE, TEXT_NOT_STORABLE */
  create(request: { readonly project: Project; readonly bucketName: string; readonly iamRoleId: string; readonly principal: Principal }): Promise<ExportBucket>;
  /** Oldest first. */
  list(projectId: string, page: Page): Promise<PageOf<ExportBucket>>;
  /** @throws EXPORT_BUCKET_NOT_FOUND */
  get(projectId: string, id: string): Promise<ExportBucket>;
  /** What was exported stays. @throws EXPORT_BUCKET_NOT_FOUND, EXPORT_BUCKET_IN_USE */
  delete(request: { readonly project: Project; readonly id: string; readonly principal: Principal }): Promise<void>;
}

export interface Exports {
  /** The row and its job are there when this resolves. @throws SNAPSHOT_NOT_FOUND, SNAPSHOT_NOT_COMPLETE, EXPORT_BUCKET_NOT_FOUND, TEXT_NOT_STORABLE */
  create(request: {
    readonly cluster: Cluster; readonly project: Project; readonly snapshotId: string; readonly bucketId: string; readonly labels: readonly Label[]; readonly principal: Principal;
  }): Promise<SnapshotExport>;
  /** Newest first. */
  list(clusterId: string, page: Page): Promise<PageOf<SnapshotExport>>;
  /** @throws EXPORT_NOT_FOUND */
  get(clusterId: string, id: string): Promise<SnapshotExport>;
  /** What it wrote stays. @throws EXPORT_NOT_FOUND, JOB_NOT_CANCELLABLE */
  cancel(request: { readonly cluster: Cluster; readonly id: string; readonly principal: Principal }): Promise<void>;
}

/** Names in a snapshot, in order. @throws SNAPSHOT_NOT_FOUND, SNAPSHOT_NOT_COMPLETE, NAMESPACE_NOT_FOUND, REPOSITORY_* */
export interface SnapshotContents {
  /** All of it, by database and name. */
  namespaces(cluster: Cluster, snapshotId: string): Promise<readonly SnapshotNamespace[]>;
  databases(cluster: Cluster, snapshotId: string, page: Page): Promise<PageOf<string>>;
  database(cluster: Cluster, snapshotId: string, database: string): Promise<string>;
  collections(cluster: Cluster, snapshotId: string, database: string, page: Page): Promise<PageOf<string>>;
  collection(cluster: Cluster, snapshotId: string, name: { readonly database: string; readonly collection: string }): Promise<string>;
}

export const COLLECTION_STATES = ['NOT_STARTED', 'IN_PROGRESS', 'FINALIZING', 'NOT_FOUND', 'UNSUPPORTED', 'SUCCESSFUL', 'ROLLBACK', 'NOT_RESTORED', 'FAILED', 'INDEX_BUILD_FAILED'] as const;

export interface RestoredCollection {
  /** `db.collection` each. */
  readonly source: string;
  readonly target: string;
  /** With suffixes. */
  readonly effectiveTarget: string;
  readonly state: Exclude<(typeof COLLECTION_STATES)[number], 'UNSUPPORTED'>;
  readonly restoredDocuments: number;
  readonly totalDocuments: number;
  readonly index: {
    readonly state: 'NOT_STARTED' | 'IN_PROGRESS' | 'SUCCESSFUL' | 'FAILED' | 'NOT_RESTORED';
    readonly failed: readonly { readonly name: string; readonly reason: string }[];
    readonly errorMessage: string | null;
  };
}

export interface CollectionRestore {
  readonly restore: Pick<Restore, 'id' | 'projectId' | 'clusterId' | 'clusterName' | 'snapshotId' | 'instant' | 'targetProjectId' | 'targetClusterName' | 'createdAt' | 'jobId'>;
  readonly request: CollectionRestoreRequest;
  readonly indexStrategy: 'ALL' | 'NONE' | 'ALL_EXCEPT_TTL';
  readonly job: Pick<Job, 'state' | 'phase' | 'documentsDone' | 'finishedAt' | 'errorMessage'>;
  readonly collections: readonly RestoredCollection[];
}

export interface CollectionRestores {
  /** @throws as `Restores.create` */
  create(request: Omit<Parameters<Restores['create']>[0], 'delivery' | 'selection' | 'existing' | 'usersAndRoles' | 'download'> & { readonly request: CollectionRestoreRequest }): Promise<CollectionRestore>;
  /** Of the source cluster, newest first. */
  list(clusterId: string, page: Page): Promise<PageOf<CollectionRestore>>;
  /** @throws RESTORE_NOT_FOUND */
  get(clusterId: string, id: string): Promise<CollectionRestore>;
  /** By name. @throws RESTORE_NOT_FOUND */
  collections(request: {
    readonly clusterId: string; readonly id: string; readonly page: Page;
    readonly filter: { readonly state?: string | undefined; readonly source?: string | undefined; readonly target?: string | undefined };
  }): Promise<PageOf<RestoredCollection>>;
  /** @throws RESTORE_NOT_FOUND, NAMESPACE_NOT_FOUND */
  collection(clusterId: string, id: string, source: string): Promise<RestoredCollection>;
}
