// What the contract suite asks, in the order of a story: one entry for each operation of the reference that is served. Who serves another
// operation adds an entry here, or names it in `NOT_DRIVEN`.
import { ADMINISTRATION_DRIVES } from './administration-drives.ts';
import { EXPORT_DRIVES } from './export-drives.ts';
import { INSTANT_DRIVES } from './instant-drives.ts';
import { KEPT_DRIVES } from './kept-drives.ts';
import { isOver, isTaken, type Told } from './over.ts';
import { PLAIN_DRIVES } from './plain-drives.ts';

export interface World {
  /** Values of the parameters of paths, by name. */
  readonly params: Record<string, string>;
  /** Waits until the thing at that path (below /api/atlas/v2, or from the root on) is over, and gives its last form. */
  settled(path: string, isOver: (json: Told) => boolean, version?: string): Promise<Told>;
}

export interface Drive {
  /** Of the reference. */
  readonly id: string;
  readonly query?: string;
  readonly body?: (world: World, version: string) => unknown;
  /** Refused, as it has to be here. */
  readonly refused?: { readonly status: number; readonly errorCode: string };
  /** Parameters of paths that its answer gives: name -> member; `results.id` is that of the first of a list. */
  readonly keep?: Readonly<Record<string, string>>;
  /** Other values of parameters, for this one alone. */
  readonly params?: (world: World) => Readonly<Record<string, string>>;
  /** All versions are asked of reads; of others the newest alone, unless told. */
  readonly everyVersion?: boolean;
  /** These versions alone. */
  readonly versions?: readonly string[];
  /** By that door alone, which has no versions. */
  readonly door?: 'v1.0' | 'v1.5';
  /** Before the answer of the next one counts. */
  readonly then?: (world: World) => Promise<unknown>;
}

/** Served, and not driven yet: ids. To be shortened. */
export const NOT_DRIVEN: readonly string[] = [];

const CLUSTER = (world: World): string => `/groups/${world.params['groupId']}/clusters/${world.params['clusterName']}`;
const ODD_ITEMS = ([['hourly', 2, 'days', 9], ['daily', 1, 'days', 11], ['weekly', 6, 'weeks', 60], ['monthly', 1, 'months', 50]] as const)
  .map(([frequencyType, frequencyInterval, retentionUnit, retentionValue]) => ({ frequencyType, frequencyInterval, retentionUnit, retentionValue }));
const NO_FLEX = { status: 400, errorCode: 'CANNOT_USE_NON_FLEX_CLUSTER_IN_FLEX_API' };
const snapshotOf = ({ params }: World): { readonly snapshotId: string | undefined } => ({ snapshotId: params['snapshotId'] });
const target = ({ params }: World) => ({ targetClusterName: params['clusterName'], targetGroupId: params['groupId'] });
const elsewhere = ({ params }: World): Readonly<Record<string, string>> => ({ groupId: params['elsewhereId'] ?? '', clusterName: 'elsewhere' });
const tenantBody = (world: World) => ({ ...snapshotOf(world), targetDeploymentItemName: world.params['clusterName'], targetProjectId: world.params['groupId'] });
const restoreIsOver = (name: string) => (world: World): Promise<Told> => world.settled(`${CLUSTER(world)}/backup/restoreJobs/${world.params[name]}`, isOver);

