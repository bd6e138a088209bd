// Bodies of operations on clusters, in the three forms of the vendor at once: what speaks of hardware that is not ours is accepted
// and ignored, what would not be done is refused.
import { z } from 'zod';
import { tag } from '../groups/schemas.ts';

/** Our own member; the header `Leafvault-Connection-String` says the same. */
export const CONNECTION_MEMBER = 'leafvaultConnectionString';

const label = z.strictObject({ key: z.string().min(1).max(255).optional(), value: z.string().min(1).max(255).optional() });

/** About hardware, clouds and the vendor's own service, or read-only. */
export const IGNORED_MEMBERS = [
  'acceptDataRisksAndForceReplicaSetReconfig', 'adaptiveCapacity', 'advancedConfiguration', 'autoScaling', 'biConnector', 'configServerManagementMode',
  'configServerType', 'connectionStrings', 'createDate', 'deleteAfterCreationHours', 'deleteAfterDate', 'diskSizeGB', 'diskWarmingMode',
  'effectiveReplicationSpecs', 'encryptionAtRestProvider', 'featureCompatibilityVersion', 'featureCompatibilityVersionExpirationDate',
  'globalClusterSelfManagedSharding', 'groupId', 'id', 'internalClusterRole', 'links', 'mongoDBEmployeeAccessGrant', 'mongoDBMajorVersion',
  'mongoDBVersion', 'mongoURI', 'mongoURIUpdated', 'mongoURIWithOptions', 'numShards', 'providerSettings', 'redactClientLogData',
  'replicaSetScalingStrategy', 'replicationFactor', 'replicationSpec', 'replicationSpecs', 'retainBackups', 'rootCertType', 'srvAddress', 'stateName',
  'useAwsTimeBasedSnapshotCopyForFastInitialSync', 'versionReleaseSystem',
] as const;

const ignored = Object.fromEntries(IGNORED_MEMBERS.map((name) => [name, z.unknown().optional()])) as Readonly<Record<(typeof IGNORED_MEMBERS)[number], z.ZodOptional<z.ZodUnknown>>>;

const shared = {
  [CONNECTION_MEMBER]: z.string().min(1).max(4096).optional(),
  clusterType: z.enum(['REPLICASET', 'SHARDED', 'GEOSHARDED']).optional(),
  backupEnabled: z.boolean().optional(),
  providerBackupEnabled: z.boolean().optional(),
  pitEnabled: z.boolean().optional(),
  paused: z.boolean().optional(),
  terminationProtectionEnabled: z.boolean().optional(),
  tags: z.array(tag).max(50).optional(),
  labels: z.array(label).max(50).optional(),
};

const name = z.string().regex(/^[a-zA-Z0-9][a-zA-Z0-9-]{0,63}$/);

export const createClusterBody = z.strictObject({ ...ignored, ...shared, name });
export const updateClusterBody = z.strictObject({ ...ignored, ...shared, name: name.optional() });
