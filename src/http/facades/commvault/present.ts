// Jobs, logins and snapshots in Commvault's form.
import { showInstant } from '../../../domain/instant.ts';
import type { Job, Restore, RestoreSelection, Snapshot } from '../../../domain/records.ts';
import type { Principal } from '../../../domain/roles.ts';
import { LeafvaultError } from '../../../foundation/errors.ts';
import { FULL, noteOn } from './levels.ts';
import { pathOf } from './tree/content.ts';
import { APP_NAME, APPLICATION_ID, BACKUPSET_NAME, type Place } from './tree/place.ts';

/** Finished is what contains completed, killed or failed; the SDK kills what stays Pending or Waiting, so a queued job is Queued. */
const STATUS: Readonly<Record<Job['state'], string>> = {
  queued: 'Queued',
  running: 'Running',
  completed: 'Completed',
  failed: 'Failed',
  cancelled: 'Killed',
};

/** By whom the jobs of a schedule are asked for (docs/design/schedules.md). */
const SCHEDULER = 'backup schedule';

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

/** Events are numbered within their job. */
const EVENTS_OF_JOB = 1_000;

/** Where a job belongs, with Commvault's integers. */
export interface JobPlace extends Place {
  /** Of what the job itself does not name. */
  readonly defaultSubclientId: number;
}

/** What a job's own form tells of it, beside its place. */
export interface JobWords {
  readonly subclient: { readonly subclientId: number; readonly subclientName: string };
  /** The level that was asked for; null: of no backup. */
  readonly level: string | null;
  /** Number of the first job of its task. */
  readonly task: number;
}

/** What waits because somebody wants it so, and what is on its way to its end, is told apart from what waits or works. */
export function statusOf({ state, pausedAt, cancelRequestedAt }: Job): string {
  if (state === 'running' && cancelRequestedAt !== null) return 'Kill Pending';
  if (state === 'running' && pausedAt !== null) return 'Suspend Pending';
  if (state === 'queued' && pausedAt !== null) return 'Suspended';
  return STATUS[state];
}

export function presentEntity(place: JobPlace, { subclientId, subclientName }: JobWords['subclient']): object {
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
    subclientId,
    subclientName,
  };
}

export interface ShownJob { readonly job: Job; readonly place: JobPlace; readonly words: JobWords }

export function presentJobSummary({ job, place, words }: ShownJob, now: Date): object {
  return {
    jobId: job.number,
    status: statusOf(job),
    jobType: TYPE[job.kind],
    jobStartTime: epoch(job.startedAt ?? job.createdAt),
    jobEndTime: job.finishedAt === null ? 0 : epoch(job.finishedAt),
    lastUpdateTime: job.finishedAt === null ? 0 : epoch(job.finishedAt),
    jobElapsedTime: elapsed(job, now),
    percentComplete: percentOf(job),
    currentPhaseName: job.phase ?? '',
    pendingReason: reasonOf(job, words),
    backupLevel: FULL.number,
    backupLevelName: FULL.name,
    localizedOperationName: TYPE[job.kind],
    localizedStatus: statusOf(job),
    appTypeName: APP_NAME,
    attempts: job.attempt,
    isVisible: true,
    isAged: false,
    sizeOfApplication: job.bytesDone,
    sizeOfMediaOnDisk: job.storedBytes ?? 0,
    totalNumOfFiles: job.documentsDone,
    subclient: presentEntity(place, words.subclient),
    destinationClient: { clientId: place.clientId, clientName: place.project.name, displayName: place.project.name },
    userName: { userId: 0, userName: job.requestedBy },
    storagePolicy: { storagePolicyId: 0, storagePolicyName: 'leafvault' },
  };
}

export function presentJobs(summaries: readonly object[], total: number): object {
  return { totalRecordsWithoutPaging: total, jobs: summaries.map((jobSummary) => ({ jobSummary })) };
}