export const DRIVES: readonly Drive[] = [
  { id: 'getSystemStatus' },
  { id: 'listRateLimits', keep: { endpointSetId: 'results.endpointSetId' } },
  { id: 'getRateLimit' },
  { id: 'listClusterDetails' },
  { id: 'listOrgs' },
  { id: 'listOrgs', query: 'name=ex' },
  { id: 'getOrg' },
  { id: 'getOrgGroups' },
  { id: 'listGroups' },
  { id: 'getGroupByName' },
  { id: 'getGroup' },
  { id: 'listGroupClusters' },
  { id: 'getGroupCluster' },
  { id: 'getGroupClusterStatus' },
  { id: 'listGroupClusterProviderRegions' },
  ...ADMINISTRATION_DRIVES,

  {
    id: 'takeGroupClusterBackupSnapshots', body: () => ({ description: 'contract', retentionInDays: 2 }), keep: { snapshotId: 'id' },
    then: (world) => world.settled(`${CLUSTER(world)}/backup/snapshots/${world.params['snapshotId']}`, isTaken),
  },
  { id: 'listGroupClusterBackupSnapshots' },
  { id: 'getGroupClusterBackupSnapshot' },
  { id: 'updateGroupClusterBackupSnapshot', body: () => ({ retentionUnit: 'WEEKS', retentionValue: 2 }) },
  { id: 'listGroupClusterBackupSnapshotShardedClusters' },
  { id: 'getGroupClusterBackupSnapshotShardedCluster' },
  ...EXPORT_DRIVES,

  { id: 'getGroupClusterBackupSchedule' },
  { id: 'updateGroupClusterBackupSchedule', everyVersion: true, body: () => ({ referenceHourOfDay: 3, referenceMinuteOfHour: 30, restoreWindowDays: 5, extraRetentionSettings: [{ frequencyType: 'ON_DEMAND', retentionDays: 1 }] }) },
  { id: 'getGroupClusterSnapshotSchedule' },
  // Numbers that the legacy form has no choice for.
  { id: 'updateGroupClusterBackupSchedule', body: () => ({ policies: [{ policyItems: ODD_ITEMS }] }) },
  { id: 'getGroupClusterBackupSchedule' },
  { id: 'getGroupClusterSnapshotSchedule' },
  { id: 'updateGroupClusterSnapshotSchedule', body: () => ({ snapshotIntervalHours: 12, weeklySnapshotRetentionWeeks: 6, pointInTimeWindowHours: 48 }) },

  { id: 'createGroupClusterBackupRestoreJob', body: (world) => ({ deliveryType: 'download', ...snapshotOf(world) }), keep: { restoreJobId: 'id', restoreId: 'id', jobId: 'id' }, then: restoreIsOver('restoreJobId') },
  { id: 'getGroupClusterBackupRestoreJob' },
  { id: 'cancelGroupClusterBackupRestoreJob' },
  { id: 'createGroupClusterBackupRestoreJob', body: (world) => ({ deliveryType: 'automated', ...snapshotOf(world), ...target(world) }), keep: { restoreJobId: 'id', restoreId: 'id', jobId: 'id' }, then: restoreIsOver('restoreJobId') },
  { id: 'getGroupClusterBackupRestoreJob' },
  { id: 'listGroupClusterBackupRestoreJobs' },
  // Into a cluster of another group.
  { id: 'createGroup', body: ({ params }) => ({ name: 'elsewhere', orgId: params['orgId'] }), keep: { elsewhereId: 'id' } },
  { id: 'createGroupCluster', params: elsewhere, body: ({ params }) => ({ name: 'elsewhere', leafvaultConnectionString: params['connectionString'], backupEnabled: false }) },
  { id: 'createGroupClusterBackupRestoreJob', body: (world) => ({ deliveryType: 'automated', ...snapshotOf(world), targetClusterName: 'elsewhere', targetGroupId: world.params['elsewhereId'] }), keep: { restoreJobId: 'id' }, then: restoreIsOver('restoreJobId') },
  { id: 'getGroupClusterBackupRestoreJob' },
  { id: 'deleteGroupCluster', params: elsewhere },
  { id: 'deleteGroup', params: elsewhere },
  ...INSTANT_DRIVES,
  // Without continuous backup there is no instant.
  { id: 'createGroupClusterBackupRestoreJob', body: (world) => ({ deliveryType: 'pointInTime', pointInTimeUTCSeconds: 1_700_000_000, ...target(world) }), refused: { status: 409, errorCode: 'NO_CHECKPOINT_FOR_PIT_RESTORE' } },

  { id: 'downloadGroupClusterBackupTenant', body: tenantBody, keep: { restoreId: 'id' } },
  { id: 'getGroupClusterBackupTenantRestore' },
  { id: 'createGroupClusterBackupTenantRestore', body: tenantBody, keep: { restoreId: 'id' }, then: restoreIsOver('restoreId') },
  { id: 'getGroupClusterBackupTenantRestore' },
  { id: 'listGroupClusterBackupTenantRestores' },
  { id: 'listGroupClusterBackupTenantSnapshots' },
  { id: 'getGroupClusterBackupTenantSnapshot' },

  { id: 'listGroupFlexClusters' },
  { id: 'getGroupFlexCluster', refused: NO_FLEX },
  { id: 'listGroupFlexClusterBackupSnapshots', refused: NO_FLEX },
  { id: 'getGroupFlexClusterBackupSnapshot', refused: NO_FLEX },
  { id: 'listGroupFlexClusterBackupRestoreJobs', refused: NO_FLEX },
  { id: 'downloadGroupFlexClusterBackup', body: snapshotOf },
  { id: 'getGroupFlexClusterBackupRestoreJob', refused: NO_FLEX },
  { id: 'createGroupFlexClusterBackupRestoreJob', body: tenantBody, keep: { restoreJobId: 'id' }, then: restoreIsOver('restoreJobId') },
  { id: 'getGroupFlexClusterBackupRestoreJob' },

  { id: 'listGroupServerlessInstances' },
  { id: 'getGroupServerlessInstance', refused: { status: 400, errorCode: 'CANNOT_USE_CLUSTER_IN_SERVERLESS_INSTANCE_API' } },
  { id: 'listGroupServerlessBackupSnapshots' },
  { id: 'getGroupServerlessBackupSnapshot' },
  { id: 'createGroupServerlessBackupRestoreJob', body: (world) => ({ deliveryType: 'download', ...snapshotOf(world), ...target(world) }), keep: { restoreJobId: 'id' }, then: restoreIsOver('restoreJobId') },
  { id: 'getGroupServerlessBackupRestoreJob' },
  { id: 'listGroupServerlessBackupRestoreJobs' },

  { id: 'listGroupClusterBackupCheckpoints' },
  { id: 'getGroupClusterBackupCheckpoint', refused: { status: 404, errorCode: 'CHECKPOINT_NOT_FOUND' } },
  { id: 'createGroupClusterRestoreJob', body: (world) => ({ ...snapshotOf(world), delivery: { methodName: 'HTTP', expirationHours: 1, maxDownloads: 1 } }), keep: { jobId: 'results.id' }, then: restoreIsOver('jobId') },
  { id: 'getGroupClusterRestoreJob' },
  { id: 'listGroupClusterRestoreJobs' },
  { id: 'listGroupClusterSnapshots' },
  { id: 'getGroupClusterSnapshot' },
  { id: 'updateGroupClusterSnapshot', body: () => ({ doNotDelete: false }) },

  { id: 'takeGroupClusterBackupSnapshots', body: () => ({}), keep: { otherSnapshotId: 'id' } },
  { id: 'deleteGroupClusterSnapshot', params: ({ params }) => ({ snapshotId: params['otherSnapshotId'] ?? '' }) },
  { id: 'takeGroupClusterBackupSnapshots', body: () => ({}), keep: { otherSnapshotId: 'id' } },
  { id: 'deleteGroupClusterBackupSnapshotShardedCluster', params: ({ params }) => ({ snapshotId: params['otherSnapshotId'] ?? '' }) },
  { id: 'deleteGroupClusterBackupSchedule', everyVersion: true },
  { id: 'deleteGroupClusterBackupSnapshot' },
  ...KEPT_DRIVES,
  ...PLAIN_DRIVES,
  // What is refused is refused of things that are there.
  {
    id: 'takeGroupClusterBackupSnapshots', body: () => ({}), keep: { snapshotId: 'id' },
    then: (world) => world.settled(`${CLUSTER(world)}/backup/snapshots/${world.params['snapshotId']}`, isTaken),
  },
];
