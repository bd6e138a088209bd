// Who follows which cluster's oplog: claim, renewal, loss, and how far it is. Expiry is judged by PostgreSQL's clock
// alone, and every claim has a new fencing token, as for jobs (leases.ts).
import { sql } from 'kysely';
import type { ClusterTime } from '../domain/cluster-time.ts';
import { LeafvaultError } from '../foundation/errors.ts';
import { isAnyOf, type CatalogContext } from './context.ts';
import type { JobFailure } from './leases.ts';

/** The right to follow one cluster, held until the token is replaced. */
export interface TailerClaim {
  readonly clusterId: string;
  readonly workerId: string;
  readonly token: number;
}

/** A cluster that somebody has to follow, or whose open chain somebody has to end. */
export interface WantedCluster { readonly id: string; readonly projectId: string; readonly name: string }

export interface HeldTailer {
  readonly clusterId: string;
  readonly token: number;
  /** False once continuous backup was switched off. */
  readonly wanted: boolean;
  /** Why the chain has to end although it could go on. */
  readonly endRequested: string | null;
  /** What was gathered is wanted now. */
  readonly cutRequested: boolean;
}

/** What the source tells of itself. */
export interface TailerStatus {
  readonly member: string;
  readonly position: ClusterTime;
  readonly oldest: ClusterTime;
  readonly newest: ClusterTime;
  /** The oplog was seen to drop its oldest entries. */
  readonly rolls: boolean;
  /** Words, while what the oplog can still lose is little. */
  readonly warning: string | null;
}

export interface Tailer {
  readonly clusterId: string;
  readonly state: 'starting' | 'running' | 'failed' | 'stopped';
  /** Somebody has the lease now. */
  readonly held: boolean;
  readonly chainId: string | null;
  /** Why the chain has to end although it could go on. */
  readonly endRequested: string | null;
  readonly member: string | null;
  readonly position: ClusterTime | null;
  readonly oldest: ClusterTime | null;
  readonly newest: ClusterTime | null;
  readonly rolls: boolean;
  readonly warning: string | null;
  readonly statusAt: Date | null;
  readonly error: (JobFailure & { readonly at: Date }) | null;
}

export interface Tailers {
  /** Nobody follows them now: the lease is free, or ran out, or its owner is no worker any more. */
  free(except: readonly string[]): Promise<readonly WantedCluster[]>;
  /** Null when somebody else was faster. */
  claim(request: { readonly clusterId: string; readonly workerId: string; readonly leaseSeconds: number }): Promise<TailerClaim | null>;
  /** Moves the end of these leases on; says which of them are still held. A request to cut is heard once. */
  renew(claims: readonly TailerClaim[], leaseSeconds: number): Promise<readonly HeldTailer[]>;
  /** State `running`, the last error forgotten. False when the claim is no longer good. */
  saveStatus(claim: TailerClaim, status: TailerStatus): Promise<boolean>;
  /** State `failed`. False when the claim is no longer good. */
  saveFailure(claim: TailerClaim, failure: JobFailure): Promise<boolean>;
  /** Gives the lease back; `stopped`: nobody has to follow it any more. Nothing when the claim is no longer good. */
  release(claim: TailerClaim, state?: 'stopped'): Promise<void>;
  /** Inside `catalog.following`: the chain that is written now; null when it has ended, and with it a request to end it. */
  setChain(clusterId: string, chain: { readonly id: string; readonly position: ClusterTime } | null): Promise<void>;
  /** Asks whoever follows the cluster to end its chain and begin another one. Nothing where no chain goes on. */
  requestEnd(clusterId: string, reason: string): Promise<void>;
  /** Asks whoever follows the cluster to put away what it has gathered. */
  requestCut(clusterId: string): Promise<void>;
  get(clusterId: string): Promise<Tailer | null>;
  list(): Promise<readonly Tailer[]>;
}

/** CATALOG_TAILER_LOST */
export function tailerLost(clusterId: string): LeafvaultError {
  return new LeafvaultError('CATALOG_TAILER_LOST', `Writing for the tailer of cluster ${clusterId} was refused: another worker follows it, or nobody has to`, {
    hint: 'Nothing to do: the other worker goes on with the chain', details: { clusterId },
  });
}

const FREE = sql<boolean>`(tailers.owner is null or tailers.expires_at < clock_timestamp()
  or not exists (select 1 from workers where workers.id = tailers.owner))`;
const GOES_ON = sql<boolean>`exists (select 1 from chains where chains.cluster_id = clusters.id and chains.ended_at is null)`;
const NO_ERROR = { errorCode: null, errorMessage: null, errorHint: null, errorAt: null };

