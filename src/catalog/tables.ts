// The tables as Kysely sees them. Columns are snake_case in SQL; the camel-case plugin translates.
// Times are timestamptz, big integers JavaScript numbers (sizes stay below 2^53).
import type { ColumnType, Generated } from 'kysely';
import type { BackupState } from '../domain/backup-state.ts';
import type { DrillChoices, DrillPhase } from '../domain/drill.ts';
import type { ScheduleExport } from '../domain/exports.ts';
import type { Keep } from '../domain/keeps.ts';
import type { NamespaceFilter, NamespaceSelection } from '../domain/namespace-selection.ts';
import type { JobForm, RestoreSelection, Tag } from '../domain/records.ts';
import type { KeptItem, PolicyItem } from '../domain/retention.ts';
import type { SnapshotSchedule } from '../domain/schedule.ts';
import type {
  ApiKeysTable, ServiceAccountsTable, ServiceAccountSecretsTable, UsersTable, RoleGrantsTable,
  SessionsTable, RevokedBearersTable, UsedNoncesTable,
} from './credential-tables.ts';
import type { CollectionRestoresTable, CompliancePoliciesTable, ExportBucketsTable, ExportsTable } from './export-tables.ts';

type Json<T> = ColumnType<T, string, string>;
type Defaulted<T> = ColumnType<T, T | undefined, T>;
type DefaultedJson<T> = ColumnType<T, string | undefined, string | null>;

export interface OrganizationsTable { id: string; name: string; createdAt: Date }
export interface ProjectsTable {
  id: string;
  orgId: string;
  name: string;
  createdAt: Date;
  deletedAt: Defaulted<Date | null>;
  tags: ColumnType<readonly Tag[], string | undefined, string>;
}

export interface ClustersTable {
  id: string;
  projectId: string;
  name: string;
  /** Null: rescued without it. */
  uriSealed: string | null;
  hosts: string[];
  replicaSetName: string | null;
  mongodbVersion: string | null;
  lastSuccessAt: Date | null;
  lastProvenAt: Date | null;
  continuousBackup: Defaulted<boolean>;
  createdAt: Date;
  drillChoices: DefaultedJson<DrillChoices | null>;
  drilledFrom: Defaulted<Date | null>;
  deletedAt: Defaulted<Date | null>;
  tags: ColumnType<readonly Tag[], string | undefined, string>;
  labels: ColumnType<readonly Tag[], string | undefined, string>;
  terminationProtection: Defaulted<boolean>;
  backupState: Defaulted<BackupState>;
  namespaceFilter: DefaultedJson<NamespaceFilter | null>;
  /** Worked out by PostgreSQL. */
  followed: ColumnType<boolean, never, never>;
}

export interface SnapshotsTable {
  id: string;
  projectId: string;
  clusterId: string;
  clusterName: string;
  state: string;
  type: string;
  description: string | null;
  retentionDays: number;
  selection: Json<SnapshotSelection | null>;
  requestedAt: Date;
  startedAt: Date | null;
  pointInTimeT: number | null;
  pointInTimeI: number | null;
  capturedAt: Date | null;
  finishedAt: Date | null;
  expiresAt: Date;
  mongodbVersion: string | null;
  replicaSetName: string | null;
  replicaSetId: string | null;
  consistency: string | null;
  documents: number | null;
  dataSizeBytes: number | null;
  storageSizeBytes: number | null;
  jobId: string;
  deletedAt: Date | null;
  policyItems: ColumnType<KeptItem[] | null, string | null | undefined, string | null>;
  expiryByHand: Defaulted<boolean>;
  pin: ColumnType<Keep | null, string | null | undefined, string | null>;
  hold: ColumnType<Keep | null, string | null | undefined, string | null>;
  damagedAt: ColumnType<Date | null, Date | null | undefined, Date | null>;
}

