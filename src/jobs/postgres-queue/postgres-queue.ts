// The queue on PostgreSQL: the job's row is the truth, pg-boss carries the wake-up that is sent with it.
import { PgBoss } from 'pg-boss';
import { clientConfigOf, type Catalog, type CatalogTransaction } from '../../catalog/index.ts';
import type { Job, JobKind } from '../../domain/records.ts';
import { describeError, LeafvaultError } from '../../foundation/errors.ts';
import type { Logger } from '../../foundation/logger.ts';
import { redactUri } from '../../foundation/redact.ts';
import { JOB_PAYLOADS } from '../contracts.ts';
import type { JobQueue, JobRequest } from '../queue.ts';

/** What a worker needs besides the port of the services. */
export interface PostgresQueue extends JobQueue {
  /** Calls `onWake` when there may be work; may be late, so the caller looks by itself as well. */
  wakeUps(onWake: () => void): Promise<WakeUps>;
  /** Safe to call twice. */
  close(): Promise<void>;
}

export interface WakeUps {
  /** A worker without a free slot leaves the wake-ups to others. */
  pause(): Promise<void>;
  resume(): Promise<void>;
}

const QUEUE = 'leafvault-wake-ups';
// With NOTIFY on, pg-boss would look by itself only every 30 s and leave anything late until then.
const POLL_SECONDS = { pollingIntervalSeconds: 1, notifyPollingIntervalSeconds: 2 };
const DAY_SECONDS = 86_400;

/** @throws JOBS_QUEUE_FAILED */
export async function openPostgresQueue({ catalog, log }: { readonly catalog: Catalog; readonly log: Logger }): Promise<PostgresQueue> {
  const boss = new PgBoss({
    ...(clientConfigOf(catalog.address, null) as object),
    schema: `${catalog.schema}_queue`,
    max: 4,
    useListenNotify: true,
    schedule: false,
  });
  boss.on('error', (error) => log.warn({ reason: redactUri(describeError(error)) }, 'the queue reports an error'));
  try {
    await boss.start();
    await boss.createQueue(QUEUE, {
      notify: true, retryLimit: 0, expireInSeconds: 60, retentionSeconds: DAY_SECONDS, deleteAfterSeconds: 600,
    });
  } catch (cause) {
    await boss.stop({ graceful: false }).catch(() => undefined);
    throw new LeafvaultError('JOBS_QUEUE_FAILED', `Opening the queue failed: ${redactUri(describeError(cause))}`, { cause, retryable: true });
  }
  let closing: Promise<void> | undefined;
  return {
    enqueue: (tx, request) => enqueue(boss, tx, request),
    cancel: (jobId, by, tx) => (tx ?? catalog).jobs.requestCancel(jobId, by),
    pause: (jobId, tx) => (tx ?? catalog).jobs.requestPause(jobId),
    // No wake-up is sent: workers look by themselves every second.
    resume: (jobId) => catalog.jobs.resume(jobId),
    wakeUps: (onWake) => openWakeUps(boss, onWake),
    close() {
      closing ??= boss.stop({ graceful: true, timeout: 2000 });
      return closing;
    },
  };
}

async function enqueue<K extends JobKind>(boss: PgBoss, tx: CatalogTransaction, request: JobRequest<K>): Promise<Job> {
  const { targetClusterId, payload, ...row } = request;
  const job = await tx.jobs.insert({ ...row, payload: checkPayload(request.kind, payload), exclusiveKey: exclusiveKeyOf(request) });
  // Without `db` pg-boss would send on a connection of its own: before the row is there, and even if it never comes.
  await boss.send(QUEUE, { jobId: job.id }, { db: { executeSql: async (text, values) => ({ rows: [...(await tx.executeSql(text, values)).rows] }) } });
  return job;
}

function checkPayload(kind: JobKind, payload: unknown): Record<string, unknown> {
  const { success, data, error } = JOB_PAYLOADS[kind].safeParse(payload);
  if (success) return data;
  throw new LeafvaultError('JOBS_PAYLOAD_INVALID', `Asking for a ${kind} job failed: its payload does not fit (${error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')})`);
}

/** They change names on their target, one after the other. */
const WRITING: ReadonlySet<JobKind> = new Set(['restore', 'undo', 'dropKept']);

function exclusiveKeyOf({ kind, clusterId, targetClusterId }: JobRequest): string | null {
  if (kind === 'snapshot') return `snapshot:${clusterId}`;
  if (kind === 'export') return `export:${clusterId}`;
  // One at a time: two would count on the same free room, and many would take the slots from what is in earnest.
  if (kind === 'drill') return 'drill';
  return WRITING.has(kind) ? `restore:${targetClusterId ?? clusterId}` : null;
}

async function openWakeUps(boss: PgBoss, onWake: () => void): Promise<WakeUps> {
  // Switches follow each other: a resume must not overtake the pause before it.
  let last: Promise<unknown> = Promise.resolve();
  const follow = (step: () => Promise<unknown>): Promise<void> => {
    last = last.then(step, step);
    return last.then(() => undefined);
  };
  const resume = () => boss.work(QUEUE, POLL_SECONDS, () => Promise.resolve(onWake()));
  await follow(resume);
  return {
    pause: () => follow(() => boss.offWork(QUEUE)),
    resume: () => follow(resume),
  };
}
