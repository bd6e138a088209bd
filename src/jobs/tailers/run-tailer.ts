// One cluster whose oplog this process follows, from its claim to the end of its lease.
import type { Catalog, TailerClaim, WantedCluster } from '../../catalog/index.ts';
import { isFollowed } from '../../domain/backup-state.ts';
import type { Cluster } from '../../domain/records.ts';
import type { SliceLimits, tailOplog, TailPosition, TailStatus } from '../../engine/index.ts';
import type { Clock } from '../../foundation/clock.ts';
import { describeError, isLeafvaultError, LeafvaultError } from '../../foundation/errors.ts';
import type { Logger } from '../../foundation/logger.ts';
import type { Repository } from '../../repository/repository.ts';
import { failureOf, passwordIn } from '../job-failure.ts';
import type { RepositoryProvider } from '../repository-provider.ts';
import { askForBase, type BaseParts } from './ask-for-base.ts';
import { createDrain } from './drain.ts';
import { beginChain, openChain, type ChainParts, type OpenChain } from './open-chain.ts';
import { createStatusWriter } from './status-writer.ts';

export interface TailerParts extends BaseParts {
  readonly catalog: Catalog;
  readonly repositories: RepositoryProvider;
  readonly tail: typeof tailOplog;
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits: SliceLimits | undefined;
  readonly statusMs: number;
  /** After a failure, doubled with each up to `longest`. */
  readonly retryMs: { readonly first: number; readonly longest: number };
}

export interface RunningTailer {
  readonly claim: TailerClaim;
  /** Something was decided about the cluster: what was gathered is put away, then the catalog is asked. */
  look(): void;
  /** Puts away what was gathered, and goes on. */
  cut(): void;
  /** Puts away what was gathered and gives the lease back. */
  release(): void;
  /** The lease is another's: stops, and writes nothing more. */
  lose(): void;
  /** Resolves when nothing of it runs any more; never rejects. */
  readonly done: Promise<void>;
}

interface Run extends TailerParts {
  readonly claim: TailerClaim;
  readonly lost: AbortController;
  readonly secrets: Set<string>;
  chain: OpenChain | null;
  releasing: boolean;
  /** Ends the waiting or the following that is going on. */
  interrupt: (() => void) | null;
  looking: boolean;
  /** The tailer has to hand on what it gathered. */
  cutting: boolean;
  /** Following went on for a while since the last failure. */
  wentWell: boolean;
}

export function runTailer(parts: TailerParts, claim: TailerClaim, cluster: WantedCluster): RunningTailer {
  const log = parts.log.child({ cluster: cluster.name, cluster_id: cluster.id });
  const run: Run = { ...parts, log, claim, lost: new AbortController(), secrets: new Set(), chain: null, releasing: false, interrupt: null, looking: false, cutting: false, wentWell: false };
  const look = (): void => {
    run.looking = true;
    run.interrupt?.();
  };
  const lose = (): void => {
    run.lost.abort(new LeafvaultError('JOBS_TAILER_LOST', 'This process lost the lease of the cluster'));
    run.interrupt?.();
  };
  return {
    claim, look, lose,
    cut() {
      run.cutting = true;
    },
    release() {
      run.releasing = true;
      look();
    },
    done: runToEnd(run, lose),
  };
}

async function runToEnd(run: Run, lose: () => void): Promise<void> {
  const { log, retryMs } = run;
  log.info('following the cluster begins');
  for (let failures = 0; ; ) {
    try {
      if ((await step(run, lose)) === 'over') break;
    } catch (error) {
      if (isLost(run, error)) break;
      failures = run.wentWell ? 1 : failures + 1;
      run.wentWell = false;
      await tellFailure(run, error);
      await pause(run, Math.min(retryMs.longest, retryMs.first * 2 ** Math.min(failures - 1, 20)));
    }
  }
  log.info({ lost: run.lost.signal.aborted }, 'following the cluster ends');
}

function isLost(run: Run, error: unknown): boolean {
  return run.lost.signal.aborted || isLeafvaultError(error, 'CATALOG_TAILER_LOST');
}

/** Up to the next thing that has to be decided anew. */
async function step(run: Run, lose: () => void): Promise<'over' | 'again'> {
  const { catalog, claim } = run;
  run.looking = false;
  if (run.lost.signal.aborted) return 'over';
  if (run.releasing) {
    await catalog.tailers.release(claim).catch(() => undefined);
    return 'over';
  }
  const [cluster, uri] = await Promise.all([catalog.clusters.get(claim.clusterId), catalog.clusters.uriOf(claim.clusterId)]);
  if (cluster === null) return 'over';
  const parts = await chainParts(run, cluster);
  run.chain ??= await openChain(parts);
  if (!isFollowed(cluster)) {
    if (run.chain !== null) return endChain(run, run.chain, 'STOPPED', 'Continuous backup was switched off, or backups of the cluster were stopped or filtered');
    await catalog.tailers.release(claim, 'stopped');
    return 'over';
  }
  // A deleted one has none, and its chain was ended above: what nobody needs of it is trimmed then.
  if (uri === null) return 'over';
  const { endRequested = null } = (await catalog.tailers.get(cluster.id)) ?? {};
  if (endRequested !== null && run.chain !== null) return endChain(run, run.chain, endRequested, endRequested === 'ADDRESS_CHANGED' ? 'The connection string of this cluster names other servers now' : 'A restore swapped names in this cluster');
  return follow(run, { cluster, uri, parts, lose });
}

