// Where our own document differs from the vendor's, and why. Lists to be shortened, never to be made longer without a reason.

/** Paths below `/api/atlas/v2` that are not served yet. */
export const NOT_SERVED: readonly RegExp[] = [];

export interface KnownDifference {
  /** Ids of operations in the reference. */
  readonly operation: RegExp;
  readonly what: RegExp;
  readonly why: string;
}

/** Of hardware, clouds and the vendor's own service. */
const UNTOLD_OF_CLUSTERS = [
  'acceptDataRisksAndForceReplicaSetReconfig', 'adaptiveCapacity', 'advancedConfiguration', 'configServerManagementMode', 'configServerType', 'deleteAfterCreationHours',
  'deleteAfterDate', 'diskSizeGB', 'diskWarmingMode', 'effectiveReplicationSpecs', 'featureCompatibilityVersion', 'featureCompatibilityVersionExpirationDate',
  'globalClusterSelfManagedSharding', 'internalClusterRole', 'mongoDBEmployeeAccessGrant', 'mongoURIUpdated', 'providerSettings', 'replicaSetScalingStrategy',
  'replicationSpec', 'retainBackups', 'srvAddress', 'useAwsTimeBasedSnapshotCopyForFastInitialSync',
];

export const KNOWN_DIFFERENCES: readonly KnownDifference[] = [
  { operation: /BackupSnapshot/, what: /answer lacks (cloudProvider|masterKeyUUID|configServerType|members|snapshotIds)$/, why: 'there is no cloud provider, no key management of one, and no sharded cluster' },
  { operation: /BackupRestoreJob/, what: /answer has targetDeploymentItemName of its own$/, why: 'recorded at the vendor, whose schema lacks it' },
  { operation: /(getGroupFlexCluster$|FlexClusterBackup(Snapshots?|RestoreJobs)$|getGroupServerlessInstance$|BackupCheckpoint$)/, what: /^(answers no 200|parameter (includeCount|itemsPerPage|pageNum) is missing)$/, why: 'refused always: no cluster is flex or serverless, and there are no checkpoints' },
  { operation: /^list(GroupFlexClusters|GroupServerlessInstances|GroupClusterBackupCheckpoints)$/, what: /answer lacks/, why: 'the list is always empty' },
  { operation: /FlexClusterBackup/, what: /answer lacks links$/, why: 'recorded: the flex form has none' },
  { operation: /GroupClusterRestoreJobs?$/, what: /answer lacks (batchId|deploymentJobId|masterKeyUUID)$/, why: 'of shards and of a vendor\'s key management' },
  { operation: /GroupClusterSnapshots?$/, what: /answer lacks incremental$/, why: 'every snapshot is whole, and stores what is new: neither word is true' },
  { operation: /^getGroupClusterStatus$/, what: /answer lacks links$/, why: 'recorded without' },
  { operation: /Group(ByName|s)?$/, what: /answer lacks regionUsageRestrictions$/, why: 'there is no vendor\'s region to restrict' },
  { operation: /^(list|get|create|update)GroupClusters?$/, what: new RegExp(`answer lacks (${UNTOLD_OF_CLUSTERS.join('|')})$`), why: 'of hardware, clouds and the vendor\'s own service: taken, ignored, and told by nobody' },
  { operation: /^listGroupClusterProviderRegions$/, what: /^parameter (providers|tier) is missing$|answer lacks/, why: 'the list is always empty' },
  { operation: /^(list|get)RateLimits?$/, what: /^parameter (groupId|orgId|userId|ipAddress|name|endpointPath) is missing$/, why: 'there is one limit, the same for all' },
  { operation: /^list(Org|Group)ServiceAccounts$/, what: /^parameter includeSystemManaged is missing$/, why: 'none is managed by the system' },
  { operation: /^updateGroupApiKeyRoles$/, what: /^parameter (includeCount|itemsPerPage|pageNum) is missing$/, why: 'the answer is no list' },
  { operation: /ExportBuckets?$/, what: /answer lacks (links|roleId|serviceUrl|tenantId)$/, why: 'recorded without links; the others are of Azure and Google' },
  { operation: /BackupExports?$/, what: /answer lacks (links|components)$/, why: 'recorded without links; there is no shard' },
  { operation: /BackupSnapshotDatabase/, what: /answer lacks links$/, why: 'a name leads nowhere else' },
  { operation: /GroupClusterCollectionRestoreJobs?$/, what: /answer has links of its own$/, why: 'every job names its address' },
  { operation: /AccessList/, what: /answer lacks (count|created|createdAt|lastUsed|lastUsedAddress|lastUsedAt|requestCount)$/, why: 'when an entry was made and used is not kept' },
];