export interface SchedulesTable {
  clusterId: string;
  items: Json<PolicyItem[]>;
  referenceHour: number;
  referenceMinute: number;
  restoreWindowDays: number;
  extraDays: Json<SnapshotSchedule['extraDays']>;
  forms: Json<SnapshotSchedule['forms']>;
  handledUntil: Date;
  owed: Json<string[]>;
  failures: number;
  retryAt: Date | null;
  nextAt: Date | null;
  export: ColumnType<ScheduleExport | null, string | null | undefined, string | null>;
}

export interface ScheduleRunsTable {
  clusterId: string;
  dueAt: Date;
  snapshotId: string;
  items: Json<PolicyItem[]>;
  missed: number;
  settledAt: Date | null;
}

export type SnapshotSelection = NamespaceSelection;

export interface RestoresTable {
  id: string;
  delivery: string;
  projectId: string;
  clusterId: string;
  clusterName: string;
  snapshotId: string;
  targetProjectId: string | null;
  targetClusterId: string | null;
  targetClusterName: string | null;
  selection: Json<RestoreSelection>;
  indexStrategy: string;
  usersAndRoles: boolean;
  createdAt: Date;
  jobId: string;
  provenAt: Date | null;
  provenCollections: number | null;
  provenDocuments: number | null;
  provenBytes: number | null;
  /** What the engine reported, as JSON text: it may hold any character. */
  result: string | null;
  chainId: string | null;
  borderT: number | null;
  borderI: number | null;
  askedTimeMs: number | null;
  form: string | null;
}

export interface DownloadsTable {
  restoreId: string;
  expirationHours: number;
  maxDownloads: number | null;
  downloads: Defaulted<number>;
  fileName: string;
  readyAt: Date | null;
  expiresAt: Date | null;
  sha1: string | null;
}

export interface JobsTable {
  id: string;
  number: Generated<number>;
  kind: string;
  state: string;
  projectId: string;
  clusterId: string;
  snapshotId: string | null;
  restoreId: string | null;
  payload: Json<Record<string, unknown>>;
  requestedBy: string;
  exclusiveKey: string | null;
  createdAt: Date;
  startedAt: Date | null;
  finishedAt: Date | null;
  cancelRequestedAt: Date | null;
  cancelRequestedBy: string | null;
  attempt: Defaulted<number>;
  losses: Defaulted<number>;
  errorCode: string | null;
  errorMessage: string | null;
  errorHint: string | null;
  warnings: ColumnType<readonly string[], string | undefined, string>;
  pausedAt: Defaulted<Date | null>;
  form: ColumnType<JobForm | null, string | null | undefined, string | null>;
}

/** One for each job, made with it; written often, so it is kept apart from the indexed job. */
export interface LeasesTable {
  jobId: string;
  owner: string | null;
  token: Defaulted<number>;
  expiresAt: Date | null;
  progressAt: Date | null;
  phase: string | null;
  namespace: string | null;
  documentsDone: Defaulted<number>;
  documentsTotal: number | null;
  bytesDone: Defaulted<number>;
  bytesTotal: number | null;
  bytesPerSecond: number | null;
  etaSeconds: number | null;
}

export interface WorkersTable {
  id: string;
  host: string;
  pid: number;
  processStart: string;
  startedAt: Date;
  seenAt: Date;
}

export interface CaptureRestsTable {
  jobId: string;
  /** JSON text, as of `restore_plans`. */
  rest: string;
  savedAt: Date;
}

export interface RestorePlansTable {
  restoreId: string;
  jobId: string;
  /** JSON text; jsonb would refuse U+0000 and reorder keys. */
  plan: string;
  savedAt: Date;
  settledAt: Date | null;
  outcome: string | null;
  /** Null: nothing is kept for an undo. */
  keptUntil: Date | null;
}

export interface DrillsTable {
  id: string;
  projectId: string;
  clusterId: string;
  snapshotId: string;
  jobId: string;
  trigger: string;
  place: string;
  targetClusterId: string | null;
  namespaces: string[];
  createdAt: Date;
  phases: DefaultedJson<DrillPhase[]>;
  documents: Defaulted<number | null>;
  bytes: Defaulted<number | null>;
  collections: Defaulted<number | null>;
  indexes: Defaulted<number | null>;
  warnings: DefaultedJson<string[]>;
  /** JSON text, as of `restore_plans`. */
  plan: Defaulted<string | null>;
  settledAt: Defaulted<Date | null>;
}

