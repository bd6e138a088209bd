// Who works on a job: claim, renewal, loss, and progress. Expiry is judged by PostgreSQL's clock alone, and every
// claim has a new fencing token, so a worker that was thought dead can write nothing once it wakes up.
import { sql } from 'kysely';
import type { JobKind } from '../domain/records.ts';
import type { Progress } from '../foundation/progress.ts';
import { atomically, type CatalogContext } from './context.ts';

/** The right to work on one job, held until the token is replaced. */
export interface Claim {
  readonly jobId: string;
  readonly workerId: string;
  readonly token: number;
}

export interface ClaimedJob {
  readonly claim: Claim;
  readonly kind: JobKind;
  readonly projectId: string;
  readonly clusterId: string;
  readonly snapshotId: string | null;
  readonly restoreId: string | null;
  readonly payload: Readonly<Record<string, unknown>>;
  /** From 1 up. */
  readonly attempt: number;
  readonly cancelRequestedAt: Date | null;
}

export interface HeldLease {
  readonly jobId: string;
  readonly token: number;
  readonly cancelRequested: boolean;
  /** Only of a job that runs: one that is over is settled whatever was asked of it before. */
  readonly pauseRequested: boolean;
}

/** Progress with what is computed from its course. */
export interface LeaseProgress extends Progress {
  readonly bytesPerSecond: number | null;
  readonly etaSeconds: number | null;
}

export interface JobFailure { readonly code: string; readonly message: string; readonly hint: string | null }

/** What became of a job whose worker is gone. */
export interface LostJob {
  readonly jobId: string;
  readonly owner: string;
  readonly outcome: 'again' | 'failed' | 'over';
}

export interface Leases {
  /** The oldest job that may run now, or null. Its row, and its snapshot's, become running. */
  claimNext(request: { readonly workerId: string; readonly leaseSeconds: number; readonly kinds: readonly JobKind[] }): Promise<ClaimedJob | null>;
  /** A job that is over but whose restore, or drill, left something on its target: the right to settle it. @param restoreId of this one alone */
  claimUnsettled(request: { readonly workerId: string; readonly leaseSeconds: number; readonly except: readonly string[]; readonly restoreId?: string }): Promise<ClaimedJob | null>;
  /** Moves the end of these leases on; says which of them are still held. */
  renew(claims: readonly Claim[], leaseSeconds: number): Promise<readonly HeldLease[]>;
  /** False when the claim is no longer good. */
  saveProgress(claim: Claim, progress: LeaseProgress): Promise<boolean>;
  /** Gives up the leases that ran out and those of `deadOwners`. A job is tried again until it lost `maxLosses` workers. */
  giveUp(request: { readonly deadOwners: readonly string[]; readonly maxLosses: number }): Promise<readonly LostJob[]>;

  // The following run inside `catalog.fenced`, which has checked the claim.

  /** Ends the job; with a failure or a cancel its snapshot's row follows. */
  finish(claim: Claim, outcome: 'completed' | 'cancelled' | JobFailure): Promise<void>;
  /** Back into the queue for any worker; counts as no loss. */
  release(claim: Claim): Promise<void>;
  /**
   * Ends the job while its handler still runs: nothing it does counts, and nobody settles until the claim that is
   * returned was dropped.
   */
  abandon(claim: Claim, failure: JobFailure): Promise<Claim>;
  /** Lets go of a job that is over (after `abandon` or `claimUnsettled`). */
  drop(claim: Claim): Promise<void>;
}