export function createTailers({ db, clock }: CatalogContext): Tailers {
  const update = ({ clusterId, workerId, token }: TailerClaim) =>
    db.updateTable('tailers').where('clusterId', '=', clusterId).where('owner', '=', workerId).where('token', '=', token);
  return {
    async free(except) {
      return db
        .selectFrom('clusters').leftJoin('tailers', 'tailers.clusterId', 'clusters.id')
        .select(['clusters.id', 'clusters.projectId', 'clusters.name'])
        .where((eb) => eb.or([eb('clusters.followed', '=', true), GOES_ON]))
        // To end a chain no server is needed.
        .where((eb) => eb.or([eb('clusters.uriSealed', 'is not', null), eb('clusters.followed', '=', false)]))
        .where((eb) => eb.or([eb('tailers.clusterId', 'is', null), FREE]))
        .where((eb) => eb.not(isAnyOf('clusters.id', except)))
        .orderBy('clusters.id').execute();
    },
    async claim({ clusterId, workerId, leaseSeconds }) {
      await db.insertInto('tailers').values({ clusterId }).onConflict((conflict) => conflict.doNothing()).execute();
      const row = await db
        .updateTable('tailers')
        .set({ owner: workerId, token: sql<number>`nextval('lease_tokens')`, expiresAt: inSeconds(leaseSeconds), state: sql<string>`case state when 'stopped' then 'starting' else state end` })
        .where('clusterId', '=', clusterId).where(FREE).returning('token').executeTakeFirst();
      return row === undefined ? null : { clusterId, workerId, token: row.token };
    },
    async renew(claims, leaseSeconds) {
      if (claims.length === 0) return [];
      // Locked in one order: two renewals, or a renewal and a claim, can't wait for each other in a circle.
      const { rows } = await sql<HeldTailer>`
        with mine as (
          select cluster_id, cut_requested from tailers
          where (cluster_id, token) in (select * from unnest(${claims.map(({ clusterId }) => clusterId)}::text[], ${claims.map(({ token }) => token)}::bigint[]))
            and owner = ${claims[0]?.workerId}
          order by cluster_id for update
        )
        update tailers set expires_at = ${inSeconds(leaseSeconds)}, cut_requested = false
        from clusters, mine where clusters.id = tailers.cluster_id and mine.cluster_id = tailers.cluster_id
        returning tailers.cluster_id, tailers.token, clusters.followed as wanted, tailers.end_requested, mine.cut_requested`.execute(db);
      return rows;
    },
    async saveStatus(claim, { member, position, oldest, newest, rolls, warning }) {
      const row = await update(claim).set({
        state: 'running', member, rolls, warning, positionT: position.t, positionI: position.i, oldestT: oldest.t, oldestI: oldest.i, newestT: newest.t,
        newestI: newest.i, statusAt: clock.now(), ...NO_ERROR,
      }).returning('clusterId').executeTakeFirst();
      return row !== undefined;
    },
    async saveFailure(claim, { code, message, hint }) {
      const failure = { state: 'failed', errorCode: code, errorMessage: message, errorHint: hint, errorAt: clock.now() };
      return (await update(claim).set(failure).returning('clusterId').executeTakeFirst()) !== undefined;
    },
    async release(claim, state) {
      const free = { owner: null, expiresAt: null };
      await update(claim).set(state === undefined ? free : { ...free, state, warning: null, ...NO_ERROR }).execute();
    },
    async setChain(clusterId, chain) {
      const news = chain === null
        ? { chainId: null, endRequested: null }
        : { chainId: chain.id, positionT: chain.position.t, positionI: chain.position.i };
      await db.updateTable('tailers').set(news).where('clusterId', '=', clusterId).execute();
    },
    async requestCut(clusterId) {
      await db.updateTable('tailers').set({ cutRequested: true }).where('clusterId', '=', clusterId).execute();
    },
    requestEnd: (clusterId, reason) => requestEndOfChain({ db }, clusterId, reason),
    async get(clusterId) {
      const row = await select(db).where('clusterId', '=', clusterId).executeTakeFirst();
      return row === undefined ? null : recordOf(row);
    },
    async list() {
      return (await select(db).orderBy('clusterId').execute()).map(recordOf);
    },
  };
}

function inSeconds(seconds: number) {
  return sql<Date>`clock_timestamp() + ${seconds} * interval '1 second'`;
}

function select(db: CatalogContext['db']) {
  return db.selectFrom('tailers').selectAll().select(sql<boolean>`owner is not null and expires_at >= clock_timestamp()`.as('held'));
}

type TailerRow = Awaited<ReturnType<ReturnType<typeof select>['execute']>>[number];

function recordOf(row: TailerRow): Tailer {
  const { errorCode: code, errorMessage: message, errorHint: hint, errorAt: at } = row;
  return {
    clusterId: row.clusterId, state: row.state as Tailer['state'], held: row.held, chainId: row.chainId, endRequested: row.endRequested, member: row.member,
    position: timeOf(row.positionT, row.positionI), oldest: timeOf(row.oldestT, row.oldestI), newest: timeOf(row.newestT, row.newestI),
    rolls: row.rolls, warning: row.warning, statusAt: row.statusAt,
    error: code === null || message === null || at === null ? null : { code, message, hint, at },
  };
}

function timeOf(t: number | null, i: number | null): ClusterTime | null {
  return t === null || i === null ? null : { t, i };
}

/** As `Tailers.requestEnd`, for whoever changes what a chain rests on in a transaction of its own. */
export async function requestEndOfChain({ db }: Pick<CatalogContext, 'db'>, clusterId: string, reason: string): Promise<void> {
  await db
    .updateTable('tailers').set({ endRequested: reason }).where('clusterId', '=', clusterId)
    .where((eb) => eb.exists(eb.selectFrom('chains').select('chains.id').where('chains.clusterId', '=', clusterId).where('chains.endedAt', 'is', null)))
    .execute();
}