/** One for each cluster that ever had continuous backup. */
export interface TailersTable {
  clusterId: string;
  owner: string | null;
  token: Defaulted<number>;
  expiresAt: Date | null;
  state: Defaulted<string>;
  chainId: string | null;
  endRequested: string | null;
  cutRequested: Defaulted<boolean>;
  member: string | null;
  positionT: number | null;
  positionI: number | null;
  oldestT: number | null;
  oldestI: number | null;
  newestT: number | null;
  newestI: number | null;
  rolls: Defaulted<boolean>;
  warning: string | null;
  statusAt: Date | null;
  errorCode: string | null;
  errorMessage: string | null;
  errorHint: string | null;
  errorAt: Date | null;
}

export interface ChainsTable {
  id: string;
  clusterId: string;
  replicaSetId: string | null;
  fromT: number;
  fromI: number;
  toT: number;
  toI: number;
  slices: Defaulted<number>;
  records: Defaulted<number>;
  rawBytes: Defaulted<number>;
  storedBytes: Defaulted<number>;
  createdAt: Date;
  newestSliceAt: Date | null;
  endedReason: string | null;
  endedMessage: string | null;
  endedAt: Date | null;
}

export interface PendingFactsTable {
  id: Generated<number>;
  snapshotId: string;
  kind: string;
  body: Json<Record<string, unknown>>;
  createdAt: Date;
}

export interface NumbersTable { kind: string; refId: string; number: Generated<number> }

export interface SubclientsTable {
  id: string;
  clusterId: string;
  name: string;
  nameLower: string;
  databases: string[];
  collections: string[];
  description: Defaulted<string>;
  createdAt: Date;
}

export interface AuditEventsTable {
  id: Generated<number>;
  at: Date;
  principalKind: string | null;
  principalId: string | null;
  principalName: string | null;
  action: string;
  projectId: string | null;
  orgId: string | null;
  object: string | null;
  address: string;
  details: Json<Record<string, unknown>>;
  outcomeUnknown: Defaulted<boolean>;
}

/** Kept by triggers; `kind` and `active` are used by jobs, `active` by snapshots for `completed`. */
export interface RowCountsTable { counted: string; clusterId: string; month: Date; kind: string; active: boolean; n: number }

export interface SettingsTable { key: string; value: Json<unknown> }

/** The catalog's key, sealed with one master key each. */
export interface CatalogKeysTable { masterKeyId: string; sealed: string; createdAt: Date }

export interface Tables {
  organizations: OrganizationsTable;
  projects: ProjectsTable;
  clusters: ClustersTable;
  apiKeys: ApiKeysTable;
  serviceAccounts: ServiceAccountsTable;
  serviceAccountSecrets: ServiceAccountSecretsTable;
  users: UsersTable;
  roleGrants: RoleGrantsTable;
  sessions: SessionsTable;
  revokedBearers: RevokedBearersTable;
  usedNonces: UsedNoncesTable;
  snapshots: SnapshotsTable;
  schedules: SchedulesTable;
  scheduleRuns: ScheduleRunsTable;
  compliancePolicies: CompliancePoliciesTable;
  exportBuckets: ExportBucketsTable;
  exports: ExportsTable;
  collectionRestores: CollectionRestoresTable;
  restores: RestoresTable;
  downloads: DownloadsTable;
  jobs: JobsTable;
  leases: LeasesTable;
  workers: WorkersTable;
  captureRests: CaptureRestsTable;
  restorePlans: RestorePlansTable;
  drills: DrillsTable;
  tailers: TailersTable;
  chains: ChainsTable;
  pendingFacts: PendingFactsTable;
  numbers: NumbersTable;
  subclients: SubclientsTable;
  auditEvents: AuditEventsTable;
  rowCounts: RowCountsTable;
  settings: SettingsTable;
  catalogKeys: CatalogKeysTable;
}
