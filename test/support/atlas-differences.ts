// Where answers differ from the reference's schemas: the only list of exceptions, for every test that holds an answer against them. The contract suite
// fails on one that no answer needs. (What our own document lacks of the vendor's stands in test/http/openapi/known-differences.ts.)

export interface Difference {
  /** Ids of operations in the reference. */
  readonly operation: RegExp;
  /** Member of a thing, or of each thing in a list: `.a.b[].c`. */
  readonly at: readonly string[];
  readonly why: string;
  /** The section of atlas-semantics.md that has it, or the choice in docs/reference/atlas.md. */
  readonly source: `atlas-semantics.md, ${string}` | `docs/reference/atlas.md, ${number}`;
}

export const DIFFERENCES: readonly Difference[] = [
  { operation: /BackupSnapshot/, at: ['.frequencyType'], why: 'recorded: a snapshot on demand is `ondemand`, which the enumeration lacks', source: 'atlas-semantics.md, 2 and 10' },
  {
    operation: /BackupRestoreJob/, at: ['.desiredTimestamp.date', '.desiredTimestamp.increment', '.desiredTimestamp.time'],
    why: 'recorded: three nulls where no point in time was asked for, and `time`; the least increment of the schema is a time', source: 'atlas-semantics.md, 3 and 10',
  },
  { operation: /BackupRestoreJob/, at: ['.targetDeploymentItemName'], why: 'recorded: not in the schema', source: 'atlas-semantics.md, 3 and 10' },
  { operation: /GroupClusters?$/, at: ['.replicationFactor'], why: 'a cluster of one\'s own has any number of members', source: 'docs/reference/atlas.md, 13' },
  { operation: /GroupClusterCollectionRestoreJobs?$/, at: ['.links'], why: 'every job names its address', source: 'docs/reference/atlas.md, 21' },
  { operation: /BackupExports?$/, at: ['.prefix'], why: 'the pattern of the schema is the words for the parts, not the parts', source: 'atlas-semantics.md, 6 and 10' },
  { operation: /^getSystemStatus$/, at: ['.apiKey'], why: 'it is of the key that asks; a service account has none', source: 'docs/reference/atlas.md, 25' },
  {
    operation: /SnapshotSchedule/, at: ['.snapshotRetentionDays', '.dailySnapshotRetentionDays', '.weeklySnapshotRetentionWeeks', '.monthlySnapshotRetentionMonths', '.snapshotIntervalHours'],
    why: 'numbers that another form gave are told as they are, also where the enumeration lacks them', source: 'docs/reference/atlas.md, 15',
  },
  { operation: /Group.*(Snapshot|RestoreJob)s?$/, at: ['.created.increment', '.lastOplogAppliedTimestamp.increment', '.timestamp.increment'], why: 'the least increment of the schema is a time', source: 'docs/reference/atlas.md, 15' },
  { operation: /^ApiError$/, at: ['.parameters[]'], why: 'recorded: the schema calls parameters objects, they are texts', source: 'atlas-semantics.md, 1' },
];

/** Beyond those that the reference names: how Leafvault says that it can't read or write what was asked, and what every operation may say. */
export const STATUSES_BEYOND: readonly number[] = [400, 404, 406, 413, 415];

/** Members of an answer of that operation which may differ, of the thing itself and of each thing in a list. */
export function differencesOf(operationId: string): readonly string[] {
  return DIFFERENCES.filter(({ operation }) => operation.test(operationId)).flatMap(({ at }) => at.flatMap(placesOf));
}

/** Where a member of a thing may stand in an answer. */
export function placesOf(member: string): readonly string[] {
  return [member, `.results[]${member}`, `[]${member}`];
}
