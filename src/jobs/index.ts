// The door of the jobs. Services see only contracts.ts and queue.ts.
export { JOB_KINDS, JOB_PAYLOADS, type JobPayload, type JobPayloadInput } from './contracts.ts';
export { JOBS_ERRORS, type JobsErrorCode } from './errors.ts';
export type { JobQueue, JobRequest } from './queue.ts';
export { openPostgresQueue, type PostgresQueue } from './postgres-queue/postgres-queue.ts';
export type { Completion, JobContext, JobHandler, JobHandlers } from './job-handler.ts';
export type { RepositoryProvider } from './repository-provider.ts';
export { createHandlers, type HandlerParts } from './handlers/create-handlers.ts';
export { checkOnSchedule } from './check-on-schedule.ts';
export { createMendingChore } from './mending.ts';
export { scheduleDrills, type AskForDrill } from './drills/schedule-drills.ts';
export { createScheduleChores, type SchedulingParts } from './scheduling.ts';
export { assertNoneHidden } from './hidden-snapshots.ts';
export { createRetentionChores } from './retention.ts';
export { ownersThatAreGone, sessionOwner } from './session-owner.ts';
export { createChores } from './chores.ts';
export {
  createDumpChore, dumpBodyOf, dumpCatalog, dumpedAtKey, linesOf, trimCatalogDumps, type DumpBody, type DumpReason,
} from './dump-catalog.ts';
export { createLostDrillsChore } from './rescue/lost-drills.ts';
export { reconcile, type Reconciled } from './rescue/reconcile.ts';
export { surveyStore, type StoreSurvey } from './rescue/survey-store.ts';
export { createCopyChores } from './copying.ts';
export { createLockChores } from './extend-locks.ts';
export { readNeededUntil } from './needed-until.ts';
export { trimChains, type TrimmedChain } from './trim-chains.ts';
export { createTailers, type Tailers, type TailersOptions } from './tailers/tailers.ts';
export { Worker, type Chore, type WorkerOptions } from './worker.ts';
