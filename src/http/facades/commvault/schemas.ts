// Bodies of the Commvault operations. Members that only inform are let through: each client adds its own.
import { z } from 'zod';

const name = z.string().max(512).optional();
/** 0 stands for "not told". */
const id = z.int().min(0).optional();
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

const documentDbRestoreOptions = z.looseObject({ targetInstanceId: name, restoreSnapshotId: name });

const restoreOptions = z.looseObject({
  destination: z.looseObject({ destClient: z.looseObject({ clientName: name }).optional() }).optional(),
  fileOption: z.looseObject({ sourceItem: z.array(z.unknown()).optional() }).optional(),
  cloudAppsRestoreOptions: z.looseObject({ documentDBRestoreOptions: documentDbRestoreOptions.optional() }).optional(),
});

const subTask = z.looseObject({
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

export const browseBody = z.looseObject({ entity: z.looseObject({ instanceId: z.coerce.number().int().positive() }) });

export type Association = z.infer<typeof association>;
export type SubTask = z.infer<typeof subTask>;