export function presentJobDetails({ job, place, words }: ShownJob): object {
  const startTime = epoch(job.startedAt ?? job.createdAt);
  const endTime = job.finishedAt === null ? 0 : epoch(job.finishedAt);
  return {
    job: {
      jobDetail: {
        progressInfo: {
          state: statusOf(job),
          reasonForJobDelay: reasonOf(job, words),
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
          backupType: FULL.name,
          backupTypeAsked: words.level ?? FULL.name,
          jobStartedBy: job.requestedBy,
          jobStartedFrom: job.requestedBy === SCHEDULER ? 'Scheduled' : 'Interactive',
          startTime,
          subclient: presentEntity(place, words.subclient),
        },
        attemptsInfo: [{ attemptNumber: job.attempt, status: statusOf(job), phaseName: job.phase ?? '', startTime, endTime, reason: reasonOf(job, words) }],
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
export function presentSnapshotItem(snapshot: Snapshot, place: Place): object {
  return {
    snapShotName: snapshot.id,
    snapShotStatus: 'available',
    creationTime: epoch(snapshot.capturedAt ?? snapshot.requestedAt),
    description: snapshot.description ?? '',
    instanceName: place.cluster.name,
    engine: 'docdb',
    engineVersion: snapshot.mongodbVersion ?? '',
    sizeInBytes: snapshot.dataSizeBytes ?? 0,
  };
}

/** What a task asked for, from what its job knows. @param restore what the job restores; null: it is none, or its row is gone */
export function presentTaskDetails({ job, place, words }: ShownJob, { taskId, restore }: { readonly taskId: number; readonly restore: Restore | null }): object {
  const isBackup = job.kind === 'snapshot';
  return {
    taskInfo: {
      associations: [presentEntity(place, words.subclient)],
      task: { taskId, taskType: 1, taskName: '', ownerName: job.requestedBy, taskFlags: { disabled: false } },
      subTasks: [{
        subTask: { subTaskId: taskId, subTaskName: TYPE[job.kind], subTaskType: isBackup ? 2 : 3, operationType: isBackup ? 2 : 1001 },
        options: isBackup ? { backupOpts: { backupLevel: words.level ?? FULL.name } } : { restoreOptions: restoreOptionsOf(job, restore) },
      }],
    },
  };
}

/** A time, and other names, in the form of the big data apps, which alone has them; a snapshot in that of DocumentDB. */
function restoreOptionsOf({ snapshotId, clusterId }: Job, restore: Restore | null): object {
  const { instant = null, targetClusterId = null, targetClusterName = null } = restore ?? {};
  const mongoDb = { ...(instant === null ? {} : { pointInTimeToEndOfBackup: false }), ...(restore === null ? {} : granularOf(restore.selection)) };
  return {
    ...(targetClusterName === null ? {} : { destination: { inPlace: targetClusterId === clusterId, destinationInstance: { instanceName: targetClusterName } } }),
    ...(restore === null ? {} : { fileOption: { sourceItem: itemsOf(restore.selection) } }),
    ...(instant === null ? { cloudAppsRestoreOptions: { documentDBRestoreOptions: { restoreSnapshotId: snapshotId ?? '' } } } : { browseOption: { timeRange: { toTime: showInstant(instant.asked).t } } }),
    ...(Object.keys(mongoDb).length === 0 ? {} : { distributedAppsRestoreOptions: { mongoDBRestoreOptions: mongoDb } }),
  };
}

function itemsOf({ databases, collections }: RestoreSelection): readonly string[] {
  const chosen = [...databases, ...collections].map(pathOf);
  return chosen.length === 0 ? ['/'] : chosen;
}

/** Only where something gets another name, by renames or by a suffix; then with all that was chosen. */
function granularOf({ databases, collections, renames, suffixes = { database: '', collection: '' } }: RestoreSelection): object {
  if (renames.length === 0 && suffixes.database + suffixes.collection === '') return {};
  const renamed = (from: string): string | undefined => renames.find((rename) => rename.from === from)?.to;
  const entities = [...new Set([...databases, ...collections, ...renames.map(({ from }) => from)])].map((from) => {
    const [srcDbName, srcCollectionName] = splitNamespace(from);
    const isDbEntity = srcCollectionName === '';
    const [destDb, destCollection] = splitNamespace(renamed(from) ?? `${renamed(srcDbName) ?? srcDbName}.${srcCollectionName}`);
    const destDbName = destDb + suffixes.database;
    return isDbEntity ? { srcDbName, destDbName, isDbEntity } : { srcDbName, srcCollectionName, destDbName, destCollectionName: destCollection + suffixes.collection, isDbEntity };
  });
  return { isGranularRecovery: true, destGranularEntityList: entities };
}

function splitNamespace(namespace: string): readonly [string, string] {
  const dot = namespace.indexOf('.');
  return dot === -1 ? [namespace, ''] : [namespace.slice(0, dot), namespace.slice(dot + 1)];
}

/** What happened to jobs, newest first; made of their rows, so there is no more than those know. */
export function presentEvents(shown: readonly ShownJob[]): object {
  return { commservEvents: shown.flatMap(eventsOf).sort((one, other) => other.timeSource - one.timeSource || other.id - one.id) };
}

/** The one event with this number. @throws ENTITY_UNKNOWN */
export function presentEvent(shown: readonly ShownJob[], id: number): object {
  const commservEvents = shown.flatMap(eventsOf).filter((event) => event.id === id);
  if (commservEvents.length === 0) throw new LeafvaultError('ENTITY_UNKNOWN', `Reading event ${id} failed: there is none`, { details: { kind: 'event', name: id } });
  return { commservEvents };
}

/** The number of the job of which an event tells. */
export function jobOfEvent(id: number): number {
  return Math.floor(id / EVENTS_OF_JOB);
}

function eventsOf({ job, place, words }: ShownJob) {
  const [information, minor, critical] = [0, 3, 6] as const;
  const happened: { readonly at: Date; readonly severity: number; readonly description: string }[] = [
    { at: job.createdAt, severity: information, description: `${TYPE[job.kind]} was asked for by ${job.requestedBy}` },
  ];
  const note = noteOn(words.level);
  if (note !== null) happened.push({ at: job.createdAt, severity: information, description: note });
  if (job.startedAt !== null) happened.push({ at: job.startedAt, severity: information, description: `${TYPE[job.kind]} began; attempts so far: ${job.attempt}` });
  if (job.pausedAt !== null && job.finishedAt === null) happened.push({ at: job.pausedAt, severity: information, description: 'Suspending was asked for' });
  if (job.cancelRequestedAt !== null) happened.push({ at: job.cancelRequestedAt, severity: information, description: 'Its end was asked for' });
  for (const warning of job.warnings) happened.push({ at: job.finishedAt ?? job.startedAt ?? job.createdAt, severity: minor, description: warning });
  if (job.finishedAt !== null) {
    const cause = job.errorMessage === null ? '' : `: ${job.errorMessage}`;
    happened.push({ at: job.finishedAt, severity: job.state === 'failed' ? critical : information, description: `${TYPE[job.kind]} ${STATUS[job.state].toLowerCase()}${cause}` });
  }
  const clientEntity = { clientId: place.clientId, clientName: place.project.name, displayName: place.project.name };
  return happened.map(({ at, severity, description }, index) => ({
    id: job.number * EVENTS_OF_JOB + index, jobId: job.number, severity, description, timeSource: epoch(at), eventCode: '0', eventCodeString: '0:0', subsystem: 'JobManager', type: 0, acknowledge: 0, clientEntity,
  }));
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

function reasonOf(job: Job, { level }: JobWords): string {
  return [job.errorMessage, job.errorHint, noteOn(level), ...job.warnings.map((warning) => `Warning: ${warning}`)].filter((each) => each !== null).join('. ');
}
