// Jobs, logins and snapshots in Commvault's form. Client = project, instance = cluster, one backup set, `default` = everything.
import type { Cluster, Job, Project, Snapshot } from '../../../domain/records.ts';
import type { Principal } from '../../../domain/roles.ts';

export const APPLICATION_ID = 134;
export const APP_NAME = 'Cloud Apps';
export const BACKUPSET_NAME = 'defaultBackupSet';

/** Finished is what contains completed, killed or failed; the SDK kills what stays Pending or Waiting, so a queued job is Queued. */
const STATUS: Readonly<Record<Job['state'], string>> = {
  queued: 'Queued',
  running: 'Running',
  completed: 'Completed',
  failed: 'Failed',
  cancelled: 'Killed',
};

const TYPE: Readonly<Record<Job['kind'], string>> = {
  snapshot: 'Backup',
  restore: 'Restore',
  undo: 'Restore',
  dropKept: 'Data Aging',
  prepareDownload: 'Restore',
  verify: 'Data Verification',
  drill: 'Data Verification',
  export: 'Auxiliary Copy',
};

/** Where a job belongs, with Commvault's integers. */
export interface JobPlace {
  readonly project: Project;
  readonly cluster: Cluster;
  readonly clientId: number;
  readonly instanceId: number;
  readonly backupsetId: number;
}

export function presentEntity(place: JobPlace): object {
  return {
    _type_: 5,
    appName: APP_NAME,
    applicationId: APPLICATION_ID,
    backupsetId: place.backupsetId,
    backupsetName: BACKUPSET_NAME,
    clientId: place.clientId,
    clientName: place.project.name,
    displayName: place.project.name,
    instanceId: place.instanceId,
    instanceName: place.cluster.name,
    subclientName: 'default',
  };
}

export function presentJobSummary(job: Job, place: JobPlace, now: Date): object {
  return {
    jobId: job.number,
    status: STATUS[job.state],
    jobType: TYPE[job.kind],
    jobStartTime: epoch(job.startedAt ?? job.createdAt),
    jobEndTime: job.finishedAt === null ? 0 : epoch(job.finishedAt),
    jobElapsedTime: elapsed(job, now),
    percentComplete: percentOf(job),
    currentPhaseName: job.phase ?? '',
    pendingReason: reasonOf(job),
    backupLevel: 1,
    backupLevelName: 'Full',
    localizedOperationName: TYPE[job.kind],
    localizedStatus: STATUS[job.state],
    appTypeName: APP_NAME,
    attempts: job.attempt,
    isVisible: true,
    isAged: false,
    sizeOfApplication: job.bytesDone,
    sizeOfMediaOnDisk: job.storedBytes ?? 0,
    totalNumOfFiles: job.documentsDone,
    subclient: presentEntity(place),
    destinationClient: { clientId: place.clientId, clientName: place.project.name, displayName: place.project.name },
    userName: { userId: 0, userName: job.requestedBy },
    storagePolicy: { storagePolicyId: 0, storagePolicyName: 'leafvault' },
  };
}

export function presentJobs(summaries: readonly object[], total: number): object {
  return { totalRecordsWithoutPaging: total, jobs: summaries.map((jobSummary) => ({ jobSummary })) };
}

export function presentJobDetails(job: Job, place: JobPlace): object {
  const startTime = epoch(job.startedAt ?? job.createdAt);
  const endTime = job.finishedAt === null ? 0 : epoch(job.finishedAt);
  return {
    job: {
      jobDetail: {
        progressInfo: {
          state: STATUS[job.state],
          reasonForJobDelay: reasonOf(job),
          numOfFilesTransferred: job.documentsDone,
          percentComplete: percentOf(job),
          currentPhase: job.phase ?? '',
          estimatedTimeForCompletion: job.etaSeconds ?? 0,
          currentThroughput: job.bytesPerSecond ?? 0,
        },
        detailInfo: {
          startTime,
          endTime,
          numOfObjects: job.documentsDone,
          sizeOfApplication: String(job.bytesDone),
          dataWritten: String(job.storedBytes ?? 0),
          failures: job.errorMessage ?? '',
        },
        generalInfo: {
          jobId: job.number,
          operationType: TYPE[job.kind],
          backupType: 'Full',
          jobStartedBy: job.requestedBy,
          jobStartedFrom: 'Interactive',
          startTime,
          subclient: presentEntity(place),
        },
        attemptsInfo: [{ attemptNumber: job.attempt, status: STATUS[job.state], phaseName: job.phase ?? '', startTime, endTime, reason: reasonOf(job) }],
      },
    },
  };
}

export function presentLogin(principal: Principal, token: string): object {
  return {
    userName: principal.name,
    token: `QSDK ${token}`,
    errList: [],
    aliasName: principal.name,
    userGUID: principal.id,
    loginAttempts: 0,
    remainingLockTime: 0,
    isAccountLocked: false,
    forcePasswordChange: false,
    capability: 0,
    ccn: 0,
    smtpAddress: '',
    providerType: 1,
    ownerOrganization: { GUID: principal.orgId, providerId: 0, providerDomainName: '' },
    additionalResp: { nameValues: [] },
  };
}

/** Answered with 200: the SDK takes any other status for a fault of the connection. */
export function presentLoginRefusal(lockedSeconds: number): object {
  const isAccountLocked = lockedSeconds > 0;
  return {
    errList: [{ errorCode: 1116, errLogMessage: isAccountLocked ? 'The account is locked. Try again later.' : 'Incorrect user name or password.' }],
    isAccountLocked,
    remainingLockTime: lockedSeconds,
  };
}

/** A snapshot's name is its id; `restoreSnapshotId` of a restore takes it. */
export function presentSnapshotItem(snapshot: Snapshot, place: JobPlace): object {
  return {
    snapShotName: snapshot.id,
    snapShotStatus: 'available',
    creationTime: epoch(snapshot.capturedAt ?? snapshot.requestedAt),
    instanceName: place.cluster.name,
    engine: 'docdb',
    engineVersion: snapshot.mongodbVersion ?? '',
    sizeInBytes: snapshot.dataSizeBytes ?? 0,
  };
}

function epoch(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}

function elapsed(job: Job, now: Date): number {
  return Math.max(0, epoch(job.finishedAt ?? now) - epoch(job.startedAt ?? job.createdAt));
}

/** 100 only when the job is over. */
function percentOf(job: Job): number {
  if (job.state === 'completed') return 100;
  const [done, total] = job.bytesTotal ? [job.bytesDone, job.bytesTotal] : [job.documentsDone, job.documentsTotal ?? 0];
  return total > 0 ? Math.min(99, Math.floor((100 * done) / total)) : 0;
}

function reasonOf(job: Job): string {
  return [job.errorMessage, job.errorHint, ...job.warnings.map((warning) => `Warning: ${warning}`)].filter((each) => each !== null).join('. ');
}
