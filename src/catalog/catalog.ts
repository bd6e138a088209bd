// The catalog: one object with an aggregate for each noun, over a database or over one transaction.
import { CompiledQuery } from 'kysely';
import { LeafvaultError } from '../foundation/errors.ts';
import { createApiKeys, type ApiKeys } from './api-keys.ts';
import { createAuditEvents, type AuditEvents } from './audit-events.ts';
import { createClusters, type Clusters } from './clusters.ts';
import { createChains, type Chains } from './chains.ts';
import { createCollectionRestores, type CollectionRestores } from './collection-restores.ts';
import { createCompliance, type Compliance } from './compliance.ts';
import { createCaptureRests, type CaptureRests } from './capture-rests.ts';
import type { CatalogContext } from './context.ts';
import { createDrills, type Drills } from './drills.ts';
import { createExportBuckets, type ExportBuckets } from './export-buckets.ts';
import { createExports, type Exports } from './exports.ts';
import { createJobs, type Jobs } from './jobs.ts';
import { createLeases, type Claim, type Leases } from './leases.ts';
import { createNumbers, type Numbers } from './numbers.ts';
import { createOrganizations, type Organizations } from './organizations.ts';
import { createOverview, type Overview } from './overview.ts';
import { createProjects, type Projects } from './projects.ts';
import { createRescues, type Rescues } from './rescues.ts';
import { createRestorePlans, type RestorePlans } from './restore-plans.ts';
import { createRestores, type Restores } from './restores.ts';
import { createRoleGrants, type RoleGrants } from './role-grants.ts';
import { createServiceAccounts, type ServiceAccounts } from './service-accounts.ts';
import { createSchedules, type Schedules } from './schedules.ts';
import { createSessions, type Sessions } from './sessions.ts';
import { createSettings, type Settings } from './settings.ts';
import { createSnapshots, type Snapshots } from './snapshots.ts';
import { createSubclients, type Subclients } from './subclients.ts';
import { createTailers, tailerLost, type TailerClaim, type Tailers } from './tailers.ts';
import { createUsers, type Users } from './users.ts';
import { createWorkers, type Workers } from './workers.ts';

/** Everything that can be done in one transaction as well as outside of one. */
export interface CatalogAggregates {
  readonly organizations: Organizations;
  readonly projects: Projects;
  readonly clusters: Clusters;
  readonly apiKeys: ApiKeys;
  readonly serviceAccounts: ServiceAccounts;
  readonly users: Users;
  readonly roleGrants: RoleGrants;
  readonly sessions: Sessions;
  readonly snapshots: Snapshots;
  readonly schedules: Schedules;
  readonly compliance: Compliance;
  readonly exportBuckets: ExportBuckets;
  readonly exports: Exports;
  readonly collectionRestores: CollectionRestores;
  readonly restores: Restores;
  readonly captureRests: CaptureRests;
  readonly restorePlans: RestorePlans;
  readonly drills: Drills;
  readonly rescues: Rescues;
  readonly jobs: Jobs;
  readonly leases: Leases;
  readonly tailers: Tailers;
  readonly chains: Chains;
  readonly workers: Workers;
  readonly numbers: Numbers;
  readonly subclients: Subclients;
  readonly auditEvents: AuditEvents;
  readonly settings: Settings;
  readonly overview: Overview;
}

/** One transaction. Inside of it use this object only: the catalog itself would take another connection. */
export interface CatalogTransaction extends CatalogAggregates {
  /** Runs a statement in this transaction: how the queue puts its wake-up beside the rows. */
  executeSql(text: string, values?: readonly unknown[]): Promise<{ readonly rows: readonly Record<string, unknown>[] }>;
}

export interface CatalogStore extends CatalogAggregates {
  /** All or nothing. What `work` throws rolls back and is thrown on. */
  transaction<T>(work: (tx: CatalogTransaction) => Promise<T>): Promise<T>;
  /**
   * A transaction that counts only while the claim is good: the claim is checked first and cannot be
   * taken over before the commit. @throws CATALOG_LEASE_LOST
   */
  fenced<T>(claim: Claim, work: (tx: CatalogTransaction) => Promise<T>): Promise<T>;
  /** The same for who follows a cluster's oplog. @throws CATALOG_TAILER_LOST */
  following<T>(claim: TailerClaim, work: (tx: CatalogTransaction) => Promise<T>): Promise<T>;
}

export function createCatalogStore(context: CatalogContext): CatalogStore {
  const transaction = <T>(work: (tx: CatalogTransaction) => Promise<T>): Promise<T> =>
    context.db.transaction().execute((db) => work(createTransaction({ ...context, db })));
  return {
    ...createAggregates(context),
    transaction,
    fenced: (claim, work) =>
      transaction(async (tx) => {
        await requireClaim(tx, claim);
        return work(tx);
      }),
    following: (claim, work) =>
      transaction(async (tx) => {
        await requireTailer(tx, claim);
        return work(tx);
      }),
  };
}

function createTransaction(context: CatalogContext): CatalogTransaction {
  // Rows come as PostgreSQL names them: the plugin that turns names into camel case is left out.
  const plain = context.db.withoutPlugins();
  return {
    ...createAggregates(context),
    async executeSql(text, values = []) {
      const { rows } = await plain.executeQuery(CompiledQuery.raw(text, [...values]));
      return { rows: rows as readonly Record<string, unknown>[] };
    },
  };
}

async function requireClaim(tx: CatalogTransaction, { jobId, workerId, token }: Claim): Promise<void> {
  const { rows } = await tx.executeSql(
    'select job_id from leases where job_id = $1 and owner = $2 and token = $3 for update', [jobId, workerId, token],
  );
  if (rows.length > 0) return;
  throw new LeafvaultError('CATALOG_LEASE_LOST', `Writing for job ${jobId} was refused: it was handed to another worker or is over`, {
    hint: 'Nothing to do: the other worker goes on with the job', details: { jobId },
  });
}

async function requireTailer(tx: CatalogTransaction, { clusterId, workerId, token }: TailerClaim): Promise<void> {
  const { rows } = await tx.executeSql(
    'select cluster_id from tailers where cluster_id = $1 and owner = $2 and token = $3 for update', [clusterId, workerId, token],
  );
  if (rows.length === 0) throw tailerLost(clusterId);
}

function createAggregates(context: CatalogContext): CatalogAggregates {
  return {
    organizations: createOrganizations(context),
    projects: createProjects(context),
    clusters: createClusters(context),
    apiKeys: createApiKeys(context),
    serviceAccounts: createServiceAccounts(context),
    users: createUsers(context),
    roleGrants: createRoleGrants(context),
    sessions: createSessions(context),
    snapshots: createSnapshots(context),
    schedules: createSchedules(context),
    compliance: createCompliance(context),
    exportBuckets: createExportBuckets(context),
    exports: createExports(context),
    collectionRestores: createCollectionRestores(context),
    restores: createRestores(context),
    captureRests: createCaptureRests(context),
    restorePlans: createRestorePlans(context),
    drills: createDrills(context),
    rescues: createRescues(context),
    jobs: createJobs(context),
    leases: createLeases(context),
    tailers: createTailers(context),
    chains: createChains(context),
    workers: createWorkers(context),
    numbers: createNumbers(context),
    subclients: createSubclients(context),
    auditEvents: createAuditEvents(context),
    settings: createSettings(context),
    overview: createOverview(context),
  };
}