export function createLeases(context: CatalogContext): Leases {
  const { db } = context;
  return {
    claimNext: (request) => atomically(context, (inner) => claimNext(inner, request)),
    claimUnsettled: (request) => atomically(context, (inner) => claimUnsettled(inner, request)),
    async renew(claims, leaseSeconds) {
      if (claims.length === 0) return [];
      // Locked in one order: two renewals, or a renewal and a loss, can't wait for each other in a circle.
      const { rows } = await sql<HeldLease>`
        with mine as (
          select job_id from leases
          where (job_id, token) in (select * from unnest(${claims.map(({ jobId }) => jobId)}::text[], ${claims.map(({ token }) => token)}::bigint[]))
            and owner = ${claims[0]?.workerId}
          order by job_id for update
        )
        update leases set expires_at = clock_timestamp() + ${leaseSeconds} * interval '1 second'
        from jobs, mine where jobs.id = leases.job_id and mine.job_id = leases.job_id
        returning leases.job_id, leases.token, jobs.cancel_requested_at is not null as cancel_requested,
          (jobs.paused_at is not null and jobs.state = 'running') as pause_requested`.execute(db);
      return rows;
    },
    async saveProgress({ jobId, workerId, token }, progress) {
      const row = await db
        .updateTable('leases').set({ ...progress, progressAt: sql<Date>`clock_timestamp()` })
        .where('jobId', '=', jobId).where('token', '=', token).where('owner', '=', workerId)
        .returning('jobId').executeTakeFirst();
      return row !== undefined;
    },
    giveUp: (request) => giveUp(context, request),
    async finish({ jobId }, outcome) {
      if (typeof outcome === 'string') await endJob(context, jobId, outcome, null);
      else await endJob(context, jobId, 'failed', outcome);
      await db.updateTable('leases').set({ owner: null, expiresAt: null }).where('jobId', '=', jobId).execute();
    },
    async release({ jobId }) {
      await queueAgain(context, jobId);
      await db.updateTable('leases').set({ owner: null, expiresAt: null }).where('jobId', '=', jobId).execute();
    },
    async abandon({ jobId, workerId }, failure) {
      await endJob(context, jobId, 'failed', failure);
      const { token } = await db
        .updateTable('leases').set({ token: nextToken }).where('jobId', '=', jobId).returning('token').executeTakeFirstOrThrow();
      return { jobId, workerId, token };
    },
    async drop({ jobId, workerId, token }) {
      await db
        .updateTable('leases').set({ owner: null, expiresAt: null })
        .where('jobId', '=', jobId).where('owner', '=', workerId).where('token', '=', token).execute();
    },
  };
}

const nextToken = sql<number>`nextval('lease_tokens')`;
const CLAIM_COLUMNS = ['id', 'kind', 'projectId', 'clusterId', 'snapshotId', 'restoreId', 'payload', 'attempt', 'cancelRequestedAt'] as const;

async function claimNext(
  context: CatalogContext, { workerId, leaseSeconds, kinds }: { workerId: string; leaseSeconds: number; kinds: readonly JobKind[] },
): Promise<ClaimedJob | null> {
  const { db, clock } = context;
  const next = await db
    .selectFrom('jobs').select(['id', 'exclusiveKey'])
    .where('state', '=', 'queued').where(sql<boolean>`kind = any(${[...kinds]}::text[])`)
    // A paused one that is to end has still to be cleaned up after.
    .where((eb) => eb.or([eb('pausedAt', 'is', null), eb('cancelRequestedAt', 'is not', null)]))
    .where((eb) => eb.or([
      eb('exclusiveKey', 'is', null),
      eb.not(eb.exists(eb.selectFrom('jobs as r').select('r.id').where('r.state', '=', 'running').whereRef('r.exclusiveKey', '=', 'jobs.exclusiveKey'))),
    ]))
    .orderBy('createdAt').orderBy('id').limit(1).forUpdate().skipLocked().executeTakeFirst();
  if (next === undefined) return null;
  // Two workers may have picked two jobs of one key at the same moment: the second waits for the first's commit here.
  if (next.exclusiveKey !== null) {
    await sql`select pg_advisory_xact_lock(hashtextextended(${next.exclusiveKey}, 0))`.execute(db);
    const busy = await db.selectFrom('jobs').select('id').where('exclusiveKey', '=', next.exclusiveKey).where('state', '=', 'running').executeTakeFirst();
    if (busy !== undefined) return null;
  }
  const now = clock.now();
  const job = await db
    .updateTable('jobs')
    .set({ state: 'running', attempt: sql<number>`attempt + 1`, startedAt: sql<Date>`coalesce(started_at, ${now}::timestamptz)` })
    .where('id', '=', next.id).returning(CLAIM_COLUMNS).executeTakeFirstOrThrow();
  await db
    .updateTable('snapshots').set({ state: 'inProgress', startedAt: sql<Date>`coalesce(started_at, ${now}::timestamptz)` })
    .where('jobId', '=', job.id).where('state', '=', 'queued').execute();
  return take(context, job, workerId, leaseSeconds);
}

async function claimUnsettled(
  context: CatalogContext, { workerId, leaseSeconds, except, restoreId }: Parameters<Leases['claimUnsettled']>[0],
): Promise<ClaimedJob | null> {
  const job = await context.db
    .selectFrom('jobs')
    .innerJoin('leases', 'leases.jobId', 'jobs.id')
    .select(CLAIM_COLUMNS.map((column) => `jobs.${column}` as const))
    // One small set: two of them side by side would read all jobs.
    .where('jobs.id', 'in', (eb) => eb
      .selectFrom('restorePlans').select('restorePlans.jobId').where('restorePlans.settledAt', 'is', null)
      .unionAll(eb.selectFrom('drills').select('drills.jobId').where('drills.plan', 'is not', null).where('drills.settledAt', 'is', null)))
    .where('leases.owner', 'is', null)
    .where('jobs.state', 'not in', ['queued', 'running'])
    // Whoever writes to the same target settles what it finds itself.
    .where((eb) => eb.not(eb.exists(eb.selectFrom('jobs as r').select('r.id').where('r.state', '=', 'running').whereRef('r.exclusiveKey', '=', 'jobs.exclusiveKey'))))
    .where(sql<boolean>`jobs.id <> all(${[...except]}::text[])`)
    .$if(restoreId !== undefined, (query) => query.where('jobs.restoreId', '=', restoreId ?? ''))
    .orderBy('jobs.createdAt').limit(1).forUpdate('leases').skipLocked().executeTakeFirst();
  return job === undefined ? null : take(context, job, workerId, leaseSeconds);
}

