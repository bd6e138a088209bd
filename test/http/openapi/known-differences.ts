// Where our own document differs from the vendor's, and why. Lists to be shortened, never to be made longer without a reason.

/** Paths below `/api/atlas/v2` that are not served yet. */
export const NOT_SERVED: readonly RegExp[] = [
  /^\/$/, /^\/clusters$/, /^\/orgs\/\{orgId\}\/(apiKeys|serviceAccounts)/, /^\/rateLimits/,
  /^\/groups$/, /^\/groups\/\{groupId\}$/, /^\/groups\/\{groupId\}\/(apiKeys|serviceAccounts|backupCompliancePolicy)/, /^\/groups\/\{groupId\}\/backup\/exportBuckets/,
  /^\/groups\/\{groupId\}\/clusters(\/provider\/regions|\/\{clusterName\})?$/, /\/backup\/exports/, /\/collectionRestoreJobs/, /\/backup\/snapshots\/\{snapshotId\}\/databases/,
];

export interface KnownDifference {
  /** Ids of operations in the reference. */
  readonly operation: RegExp;
  readonly what: RegExp;
  readonly why: string;
}

export const KNOWN_DIFFERENCES: readonly KnownDifference[] = [
  { operation: /BackupSnapshot/, what: /answer lacks (cloudProvider|masterKeyUUID|configServerType|members|snapshotIds)$/, why: 'there is no cloud provider, no key management of one, and no sharded cluster' },
  { operation: /BackupRestoreJob/, what: /answer has targetDeploymentItemName of its own$/, why: 'recorded at the vendor, whose schema lacks it' },
  { operation: /(getGroupFlexCluster$|FlexClusterBackup(Snapshots?|RestoreJobs)$|getGroupServerlessInstance$|BackupCheckpoint$)/, what: /^(answers no 200|parameter (includeCount|itemsPerPage|pageNum) is missing)$/, why: 'refused always: no cluster is flex or serverless, and there are no checkpoints' },
  { operation: /^list(GroupFlexClusters|GroupServerlessInstances|GroupClusterBackupCheckpoints)$/, what: /answer lacks/, why: 'the list is always empty' },
  { operation: /FlexClusterBackup/, what: /answer lacks links$/, why: 'recorded: the flex form has none' },
  { operation: /GroupClusterRestoreJobs?$/, what: /answer lacks (batchId|deploymentJobId|masterKeyUUID)$/, why: 'of shards and of a vendor\'s key management' },
  { operation: /GroupClusterSnapshots?$/, what: /answer lacks incremental$/, why: 'every snapshot is whole, and stores what is new: neither word is true' },
  { operation: /^getGroupClusterStatus$/, what: /answer lacks links$/, why: 'recorded without' },
  { operation: /^listGroupClusters$/, what: /^parameter includeDeletedWithRetainedBackups is missing$/, why: 'not done: clusters that are gone are not listed' },
  { operation: /^listOrgs$/, what: /^parameter name is missing$/, why: 'not done' },
];
