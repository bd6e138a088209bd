// Bodies of the Commvault operations. Members that only inform are let through: each client adds its own.
import { z } from 'zod';

const name = z.string().max(512).optional();
/** 0 and -1 stand for "not told". */
const id = z.int().min(-1).transform((number) => Math.max(0, number)).optional();
/** Some clients send the number, others the name of the enumeration. */
const kind = z.union([z.int(), z.string().max(64)]).optional();
const ignored = z.unknown().optional();

const association = z.looseObject({
  clientName: name,
  instanceName: name,
  backupsetName: name,
  subclientName: name,
  appName: name,
  clientId: id,
  instanceId: id,
  backupsetId: id,
  subclientId: id,
  applicationId: id,
});

const flag = z.boolean().optional();
const seconds = z.coerce.number().int().min(0).max(100_000_000_000).optional();

/** Of one restored database or collection. The SDK sends `false` where it was told nothing. */
const granularEntity = z.looseObject({
  srcDbName: z.string().min(1).max(512),
  srcCollectionName: name,
  destDbName: z.union([z.string().max(512), z.literal(false)]).optional(),
  destCollectionName: name,
  isDbEntity: flag,
});

const mongoDbRestoreOptions = z.looseObject({
  destShardList: z.array(z.looseObject({ destHostName: z.union([z.string().max(512), z.literal(false)]).optional(), destPortNumber: z.union([z.coerce.number().int(), z.literal(false)]).optional() })).max(100).optional(),
  destGranularEntityList: z.array(granularEntity).max(1000).optional(),
  restoreFilesOnly: flag,
  recover: flag,
  pointInTimeToEndOfBackup: flag,
  latestEndOfBackup: flag,
  isGranularRecovery: flag,
  isInplaceRestore: flag,
});

const documentDbRestoreOptions = z.looseObject({ targetInstanceId: name, restoreSnapshotId: name });

const timeText = z.union([seconds, z.string().max(64)]).optional();

const restoreOptions = z.looseObject({
  jobIds: z.array(z.coerce.number().int().positive()).max(100).optional(),
  browseOption: z.looseObject({
    timeRange: z.looseObject({ fromTime: seconds, fromTimeValue: timeText, toTime: seconds, toTimeValue: timeText }).optional(),
    timeZone: z.looseObject({ TimeZoneName: name }).optional(),
  }).optional(),
  destination: z.looseObject({
    inPlace: flag,
    destPath: z.union([z.string().max(4096), z.array(z.string().max(4096)).max(100)]).optional(),
    destClient: z.looseObject({ clientName: name, clientId: id }).optional(),
    destinationInstance: z.looseObject({ clientName: name, clientId: id, instanceName: name, instanceId: id }).optional(),
  }).optional(),
  fileOption: z.looseObject({ sourceItem: z.array(z.string().max(1024)).max(1000).optional() }).optional(),
  distributedAppsRestoreOptions: z.looseObject({ mongoDBRestoreOptions: mongoDbRestoreOptions.optional() }).optional(),
  cloudAppsRestoreOptions: z.looseObject({ documentDBRestoreOptions: documentDbRestoreOptions.optional() }).optional(),
});

const whole = z.coerce.number().int().min(0).max(4_294_967_295).optional();

/** Seconds since midnight and since 1970, as the SDK makes them. */
export const patternBody = z.looseObject({
  freq_type: kind,
  freq_interval: whole,
  freq_recurrence_factor: whole,
  freq_relative_interval: whole,
  freq_subday_interval: whole,
  active_start_time: z.coerce.number().int().min(0).max(86_399).optional(),
  active_end_time: whole,
  active_end_date: whole,
  active_end_occurence: whole,
  repeatPattern: z.array(z.unknown()).optional(),
  timeZone: z.looseObject({ TimeZoneName: name }).optional(),
});

const subTask = z.looseObject({
  pattern: patternBody.optional(),
  subTask: z.looseObject({ subTaskType: kind, operationType: kind }).optional(),
  options: z.looseObject({
    backupOpts: z.looseObject({ backupLevel: kind }).optional(),
    restoreOptions: restoreOptions.optional(),
  }).optional(),
});