interface ClaimRow {
  id: string; kind: string; projectId: string; clusterId: string; snapshotId: string | null; restoreId: string | null;
  payload: Record<string, unknown>; attempt: number; cancelRequestedAt: Date | null;
}

async function take({ db }: CatalogContext, { id, kind, ...job }: ClaimRow, workerId: string, leaseSeconds: number): Promise<ClaimedJob> {
  const { token } = await db
    .updateTable('leases')
    .set({ owner: workerId, token: nextToken, expiresAt: sql<Date>`clock_timestamp() + ${leaseSeconds} * interval '1 second'` })
    .where('jobId', '=', id).returning('token').executeTakeFirstOrThrow();
  return { ...job, kind: kind as JobKind, claim: { jobId: id, workerId, token } };
}

async function giveUp(
  context: CatalogContext, { deadOwners, maxLosses }: { deadOwners: readonly string[]; maxLosses: number },
): Promise<readonly LostJob[]> {
  const lost: LostJob[] = [];
  // A transaction for each: locks of several jobs and of their counters, taken by two workers, could form a circle.
  for (;;) {
    const one = await atomically(context, (inner) => giveUpOne(inner, deadOwners, maxLosses));
    if (one === null) return lost;
    lost.push(one);
  }
}

async function giveUpOne(context: CatalogContext, deadOwners: readonly string[], maxLosses: number): Promise<LostJob | null> {
  const { db } = context;
  const { rows } = await sql<{ jobId: string; owner: string }>`
    select job_id, owner from leases
    where owner is not null and (expires_at < clock_timestamp() or owner = any(${[...deadOwners]}::text[]))
    order by job_id limit 1 for update skip locked`.execute(db);
  const [found] = rows;
  if (found === undefined) return null;
  await db.updateTable('leases').set({ owner: null, expiresAt: null, token: nextToken }).where('jobId', '=', found.jobId).execute();
  return { ...found, outcome: await afterLoss(context, found.jobId, maxLosses) };
}

async function afterLoss(context: CatalogContext, jobId: string, maxLosses: number): Promise<LostJob['outcome']> {
  const job = await context.db
    .updateTable('jobs').set({ losses: sql<number>`losses + 1` })
    .where('id', '=', jobId).where('state', '=', 'running').returning('losses').executeTakeFirst();
  if (job === undefined) return 'over';
  if (job.losses < maxLosses) {
    await queueAgain(context, jobId);
    return 'again';
  }
  await endJob(context, jobId, 'failed', {
    code: 'JOBS_WORKER_LOST',
    message: `The worker of this job died or was cut off ${job.losses} times`,
    hint: 'Look into the workers\' logs for why they end (memory, restarts), then ask for the job again',
  });
  return 'failed';
}

/** Paused or not, unless its restore stands in the middle of a swap: a target never waits half swapped for somebody to resume. */
async function queueAgain({ db }: CatalogContext, jobId: string): Promise<void> {
  const { rows } = await sql<{ state: string | null }>`
    select plan::json ->> 'state' as state from restore_plans where job_id = ${jobId} and settled_at is null`.execute(db);
  const isSwapping = rows.some(({ state }) => state === 'swapping' || state === 'committed');
  await db.updateTable('jobs').set({ state: 'queued', ...(isSwapping ? { pausedAt: null } : {}) }).where('id', '=', jobId).where('state', '=', 'running').execute();
}

async function endJob({ db, clock }: CatalogContext, jobId: string, state: 'completed' | 'cancelled' | 'failed', failure: JobFailure | null): Promise<void> {
  const finishedAt = clock.now();
  await db
    .updateTable('jobs')
    // Words that a completion added stay.
    .set({ state, finishedAt, ...(failure === null ? {} : { errorCode: failure.code, errorMessage: failure.message, errorHint: failure.hint }) })
    .where('id', '=', jobId).where('state', 'in', ['queued', 'running']).execute();
  // A completed snapshot is written by `snapshots.complete` alone, with what its root says.
  if (state === 'completed') return;
  await db
    .updateTable('snapshots').set({ state, finishedAt })
    .where('jobId', '=', jobId).where('state', 'in', ['queued', 'inProgress']).execute();
}
