// Tables of compliance policies, exports and collection restores, as Kysely sees them; beside tables.ts.
import type { ColumnType } from 'kysely';
import type { CollectionRestoreRequest } from '../domain/collection-restore.ts';
import type { CompliancePolicy } from '../domain/compliance.ts';
import type { Label } from '../domain/exports.ts';

type Json<T> = ColumnType<T, string, string>;
type Defaulted<T> = ColumnType<T, T | undefined, T>;

export interface CompliancePoliciesTable {
  projectId: string;
  settings: Json<CompliancePolicy>;
  deletable: Defaulted<boolean>;
  updatedAt: Date;
  updatedBy: string;
}

export interface ExportBucketsTable {
  id: string;
  projectId: string;
  bucketName: string;
  iamRoleId: string;
  isDeclared: boolean | null;
  region: string | null;
  createdAt: Date;
  deletedAt: Date | null;
}

export interface ExportsTable {
  id: string;
  projectId: string;
  clusterId: string;
  clusterName: string;
  snapshotId: string;
  bucketId: string;
  jobId: string;
  prefix: string;
  labels: Json<Label[]>;
  createdAt: Date;
  exportedCollections: Defaulted<number>;
  totalCollections: Defaulted<number>;
}

export interface CollectionRestoresTable {
  restoreId: string;
  clusterId: string;
  createdAt: Date;
  request: Json<CollectionRestoreRequest>;
  /** JSON text: names may hold what jsonb refuses. */
  contents: Defaulted<string | null>;
}
