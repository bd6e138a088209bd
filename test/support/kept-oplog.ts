// The real tailer, keeping the oplog of a test's replica set as a chain of a repository.
import { setTimeout as delay } from 'node:timers/promises';
import { compareClusterTimes, positionOf, type ClusterTime } from '../../src/domain/cluster-time.ts';
import type { KeptInstant } from '../../src/engine/contracts.ts';
import { slicesOfChain } from '../../src/engine/index.ts';
import { tailOplog } from '../../src/engine/oplog/tail-oplog.ts';
import { systemClock } from '../../src/foundation/clock.ts';
import { createLogger } from '../../src/foundation/logger.ts';
import type { ChainWriter, Repository } from '../../src/repository/repository.ts';

export interface KeptOplog {
  readonly chainId: string;
  readonly replicaSetId: string | null;
  readonly from: ClusterTime;
  /** Resolves when a position, or a later one, is kept. */
  reach(time: ClusterTime): Promise<void>;
  /** For `RestoreOptions`. */
  instant(border: ClusterTime): KeptInstant;
  stop(): Promise<void>;
}

/** Resolves when the chain has begun. */
export async function keepOplog(uri: string, repository: Repository, series = 'test'): Promise<KeptOplog> {
  const ended = new AbortController();
  const begun = Promise.withResolvers<{ readonly writer: ChainWriter; readonly replicaSetId: string | null; readonly from: ClusterTime }>();
  let reached: ClusterTime = { t: 0, i: 0 };
  let failure: unknown = null;
  const tail = tailOplog({
    uri, from: null, signal: ended.signal, clock: systemClock, log: createLogger('silent'), limits: { bytes: 256 * 1024, ms: 100 },
    onBegin: async ({ time, replicaSetId }) => {
      const writer = await repository.chains.begin({ series, from: positionOf(time), body: { replicaSetId } });
      begun.resolve({ writer, replicaSetId, from: time });
    },
    onSlice: async ({ to, entries, raw }) => {
      await (await begun.promise).writer.append({ to: positionOf(to), records: entries, raw, body: {} });
      reached = to;
    },
  }).catch((error: unknown) => {
    failure = error;
    begun.reject(error);
  });
  const { writer, replicaSetId, from } = await begun.promise;
  return {
    chainId: writer.head.id, replicaSetId, from,
    async reach(time) {
      while (compareClusterTimes(reached, time) < 0) {
        if (failure !== null) throw failure as Error;
        await delay(20);
      }
    },
    instant: (border) => ({ border, replicaSetId, slices: slicesOfChain({ chains: repository.chains, chainId: writer.head.id }) }),
    async stop() {
      ended.abort(new Error('the test is over'));
      await tail;
    },
  };
}