async function chainParts({ catalog, repositories, clock, claim }: Run, { projectId }: Cluster): Promise<ChainParts> {
  const repository: Repository = await repositories.forProject(projectId);
  return { catalog, repository, clock, clusterId: claim.clusterId, fence: (work) => catalog.following(claim, work) };
}

async function follow(run: Run, { cluster, uri, parts, lose }: { readonly cluster: Cluster; readonly uri: string; readonly parts: ChainParts; readonly lose: () => void }): Promise<'again'> {
  const { catalog, claim, log, clock, limits, statusMs } = run;
  const password = passwordIn(uri);
  if (password !== null) run.secrets.add(password);
  const drain = createDrain();
  const status = createStatusWriter({ ...run, cluster, lose, chainId: () => run.chain?.id ?? null }, await catalog.tailers.get(claim.clusterId));
  run.interrupt = drain.ask;
  if (run.looking) drain.ask();
  try {
    return await run.tail({
      uri, limits, statusMs, clock, log, from: run.chain?.position ?? null,
      signal: AbortSignal.any([run.lost.signal, drain.signal]),
      cutNow: () => {
        const asked = run.cutting;
        run.cutting = false;
        return drain.cutNow() || asked;
      },
      onBegin: async (position) => {
        run.chain ??= await beginNewChain(run, parts, cluster, position);
      },
      onSlice: async (slice) => run.chain?.append(slice),
      onStatus: (told: TailStatus) => {
        run.wentWell = true;
        status.tell(told);
      },
    });
  } catch (error) {
    if (drain.signal.aborted && !run.lost.signal.aborted && error === drain.signal.reason) return 'again';
    return await afterFollowing(run, error);
  } finally {
    run.interrupt = null;
    drain.stop();
    await status.settled();
  }
}

function beginNewChain(run: Run, parts: ChainParts, cluster: Cluster, position: TailPosition): Promise<OpenChain> {
  return beginChain(parts, position, async (tx, chainId) => {
    const snapshot = await askForBase(run, tx, cluster, chainId);
    run.log.info({ chain: chainId, snapshot }, 'a chain begins');
  });
}

async function afterFollowing(run: Run, error: unknown): Promise<'again'> {
  const { chain, log } = run;
  if (run.lost.signal.aborted) throw error;
  if (isLeafvaultError(error, 'OPLOG_CHAIN_ENDED') && chain !== null) {
    const isShort = chain.position.digest === null;
    await endChain(run, chain, String(error.details['reason']), error.message);
    // A chain that got no slice: whatever ended it may still be going on.
    if (isShort) await pause(run, run.retryMs.first);
    return 'again';
  }
  // What the source fails with says nothing against the chain; after anything else the store is asked what it holds.
  if (!(isLeafvaultError(error) && error.code.startsWith('SOURCE_'))) run.chain = null;
  if (!isLeafvaultError(error, 'REPOSITORY_CHAIN_TAKEN') && !isLeafvaultError(error, 'REPOSITORY_CHAIN_ENDED')) throw error;
  log.warn({ reason: error.message }, 'somebody else wrote to the chain; it is read again');
  return 'again';
}

async function endChain(run: Run, chain: OpenChain, reason: string, message: string): Promise<'again'> {
  // Whatever comes of it: the next round asks the store.
  run.chain = null;
  try {
    await chain.end(reason, message);
    run.log.warn({ chain: chain.id, reason }, 'the chain ends; instants up to the next base can not be restored');
  } catch (error) {
    // Somebody went on with the chain meanwhile: it is opened again, and ended if it still has to be.
    if (!isLeafvaultError(error, 'REPOSITORY_CHAIN_TAKEN')) throw error;
  }
  return 'again';
}

async function tellFailure({ catalog, claim, log, secrets }: Run, error: unknown): Promise<void> {
  const failure = failureOf(error, secrets);
  log.warn({ code: failure.code, reason: failure.message }, 'following the cluster failed; trying again');
  // The catalog may be what fails: the next status or failure says it.
  await catalog.tailers.saveFailure(claim, failure).catch((cause: unknown) => log.debug({ reason: describeError(cause) }, 'the failure could not be written'));
}

/** Shorter when something is decided. */
function pause(run: Run, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      run.interrupt = null;
      resolve();
    };
    const timer = setTimeout(end, ms);
    run.interrupt = end;
    if (run.looking || run.lost.signal.aborted) end();
  });
}
