// Where our own document differs from the vendor's, and why. Lists to be shortened, never to be made longer without a reason.

/** Paths below `/api/atlas/v2` that are not served yet. */
export const NOT_SERVED: readonly RegExp[] = [
  /^\/$/, /^\/clusters$/, /^\/orgs\/\{orgId\}\/(apiKeys|serviceAccounts)/, /^\/rateLimits/,
  /^\/groups$/, /^\/groups\/\{groupId\}$/, /^\/groups\/\{groupId\}\/(apiKeys|serviceAccounts|backupCompliancePolicy)/, /^\/groups\/\{groupId\}\/backup\/exportBuckets/,
  /^\/groups\/\{groupId\}\/clusters(\/provider\/regions|\/\{clusterName\})?$/, /\/backup\/exports/, /\/collectionRestoreJobs/, /\/backup\/snapshots\/\{snapshotId\}\/databases/,
];

export const KNOWN_DIFFERENCES: readonly { readonly operation: RegExp; readonly what: RegExp; readonly why: string }[] = [];
