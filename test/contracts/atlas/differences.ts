// Where answers differ from the reference's schemas: the only list of exceptions. Most were recorded at the vendor's own server.

export interface Difference {
  /** Ids of operations in the reference. */
  readonly operation: RegExp;
  /** Member of a thing, or of each thing in a list: `.a.b[].c`. */
  readonly at: readonly string[];
  readonly why: string;
}

export const DIFFERENCES: readonly Difference[] = [
  { operation: /BackupSnapshot/, at: ['.frequencyType'], why: 'recorded: a snapshot on demand is `ondemand`, which the enumeration lacks' },
  { operation: /BackupRestoreJob/, at: ['.desiredTimestamp.date', '.desiredTimestamp.increment', '.desiredTimestamp.time'], why: 'recorded: three nulls where no point in time was asked for, and `time`; the least increment of the schema is a time' },
  { operation: /BackupRestoreJob/, at: ['.targetDeploymentItemName'], why: 'recorded: not in the schema' },
  { operation: /BackupSchedule/, at: ['.policies[].policyItems[].id'], why: 'recorded: items have ids' },
  { operation: /GroupClusters?$/, at: ['.replicationFactor'], why: 'a cluster of one\'s own has any number of members' },
  { operation: /GroupClusterCollectionRestoreJobs?$/, at: ['.links'], why: 'every job names its address' },
  { operation: /BackupExports?$/, at: ['.prefix'], why: 'the pattern of the schema is the words for the parts, not the parts' },
  { operation: /^getSystemStatus$/, at: ['.apiKey'], why: 'it is of the key that asks; a service account has none' },
  { operation: /SnapshotSchedule/, at: ['.snapshotRetentionDays', '.dailySnapshotRetentionDays', '.weeklySnapshotRetentionWeeks', '.monthlySnapshotRetentionMonths', '.snapshotIntervalHours'], why: 'numbers that another form gave are told as they are, also where the enumeration lacks them' },
  { operation: /Group.*(Snapshot|RestoreJob)s?$/, at: ['.created.increment', '.lastOplogAppliedTimestamp.increment', '.timestamp.increment'], why: 'the least increment of the schema is a time' },
];
