// What state continuous backup is in, from what the catalog knows of the tailer and its chain.
import type { Tailer } from '../catalog/index.ts';
import { isFollowed } from '../domain/backup-state.ts';
import type { ClusterTime } from '../domain/cluster-time.ts';
import type { Cluster } from '../domain/records.ts';
import type { ContinuousStatus } from './contracts.ts';

export interface StateFacts {
  readonly cluster: Pick<Cluster, 'continuousBackup' | 'backupState' | 'namespaceFilter'>;
  readonly tailer: Tailer | null;
  /** The chain that goes on has a base. */
  readonly hasBase: boolean;
  readonly now: Date;
}

/** It tells of itself every few seconds; a slow store or catalog may take a while. */
const SILENT_MS = 300_000;
const NOT_FOLLOWED = {
  code: 'CONTINUOUS_NOT_FOLLOWED', message: 'No worker follows the oplog of the cluster', hint: 'Look whether a worker process runs and reaches the catalog',
};
const STANDS_STILL = {
  code: 'CONTINUOUS_STANDS_STILL', message: 'Whoever follows the oplog of the cluster says nothing any more', hint: 'Look whether the cluster and the store answer; a restart of the worker lets another try',
};

export function stateOf({ cluster, tailer, hasBase, now }: StateFacts): Pick<ContinuousStatus, 'state' | 'cause' | 'warning'> {
  const plain = { cause: null, warning: null };
  if (!isFollowed(cluster)) return { ...plain, state: 'off' };
  if (tailer === null || (tailer.state !== 'failed' && tailer.statusAt === null)) return { ...plain, state: 'starting' };
  if (!tailer.held) return { ...plain, state: 'failed', cause: { ...NOT_FOLLOWED, at: tailer.statusAt } };
  if (tailer.state === 'failed') return { ...plain, state: 'failed', cause: tailer.error };
  if (tailer.statusAt !== null && now.getTime() - tailer.statusAt.getTime() > SILENT_MS) return { ...plain, state: 'failed', cause: { ...STANDS_STILL, at: tailer.statusAt } };
  if (tailer.state !== 'running' || !hasBase) return { ...plain, state: 'starting', warning: tailer.warning };
  return tailer.warning === null ? { ...plain, state: 'running' } : { ...plain, state: 'warning', warning: tailer.warning };
}

/** Seconds from the recovery point to now. */
export function lagOf(recoveryPoint: ClusterTime | null, now: Date): number | null {
  return recoveryPoint === null ? null : Math.max(0, now.getTime() / 1000 - recoveryPoint.t);
}

/** Seconds of oplog that can still be lost before the tailer loses something. */
export function headroomOf(tailer: Tailer | null): number | null {
  return tailer?.position == null || tailer.oldest === null ? null : tailer.position.t - tailer.oldest.t;
}