export const createTaskBody = z.looseObject({
  taskInfo: z.looseObject({
    associations: z.array(association).min(1).max(100),
    task: z.looseObject({ taskType: kind }).optional(),
    subTasks: z.array(subTask).min(1).max(10),
  }),
});

export const loginBody = z.looseObject({ username: z.string().min(1).max(256), password: z.string().max(4096), domain: ignored });

export const renewBody = z.looseObject({ sessionId: z.string().min(1).max(512) });

export const jobDetailsBody = z.looseObject({ jobId: z.coerce.number().int().positive() });

export const browseBody = z.looseObject({ entity: z.looseObject({ instanceId: z.coerce.number().int().positive() }), startTime: seconds, endTime: seconds });

const criteria = z.looseObject({ field: kind, dataOperator: kind, values: z.array(z.union([z.string().max(1024), z.number()])).max(100).optional() });
const nodes = z.coerce.number().int().min(0).max(1_000_000_000).optional();

/** One question about what is browsed: items, a number about them, or the largest and smallest. */
const browseQuery = z.looseObject({
  type: kind,
  queryId: name,
  whereClause: z.array(z.looseObject({ connector: kind, criteria })).max(50).optional(),
  dataParam: z.looseObject({
    sortParam: z.looseObject({ ascending: flag, sortBy: z.array(z.union([z.int(), z.string().max(64)])).max(10).optional() }).optional(),
    paging: z.looseObject({ firstNode: nodes, skipNode: nodes, pageSize: nodes }).optional(),
  }).optional(),
  aggrParam: z.looseObject({ aggrType: kind, field: kind }).optional(),
  topBottomParam: z.looseObject({ count: nodes, field: kind, ascending: flag }).optional(),
});

const advancedConfig = z.looseObject({
  browseAdvancedConfigBrowseByJob: z.looseObject({ jobId: nodes }).optional(),
  compareBackupsReqType: kind,
  threatAnalysisRequest: flag,
});

export const doBrowseBody = z.looseObject({
  opType: kind,
  entity: association.optional(),
  paths: z.array(z.looseObject({ path: name })).max(1000).optional(),
  timeRange: z.looseObject({ fromTime: seconds, toTime: seconds }).optional(),
  advOptions: z.looseObject({ advConfig: advancedConfig.optional() }).optional(),
  queries: z.array(browseQuery).max(20).optional(),
});

export const contentBody = z.looseObject({
  children: z.array(z.looseObject({ path: name, name, displayName: name, negation: flag })).max(10_000).optional(),
});

export const subclientBody = z.looseObject({
  subClientProperties: z.looseObject({
    contentOperationType: kind,
    subClientEntity: association.optional(),
    commonProperties: z.looseObject({ description: z.string().max(4096).optional(), enableBackup: flag }).optional(),
    cloudDbContent: contentBody.optional(),
  }),
  newName: name,
});

export const commandBody = z.looseObject({
  TMMsg_TaskOperationReq: z.looseObject({ opType: z.int(), subtaskEntity: z.array(z.looseObject({ subtaskId: z.coerce.number().int().positive() })).min(1).max(100) }).optional(),
});

export const jobsBody = z.looseObject({
  category: z.int().min(0).max(2).optional(),
  pagingConfig: z.looseObject({ offset: z.int().min(0).max(1_000_000_000).optional(), limit: z.int().min(0).max(100_000).optional() }).optional(),
  jobFilter: z.looseObject({
    completedJobLookupTime: seconds,
    hideAdminJobs: flag,
    clientList: z.array(z.looseObject({ clientId: id })).max(1000).optional(),
    jobTypeList: z.array(z.union([z.string().max(64), z.int()])).max(100).optional(),
    entity: z.looseObject({ clientId: id, instanceId: id, backupsetId: id, subclientId: id }).optional(),
  }).optional(),
});

export type Association = z.infer<typeof association>;
export type RestoreOptions = z.infer<typeof restoreOptions>;
export type BrowseQuery = z.infer<typeof browseQuery>;
export type SubTask = z.infer<typeof subTask>;
